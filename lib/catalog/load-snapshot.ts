/**
 * Reads a whole catalog into a snapshot. The names come from one repeatable-read transaction; the
 * definitions are read after it, because the server reads those from the newest catalog anyway. The
 * fingerprint belongs to the transaction, so a change in between shows as a new fingerprint later.
 */

import { GatewayError } from '../errors.ts';
import type { CatalogColumn, CatalogRelation, CatalogRoutine, CatalogSnapshot } from './catalog.ts';
import { type CatalogConnection, sqlStateOf } from './catalog-connection.ts';
import * as queries from './catalog-queries.ts';
import { asRow, numberIn, optionalTextIn, type Row, textIn } from './catalog-rows.ts';
import { buildSnapshot } from './snapshot.ts';

export interface CatalogLimits {
  readonly relationsMax: number;
  readonly columnsMax: number;
  /** Routines, operators, aggregates, inheritance links, view references: each by itself. */
  readonly linksMax: number;
}

/** About 150 MB of snapshot at the very worst; larger catalogs are refused, not read in part. */
export const CATALOG_LIMITS: CatalogLimits = {
  relationsMax: 200_000,
  columnsMax: 1_000_000,
  linksMax: 500_000,
};

export interface LoadedCatalog {
  readonly fingerprint: string;
  readonly snapshot: CatalogSnapshot;
  /** A definition could not be read because of a lock: it is worth trying again. */
  readonly isPartial: boolean;
}

/** Definitions asked for in one query. */
const CHUNK_SIZE = 256;
/** Waiting for locks is bounded: after so many time-outs the remaining definitions count as unreadable. */
const LOCKED_TRIES_MAX = 20;

export async function readFingerprint(connection: CatalogConnection): Promise<string> {
  const [row] = await connection.query(queries.FINGERPRINT);
  return textIn(asRow(row), 'fingerprint');
}

export async function loadCatalog(
  connection: CatalogConnection,
  version: number,
  limits: CatalogLimits,
): Promise<LoadedCatalog> {
  const names = await readNames(connection, limits);
  const viewOids = names.relations
    .filter((row) => isUserView(row))
    .map((row) => numberIn(row, 'oid'));
  const views = await readDefinitions(connection, queries.VIEW_DEFINITIONS, viewOids);
  const routineOids = names.routines.map((row) => numberIn(row, 'oid'));
  const bodies = await readDefinitions(connection, queries.ROUTINE_DEFINITIONS, routineOids);
  const { routines, operators, callees } = buildRoutines(names, bodies.texts);
  const relations = buildRelations(names, views.texts, callees);
  return {
    fingerprint: names.fingerprint,
    snapshot: buildSnapshot({ version, relations, routines, operators }),
    isPartial: views.isPartial || bodies.isPartial,
  };
}

interface Names {
  readonly fingerprint: string;
  readonly relations: readonly Row[];
  readonly columns: readonly Row[];
  readonly generated: readonly Row[];
  readonly parents: readonly Row[];
  readonly reads: readonly Row[];
  readonly calls: readonly Row[];
  readonly routines: readonly Row[];
  readonly aggregates: readonly Row[];
  readonly operators: readonly Row[];
}

async function readNames(connection: CatalogConnection, limits: CatalogLimits): Promise<Names> {
  const rows = async (text: string, what: string, countMax: number): Promise<readonly Row[]> => {
    const found = await connection.query(text, [countMax + 1]);
    if (found.length <= countMax) return found.map(asRow);
    throw new GatewayError(
      'CATALOG_TOO_LARGE',
      `the catalog has more than ${countMax} ${what}; Weir does not decide on a part of it`,
    );
  };
  const { relationsMax, columnsMax, linksMax } = limits;
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return {
      fingerprint: await readFingerprint(connection),
      relations: await rows(queries.RELATIONS, 'relations', relationsMax),
      columns: await rows(queries.COLUMNS, 'columns', columnsMax),
      generated: await rows(queries.GENERATED_COLUMNS, 'generated columns', linksMax),
      parents: await rows(queries.PARENTS, 'inheritance links', linksMax),
      reads: await rows(queries.READS, 'relations in views', linksMax),
      calls: await rows(queries.VIEW_CALLS, 'routines in views', linksMax),
      routines: await rows(queries.ROUTINES, 'routines', linksMax),
      aggregates: await rows(queries.AGGREGATE_ROUTINES, 'aggregates', linksMax),
      operators: await rows(queries.OPERATOR_ROUTINES, 'operators', linksMax),
    };
  } finally {
    // Nothing was written; if it fails, so will the next query, and say why.
    if (connection.isOpen) await connection.query('ROLLBACK').catch(() => undefined);
  }
}

function isUserView(row: Row): boolean {
  const kind = textIn(row, 'kind');
  return (kind === 'v' || kind === 'm') && numberIn(row, 'oid') >= queries.FIRST_USER_OID;
}

interface Definitions {
  readonly texts: ReadonlyMap<number, string>;
  readonly isPartial: boolean;
}

/**
 * Printing a definition locks the tables in it, and someone may hold them for long (ALTER TABLE in
 * an open transaction, perhaps of the very client that waits for this answer). A chunk that times
 * out is halved until the locked ones are alone; those stay unread, and what is unread is masked.
 */
