/**
 * Which settings change how the server reads SQL text (GW-3, PG-66). libpg-query always reads with
 * standard_conforming_strings on and as UTF-8; a statement that could change either is a hazard.
 * So is a search_path that looks into another schema before pg_catalog, because then the names of
 * built-in functions and operators may mean something else (PG-72).
 */

import { as, list, names, text, type Tree } from './postgres-tree.ts';

/**
 * Client encodings in which no byte of a multi-byte character is below 0x80, so that a backslash or
 * a quote is always itself. BIG5, GB18030, GBK, JOHAB, SHIFT_JIS_2004, SJIS and UHC are not here
 * (PG-66). Spelled as pg_char_to_encoding compares them: lower case, letters and digits only.
 */
const SAFE_ENCODINGS: ReadonlySet<string> = new Set(
  `utf8 unicode sqlascii eucjp eucjis2004 euccn euckr euctw latin1 latin2 latin3 latin4 latin5 latin6
  latin7 latin8 latin9 latin10 iso88591 iso88592 iso88593 iso88594 iso88595 iso88596 iso88597
  iso88598 iso88599 iso885910 iso885913 iso885914 iso885915 iso885916 koi8 koi8r koi8u
  win1250 win1251 win1252 win1253 win1254 win1255 win1256 win1257 win1258 win866 win874
  windows1250 windows1251 windows1252 windows1253 windows1254 windows1255 windows1256 windows1257
  windows1258 windows866 windows874 win abc tcvn tcvn5712 vscii alt muleinternal`
    .split(/\s+/)
    .filter((name) => name !== ''),
);

const TRUE_WORD = /^(?:t|tr|tru|true|y|ye|yes|on|1)$/i;

/** The hazard of setting `name` to `value`; `value` undefined: not a literal. */
export function settingHazard(name: string, value: string | undefined): string | undefined {
  switch (name.toLowerCase()) {
    case 'client_encoding':
    case 'names':
      if (value === undefined) return 'client_encoding is set to a value that is not a literal';
      return SAFE_ENCODINGS.has(value.toLowerCase().replace(/[^a-z0-9]/g, ''))
        ? undefined
        : `client_encoding ${encodingName(value)} is not one that can be followed`;
    case 'standard_conforming_strings':
      return value !== undefined && TRUE_WORD.test(value)
        ? undefined
        : 'standard_conforming_strings may be turned off';
    case 'search_path':
      return searchPathHazard(value);
    default:
      return undefined;
  }
}

/**
 * The list as the server splits it: at commas, around white space, quotes taken away. Only pg_temp may
 * stand before pg_catalog, because functions and operators are never looked up there.
 */
function searchPathHazard(value: string | undefined): string | undefined {
  if (value === undefined) return 'search_path is set to a value that is not a literal';
  const entries = value.split(',').map((entry) => entry.replace(SPACE_AROUND, ''));
  const first = entries.findIndex((entry) => !/^(?:pg_temp|"pg_temp")$/i.test(entry));
  const lead = entries[first] ?? '';
  // A quoted name keeps its case, so "PG_CATALOG" is another schema.
  const isFirst = /^pg_catalog$/i.test(lead) || lead === '"pg_catalog"';
  const isNamed = entries.some((entry) => /^"?pg_catalog"?$/i.test(entry));
  return isNamed && !isFirst ? 'search_path with pg_catalog behind another schema' : undefined;
}

/** What the server's scanner takes for white space, and nothing more. */
const SPACE_AROUND = /^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g;

/** At most a short plain word of what the client wrote. */
function encodingName(value: string): string {
  return /^[A-Za-z0-9_-]{1,32}$/.test(value) ? value : '(unknown)';
}

