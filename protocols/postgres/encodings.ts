/**
 * Statement bytes to text, by the session's client_encoding. A text is read only where it is certain
 * that the server reads the same characters (PG-25, PG-66); otherwise the answer is undefined.
 */

import { isAscii, isUtf8 } from 'node:buffer';

/**
 * Encodings that keep every ASCII byte an ASCII character, by their PostgreSQL names, and the label
 * under which TextDecoder knows them. Not here: SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004,
 * whose second bytes can be a backslash or a quote (CVE-2006-2314), and SQL_ASCII, which says nothing.
 */
const LABELS: Readonly<Record<string, string>> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
};

/**
 * 0x80 to 0x9f of WIN1252; NUL where there is none. Not by TextDecoder: its label for LATIN1 means WIN1252
 * by the standard, and Node 20 decodes both as LATIN1.
 */
const WIN1252_HIGH =
  '\u20ac\0\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\0\u017d\0\0\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\0\u017e\u0178';

export function decodeStatement(bytes: Buffer, encoding: string): string | undefined {
  // ASCII means the same in every encoding that PostgreSQL has.
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (encoding === 'UTF8') return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  if (encoding === 'LATIN1') return bytes.toString('latin1');
  if (encoding === 'WIN1252') return decodeWin1252(bytes);
  const label = LABELS[encoding];
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    // The decoder does not know these bytes: the caller refuses the statement.
    return undefined;
  }
}

function decodeWin1252(bytes: Buffer): string | undefined {
  const text = bytes
    .toString('latin1')
    .replaceAll(
      /[\x80-\x9f]/g,
      (character) => WIN1252_HIGH[character.charCodeAt(0) - 0x80] ?? '\0',
    );
  return text.includes('\0') ? undefined : text;
}
