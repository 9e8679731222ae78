/**
 * Parts of the system catalog and of common extensions that show values of users' tables or the text
 * of other people's statements (PG-82). They are redacted for everyone who has a mask: without this a
 * masked column can be read from its own statistics. Things that show a client only what it sent
 * itself (pg_prepared_statements, pg_cursors) are not here, nor are constants that come from DDL
 * (pg_attrdef, pg_attribute.attmissingval). Those of MySQL are in lib/sql/mysql/lineage-system.ts,
 * because its reader needs them too.
 */

import type { CatalogRelation, CatalogSnapshot } from '../catalog/catalog.ts';
import { findSystemRelation } from '../sql/mysql/lineage-system.ts';

/** What a kind of server has of its own. */
export interface SystemRelations {
  /** Schemas that a mask on `*.*.name` does not mean: to mask a column there, name its schema. */
  readonly schemas: ReadonlySet<string>;
  /** Relations that hold what others may not see, but for columns with names that are shown. */
  find(snapshot: CatalogSnapshot): Iterable<{
    readonly relation: CatalogRelation;
    readonly isShown: (column: string) => boolean;
  }>;
}

export interface SystemColumns {
  /** Undefined: an extension's relation, in whatever schema it was installed. */
  readonly schema: string | undefined;
  readonly relation: string;
  readonly columns: readonly string[];
  readonly reason: string;
}

export const SYSTEM_COLUMNS: readonly SystemColumns[] = [
  {
    schema: 'pg_catalog',
    relation: 'pg_statistic',
    columns: ['stavalues1', 'stavalues2', 'stavalues3', 'stavalues4', 'stavalues5'],
    reason: 'most common values and histogram bounds of every column',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_stats',
    columns: [
      'most_common_vals',
      'histogram_bounds',
      'most_common_elems',
      'range_length_histogram',
      'range_bounds_histogram',
    ],
    reason: 'the readable form of pg_statistic',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_statistic_ext_data',
    columns: ['stxdmcv', 'stxdexpr'],
    reason: 'most common combinations of values, statistics of expressions',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_stats_ext',
    columns: ['most_common_vals'],
    reason: 'the readable form of pg_statistic_ext_data',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_stats_ext_exprs',
    columns: ['most_common_vals', 'histogram_bounds', 'most_common_elems'],
    reason: 'statistics of expressions over columns',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_largeobject',
    columns: ['data'],
    reason: 'the content of large objects; no column says who put it there',
  },
  {
    schema: 'pg_catalog',
    relation: 'pg_stat_activity',
    columns: ['query'],
    reason: "other sessions' statements, with their literals",
  },
  {
    schema: undefined,
    relation: 'pg_stat_statements',
    columns: ['query'],
    reason: "other sessions' statements; utility statements keep their literals",
  },
  {
    schema: undefined,
    relation: 'pg_stat_monitor',
    columns: ['query', 'query_plan', 'message'],
    reason: "other sessions' statements, plans and errors",
  },
  {
    schema: undefined,
    relation: 'pg_store_plans',
    columns: ['plan'],
    reason: 'plans with the constants of their conditions',
  },
];

export const POSTGRES_SYSTEM: SystemRelations = {
  schemas: new Set(['pg_catalog', 'information_schema', 'pg_toast']),
  find: (snapshot) =>
    SYSTEM_COLUMNS.flatMap(({ schema, relation: name, columns }) =>
      snapshot
        .relationsNamed(name)
        .filter((relation) => schema === undefined || relation.schema === schema)
        .map((relation) => ({ relation, isShown: (column: string) => !columns.includes(column) })),
    ),
};

export const MYSQL_SYSTEM: SystemRelations = {
  schemas: new Set(['information_schema', 'mysql', 'performance_schema', 'sys']),
  find: (snapshot) =>
    snapshot.relations().flatMap((relation) => {
      const masked = findSystemRelation(relation.schema, relation.name);
      if (masked === undefined) return [];
      const names = masked === 'all' ? undefined : masked.map((name) => name.toLowerCase());
      return [{ relation, isShown: (column: string) => names?.includes(column) === false }];
    }),
};
