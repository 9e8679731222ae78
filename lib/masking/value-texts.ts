/**
 * Masks of character types. Text and binary are the same bytes there, and they are UTF-8 or ASCII
 * (PG-66). Nothing here depends on the length of a value, save whether it is shorter than eight
 * characters (PG-88).
 */

import { createHmac } from 'node:crypto';
import type { MaskValue, ResultColumn } from '../../protocols/contract.ts';
import { TYPE } from './value-types.ts';

export const REDACTED = '***';

/** Characters that `partial` leaves, and the length below which it leaves none. */
export const KEPT_COUNT = 4;
export const PARTIAL_LENGTH_MIN = 8;
/** Hex digits of a hash: 64 bits tell a hundred million values apart. */
export const HASH_LENGTH = 16;
/** `char(n)` values are padded with blanks to n characters, up to here. */
const PADDED_LENGTH_MAX = 8192;
/** Bytes of one character in UTF-8. */
const CHARACTER_SIZE_MAX = 4;

const BLANK = 0x20;

/** `char` (one byte, in quotes) is not among them: it has no room for anything but a star. */
const CHARACTER_TYPES: ReadonlySet<number> = new Set<number>([
  TYPE.text,
  TYPE.varchar,
  TYPE.bpchar,
  TYPE.name,
  TYPE.refcursor,
  TYPE.unknown,
]);

export function isCharacterType(type: number): boolean {
  return CHARACTER_TYPES.has(type);
}

type TypedColumn = Pick<ResultColumn, 'type' | 'typeModifier'>;

export function redactText(column: TypedColumn): MaskValue {
  const constant = fit(Buffer.from(REDACTED), column);
  return () => constant;
}

export function showEndOfText(column: TypedColumn): MaskValue {
  const hidden = fit(Buffer.from(REDACTED), column);
  return (value) => {
    const text = column.type === TYPE.bpchar ? withoutBlanks(value) : value;
    const end = endOf(text);
    if (end === undefined) return hidden;
    return fit(Buffer.concat([Buffer.from(REDACTED), end]), column);
  };
}

export function hashText(column: TypedColumn, hashKey: Buffer): MaskValue {
  return (value) => {
    // Equal values give equal hashes whether they are char(10), varchar or text.
    const text = column.type === TYPE.bpchar ? withoutBlanks(value) : value;
    const digest = createHmac('sha256', hashKey).update(text).digest('hex');
    return fit(Buffer.from(digest.slice(0, HASH_LENGTH)), column);
  };
}

/**
 * The last characters, cut between code points; undefined: the text is too short, or its bytes are
 * not UTF-8 there, so that nobody can say what is one character.
 */
export function endOf(text: Buffer): Buffer | undefined {
  let count = 0;
  let start: number | undefined;
  let trailing = 0;
  for (let at = text.length - 1; at >= 0; at--) {
    const byte = text[at] ?? 0;
    const isContinuation = (byte & 0xc0) === 0x80;
    trailing = isContinuation ? trailing + 1 : 0;
    if (trailing >= CHARACTER_SIZE_MAX) return undefined;
    if (isContinuation) continue;
    count += 1;
    if (count === KEPT_COUNT) start = at;
    if (count === PARTIAL_LENGTH_MIN) return text.subarray(start);
  }
  return undefined;
}

function withoutBlanks(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && value[end - 1] === BLANK) end -= 1;
  return value.subarray(0, end);
}

/** Not longer than the declared length, in characters, and for char(n) padded to it. */
function fit(masked: Buffer, { type, typeModifier }: TypedColumn): Buffer {
  // The longest mask is three stars and four characters, 19 bytes: it fits into any name.
  const length = typeModifier - 4;
  if ((type !== TYPE.varchar && type !== TYPE.bpchar) || length < 1) return masked;
  const characters = Array.from(masked.toString('utf8')).slice(0, length);
  const isPadded = type === TYPE.bpchar && length <= PADDED_LENGTH_MAX;
  return Buffer.from(
    characters.join('') + (isPadded ? ' '.repeat(length - characters.length) : ''),
  );
}
