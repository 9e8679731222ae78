/**
 * Statement bytes to text, by the session's character_set_client, and what can be told of a text at a
 * glance: whether it may change the default database or the charset, the schema, or ask for a file. It
 * is no parser: where it cannot be sure it says so, and the session then treats what it knows as lost.
 */

import { isAscii } from 'node:buffer';
import type { TextCharset } from './collations.ts';
import { type Lexing, skim } from './skeleton.ts';

/**
 * 0x80 to 0x9f of MySQL's latin1, which is windows-1252 with control characters in its gaps. Not by
 * TextDecoder: Node 20 decodes that label as ISO 8859-1.
 */
const LATIN1_HIGH =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/**
 * Undefined: nobody can be sure of how the server reads it. Bytes that are no UTF-8 become U+FFFD: they
 * stand in literals (the server refuses them in names), and never swallow an ASCII byte, neither here nor
 * in the server, so the text has the same tokens.
 */
export function decodeText(bytes: Buffer, charset: TextCharset | undefined): string | undefined {
  // The server refuses a client charset in which these were other characters (utf16, utf32, ucs2).
  if (isAscii(bytes)) return bytes.toString('latin1');
  switch (charset) {
    case 'utf8mb4':
    case 'utf8mb3':
    // The server takes names in a binary text for UTF-8.
    case 'binary':
      return bytes.toString('utf8');
    case 'latin1':
      return bytes
        .toString('latin1')
        .replaceAll(
          /[\x80-\x9f]/g,
          (character) => LATIN1_HIGH[character.charCodeAt(0) - 0x80] ?? character,
        );
    case 'ascii':
    case undefined:
      return undefined;
  }
}

/** `'unknown'`: changed to something that cannot be told from the text. */
export interface TextChange {
  readonly database?: string;
  readonly charset?: string;
}
export const UNKNOWN = '\0unknown';

/** Any of the words without which there is nothing to find; most statements stop here. */
const WORDS =
  /\b(?:use|set|create|alter|drop|rename|truncate|prepare|execute|load|(?:un)?install)\b/i;
/** A statement can begin here: at the start, behind `;`, a version comment, or a word that opens a block. */
const START = String.raw`(?:^|; ?|\/\*! |\*\/ |\b(?:begin|atomic|then|else|do|loop|repeat|for) )`;
const NAME = String.raw`(?:\x60((?:[^\x60]|\x60\x60)+)\x60|"([^"]+)"|([\w$\x80-\uffff]+))`;
const PLAIN_USE = new RegExp(String.raw`^use ?${NAME} ?;?$`, 'i');
const ANY_USE = new RegExp(`${START}use\\b`, 'i');
const PREPARES = new RegExp(`${START}(?:prepare|execute immediate)\\b`, 'i');
/** Anywhere: a handler or SET STATEMENT may do it. */
const EXECUTES = /\bexecute\b/i;
/** What is prepared is one literal, which can be searched for USE; literals beside each other become one. */
const FROM_LITERAL = /\b(?:immediate|from) ?(?:'[^']*'|"[^"]*") ?(?:$|;|using\b)/i;
/** No database is called INDEX or KEY without quotes: those are hints for the optimizer. */
const USE_WORD = /\buse\b(?!\s+(?:index|key)(?![\w$\x80-\uffff]))/i;
const ESCAPED = /\\([^])/g;

const CHARSET_NAME = String.raw`['"]?(\w+)['"]?`;
const PLAIN_CHARSET = [
  new RegExp(String.raw`^set names ${CHARSET_NAME}(?: collate ['"]?\w+['"]?)? ?;?$`, 'i'),
  new RegExp(String.raw`^set (?:character set|charset) ${CHARSET_NAME} ?;?$`, 'i'),
  new RegExp(
    String.raw`^set (?:session |local |@@(?:session\.|local\.)?)?character_set_client ?:?= ?${CHARSET_NAME} ?;?$`,
    'i',
  ),
];
const SET_WORD = /\bset\b/i;
const ANY_SET = new RegExp(`${START}set\\b`, 'i');
const CHARSET_WORD = /\bnames\b|charset|character|session_track/i;
const TRACK_WORD = /session_track/i;
const SCHEMA_CHANGE = new RegExp(
  `${START}(?:create|alter|drop|rename|truncate|install|uninstall)\\b`,
  'i',
);
/** LOAD DATA|XML ... LOCAL ... INFILE, in this order; searched one behind the other, in linear time. */
const FILE_WORDS = [
  new RegExp(`${START}load\\b`, 'i'),
  /\b(?:data|xml)\b/i,
  /\blocal\b/i,
  /\binfile\b/i,
];