async function readDefinitions(
  connection: CatalogConnection,
  text: string,
  oids: readonly number[],
): Promise<Definitions> {
  const texts = new Map<number, string>();
  const chunks: (readonly number[])[] = [];
  for (let start = 0; start < oids.length; start += CHUNK_SIZE) {
    chunks.push(oids.slice(start, start + CHUNK_SIZE));
  }
  let lockedTries = 0;
  let isPartial = false;
  for (let chunk = chunks.pop(); chunk !== undefined; chunk = chunks.pop()) {
    try {
      for (const row of (await connection.query(text, [chunk])).map(asRow)) {
        const definition = optionalTextIn(row, 'definition');
        if (definition !== undefined) texts.set(numberIn(row, 'oid'), definition);
      }
    } catch (error) {
      if (!isWorthSplitting(error)) throw error;
      lockedTries += 1;
      isPartial = true;
      if (lockedTries >= LOCKED_TRIES_MAX) break;
      const half = Math.ceil(chunk.length / 2);
      if (chunk.length > 1) chunks.push(chunk.slice(0, half), chunk.slice(half));
    }
  }
  return { texts, isPartial };
}

/** Lock time-out, statement time-out, and what a definition dropped or broken meanwhile gives. */
function isWorthSplitting(error: unknown): boolean {
  const state = sqlStateOf(error);
  return (
    state === '55P03' ||
    state === '57014' ||
    state === 'XX000' ||
    (state?.startsWith('42') ?? false)
  );
}

interface Routines {
  /** Aggregates under their own names, once for each support function. */
  readonly routines: readonly CatalogRoutine[];
  readonly operators: readonly { readonly name: string; readonly routine: CatalogRoutine }[];
  /** By the oid of a routine, an aggregate or an operator: what runs when it is used. */
  readonly callees: ReadonlyMap<number, readonly CatalogRoutine[]>;
}

function buildRoutines(names: Names, bodies: ReadonlyMap<number, string>): Routines {
  const routines = names.routines.map((row): CatalogRoutine => {
    const oid = numberIn(row, 'oid');
    return {
      oid,
      schema: textIn(row, 'schema'),
      name: textIn(row, 'name'),
      language: textIn(row, 'language').toLowerCase(),
      definition: bodies.get(oid),
    };
  });
  const byOid = new Map(routines.map((routine) => [routine.oid, routine]));
  const callees = new Map<number, CatalogRoutine[]>();
  for (const routine of routines) callees.set(routine.oid, [routine]);
  const addCallee = (row: Row, caller: string): CatalogRoutine | undefined => {
    const routine = byOid.get(numberIn(row, 'routine'));
    const oid = numberIn(row, caller);
    if (routine !== undefined) callees.set(oid, [...(callees.get(oid) ?? []), routine]);
    return routine;
  };
  const aggregates = names.aggregates.flatMap((row): readonly CatalogRoutine[] => {
    const routine = addCallee(row, 'aggregate');
    if (routine === undefined) return [];
    return [{ ...routine, schema: textIn(row, 'schema'), name: textIn(row, 'name') }];
  });
  const operators = names.operators.flatMap((row) => {
    const routine = addCallee(row, 'operator');
    return routine === undefined ? [] : [{ name: textIn(row, 'name'), routine }];
  });
  return { routines: [...routines, ...aggregates], operators, callees };
}

function buildRelations(
  names: Names,
  definitions: ReadonlyMap<number, string>,
  callees: ReadonlyMap<number, readonly CatalogRoutine[]>,
): readonly CatalogRelation[] {
  const sources = groupBy(
    names.generated,
    (row) => `${numberIn(row, 'relation')}.${numberIn(row, 'attribute')}`,
    (row) => numberIn(row, 'source'),
  );
  const columns = groupBy(
    names.columns,
    (row) => numberIn(row, 'relation'),
    (row): CatalogColumn => {
      const attribute = numberIn(row, 'attribute');
      const computedFrom = sources.get(`${numberIn(row, 'relation')}.${attribute}`);
      const column = { attribute, name: textIn(row, 'name') };
      return computedFrom === undefined ? column : { ...column, computedFrom };
    },
  );
  const parents = groupBy(names.parents, oidOf('child'), oidOf('parent'));
  const reads = groupBy(names.reads, oidOf('reader'), oidOf('source'));
  const calls = groupBy(
    names.calls,
    oidOf('view'),
    (row) => callees.get(numberIn(row, 'callee')) ?? [],
  );
  return names.relations.map((row) => {
    const oid = numberIn(row, 'oid');
    return {
      oid,
      schema: textIn(row, 'schema'),
      name: textIn(row, 'name'),
      kind: textIn(row, 'kind'),
      columns: columns.get(oid) ?? [],
      parents: parents.get(oid) ?? [],
      definition: definitions.get(oid),
      reads: [...new Set(reads.get(oid) ?? [])],
      calls: (calls.get(oid) ?? []).flat(),
    };
  });
}

function oidOf(key: string): (row: Row) => number {
  return (row) => numberIn(row, key);
}

function groupBy<Entry, Key, Value>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => Key,
  valueOf: (entry: Entry) => Value,
): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [valueOf(entry)]);
    else group.push(valueOf(entry));
  }
  return groups;
}
