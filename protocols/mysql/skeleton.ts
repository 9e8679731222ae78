/**
 * A statement without its comments and without what stands in its literals, so that a search for a word
 * finds code and nothing else. One pass, since a client chooses the text. It follows MySQL's rules of
 * lexing, but what is decided on is read by the lexer of lib/sql; this is for the session's own state.
 */

/** Longer literals and names become empty ones: no name of a database or charset is longer. */
const KEPT_SIZE_MAX = 256;
const BACKTICK = '`';

export interface Lexing {
  readonly noBackslashEscapes: boolean;
}

export function skim(text: string, lexing: Lexing): string {
  const parts: string[] = [];
  let codeStart = 0;
  for (let at = 0; at < text.length; ) {
    const found = readToken(text, at, lexing);
    if (found === undefined) {
      at += 1;
      continue;
    }
    parts.push(text.slice(codeStart, at), found.by);
    at = found.end;
    codeStart = at;
  }
  parts.push(text.slice(codeStart));
  return parts.join('').replaceAll(/\s+/g, ' ').trim();
}

interface Token {
  readonly end: number;
  /** What stands for it. */
  readonly by: string;
}

/** The literal, quoted name, comment or mark that begins here; undefined: none does. */
function readToken(text: string, at: number, lexing: Lexing): Token | undefined {
  const next = text[at + 1];
  const here = text[at];
  switch (here) {
    case "'":
    case '"':
    case BACKTICK:
      return readQuoted(text, at, lexing.noBackslashEscapes || here === BACKTICK);
    case '#':
      return { end: lineEnd(text, at), by: ' ' };
    case '-':
      if (next !== '-' || !isSpace(text[at + 2])) return undefined;
      return { end: lineEnd(text, at), by: ' ' };
    case '/':
      return next === '*' ? readComment(text, at) : undefined;
    case '*':
      return next === '/' ? { end: at + 2, by: ' */ ' } : undefined;
    default:
      return undefined;
  }
}

function readQuoted(text: string, at: number, isWithoutEscapes: boolean): Token {
  const end = literalEnd(text, at, isWithoutEscapes);
  const literal = text.slice(at, Math.min(end, at + KEPT_SIZE_MAX + 2));
  return { end, by: keptLiteral(literal, text[at] ?? '') };
}

function readComment(text: string, at: number): Token {
  const open = text[at + 2] === 'M' ? at + 3 : at + 2;
  // The text of a version comment is code, at least for some servers: the marks stay.
  if (text[open] === '!') return { end: afterDigits(text, open + 1), by: ' /*! ' };
  return { end: commentEnd(text, at + 2), by: ' ' };
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

function isSpace(character: string | undefined): boolean {
  return character === undefined || character <= ' ';
}

/** Just behind the literal that begins at `start`; a doubled quote goes on. */
function literalEnd(text: string, start: number, isWithoutEscapes: boolean): number {
  const quote = text[start];
  for (let at = start + 1; at < text.length; at++) {
    const here = text[at];
    if (here === '\\' && !isWithoutEscapes) at += 1;
    else if (here === quote && text[at + 1] === quote) at += 1;
    else if (here === quote) return at + 1;
  }
  return text.length;
}

/** Names of charsets and databases stay; a text could hold words that would be taken for code. */
function keptLiteral(literal: string, quote: string): string {
  if (literal.length > KEPT_SIZE_MAX) return quote + quote;
  const isName = quote === BACKTICK ? !/[;*/\\]/.test(literal) : /^.[\w$.-]*.$/.test(literal);
  return isName ? literal : quote + quote;
}

function commentEnd(text: string, from: number): number {
  const end = text.indexOf('*/', from);
  return end < 0 ? text.length : end + 2;
}

function afterDigits(text: string, from: number): number {
  let at = from;
  // Longest version number in use.
  while (at < from + 6 && /\d/.test(text[at] ?? '')) at += 1;
  return at;
}
