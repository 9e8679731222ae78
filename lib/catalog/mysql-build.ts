/**
 * Makes relations and routines out of the rows of a MySQL catalog, in memory. Schemas are databases,
 * oids are numbers of this snapshot alone, names are folded (mysql-texts.ts).
 */

import type {
  CatalogColumn,
  CatalogRelation,
  CatalogRoutine,
  CatalogSnapshot,
  TextReading,
} from './catalog.ts';
import { numberIn, type Row } from './catalog-rows.ts';
import { foldName, isAscii, mentionedNames, mentionedWords, quoteName } from './mysql-texts.ts';
import { buildSnapshot } from './snapshot.ts';

export interface MysqlRows {
  readonly schemas: readonly Row[];
  readonly tables: readonly Row[];
  readonly columns: readonly Row[];
  readonly views: readonly Row[];
  readonly routines: readonly Row[];
  readonly parameters: readonly Row[];
  readonly triggers: readonly Row[];
  readonly cascades: readonly Row[];
  /** Undefined: this user may not know them. */
  readonly loadables: readonly Row[] | undefined;
}

/** 0 stands for "no relation" in results. */
const FIRST_OID = 1;
/** No relation has it: what a definition reads there is unknown. */
const UNKNOWN_OID = -1;

export function buildMysqlSnapshot(
  rows: MysqlRows,
  server: TextReading['server'],
  version: number,
): CatalogSnapshot {
  let lastOid = FIRST_OID - 1;
  const nextOid = (): number => (lastOid += 1);
  const schemas = rows.schemas.map((row) => foldName(text(row, 'name')));
  const routines = [
    ...buildRoutines(rows, server, nextOid),
    ...(rows.loadables ?? []).flatMap((row) => buildLoadable(row, schemas, nextOid())),
  ];
  const triggers = groupBy(rows.triggers, tableKey, (row) => buildTrigger(row, server, nextOid()));
  const columns = groupBy(rows.columns, tableKey, (row) => row);
  const tables = rows.tables.map((row) => ({ oid: nextOid(), row }));
  // Names that differ in case only are one name to everything here: each stands for both tables.
  const oids = groupBy(
    tables,
    ({ row }) => nameKey(row),
    ({ oid }) => oid,
  );
  const links: Links = {
    oids,
    routines: groupBy(
      routines,
      ({ schema, name }) => `${schema}\0${name}`,
      (routine) => routine,
    ),
    definitions: new Map(rows.views.map((row) => [exactKey(row), optionalText(row, 'definition')])),
    cascades: groupBy(
      rows.cascades,
      referencedKey,
      (row) => oids.get(tableKey(row)) ?? [UNKNOWN_OID],
    ),
    deletes: groupBy(
      rows.cascades.filter((row) => text(row, 'on_delete').toUpperCase() === 'CASCADE'),
      referencedKey,
      (row) => oids.get(tableKey(row)) ?? [],
    ),
    keepsTexts: server.isLookalike === true,
    nextOid,
  };
  const relations = tables.map(({ oid, row }): CatalogRelation => {
    const key = nameKey(row);
    const own = (columns.get(key) ?? []).filter((column) => isOf(column, row));
    return {
      oid,
      schema: foldName(text(row, 'schema')),
      name: foldName(text(row, 'name')),
      kind: KINDS[text(row, 'type')] ?? 'r',
      columns: buildColumns(own),
      ...(own.length === 0 && text(row, 'type') !== 'VIEW' ? { isHalf: true } : {}),
      parents: [],
      ...viewParts(row, links),
      ...rareParts(triggers.get(key), links, key),
    };
  });
  const content = { version, relations, routines, operators: [], schemas, server };
  return withLooseNames(buildSnapshot(content), routines);
}

