/** What the statements without a structure do, as data: verb -> effects (MY-47, MY-50). */

import { type Effect, EFFECTS } from '../analysis.ts';
import type { UtilityStatement } from './ast.ts';
import type { EffectScan, Scope } from './effects-scan.ts';

/** The longest verb that the statement's begins with counts. A verb that is not here is `unknown`. */
const ROWS: readonly (readonly [string, string])[] = [
  ['START TRANSACTION', 'session'],
  ['BEGIN', 'session'],
  ['COMMIT', 'session'],
  ['ROLLBACK', 'session'],
  ['SAVEPOINT', 'session'],
  ['RELEASE', 'session'],
  ['XA', 'session'],
  // A transaction that was prepared may be another session's.
  ['XA COMMIT', 'session admin'],
  ['XA ROLLBACK', 'session admin'],
  ['XA RECOVER', 'session admin'],
  ['HELP', 'read'],
  // What a log of another server says is done here.
  ['START', 'replication admin unknown'],
  ['STOP', 'replication admin'],
  ['CHANGE', 'replication admin'],
  ['RESET', 'admin'],
  ['RESET MASTER', 'replication admin drop'],
  ['RESET BINARY', 'replication admin drop'],
  ['RESET SLAVE', 'replication admin'],
  ['RESET REPLICA', 'replication admin'],
  ['PURGE', 'replication admin drop'],
  // Row events for any table.
  ['BINLOG', 'unknown replication'],
  ['ANALYZE', 'admin'],
  ['OPTIMIZE', 'admin alter'],
  ['OPTIMIZE USE_FRM', 'admin alter'],
  ['CHECK', 'admin'],
  // Its result tells whether rows are the same.
  ['CHECKSUM', 'read'],
  ['REPAIR', 'admin alter'],
  // It can lose rows.
  ['REPAIR USE_FRM', 'admin alter delete'],
  ['FLUSH', 'admin'],
  ['FLUSH WITH', 'admin lock'],
  ['FLUSH PRIVILEGES', 'admin grant'],
  ['CACHE INDEX', 'admin'],
  ['LOAD INDEX', 'admin'],
  ['KILL', 'admin'],
  ['SHUTDOWN', 'admin'],
  ['RESTART', 'admin'],
  // Code of a library.
  ['INSTALL', 'create code admin unknown'],
  ['UNINSTALL', 'drop code admin'],
  // Everything in the server is replaced by a copy of another one, or written to a directory.
  ['CLONE', 'unknown drop file admin replication'],
  ['IMPORT', 'create file'],
  ['BACKUP', 'admin lock'],
];

const RULES: ReadonlyMap<string, readonly Effect[]> = new Map(
  ROWS.map(([verb, effects]) => [verb, effects.split(' ').map(effectOf)]),
);

function effectOf(word: string): Effect {
  const effect = EFFECTS.find((known) => known === word);
  if (effect === undefined) throw new Error(`no such effect: ${word}`);
  return effect;
}

const UNKNOWN: readonly Effect[] = ['unknown'];

function effectsOf(verb: string): readonly Effect[] {
  const words = verb.split(' ');
  for (let count = words.length; count > 0; count -= 1) {
    const found = RULES.get(words.slice(0, count).join(' '));
    if (found !== undefined) return found;
  }
  return UNKNOWN;
}

export function readUtility(scan: EffectScan, statement: UtilityStatement, scope: Scope): boolean {
  const via = statement.verb.slice(0, 64);
  const objects = statement.tables.map((name) => scan.relation(name));
  for (const effect of effectsOf(statement.verb))
    for (const object of objects.length === 0 ? [undefined] : objects)
      scan.add(effect, object, { ...scope, via });
  scan.visitAll(statement.expressions, scope);
  return true;
}