/** What the relay wants to know of a text. */
export interface TextFacts {
  readonly change: TextChange;
  /** What is known of the catalog is stale after it; `true` too often costs a look-up, no more. */
  readonly changesSchema: boolean;
  /** The server may ask for a file only where the client's own text did (MY-34). */
  readonly asksForFile: boolean;
  /** It prepares a text that may be a USE, which EXECUTE would not show. */
  readonly mayHideUse: boolean;
  /** The same of a text that may set a character set. */
  readonly mayHideCharset: boolean;
  readonly executesPrepared: boolean;
  /** What the server tells of changes may be less from now on. */
  readonly mayStopTracking: boolean;
}

export const NO_FACTS: TextFacts = {
  change: {},
  changesSchema: false,
  asksForFile: false,
  mayHideUse: false,
  mayHideCharset: false,
  executesPrepared: false,
  mayStopTracking: false,
};

export function findFacts(text: string, lexing: Lexing): TextFacts {
  if (!WORDS.test(text)) return NO_FACTS;
  const code = skim(text, lexing);
  const database = databaseAfter(code);
  const charset = charsetAfter(code);
  return {
    change: {
      ...(database === undefined ? {} : { database }),
      ...(charset === undefined ? {} : { charset }),
    },
    changesSchema: SCHEMA_CHANGE.test(code),
    asksForFile: findInOrder(code, FILE_WORDS),
    ...(PREPARES.test(code) ? findHidden(text, code) : HIDES_NOTHING),
    executesPrepared: EXECUTES.test(code),
    mayStopTracking: TRACK_WORD.test(code),
  };
}

type Hidden = Pick<TextFacts, 'mayHideUse' | 'mayHideCharset'>;

const HIDES_NOTHING: Hidden = { mayHideUse: false, mayHideCharset: false };

/** Of a text that prepares another one. */
function findHidden(text: string, code: string): Hidden {
  if (!FROM_LITERAL.test(code)) return { mayHideUse: true, mayHideCharset: true };
  // \n and its like are white space or no part of a word; any other letter stands for itself.
  const spelled = text.replaceAll(ESCAPED, (_, char: string) =>
    '0bnrtZ%_'.includes(char) ? ' ' : char,
  );
  const readings = [text, spelled];
  return {
    mayHideUse: readings.some((reading) => USE_WORD.test(reading)),
    mayHideCharset: readings.some(
      (reading) => SET_WORD.test(reading) && CHARSET_WORD.test(reading),
    ),
  };
}

function databaseAfter(code: string): string | undefined {
  const plain = PLAIN_USE.exec(code);
  if (plain !== null) return plain[1]?.replaceAll('``', '`') ?? plain[2] ?? plain[3];
  return ANY_USE.test(code) ? UNKNOWN : undefined;
}

function charsetAfter(code: string): string | undefined {
  for (const pattern of PLAIN_CHARSET) {
    const [, name] = pattern.exec(code) ?? [];
    if (name !== undefined && name.toLowerCase() !== 'default') return name;
  }
  const isSet = code
    .split(';')
    .some((part) => ANY_SET.test(part.trimStart()) && CHARSET_WORD.test(part));
  return isSet ? UNKNOWN : undefined;
}

function findInOrder(code: string, words: readonly RegExp[]): boolean {
  let rest = code;
  for (const word of words) {
    const match = word.exec(rest);
    if (match === null) return false;
    rest = rest.slice(match.index + match[0].length);
  }
  return true;
}
