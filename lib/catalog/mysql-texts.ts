/**
 * What the texts of a MySQL catalog name: case folding of names, and the relations, routines and
 * columns in a definition as the server prints it (names in backticks, strings in single quotes). No
 * parser: it takes too much rather than too little.
 */

/**
 * Names are compared without case: columns and routines always, databases and tables as
 * lower_case_table_names says, and then the careful answer is that case does not count. As the server
 * does it: character by character, so that neither a final sigma nor a dotted I becomes another letter.
 */
export function foldName(name: string): string {
  if (isAscii(name)) return name.toLowerCase();
  return Array.from(name, (character) => Array.from(character.toLowerCase())[0] ?? '').join('');
}

export function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

export interface MentionedNames {
  /** Pairs of database and table, and of anything else that is spelled like one. Folded. */
  readonly relations: readonly (readonly [schema: string, name: string])[];
  /** Those of `relations` that stand behind FROM or JOIN and are no column of an alias. */
  readonly sources: readonly (readonly [schema: string, name: string])[];
  /** What is called in backticks, with its database or without. Folded. */
  readonly calls: readonly (readonly [schema: string | undefined, name: string])[];
  /** Every name and word, folded. */
  readonly words: ReadonlySet<string>;
}

const TOKEN = /'(?:[^'\\]|\\.|'')*'|`((?:[^`]|``)*)`|([\p{L}\p{N}_$]+)|(\S)/gsu;

interface Token {
  /** A name in backticks or a bare word; undefined for anything else. */
  readonly name: string | undefined;
  readonly isQuoted: boolean;
  readonly sign: string | undefined;
}

export function mentionedNames(text: string): MentionedNames {
  const tokens = [...text.matchAll(TOKEN)].map(([, quoted, bare, sign]): Token => {
    const name = quoted?.replaceAll('``', '`') ?? bare;
    return { name: name && foldName(name), isQuoted: quoted !== undefined, sign };
  });
  const relations: (readonly [string, string])[] = [];
  const calls: (readonly [string | undefined, string])[] = [];
  const sources: (readonly [string, string])[] = [];
  const words = new Set<string>();
  tokens.forEach((token, index) => {
    if (token.name === undefined) return;
    words.add(token.name);
    if (isSign(tokens, index - 1, '.')) return;
    const hasSecond = isSign(tokens, index + 1, '.');
    const second = hasSecond ? tokens[index + 2] : undefined;
    const isCall = isSign(tokens, hasSecond ? index + 3 : index + 1, '(');
    // Built-in functions are printed without quotes.
    if (isCall && second?.name !== undefined) calls.push([token.name, second.name]);
    else if (isCall && token.isQuoted) calls.push([undefined, token.name]);
    else if (second?.name !== undefined) {
      relations.push([token.name, second.name]);
      if (isBehindFrom(tokens, index)) sources.push([token.name, second.name]);
    }
  });
  const aliases = aliasesIn(tokens);
  return { relations, sources: sources.filter(([first]) => !aliases.has(first)), calls, words };
}

function isSign(tokens: readonly Token[], index: number, sign: string): boolean {
  return tokens[index]?.sign === sign;
}

function isBehindFrom(tokens: readonly Token[], index: number): boolean {
  let before = index - 1;
  while (tokens[before]?.sign === '(') before -= 1;
  const word = tokens[before];
  return word?.isQuoted === false && /^(?:from|join|straight_join)$/.test(word.name ?? '');
}

/** As servers print them: right behind a name or a parenthesis, without AS. */
function aliasesIn(tokens: readonly Token[]): ReadonlySet<string> {
  const isAlias = ({ isQuoted }: Token, index: number): boolean => {
    const before = tokens[index - 1];
    return isQuoted && (before?.isQuoted === true || before?.sign === ')');
  };
  return new Set(tokens.filter(isAlias).map(({ name }) => name ?? ''));
}

/**
 * Every name and word of an expression, also what stands in its strings: MySQL prints expressions with
 * their quotes escaped, so that nobody can be sure where a string ends.
 */
export function mentionedWords(expression: string): ReadonlySet<string> {
  const plain = expression.matchAll(/`((?:[^`]|``)*)`|([\p{L}\p{N}_$]+)/gu);
  const words = [...plain].map(([, quoted, bare]) => quoted?.replaceAll('``', '`') ?? bare ?? '');
  return new Set([...mentionedNames(expression).words, ...words.map(foldName)]);
}

/** A name as it can be written in any text. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/**
 * As version comments count: 10.11.19 is 101119, 8.0.36 is 80036. Old MariaDB servers put 5.5.5- in
 * front of their own version in the greeting, not here. Undefined: not a version.
 */
export function parseVersion(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,2})\.(\d{1,2})/.exec(text.replace(/^5\.5\.5-(?=\d+\.)/, ''));
  if (match === null) return undefined;
  const [major, minor, patch] = match.slice(1).map(Number);
  return (major ?? 0) * 10_000 + (minor ?? 0) * 100 + (patch ?? 0);
}