/** Nearly every relation has none of these, and there may be many relations. */
function rareParts(
  triggers: CatalogRelation['triggers'],
  links: Links,
  key: string,
): Pick<CatalogRelation, 'triggers' | 'cascades' | 'deletesIn'> {
  const cascades = links.cascades.get(key);
  const deletes = links.deletes.get(key);
  return {
    ...(triggers === undefined ? {} : { triggers }),
    ...(cascades === undefined ? {} : { cascades: cascades.flat() }),
    ...(deletes === undefined ? {} : { deletesIn: deletes.flat() }),
  };
}

/**
 * Routines are looked up by utf8_general_ci, for which an accent is nothing: CALL `purg\u00e9` runs purge. So a
 * letter outside of ASCII may be any other letter (MY-63).
 */
function withLooseNames(
  snapshot: CatalogSnapshot,
  routines: readonly CatalogRoutine[],
): CatalogSnapshot {
  const accented = routines.filter(({ name }) => !isAscii(name));
  return {
    ...snapshot,
    routinesNamed: (name) => {
      const exact = snapshot.routinesNamed(name);
      const others = isAscii(name) ? accented : routines;
      if (others.length === 0) return exact;
      const loose = others.filter((routine) => isLooselySame(routine.name, name));
      return [...new Set([...exact, ...loose])];
    },
  };
}

function isLooselySame(left: string, right: string): boolean {
  const [ours, theirs] = [Array.from(left), Array.from(right)];
  return (
    ours.length === theirs.length &&
    ours.every((letter, index) => {
      const other = theirs[index] ?? '';
      return letter === other || !isAscii(letter) || !isAscii(other);
    })
  );
}

/** The letters of PostgreSQL, which the rest of Weir knows. */
const KINDS: Readonly<Record<string, string>> = { VIEW: 'v', SEQUENCE: 'S' };

interface Links {
  readonly oids: ReadonlyMap<string, readonly number[]>;
  readonly routines: ReadonlyMap<string, readonly CatalogRoutine[]>;
  readonly definitions: ReadonlyMap<string, string | undefined>;
  readonly cascades: ReadonlyMap<string, readonly (readonly number[])[]>;
  readonly deletes: ReadonlyMap<string, readonly (readonly number[])[]>;
  /** Views are as somebody wrote them, with names that lack quotes and databases (Dolt). */
  readonly keepsTexts: boolean;
  readonly nextOid: () => number;
}

/** Of tables whose names differ in case only, each has its own columns. */
function isOf(column: Row, table: Row): boolean {
  return (
    text(column, 'schema') === text(table, 'schema') &&
    text(column, 'table') === text(table, 'name')
  );
}

function buildColumns(rows: readonly Row[]): readonly CatalogColumn[] {
  const numbers = rows.map((row) => ({
    attribute: numberIn(row, 'position'),
    name: foldName(text(row, 'name')),
  }));
  return rows.map((row, index): CatalogColumn => {
    const extra = optionalText(row, 'extra') ?? '';
    const { attribute = 0, name = '' } = numbers[index] ?? {};
    const others = numbers.filter((other) => other.attribute !== attribute);
    const computedFrom = sourcesOf(row, extra, others);
    return {
      attribute,
      name,
      ...(computedFrom === undefined ? {} : { computedFrom }),
      ...(/\bINVISIBLE\b/i.test(extra) ? { isInvisible: true } : {}),
    };
  });
}

/** Of generated columns, and of those whose default is computed from others. */
function sourcesOf(
  row: Row,
  extra: string,
  others: readonly { readonly attribute: number; readonly name: string }[],
): readonly number[] | undefined {
  const isGenerated = /\b(?:VIRTUAL|STORED|PERSISTENT)\b.*\bGENERATED\b|\bPERSISTENT\b/i.test(
    extra,
  );
  const expression = optionalText(row, isGenerated ? 'expression' : 'default_expression') ?? '';
  // Generated from what may not be read: perhaps from every column.
  if (expression === '') return isGenerated ? [0] : undefined;
  const words = mentionedWords(expression);
  const sources = others.filter(({ name }) => words.has(name)).map(({ attribute }) => attribute);
  return sources.length === 0 ? undefined : sources;
}

