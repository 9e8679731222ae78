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
  LATIN1: 'iso-8859-1',
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
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
};

export function decodeStatement(bytes: Buffer, encoding: string): string | undefined {
  // ASCII means the same in every encoding that PostgreSQL has.
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (encoding === 'UTF8') return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
  const label = LABELS[encoding];
  if (label === undefined) return undefined;
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    // The decoder does not know these bytes: the caller refuses the statement.
    return undefined;
  }
}