/** The hazard of a SET, of the SET clause of a function, or of ALTER ... SET. */
export function setStatementHazard(set: Tree): string | undefined {
  const kind = set['kind'];
  const name = text(set['name']);
  if (kind === 'VAR_SET_MULTI' || kind === 'VAR_RESET_ALL' || name === undefined) return undefined;
  // RESET and SET ... TO DEFAULT go back to what the session started with, which the gateway checked.
  if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') return undefined;
  // FROM CURRENT keeps the value in force, which was checked when it was set.
  if (kind === 'VAR_SET_CURRENT') return undefined;
  const values = list(set['args']);
  if (isSearchPath(set)) return settingHazard(name, schemaList(values));
  return settingHazard(name, values.length === 1 ? literal(values[0]) : undefined);
}

export function isSearchPath(set: Tree): boolean {
  return text(set['name'])?.toLowerCase() === 'search_path';
}

/** SET takes each of its values for one name, as if it were quoted. */
function schemaList(values: readonly unknown[]): string | undefined {
  const found = values.flatMap((value) => literal(value) ?? []);
  return found.length === values.length ? found.map((name) => `"${name}"`).join(', ') : undefined;
}

/**
 * The name that set_config() is given. pg_dump takes it from pg_settings, so `settingName` is what
 * the column `name` is known to be there; undefined: it is not known.
 */
export function settingNameOf(
  args: readonly unknown[],
  settingName: string | undefined,
): string | undefined {
  const parts = list(as(args[0], 'ColumnRef')?.['fields']).map(
    (field) => as(field, 'String')?.['sval'],
  );
  const isColumn = parts.length === 1 && parts[0] === 'name';
  return isColumn ? settingName : literal(args[0]);
}

/** The hazard of set_config(name, value, is_local). */
export function setConfigHazard(
  args: readonly unknown[],
  settingName?: string,
): string | undefined {
  const name = settingNameOf(args, settingName);
  if (name === undefined) return 'set_config() with a name that is not a literal';
  return settingHazard(name, literal(args[1]));
}

/**
 * In SELECT ... FROM pg_settings WHERE name = 'x', and in nothing that looks different: x. What is
 * called pg_settings may be a temporary table with a collation of its own, so x is a plain word.
 */
export function settingNameIn(select: Tree): string | undefined {
  const from = list(select['fromClause']);
  const relation = as(from[0], 'RangeVar');
  const schema = relation?.['schemaname'];
  const isSettings =
    from.length === 1 &&
    relation?.['relname'] === 'pg_settings' &&
    relation['alias'] === undefined &&
    (schema === undefined || schema === 'pg_catalog');
  const condition = as(select['whereClause'], 'A_Expr');
  if (!isSettings || condition?.['kind'] !== 'AEXPR_OP') return undefined;
  const column = as(condition['lexpr'], 'ColumnRef');
  const isName = names(column?.['fields']).join('.') === 'name';
  const isEqual = names(condition['name']).join('.') === '=';
  const name = isName && isEqual ? literal(condition['rexpr']) : undefined;
  return name !== undefined && /^[a-z][a-z_]*$/.test(name) ? name : undefined;
}

/** A constant as text; a cast of a constant to text counts. */
export function literal(node: unknown): string | undefined {
  const constant = as(node, 'A_Const');
  if (constant !== undefined) return constantText(constant);
  const cast = as(node, 'TypeCast');
  if (cast === undefined) return undefined;
  const type = list(as(cast, 'typeName')?.['names']).map((entry) => as(entry, 'String')?.['sval']);
  const last = type[type.length - 1];
  const isText = last === 'text' || last === 'varchar';
  return isText ? literal(cast['arg']) : undefined;
}

function constantText(constant: Tree): string | undefined {
  const string = as(constant, 'sval');
  if (string !== undefined) return text(string['sval']) ?? '';
  const integer = as(constant, 'ival');
  // A zero is left out of the tree.
  if (integer !== undefined)
    return typeof integer['ival'] === 'number' ? `${integer['ival']}` : '0';
  const bool = as(constant, 'boolval');
  if (bool !== undefined) return bool['boolval'] === true ? 'true' : 'false';
  return undefined;
}