type ViewParts = Pick<CatalogRelation, 'definition' | 'reads' | 'calls' | 'callsOnWrite'>;

/** Writing there can do anything: change an event, a routine, an account. */
const SYSTEM_SCHEMA = 'mysql';
/** Where MariaDB's own functions lie, as it prints some of them. */
const OWN_SCHEMA = 'mariadb_schema';

/** What its server may read in another way than Weir: no printed definition holds it. */
const AS_WRITTEN = /["\\#]|--|\/[*/]/;

/** A view whose text may not be read could read and call anything: it calls something unreadable. */
function viewParts(row: Row, links: Links): ViewParts {
  if (text(row, 'type') !== 'VIEW') return { definition: undefined, reads: [] };
  const schema = foldName(text(row, 'schema'));
  const definition = links.definitions.get(exactKey(row));
  const isUnsure = links.keepsTexts && AS_WRITTEN.test(definition ?? '');
  if (definition === undefined || definition === '' || isUnsure) {
    const name = foldName(text(row, 'name'));
    return {
      definition: undefined,
      reads: [UNKNOWN_OID],
      calls: [unreadable(schema, name, links)],
    };
  }
  const { relations, sources, calls, words } = mentionedNames(definition);
  // Where the text is kept as it was written, any word may be a relation or a routine of its own database.
  const bare = links.keepsTexts ? [...words].map((word) => [schema, word] as const) : [];
  const named = [...relations, ...bare.filter(([, name]) => name !== foldName(text(row, 'name')))];
  const reads = named.flatMap(([db, name]) => links.oids.get(keyOf(db, name)) ?? []);
  const called = bare.flatMap(([db, name]) => links.routines.get(keyOf(db, name)) ?? []);
  const qualified = calls.flatMap(([db, name]) => {
    const known = links.routines.get(keyOf(db ?? schema, name));
    // The view runs with the rights of whoever made it, and what this user may not call is not listed.
    const isHidden = known === undefined && db !== undefined && db !== OWN_SCHEMA;
    return isHidden ? [unreadable(db, name, links)] : (known ?? []);
  });
  called.push(...qualified);
  // A view that is not listed calls nobody knows what.
  const lost = sources.find(([db, name]) => !links.oids.has(keyOf(db, name)));
  if (lost !== undefined) called.push(unreadable(...lost, links));
  const isOfSystem = relations.some(([db]) => db === SYSTEM_SCHEMA) && schema !== SYSTEM_SCHEMA;
  return {
    definition,
    reads: [...new Set(lost === undefined ? reads : [...reads, UNKNOWN_OID])],
    ...(called.length === 0 ? {} : { calls: [...new Set(called)] }),
    ...(isOfSystem ? { callsOnWrite: [unreadable(SYSTEM_SCHEMA, text(row, 'name'), links)] } : {}),
  };
}

function unreadable(schema: string, name: string, links: Links): CatalogRoutine {
  return { oid: links.nextOid(), schema, name, language: 'sql', definition: undefined };
}

function buildRoutines(
  { routines, parameters }: MysqlRows,
  server: TextReading['server'],
  nextOid: () => number,
): readonly CatalogRoutine[] {
  const signatures = groupBy(parameters, routineKey, (row) => row);
  return routines.map((row) => ({
    oid: nextOid(),
    schema: foldName(text(row, 'schema')),
    name: foldName(text(row, 'name')),
    language: optionalText(row, 'language')?.toLowerCase() ?? 'sql',
    definition: routineText(row, signatures.get(routineKey(row)) ?? []),
    reading: readingOf(row, server),
  }));
}

/** What SHOW CREATE would give, as far as it says what runs. Undefined: it may not be read. */
function routineText(row: Row, parameters: readonly Row[]): string | undefined {
  const body = optionalText(row, 'definition');
  const type = text(row, 'type');
  // Packages and the bodies of ORACLE mode are of another language than this server's SQL (MY-42).
  const isPlain = type === 'FUNCTION' || type === 'PROCEDURE';
  if (body === undefined || body === '' || !isPlain || isOracle(row)) return undefined;
  const name = `${quoteName(text(row, 'schema'))}.${quoteName(text(row, 'name'))}`;
  const list = parameters
    .filter((parameter) => numberIn(parameter, 'position') > 0)
    .map((parameter) => {
      const mode = type === 'FUNCTION' ? '' : `${optionalText(parameter, 'mode') ?? 'IN'} `;
      const what = quoteName(optionalText(parameter, 'parameter') ?? '');
      return `${mode}${what} ${text(parameter, 'data_type')}`;
    });
  const result = parameters.find((parameter) => numberIn(parameter, 'position') === 0);
  const returns = result === undefined ? '' : ` RETURNS ${text(result, 'data_type')}`;
  return `CREATE ${type} ${name}(${list.join(', ')})${returns}\n${body}`;
}

function buildTrigger(row: Row, server: TextReading['server'], oid: number): CatalogRoutine {
  const body = optionalText(row, 'definition');
  const schema = text(row, 'schema');
  const name = text(row, 'name');
  const head = `CREATE TRIGGER ${quoteName(schema)}.${quoteName(name)} ${text(row, 'timing')} ${text(row, 'event')}`;
  const table = `${quoteName(schema)}.${quoteName(text(row, 'table'))}`;
  const isUnread = body === undefined || body === '' || isOracle(row);
  return {
    oid,
    schema: foldName(schema),
    name: foldName(name),
    language: 'sql',
    definition: isUnread ? undefined : `${head} ON ${table} FOR EACH ROW\n${body}`,
    reading: readingOf(row, server),
  };
}

/** Nobody can read what it does. It is called without a database, whichever the session's is: it is in each. */
function buildLoadable(
  row: Row,
  schemas: readonly string[],
  oid: number,
): readonly CatalogRoutine[] {
  const name = foldName(text(row, 'name'));
  return schemas.map((schema) => ({ oid, schema, name, language: 'c', definition: undefined }));
}

/** A routine is read in the modes it was made in, and its names are of its own database. */
function readingOf(row: Row, server: TextReading['server']): TextReading {
  const modes = modesOf(row);
  return {
    database: text(row, 'schema'),
    server,
    ansiQuotes: modes.has('ANSI_QUOTES'),
    noBackslashEscapes: modes.has('NO_BACKSLASH_ESCAPES'),
  };
}

function isOracle(row: Row): boolean {
  return modesOf(row).has('ORACLE');
}

function modesOf(row: Row): ReadonlySet<string> {
  return new Set((optionalText(row, 'modes') ?? '').toUpperCase().split(','));
}

function keyOf(schema: string, name: string): string {
  return `${foldName(schema)}\0${foldName(name)}`;
}

function nameKey(row: Row): string {
  return keyOf(text(row, 'schema'), text(row, 'name'));
}

function tableKey(row: Row): string {
  return keyOf(text(row, 'schema'), text(row, 'table'));
}

function referencedKey(row: Row): string {
  return keyOf(text(row, 'referenced_schema'), text(row, 'referenced_table'));
}

function exactKey(row: Row): string {
  return `${text(row, 'schema')}\0${text(row, 'name')}`;
}

function routineKey(row: Row): string {
  return `${exactKey(row)}\0${text(row, 'type')}`;
}

/** Some servers give long texts as bytes. */
function optionalText(row: Row, key: string): string | undefined {
  const value = row[key];
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function text(row: Row, key: string): string {
  return optionalText(row, key) ?? '';
}

function groupBy<Entry, Key, Value>(
  entries: readonly Entry[],
  keyOfEntry: (entry: Entry) => Key,
  valueOf: (entry: Entry) => Value,
): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const entry of entries) {
    const key = keyOfEntry(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [valueOf(entry)]);
    else group.push(valueOf(entry));
  }
  return groups;
}
