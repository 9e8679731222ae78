/**
 * The fields that a boolean expression of Milvus speaks of, by the lexical rules of its grammar (Plan.g4 of
 * the server, the tokenizer of milvus-lite). No parser: it tells tokens apart and that brackets are balanced,
 * so that `(expression) and more` means what it says. What cannot be told for sure is `unclear`.
 */

import type { FieldPath, RecordFilter } from '../store.ts';

export type Expression =
  | { readonly kind: 'clear'; readonly fields: readonly FieldPath[] }
  | { readonly kind: 'unclear'; readonly why: string };

/** Different fields in one expression; one with more is not written by people. */
const FIELDS_MAX = 1000;

/**
 * Words that are fields in no version of the grammar. Others (`is`, `exists`, `threshold`) came later, so that
 * they count as fields: a field of that name may stand there.
 */
const KEYWORDS = new Set(
  ['and', 'or', 'not', 'in', 'like', 'true', 'false']
    .flatMap((word) => [word, word.toUpperCase()])
    .concat(['True', 'False']),
);

const SPACE = /[ \t\r\n]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER =
  /(?:0[xX][0-9a-fA-F.]+(?:[pP][+-]?[0-9]+)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])/y;
/** A line ends a text. `\u` is read before anything else by some servers, so it may end one, too. */
const TEXT = /"(?:[^"\\\r\n]|\\[^\r\nuU])*"|'(?:[^'\\\r\n]|\\[^\r\nuU])*'/y;
const TEMPLATE = /\{[ \t]*[A-Za-z_][A-Za-z0-9_]*[ \t]*\}/y;
const OPERATOR = /[<>=!+\-*/%&|^~,]/y;
/** `["key"]`, `[0]`, `[name]` behind a name. */
const STEP =
  /[ \t]*\[[ \t]*(?:([rR]?"[^"\\\r\n]*"|[rR]?'[^'\\\r\n]*')|([0-9]+)|([A-Za-z_][A-Za-z0-9_]*))[ \t]*\]/y;
const CALL = /[ \t\r\n]*\(/y;
const BRACKET = /[ \t\r\n]*\[/y;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const BRACKETS: Readonly<Record<string, string>> = { ')': '(', ']': '[' };

export function readExpression(text: string): Expression {
  return new Lexer(text).read();
}

export function isFieldName(text: string): boolean {
  return IDENTIFIER.test(text);
}

class Lexer {
  readonly #text: string;
  readonly #fields = new Map<string, FieldPath>();
  /** `$[name]`: of the element of a list of structs that is named elsewhere in the text. */
  readonly #elements = new Set<string>();
  readonly #open: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Expression {
    while (this.#at < this.#text.length) {
      const why = this.#token();
      if (why !== undefined) return { kind: 'unclear', why };
      if (this.#fields.size > FIELDS_MAX) {
        return { kind: 'unclear', why: `an expression of more than ${FIELDS_MAX} fields` };
      }
    }
    if (this.#open.length > 0) return { kind: 'unclear', why: 'a bracket that is not closed' };
    return { kind: 'clear', fields: this.#allFields() };
  }

  #allFields(): FieldPath[] {
    const fields = [...this.#fields.values()];
    const below = [...this.#elements].flatMap((element) => [
      [element],
      ...fields.map(([first = '']) => [first, element]),
    ]);
    return [...fields, ...below];
  }

  /** Takes one; gives why it cannot be told what it is. */
  #token(): string | undefined {
    if (this.#take(SPACE) !== undefined || this.#take(NUMBER) !== undefined) return undefined;
    const start = this.#text.charAt(this.#at);
    if (start === '"' || start === "'") {
      return this.#take(TEXT) === undefined
        ? 'a text that does not end, or `\\u` in it'
        : undefined;
    }
    if (start === '$') return this.#dollar();
    const name = this.#take(NAME);
    if (name !== undefined) return this.#name(name);
    if (this.#take(TEMPLATE) !== undefined || this.#take(OPERATOR) !== undefined) return undefined;
    return this.#bracket(start);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #bracket(bracket: string): string | undefined {
    this.#at += 1;
    if (bracket === '(' || bracket === '[') {
      this.#open.push(bracket);
      return undefined;
    }
    const opening = BRACKETS[bracket];
    if (opening === undefined) return `the character ${JSON.stringify(bracket)}`;
    return this.#open.pop() === opening ? undefined : 'a bracket that was not opened';
  }

  #name(name: string): string | undefined {
    const isKeyword = KEYWORDS.has(name);
    const isList = isKeyword && this.#text[this.#at] !== '[';
    const steps = this.#steps();
    if (isList) return undefined;
    // What follows is a list, or a key that is written with escapes.
    if (!isKeyword && this.#follows(BRACKET)) return `what follows ${name} in brackets`;
    if (isKeyword && (steps ?? []).length === 0) return undefined;
    if (steps === undefined && this.#follows(CALL)) return undefined;
    this.#add([name, ...(steps ?? [])]);
    return undefined;
  }

  #follows(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  /** `$meta["key"]` is the field of that key; all of `$meta` may be any field. */
  #dollar(): string | undefined {
    this.#at += 1;
    const name = this.#take(NAME);
    const steps = this.#steps();
    if (name === undefined) {
      for (const element of steps ?? []) this.#elements.add(element);
      return undefined;
    }
    if (name !== 'meta' || steps === undefined || steps.length === 0 || this.#follows(BRACKET)) {
      return `$${name} without a key`;
    }
    this.#add(steps);
    return undefined;
  }

  /** The keys behind a name, indexes left out; undefined: none follow. */
  #steps(): string[] | undefined {
    let steps: string[] | undefined;
    for (;;) {
      STEP.lastIndex = this.#at;
      const found = STEP.exec(this.#text);
      if (found === null) return steps;
      this.#at += found[0].length;
      steps ??= [];
      const [, quoted, , name] = found;
      if (quoted !== undefined) steps.push(quoted.replace(/^[rR]/, '').slice(1, -1));
      else if (name !== undefined) steps.push(name);
    }
  }

  #add(path: FieldPath): void {
    this.#fields.set(JSON.stringify(path), path);
  }
}

/**
 * The condition of a filter, or in one sentence why it cannot be said. A value with a backslash or a line end
 * is read in different ways by different servers.
 */
export function filterExpression(
  filter: RecordFilter,
): { readonly text: string } | { readonly why: string } {
  const parts: string[] = [];
  for (const { field, value } of filter) {
    const [first = '', ...rest] = field.split('.');
    const isUsable = isFieldName(first) && !KEYWORDS.has(first) && rest.every(isSafeText);
    if (!isUsable) return { why: `the filter's field "${field}" is no field name of Milvus` };
    if (!isSafeText(value)) {
      return { why: `the filter's value for "${field}" cannot be written in an expression safely` };
    }
    const keys = rest.map((key) => `["${key}"]`).join('');
    parts.push(`${first}${keys} == "${value}"`);
  }
  return { text: parts.join(' and ') };
}

function isSafeText(text: string): boolean {
  return !/["\\{}\p{Cc}]/u.test(text);
}

/** The expression that holds where both do, or why that cannot be said. */
export function restrictExpression(
  expression: string,
  condition: string,
): { readonly text: string } | { readonly why: string } {
  if (expression.trim() === '') return { text: condition };
  const read = readExpression(expression);
  if (read.kind === 'unclear') {
    return { why: `a filter cannot be added to this expression: ${read.why}` };
  }
  return { text: `(${expression}) and ${condition}` };
}
