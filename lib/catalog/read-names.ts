/**
 * Reads the names and links of a catalog in one transaction, as rows; what they add up to is for
 * build-catalog.ts. Definitions are read elsewhere (load-snapshot.ts).
 */

import { GatewayError } from '../errors.ts';
import type { CatalogConnection } from './catalog-connection.ts';
import * as queries from './catalog-queries.ts';
import { asRow, type Row, textIn } from './catalog-rows.ts';
import * as hidden from './hidden-code-queries.ts';

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

export async function readFingerprint(connection: CatalogConnection): Promise<string> {
  const [row] = await connection.query(queries.FINGERPRINT);
  return textIn(asRow(row), 'fingerprint');
}

export interface Names {
  readonly fingerprint: string;
  readonly relations: readonly Row[];
  readonly columns: readonly Row[];
  readonly generated: readonly Row[];
  readonly parents: readonly Row[];
  readonly reads: readonly Row[];
  readonly calls: readonly Row[];
  readonly policyCalls: readonly Row[];
  readonly viewTypes: readonly Row[];
  readonly writeCalls: readonly Row[];
  readonly triggers: readonly Row[];
  readonly eventTriggers: readonly Row[];
  readonly rules: readonly Row[];
  readonly cascades: readonly Row[];
  readonly types: readonly Row[];
  readonly compositeColumns: readonly Row[];
  readonly typeCalls: readonly Row[];
  readonly signatures: readonly Row[];
  readonly schemas: readonly Row[];
  readonly latePaths: readonly Row[];
  readonly routines: readonly Row[];
  readonly aggregates: readonly Row[];
  readonly operators: readonly Row[];
}

type ReadRows = (text: string, what: string, countMax: number) => Promise<readonly Row[]>;

export async function readNames(
  connection: CatalogConnection,
  limits: CatalogLimits,
): Promise<Names> {
  const rows: ReadRows = async (text, what, countMax) => {
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
      ...(await readHiddenCode(rows, linksMax)),
      schemas: await rows(queries.SCHEMAS, 'schemas', linksMax),
      latePaths: await rows(queries.LATE_SEARCH_PATHS, 'settings of search_path', linksMax),
      routines: await rows(queries.ROUTINES, 'routines', linksMax),
      aggregates: await rows(queries.AGGREGATE_ROUTINES, 'aggregates', linksMax),
      operators: await rows(queries.OPERATOR_ROUTINES, 'operators', linksMax),
    };
  } finally {
    // Nothing was written; if it fails, so will the next query, and say why.
    if (connection.isOpen) await connection.query('ROLLBACK').catch(() => undefined);
  }
}

type HiddenCode = Pick<
  Names,
  | 'policyCalls'
  | 'viewTypes'
  | 'writeCalls'
  | 'triggers'
  | 'eventTriggers'
  | 'rules'
  | 'cascades'
  | 'types'
  | 'compositeColumns'
  | 'typeCalls'
  | 'signatures'
>;

async function readHiddenCode(rows: ReadRows, linksMax: number): Promise<HiddenCode> {
  return {
    policyCalls: await rows(hidden.POLICY_CALLS, 'routines in policies', linksMax),
    viewTypes: await rows(hidden.VIEW_TYPES, 'types in views', linksMax),
    writeCalls: await rows(hidden.WRITE_CALLS, 'routines in tables', linksMax),
    triggers: await rows(hidden.TRIGGERS, 'triggers', linksMax),
    eventTriggers: await rows(hidden.EVENT_TRIGGERS, 'event triggers', linksMax),
    rules: await rows(hidden.RULES, 'rules', linksMax),
    cascades: await rows(hidden.CASCADES, 'foreign keys', linksMax),
    types: await rows(hidden.TYPES, 'types', linksMax),
    compositeColumns: await rows(hidden.COMPOSITE_COLUMNS, 'columns of types', linksMax),
    typeCalls: await rows(hidden.TYPE_CALLS, 'routines in types', linksMax),
    signatures: await rows(hidden.SIGNATURES, 'types in signatures', linksMax),
  };
}
