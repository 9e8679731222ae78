/**
 * Which charset a collation id stands for, of those in which statements are read as they are written:
 * no byte of another character can be taken for a quote or a backslash. All others are refused where
 * statements are inspected (MY-37, MY-38). Ids as in the servers' `information_schema.COLLATIONS`.
 */

import type { Inspection } from '../contract.ts';
import type { Refusal } from './refusal.ts';

export type TextCharset = 'utf8mb4' | 'utf8mb3' | 'latin1' | 'ascii' | 'binary';

type Range = readonly [first: number, last: number];

const RANGES: Readonly<Record<TextCharset, readonly Range[]>> = {
  utf8mb4: [
    [45, 46],
    [224, 247],
    // MySQL 8's utf8mb4_0900 family; the gaps were never given out.
    [255, 271],
    [273, 275],
    [277, 294],
    [296, 298],
    [300, 300],
    [303, 323],
    // MariaDB's own from here on.
    [608, 610],
    [1069, 1070],
    [1248, 1248],
    [1270, 1270],
    // UCA 14.0.0: 256 ids for each charset.
    [2304, 2559],
  ],
  utf8mb3: [
    [33, 33],
    [76, 76],
    [83, 83],
    [192, 215],
    [223, 223],
    [576, 578],
    [1057, 1057],
    [1107, 1107],
    [1216, 1216],
    [1238, 1238],
    [2048, 2303],
  ],
  latin1: [
    [5, 5],
    [8, 8],
    [15, 15],
    [31, 31],
    [47, 49],
    [94, 94],
    [1032, 1032],
    [1071, 1071],
  ],
  ascii: [
    [11, 11],
    [65, 65],
    [1035, 1035],
    [1089, 1089],
  ],
  binary: [[63, 63]],
};

const CHARSETS = ['utf8mb4', 'utf8mb3', 'latin1', 'ascii', 'binary'] as const;

/** Undefined: another charset, or an id that is not known. */
export function charsetOfCollation(id: number): TextCharset | undefined {
  return CHARSETS.find((charset) =>
    RANGES[charset].some(([first, last]) => first <= id && id <= last),
  );
}

/** Undefined: what this client writes can be read as far as it is inspected. */
export function refusalOfCharset(inspection: Inspection, collation: number): Refusal | undefined {
  if (!inspection.statements || charsetOfCollation(collation) !== undefined) return undefined;
  const message = `statements cannot be read in the charset of collation ${collation}: connect with utf8mb4`;
  // ER_UNKNOWN_CHARACTER_SET
  return { code: '0A000', message, error: { errno: 1115, state: '42000' } };
}

/** As `@@character_set_client` says it; `utf8` is the old name of utf8mb3. */
export function charsetOfName(name: string): TextCharset | undefined {
  const lower = name.toLowerCase();
  return lower === 'utf8' ? 'utf8mb3' : CHARSETS.find((charset) => charset === lower);
}

/**
 * A name that the client wrote, as Weir compares it: exact or not at all, so that two names of the
 * server never become one of ours. MySQL's latin1 is windows-1252: what differs from ISO 8859-1 is left out.
 */
export function decodeName(bytes: Buffer, collation: number): string | undefined {
  if (bytes.every((byte) => byte < 0x80)) return bytes.toString('latin1');
  const charset = charsetOfCollation(collation);
  if (charset === 'latin1') {
    return bytes.some((byte) => byte >= 0x80 && byte < 0xa0) ? undefined : bytes.toString('latin1');
  }
  if (charset !== 'utf8mb4' && charset !== 'utf8mb3') return undefined;
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
