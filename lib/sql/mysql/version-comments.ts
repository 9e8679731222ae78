/**
 * Comments that are code on some servers, by how they begin: `/*!`, `/*!50100`, `/*M!` (MY-38). This
 * tells what a server of a given flavor and version makes of that head; the lexer does the rest.
 */

import type { Reading } from '../../../protocols/contract.ts';

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
