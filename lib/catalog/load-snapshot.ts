/**
 * Reads a whole catalog into a snapshot. The names come from one repeatable-read transaction; the
 * definitions are read after it, because the server reads those from the newest catalog anyway. The
 * fingerprint belongs to the transaction, so a change in between shows as a new fingerprint later.
 */

import { buildRelations, buildRoutines } from './build-catalog.ts';
import type { CatalogSnapshot } from './catalog.ts';
import { type CatalogConnection, sqlStateOf } from './catalog-connection.ts';
import * as queries from './catalog-queries.ts';
import { asRow, numberIn, optionalTextIn, type Row, textIn } from './catalog-rows.ts';
import { RULE_DEFINITIONS } from './hidden-code-queries.ts';
import { type CatalogLimits, readNames } from './read-names.ts';
import { buildSnapshot } from './snapshot.ts';

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
  const ruleOids = names.rules.map((row) => numberIn(row, 'oid'));
  const rules = await readDefinitions(connection, RULE_DEFINITIONS, ruleOids);
  const built = buildRoutines(names, bodies.texts);
  const { routines, operators, types } = built;
  const relations = buildRelations(names, { views: views.texts, rules: rules.texts }, built);
  const schemas = names.schemas.map((row) => textIn(row, 'name'));
  const { routinesOfType, routinesOnDefine } = built;
  return {
    fingerprint: names.fingerprint,
    snapshot: buildSnapshot({
      version,
      relations,
      routines,
      operators,
      types,
      routinesOfType,
      routinesOnDefine,
      schemas,
    }),
    isPartial: views.isPartial || bodies.isPartial || rules.isPartial,
  };
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
