/**
 * Settings that change how a server reads texts or writes results (MY-61, MY-65): sql_mode, the character
 * sets, and what tells the gateway of them. A value is fine if it can be followed; ANSI_QUOTES and
 * NO_BACKSLASH_ESCAPES are, because every reply carries them, ORACLE is not.
 *
 * Values may come by way of user variables, as dumps save and restore them. Which ones may hold a mode or
 * a character set is decided by their names: those are watched wherever they get a value, and no other
 * may be used.
 */

import type { Call, Expression, Literal } from './ast.ts';

/** Character sets in which every byte below 0x80 is itself (MY-61). */
const SAFE_CHARSETS: ReadonlySet<string> = new Set([
  'utf8',
  'utf8mb3',
  'utf8mb4',
  'latin1',
  'ascii',
  'binary',
]);

/** Modes that the reader knows to be harmless or follows. Not here: ORACLE, MSSQL and what is to come. */
const SAFE_MODES: ReadonlySet<string> = new Set(
  `ALLOW_INVALID_DATES ANSI ANSI_QUOTES ERROR_FOR_DIVISION_BY_ZERO HIGH_NOT_PRECEDENCE
  IGNORE_BAD_TABLE_OPTIONS IGNORE_SPACE NO_AUTO_CREATE_USER NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES
  NO_DIR_IN_CREATE NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS NO_KEY_OPTIONS NO_TABLE_OPTIONS
  NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE ONLY_FULL_GROUP_BY PAD_CHAR_TO_FULL_LENGTH
  PIPES_AS_CONCAT REAL_AS_FLOAT STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_TRUNCATE_FRACTIONAL
  TIME_ROUND_FRACTIONAL SIMULTANEOUS_ASSIGNMENT EMPTY_STRING_IS_NULL TRADITIONAL MYSQL323 MYSQL40`.split(
    /\s+/,
  ),
);

const CHARSET_VARIABLES: ReadonlySet<string> = new Set([
  'character_set_client',
  'character_set_results',
]);
/** Names of user variables that may hold a mode or a character set. */
const MODE_VARIABLE = /sql_?mode/i;
const CHARSET_VARIABLE = /character_set|cs_client|cs_results/i;
/** They put modes together from their arguments. */
const COMBINING: ReadonlySet<string> = new Set(
  'concat concat_ws replace ifnull coalesce upper lower list_add list_drop'.split(' '),
);
/** Any other number or text may be a way to write 0. */
const ON_VALUES: ReadonlySet<string> = new Set(['1', 'on', 'true', 'default']);

/** The hazard of setting a system variable; undefined: none. `name` in lower case. */
export function settingHazard(name: string, value: Expression): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  // No variable has such a name, but a server may compare names without their accents.
  if (/[^\p{ASCII}]/u.test(last)) return 'a system variable is spelled with more than ASCII';
  if (last === 'sql_mode')
    return isSafeMode(value) ? undefined : 'sql_mode is set to what cannot be followed';
  if (CHARSET_VARIABLES.has(last))
    return isSafeCharset(value, last) ? undefined : `${last} is set to what cannot be followed`;
  if (last === 'session_track_schema' && !ON_VALUES.has(plainText(value) ?? 'off'))
    return 'session_track_schema is turned off';
  return undefined;
}

/** Whether setting it changes how later texts are read. */
export function isReadingSetting(name: string): 'mode' | 'charset' | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (last === 'sql_mode') return 'mode';
  return CHARSET_VARIABLES.has(last) ? 'charset' : undefined;
}

/** The hazard of SET NAMES and SET CHARACTER SET; `charset` undefined: DEFAULT or no literal. */
export function charsetHazard(charset: string | undefined): string | undefined {
  if (charset === undefined) return 'the character set is set to what cannot be followed';
  return SAFE_CHARSETS.has(charset)
    ? undefined
    : `the character set ${shownCharset(charset)} is not one that can be followed`;
}

/** At most a short plain word of what the client wrote. */
function shownCharset(charset: string): string {
  return /^[a-z0-9_]{1,32}$/.test(charset) ? charset : '(unknown)';
}

/** The hazard of giving a user variable a value; `value` undefined: it cannot be seen. */
export function userVariableHazard(
  name: string,
  value: Expression | undefined,
): string | undefined {
  if (MODE_VARIABLE.test(name) && !(value !== undefined && isSafeMode(value)))
    return 'a user variable that saves sql_mode gets another value';
  const isCharset = CHARSET_VARIABLE.test(name);
  if (isCharset && !(value !== undefined && isSafeCharset(value, 'character_set_results')))
    return 'a user variable that saves a character set gets another value';
  return undefined;
}

/** What a value spells, where it is one word or literal. */
function plainText(value: Expression): string | undefined {
  if (value.kind === 'literal' && !value.isOpaque) return value.value.toLowerCase();
  const isBare = value.kind === 'column' && value.table === undefined;
  return isBare ? value.name.toLowerCase() : undefined;
}

// --- Modes

/** Every piece of it is the name of a safe mode, or what is in force. */
function isSafeMode(value: Expression): boolean {
  switch (value.kind) {
    case 'literal':
      return isSafeModeLiteral(value);
    case 'column':
      return value.table === undefined && areSafeModes(value.name);
    case 'system-variable':
      return value.name === 'sql_mode';
    case 'user-variable':
      return MODE_VARIABLE.test(value.name);
    case 'call':
      return isSafeCall(value);
    case 'subquery': {
      const { body } = value.query;
      const [item] = body.kind === 'select' && body.from.length === 0 ? body.items : [];
      return item !== undefined && item.value.kind !== 'star' && isSafeMode(item.value);
    }
    default:
      return false;
  }
}

function isSafeModeLiteral({ isOpaque, type, value }: Literal): boolean {
  if (isOpaque) return false;
  if (type === 'default') return value.toUpperCase() === 'DEFAULT';
  // A number is a set of bits, whose meaning differs between servers; 0 is none of them.
  return type === 'number' ? value === '0' : type === 'string' && areSafeModes(value);
}

/**
 * Whole names only, so that no function can put ORACLE together from pieces: what is taken out or put in
 * is a name or a comma.
 */
function isSafeCall(call: Call): boolean {
  const { schema, name } = call.name;
  const isKnown = COMBINING.has(name.toLowerCase());
  const isPlain = schema === undefined || schema.toLowerCase() === 'sys';
  return isKnown && isPlain && call.args.every(isSafeMode);
}

function areSafeModes(text: string): boolean {
  return text.split(',').every((piece) => {
    const mode = piece.trim().toUpperCase();
    return mode === '' || SAFE_MODES.has(mode);
  });
}

// --- Character sets

function isSafeCharset(value: Expression, variable: string): boolean {
  switch (value.kind) {
    case 'literal':
      if (value.isOpaque) return false;
      if (value.type === 'null') return variable === 'character_set_results';
      return (
        SAFE_CHARSETS.has(value.value.toLowerCase()) &&
        (value.type === 'string' || value.type === 'default')
      );
    case 'column':
      return value.table === undefined && SAFE_CHARSETS.has(value.name.toLowerCase());
    case 'system-variable':
      return CHARSET_VARIABLES.has(value.name) && value.scope !== 'global';
    case 'user-variable':
      return CHARSET_VARIABLE.test(value.name);
    default:
      return false;
  }
}
