/**
 * The cursor over the tokens of a text, and what every part of the parser needs of it. The parser
 * never goes back, so its time is linear; it refuses what it does not know, and never skips a query.
 */

import type { Expression, QualifiedName, Query, QueryBody, Statement } from './ast.ts';
import { syntaxErrorAt, TooDeepError } from './errors.ts';
import type { Lexing } from './lexer.ts';
import { ALIAS_FORBIDDEN, RESERVED } from './reserved.ts';
import {
  END,
  NAME,
  QUOTED,
  SIGN,
  STRING,
  type TokenList,
  unquoteName,
  unquoteString,
  WORD,
} from './tokens.ts';

/** Levels of parentheses, queries, joins and blocks; servers refuse far fewer, and walks over a tree recurse. */
export const NESTING_MAX = 400;
const SHOWN_MAX = 24;

export const OPEN = 0x28;
export const CLOSE = 0x29;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const STAR = 0x2a;
export const EQUALS = 0x3d;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
/** `:=` */
export const ASSIGN = 0x3a3d;

/** The parts that call each other around in circles; given to the cursor, so that files do not. */
export interface Grammar {
  expression(cursor: Cursor): Expression;
  /** `first`: a body in parentheses that was read already. */
  query(cursor: Cursor, first?: QueryBody): Query;
  statement(cursor: Cursor): Statement;
}

export class Cursor {
  readonly tokens: TokenList;
  readonly lexing: Lexing;
  readonly grammar: Grammar;
  index = 0;
  /** In the body of a routine, where BEGIN opens a block and names may be local variables. */
  isInBody = false;
  /** An operand that was read already, where a parenthesis turned out to hold an expression. */
  pending: Expression | undefined;
  /** The depth at which AND ends an expression: the first bound of BETWEEN x AND y in FOR SYSTEM_TIME. */
  andEndsAt = -1;
  /** A literal was taken for a name (`SELECT a AS 'b'`), so another one would mean another thing. */
  hasStringName = false;
  #depth = 0;
  readonly #words: string[];

  constructor(tokens: TokenList, lexing: Lexing, grammar: Grammar) {
    this.tokens = tokens;
    this.lexing = lexing;
    this.grammar = grammar;
    this.#words = [];
    for (let index = 0; index < tokens.count; index += 1)
      this.#words.push(tokens.kind(index) === WORD ? keyword(tokens.raw(index)) : '');
  }

  get isMaria(): boolean {
    return this.lexing.server.flavor === 'mariadb';
  }

  fail(expected: string): never {
    const start = this.tokens.start(this.index);
    const near = this.tokens.text.slice(start, start + SHOWN_MAX);
    throw syntaxErrorAt(`expected ${expected} near '${near}'`, this.tokens.text, start);
  }

  enter(): void {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new TooDeepError('nested too deep');
  }

  leave(): void {
    this.#depth -= 1;
  }

  get depth(): number {
    return this.#depth;
  }

  // --- Looking

  /** In upper case; empty for all but bare words. */
  word(offset = 0): string {
    return this.#words[this.index + offset] ?? '';
  }

  kind(offset = 0): number {
    return this.tokens.kind(this.index + offset);
  }

  sign(offset = 0): number {
    return this.tokens.sign(this.index + offset);
  }

  is(...words: readonly string[]): boolean {
    return words.every((word, offset) => this.word(offset) === word);
  }

  isAny(words: ReadonlySet<string>, offset = 0): boolean {
    const word = this.word(offset);
    return word !== '' && words.has(word);
  }

  isSign(code: number, offset = 0): boolean {
    return this.sign(offset) === code;
  }

  /** At the end of the text or of the statement. */
  get isAtEnd(): boolean {
    return this.kind() === END || this.isSign(SEMICOLON);
  }

  // --- Taking

  eat(...words: readonly string[]): boolean {
    if (!this.is(...words)) return false;
    this.index += words.length;
    return true;
  }

  eatAny(words: ReadonlySet<string>): string | undefined {
    const word = this.word();
    if (word === '' || !words.has(word)) return undefined;
    this.index += 1;
    return word;
  }

  eatSign(code: number): boolean {
    if (this.sign() !== code) return false;
    this.index += 1;
    return true;
  }

  need(...words: readonly string[]): void {
    if (!this.eat(...words)) this.fail(words.join(' '));
  }

  needSign(code: number): void {
    if (!this.eatSign(code)) this.fail(`'${signText(code)}'`);
  }

  /** One token, whatever it is. */
  take(): string {
    if (this.kind() === END) this.fail('more');
    const raw = this.tokens.raw(this.index);
    this.index += 1;
    return raw;
  }

