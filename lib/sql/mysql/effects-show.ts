/** What SHOW does: it reads what information_schema and its like show, by another name. */

import type { Effect, ObjectName } from '../analysis.ts';
import type { ShowStatement } from './ast.ts';
import type { EffectScan, Scope } from './effects-scan.ts';

/** Where the same can be read; by the first words, the longest that fits. */
const VIEWS: readonly (readonly [string, string])[] = [
  ['CREATE USER', 'mysql.user'],
  ['CREATE PROCEDURE', 'information_schema.ROUTINES'],
  ['CREATE FUNCTION', 'information_schema.ROUTINES'],
  ['CREATE PACKAGE', 'information_schema.ROUTINES'],
  ['CREATE TRIGGER', 'information_schema.TRIGGERS'],
  ['CREATE EVENT', 'information_schema.EVENTS'],
  ['CREATE VIEW', 'information_schema.VIEWS'],
  ['CREATE DATABASE', 'information_schema.SCHEMATA'],
  ['CREATE SCHEMA', 'information_schema.SCHEMATA'],
  ['CREATE', 'information_schema.TABLES'],
  ['TABLE STATUS', 'information_schema.TABLES'],
  ['TABLES', 'information_schema.TABLES'],
  ['OPEN TABLES', 'information_schema.TABLES'],
  ['DATABASES', 'information_schema.SCHEMATA'],
  ['SCHEMAS', 'information_schema.SCHEMATA'],
  ['COLUMNS', 'information_schema.COLUMNS'],
  ['FIELDS', 'information_schema.COLUMNS'],
  ['INDEX', 'information_schema.STATISTICS'],
  ['INDEXES', 'information_schema.STATISTICS'],
  ['KEYS', 'information_schema.STATISTICS'],
  ['TRIGGERS', 'information_schema.TRIGGERS'],
  ['EVENTS', 'information_schema.EVENTS'],
  ['PROCEDURE', 'information_schema.ROUTINES'],
  ['FUNCTION', 'information_schema.ROUTINES'],
  ['PACKAGE', 'information_schema.ROUTINES'],
  ['PROCESSLIST', 'information_schema.PROCESSLIST'],
  ['EXPLAIN', 'information_schema.PROCESSLIST'],
  ['ANALYZE', 'information_schema.PROCESSLIST'],
  ['GRANTS', 'information_schema.USER_PRIVILEGES'],
  ['VARIABLES', 'information_schema.SESSION_VARIABLES'],
  ['STATUS', 'information_schema.SESSION_STATUS'],
  ['COLLATION', 'information_schema.COLLATIONS'],
  ['CHARACTER SET', 'information_schema.CHARACTER_SETS'],
  ['CHARSET', 'information_schema.CHARACTER_SETS'],
  ['ENGINES', 'information_schema.ENGINES'],
  ['PLUGINS', 'information_schema.PLUGINS'],
];

/** Logs and servers that copy from them; the events of a log are rows of any table. */
const REPLICATION = /^(?:BINARY LOGS?|BINLOG|RELAYLOG|MASTER|SLAVE|REPLICA|REPLICAS|SLAVES)\b/;

export function readShow(scan: EffectScan, statement: ShowStatement, scope: Scope): boolean {
  const via = `SHOW ${statement.what.slice(0, 64)}`;
  const found = VIEWS.find(
    ([words]) => statement.what === words || statement.what.startsWith(`${words} `),
  );
  const effect: Effect = REPLICATION.test(statement.what) ? 'replication' : 'read';
  scan.add(effect, found === undefined ? undefined : viewOf(found[1]), { ...scope, via });
  if (effect === 'replication') scan.add('read', undefined, { ...scope, via });
  scan.visitChildren(statement, scope);
  return true;
}

function viewOf(path: string): ObjectName {
  const [schema, name = ''] = path.split('.');
  return { kind: 'relation', schema, name };
}
