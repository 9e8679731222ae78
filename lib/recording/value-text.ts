/**
 * Recorded bytes as text for people, the same for every protocol: what is text is shown as it is,
 * what is not is shown as `\x` and hex, so that nothing is shown as other than it was.
 */

import { isUtf8 } from 'node:buffer';

/** Of everything that a view holds only the head of. */
export interface Held {
  readonly body: Buffer;
  /** Of the whole body, bytes. */
  readonly size: number;
}

export function cuttable(held: Held): { size: number; cut?: true } {
  const { size, body } = held;
  return body.length < size ? { size, cut: true } : { size };
}

export function decodeText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : toHex(bytes);
}

/** Of bytes whose end was dropped, which may lie within a character. */
export function decodeCutText(bytes: Buffer): string {
  return decodeText(withoutHalfCharacter(bytes));
}

export function toHex(bytes: Buffer): string {
  return `\\x${bytes.toString('hex')}`;
}

/** The longest start that is UTF-8, if all but one unfinished character is. */
export function withoutHalfCharacter(bytes: Buffer): Buffer {
  for (let size = bytes.length; size > bytes.length - 4 && size >= 0; size -= 1) {
    const whole = bytes.subarray(0, size);
    if (isUtf8(whole)) return whole;
  }
  return bytes;
}
