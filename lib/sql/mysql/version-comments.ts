/**
 * Comments that are code on some servers, by how they begin: `/*!`, `/*!50100`, `/*M!` (MY-38). This
 * tells what a server of a given flavor and version makes of that head; the lexer does the rest.
 */

import type { Reading } from '../../../protocols/contract.ts';
import { UnsureError } from './errors.ts';

export type Server = Reading['server'];

export interface CommentHead {
  /** Characters of `/*!50100`: where the code in it begins. */
  readonly length: number;
  readonly isCode: boolean;
  /** Whether six digits are one number or five and a digit of code depends on the release. */
  readonly isAmbiguous: boolean;
}

/** Digits that make a version; fewer are code: what follows `/*!` in `/*!123 + 1` is `123 + 1`. */
const DIGITS_MIN = 5;
const DIGITS_MAX = 6;

/** MariaDB does not run what only MySQL has: versions of MySQL from 5.7 on, unless marked with an M. */
const MYSQL_ONLY = { first: 50700, last: 99999 };

/**
 * Reads the head of the comment at `index`, where `/*` stands. Undefined: an ordinary comment.
 * `sixDigits`: how MySQL counts, which changed with its releases; MariaDB always takes six.
 */
export function readCommentHead(
  text: string,
  index: number,
  server: Server,
  sixDigits: boolean,
): CommentHead | undefined {
  const isMaria = server.flavor === 'mariadb';
  const hasM = isMaria && text[index + 2] === 'M' && text[index + 3] === '!';
  if (!hasM && text[index + 2] !== '!') return undefined;
  const start = index + (hasM ? 4 : 3);
  const digits = countDigits(text, start);
  if (digits < DIGITS_MIN) return { length: start - index, isCode: true, isAmbiguous: false };
  const taken = isMaria || sixDigits ? digits : DIGITS_MIN;
  const version = Number(text.slice(start, start + taken));
  const isForeign = isMaria && !hasM && version >= MYSQL_ONLY.first && version <= MYSQL_ONLY.last;
  return {
    length: start + taken - index,
    isCode: version <= server.version && !isForeign,
    isAmbiguous: !isMaria && digits === DIGITS_MAX,
  };
}

/** Whatever version a comment names, a server of this one runs it. */
export const ANY_VERSION = 999_999;

const QUOTED = /'[^'\\]*'|"[^"\\]*"|`[^`]*`/g;
const LOOSE = /--|\/[/*]|[#\\'"`]/;

/**
 * Throws where a comment begins at `index` for a lookalike in another way than for MySQL. All of them run all version comments, which is another way to read a text.
 * The grammar of Vitess (Dolt) looks for the end of one first and for tokens in it then, takes up to
 * five digits for its version, and `--` and `//` for comments whatever follows. TiDB has comments of its own.
 */
export function vetComment(text: string, index: number): void {
  const foreign = foreignComment(text, index);
  if (foreign !== undefined) throw new UnsureError(`this server may read ${foreign} otherwise`);
}

function foreignComment(text: string, index: number): string | undefined {
  const first = text[index];
  const second = text[index + 1];
  if (first === '/' && second === '/') return '//';
  if (first === '-' && second === '-') {
    const isComment = /^[\s\0-\x20\x7f]?$/.test(text.charAt(index + 2));
    return isComment ? undefined : '-- without a space behind it';
  }
  if (first !== '/' || second !== '*') return undefined;
  if (text.startsWith('/*T!', index)) return 'a comment for TiDB';
  const isUnlike = text[index + 2] === '!' && !isReadAlike(text, index);
  return isUnlike ? 'this version comment' : undefined;
}

function isReadAlike(text: string, index: number): boolean {
  const end = text.indexOf('*/', index);
  if (end < 0) return false;
  const digits = countDigits(text, index + 3);
  const isCounted = digits === 0 || digits >= DIGITS_MIN;
  const code = text.slice(index + 3 + digits, end);
  return isCounted && !LOOSE.test(code.replaceAll(QUOTED, ' '));
}

function countDigits(text: string, start: number): number {
  let count = 0;
  while (count < DIGITS_MAX && isDigit(text.charCodeAt(start + count))) count += 1;
  return count;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/**
 * Where a version comment that is no code ends, from after its head; -1: nowhere. One comment may
 * stand in it, and within that one nothing nests (consume_comment in the servers' sql_lex.cc).
 */
export function skippedCommentEnd(text: string, from: number): number {
  let index = from;
  for (;;) {
    const close = text.indexOf('*/', index);
    if (close < 0) return -1;
    const open = text.indexOf('/*', index);
    // `/*/` opens and does not close, so an opening before the closing counts first.
    if (open < 0 || open > close) return close + 2;
    const inner = text.indexOf('*/', open + 2);
    if (inner < 0) return -1;
    index = inner + 2;
  }
}
