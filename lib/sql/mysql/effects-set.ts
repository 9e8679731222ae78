/** What SET does, and whether it changes how later texts are read (MY-61, MY-62, MY-65). */

import type { SetItem, SetStatement } from './ast.ts';
import {
  charsetHazard,
  isReadingSetting,
  settingHazard,
  userVariableHazard,
} from './effects-modes.ts';
import type { EffectScan, Scope } from './effects-scan.ts';

/** Settings of a session that decide what other servers get to see. */
const REPLICATION_SETTINGS: ReadonlySet<string> = new Set(
  `sql_log_bin sql_log_off gtid_next gtid_domain_id gtid_seq_no server_id binlog_format pseudo_slave_mode
  pseudo_replica_mode pseudo_thread_id skip_replication wsrep_on wsrep_sync_wait binlog_row_image
  sql_require_primary_key original_commit_timestamp`.split(/\s+/),
);
/** They write files of the server or open it up. */
const ADMIN_SETTINGS: ReadonlySet<string> = new Set(['debug', 'debug_dbug', 'debug_sync']);

/** They hold statements that other sessions run, or let events run: code that nobody reads (MY-46). */
const RUNNING_SETTINGS: ReadonlySet<string> = new Set([
  'init_connect',
  'init_slave',
  'init_replica',
  'event_scheduler',
]);

/** Of what comes behind sql_mode in a packet: what ANSI_QUOTES and NO_BACKSLASH_ESCAPES read differently. */
const MODE_REST = /["\\]/;
/** Of what comes behind a character set: whatever is not the same in all that are allowed. */
const CHARSET_REST = /[\u0080-\uffff]/;

export function readSet(scan: EffectScan, statement: SetStatement, scope: Scope): boolean {
  scan.looksAtLiteral = true;
  for (const item of statement.items) {
    readItem(scan, item, scope);
    scan.visitChildren(item, scope);
  }
  if (statement.statement === undefined) return true;
  // PREPARE under another mode would be read by that mode.
  const isReading = statement.items.some(
    (item) => item.kind === 'set-system' && isReadingSetting(item.name) !== undefined,
  );
  if (isReading) scan.addHazard('SET STATEMENT with sql_mode or a character set');
  scan.visitStatement(statement.statement, { ...scope, via: 'SET STATEMENT' });
  return true;
}

function readItem(scan: EffectScan, item: SetItem, scope: Scope): void {
  switch (item.kind) {
    case 'set-user':
      scan.add('session', undefined, scope);
      scan.addVariableHazard(userVariableHazard(item.variable.name, item.value));
      return;
    case 'set-charset':
      scan.add('session', undefined, scope);
      scan.addHazard(charsetHazard(item.charset));
      scan.addChange({ what: 'SET NAMES', unless: CHARSET_REST });
      return;
    case 'set-system':
      readSystem(scan, item, scope);
      return;
    case 'set-other':
      readOther(scan, item, scope);
  }
}

function readSystem(
  scan: EffectScan,
  item: Extract<SetItem, { kind: 'set-system' }>,
  scope: Scope,
): void {
  const { name, value } = item;
  const isSession = item.scope === 'session' || item.scope === 'none';
  const via = `SET ${name.slice(0, 64)}`;
  scan.add('session', undefined, scope);
  if (!isSession || ADMIN_SETTINGS.has(name)) scan.add('admin', undefined, { ...scope, via });
  if (REPLICATION_SETTINGS.has(name)) scan.add('replication', undefined, { ...scope, via });
  scan.addHazard(settingHazard(name, value));
  if (!isSession && RUNNING_SETTINGS.has(name))
    for (const effect of ['code', 'unknown'] as const)
      scan.add(effect, undefined, { ...scope, via });
  const reading = isReadingSetting(name);
  if (reading === 'mode') scan.moveTexts(via);
  if (reading !== undefined)
    scan.addChange({ what: via, unless: reading === 'mode' ? MODE_REST : CHARSET_REST });
}

function readOther(
  scan: EffectScan,
  item: Extract<SetItem, { kind: 'set-other' }>,
  scope: Scope,
): void {
  switch (item.what) {
    case 'password':
    case 'default-role':
      scan.add('grant', undefined, { ...scope, via: `SET ${item.what.toUpperCase()}` });
      return;
    case 'resource-group':
      scan.add('admin', undefined, { ...scope, via: 'SET RESOURCE GROUP' });
      return;
    case 'role':
    case 'transaction': {
      const isSession = item.scope === 'session' || item.scope === 'none';
      scan.add('session', undefined, scope);
      if (!isSession) scan.add('admin', undefined, { ...scope, via: 'SET GLOBAL TRANSACTION' });
    }
  }
}
