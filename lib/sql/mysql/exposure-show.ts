/** The rows of SHOW statements that tell of other sessions, of messages and of logs (MY-66). */

import type { Expression, ShowStatement } from './ast.ts';
import type { Findings } from './lineage-findings.ts';
import type { RelationTable } from './lineage-relations.ts';
import type { Column } from './lineage-scope.ts';

interface Judging {
  readonly findings: Findings;
  readonly relations: RelationTable;
}

/** `c` clear, `m` masked, one letter a column; `*`: all of them, however many there are. */
const SHOWN: readonly (readonly [RegExp, string])[] = [
  [/^(?:WARNINGS|ERRORS)$/, 'ccm'],
  [/^(?:BINLOG|RELAYLOG)\b/, 'cccccm'],
  // Type, Name, Status: statements and rows of the last deadlock.
  [/^ENGINE\b/, 'ccm'],
  // Of another session.
  [/^(?:EXPLAIN|ANALYZE)\b/, '*'],
  // The last error quotes a statement and a value.
  [/^(?:SLAVE|SLAVES|REPLICA|REPLICAS)\b/, '*'],
];

/** Undefined: nothing of it is masked. */
export function showRows(
  { what, object, where }: ShowStatement,
  { findings, relations }: Judging,
  steer: (where: Expression) => void,
): readonly Column[] | undefined {
  if (object !== undefined && relations.sensitive(object).length > 0) findings.touch();
  if (where !== undefined) steer(where);
  if (!relations.isMasking) return undefined;
  const letters = lettersOf(what, relations.isMariadb);
  if (letters === undefined) return undefined;
  findings.touch();
  return Array.from(letters, (letter): Column => {
    const masked = letter === 'c' ? undefined : `the result of SHOW ${what}`;
    return { name: what, masked, origin: undefined, run: letter === '*' ? 'masked' : undefined };
  });
}

function lettersOf(what: string, isMariadb: boolean): string | undefined {
  // Id, User, Host, db, Command, Time, State, Info; MariaDB adds Progress.
  if (/\bPROCESSLIST$/.test(what)) return isMariadb ? 'cccccccmc' : 'cccccccm';
  return SHOWN.find(([pattern]) => pattern.test(what))?.[1];
}