  // --- Names

  get isQuotedName(): boolean {
    return this.kind() === QUOTED;
  }

  /** Could begin an alias: a name that is no keyword which goes on here. */
  isAlias(): boolean {
    const kind = this.kind();
    if (kind === QUOTED || kind === NAME) return true;
    return kind === WORD && !ALIAS_FORBIDDEN.has(this.word());
  }

  /** A name that is not a reserved word. */
  name(): string {
    const kind = this.kind();
    const isName =
      kind === QUOTED || kind === NAME || (kind === WORD && !RESERVED.has(this.word()));
    return isName ? this.nameAt() : this.fail('a name');
  }

  /** A name, be it reserved. */
  anyName(): string {
    const kind = this.kind();
    return kind === QUOTED || kind === NAME || kind === WORD ? this.nameAt() : this.fail('a name');
  }

  nameAt(): string {
    const raw = this.tokens.raw(this.index);
    this.index += 1;
    return unquoteName(raw);
  }

  /** A name or a string, as aliases, users and settings may be written. */
  nameOrString(): string {
    return this.kind() === STRING ? this.#stringName() : this.anyName();
  }

  #stringName(): string {
    this.hasStringName = true;
    return this.string();
  }

  string(): string {
    if (this.kind() !== STRING) this.fail('a string');
    return unquoteString(this.take(), this.lexing.noBackslashEscapes);
  }

  /** `t`, `db.t`, `.t`. */
  qualifiedName(): QualifiedName {
    this.eatSign(DOT);
    const first = this.name();
    if (!this.eatSign(DOT)) return { kind: 'name', schema: undefined, name: first };
    return { kind: 'name', schema: first, name: this.anyName() };
  }

  /** `AS x` or `x`; in quotes too where `isStringAllowed`. */
  alias(isStringAllowed: boolean): string | undefined {
    if (this.eat('AS')) return isStringAllowed ? this.nameOrString() : this.anyName();
    if (isStringAllowed && this.kind() === STRING) return this.#stringName();
    return this.isAlias() ? this.nameAt() : undefined;
  }

  // --- Lists and rests

  /** At least one, separated by commas. */
  list<T>(parse: () => T): T[] {
    const items = [parse()];
    while (this.eatSign(COMMA)) items.push(parse());
    return items;
  }

  nameList(): string[] {
    return this.list(() => this.anyName());
  }

  /** `(a, b)`, perhaps empty; undefined: no parenthesis here. */
  parenthesizedNames(): string[] | undefined {
    if (!this.eatSign(OPEN)) return undefined;
    const names = this.isSign(CLOSE) ? [] : this.nameList();
    this.needSign(CLOSE);
    return names;
  }

  expressions(): Expression[] {
    return this.list(() => this.grammar.expression(this));
  }

  /** `(...)` of which nothing matters; a query in it is refused. */
  skipParentheses(): void {
    this.needSign(OPEN);
    this.#skip(() => this.isSign(CLOSE));
    this.needSign(CLOSE);
  }

  /** To the end of the statement; a query in it is refused. */
  skipRest(): void {
    this.#skip(() => this.isSign(SEMICOLON));
  }

  #skip(isDone: () => boolean): void {
    let depth = 0;
    while (this.kind() !== END && (depth > 0 || !isDone())) {
      if (this.isSign(OPEN)) depth += 1;
      else if (this.isSign(CLOSE)) depth -= 1;
      else if (this.is('SELECT')) this.fail('no query');
      if (depth < 0) this.fail('no closing parenthesis');
      this.index += 1;
    }
    if (depth > 0) this.fail("')'");
  }

  /** `=`, which may be left out in options. */
  eatEquals(): void {
    if (!this.eatSign(EQUALS)) this.eatSign(ASSIGN);
  }

  /** The text from a token up to the one before this. */
  textFrom(index: number): string {
    const end = this.index > index ? this.tokens.end(this.index - 1) : this.tokens.start(index);
    return this.tokens.text.slice(this.tokens.start(index), end);
  }

  isSignAny(codes: ReadonlySet<number>): boolean {
    return this.kind() === SIGN && codes.has(this.sign());
  }
}

/** A word outside of ASCII is none: in Unicode's rules `l\u0131ke` is LIKE, in the servers' it is a name. */
function keyword(raw: string): string {
  for (let index = 0; index < raw.length; index += 1) if (raw.charCodeAt(index) > 127) return '';
  return raw.toUpperCase();
}

function signText(code: number): string {
  return code > 0xff ? String.fromCharCode(code >> 8, code & 0xff) : String.fromCharCode(code);
}
