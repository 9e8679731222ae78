/**
 * The commands of the protocol by their first byte (MY-19): how each is answered and what Weir does with
 * it. A command that is not here ends the session, because nobody knows where its answer would end.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */

import type { ReplyShape } from './replies.ts';

export const COMMAND = {
  sleep: 0x00,
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  createDb: 0x05,
  dropDb: 0x06,
  refresh: 0x07,
  shutdown: 0x08,
  statistics: 0x09,
  processInfo: 0x0a,
  connect: 0x0b,
  processKill: 0x0c,
  debug: 0x0d,
  ping: 0x0e,
  time: 0x0f,
  delayedInsert: 0x10,
  changeUser: 0x11,
  binlogDump: 0x12,
  tableDump: 0x13,
  connectOut: 0x14,
  registerSlave: 0x15,
  prepare: 0x16,
  execute: 0x17,
  longData: 0x18,
  close: 0x19,
  reset: 0x1a,
  setOption: 0x1b,
  fetch: 0x1c,
  daemon: 0x1d,
  binlogDumpGtid: 0x1e,
  resetConnection: 0x1f,
  clone: 0x20,
  subscribeGroupReplication: 0x21,
  bulkExecute: 0xfa,
  slaveWorker: 0xfb,
  slaveIo: 0xfc,
  slaveSql: 0xfd,
  multi: 0xfe,
} as const;

export type Handling =
  /** Its text is decided on: COM_QUERY and COM_STMT_PREPARE. */
  | { readonly kind: 'text'; readonly shape: ReplyShape }
  /** Does what a statement does, and under inspection is decided on as that statement. */
  | { readonly kind: 'as-statement'; readonly shape: ReplyShape }
  /** Names a prepared statement, by the four bytes behind its own. */
  | { readonly kind: 'prepared'; readonly shape: ReplyShape | undefined }
  /** Goes on as it is; without a shape it has no answer, not ever (MY-60). */
  | { readonly kind: 'relayed'; readonly shape: ReplyShape | undefined }
  | { readonly kind: 'change-user' }
  /** Answered here with ERR 1047, as servers do; nothing of it is sent on. */
  | { readonly kind: 'unknown' }
  /** Answered here with ERR 1142. */
  | { readonly kind: 'refused'; readonly reason: string };

const UNKNOWN: Handling = { kind: 'unknown' };
const REPLICATION: Handling = {
  kind: 'refused',
  reason:
    'replication streams are not allowed through Weir, because no rule or mask can follow them',
};

const TABLE: ReadonlyMap<number, Handling> = new Map<number, Handling>([
  [COMMAND.sleep, UNKNOWN],
  [COMMAND.quit, { kind: 'relayed', shape: undefined }],
  [COMMAND.initDb, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.query, { kind: 'text', shape: 'query' }],
  [COMMAND.fieldList, { kind: 'as-statement', shape: 'fields' }],
  [COMMAND.createDb, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.dropDb, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.refresh, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.shutdown, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.statistics, { kind: 'relayed', shape: 'raw' }],
  [COMMAND.processInfo, { kind: 'as-statement', shape: 'query' }],
  [COMMAND.connect, UNKNOWN],
  [COMMAND.processKill, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.debug, { kind: 'as-statement', shape: 'simple' }],
  [COMMAND.ping, { kind: 'relayed', shape: 'simple' }],
  [COMMAND.time, UNKNOWN],
  [COMMAND.delayedInsert, UNKNOWN],
  [COMMAND.changeUser, { kind: 'change-user' }],
  [COMMAND.binlogDump, REPLICATION],
  [COMMAND.tableDump, REPLICATION],
  [COMMAND.connectOut, UNKNOWN],
  [COMMAND.registerSlave, REPLICATION],
  [COMMAND.prepare, { kind: 'text', shape: 'prepare' }],
  [COMMAND.execute, { kind: 'prepared', shape: 'execute' }],
  [COMMAND.longData, { kind: 'prepared', shape: undefined }],
  [COMMAND.close, { kind: 'prepared', shape: undefined }],
  [COMMAND.reset, { kind: 'prepared', shape: 'simple' }],
  [COMMAND.setOption, { kind: 'relayed', shape: 'simple' }],
  [COMMAND.fetch, { kind: 'prepared', shape: 'fetch' }],
  [COMMAND.daemon, UNKNOWN],
  [COMMAND.binlogDumpGtid, REPLICATION],
  [COMMAND.resetConnection, { kind: 'relayed', shape: 'simple' }],
  [COMMAND.clone, REPLICATION],
  [COMMAND.subscribeGroupReplication, REPLICATION],
  [COMMAND.bulkExecute, { kind: 'prepared', shape: 'execute' }],
  [COMMAND.slaveWorker, UNKNOWN],
  [COMMAND.slaveIo, UNKNOWN],
  [COMMAND.slaveSql, UNKNOWN],
  [COMMAND.multi, UNKNOWN],
]);

/** Undefined: no command of any server that Weir knows. */
export function handlingOf(command: number): Handling | undefined {
  return TABLE.get(command);
}

/** Bits of COM_REFRESH, and the statement that does the same. */
const REFRESH_TEXTS: readonly (readonly [number, string])[] = [
  [0x01, 'FLUSH PRIVILEGES'],
  [0x02, 'FLUSH LOGS'],
  [0x04, 'FLUSH TABLES'],
  [0x08, 'FLUSH HOSTS'],
  [0x10, 'FLUSH STATUS'],
  [0x40, 'RESET SLAVE'],
  [0x80, 'RESET MASTER'],
];

/**
 * The statement that does what the command does. `payload` is whole, its first byte the command's
 * number; names are read with `decode`. Undefined: it cannot be told.
 */
export function statementTextOf(
  payload: Buffer,
  decode: (bytes: Buffer) => string | undefined,
): string | undefined {
  const body = payload.subarray(1);
  const name = (): string | undefined => quoteName(untilNul(body), decode);
  switch (payload[0]) {
    case COMMAND.initDb:
      return textOf('USE ', initDbName(payload) === undefined ? undefined : name());
    case COMMAND.createDb:
      return textOf('CREATE DATABASE ', name());
    case COMMAND.dropDb:
      return textOf('DROP DATABASE ', name());
    case COMMAND.fieldList:
      return textOf('SHOW COLUMNS FROM ', name());
    case COMMAND.refresh:
      return refreshText(body[0] ?? 0);
    case COMMAND.shutdown:
      return 'SHUTDOWN';
    case COMMAND.processInfo:
      return 'SHOW PROCESSLIST';
    case COMMAND.processKill:
      return body.length < 4 ? undefined : `KILL ${body.readUInt32LE(0)}`;
    default:
      // COM_DEBUG: no statement writes the server's state to its log.
      return undefined;
  }
}

/** The name in a COM_INIT_DB; undefined where a NUL leaves open what servers take for it. */
export function initDbName(payload: Buffer): Buffer | undefined {
  const body = payload.subarray(1);
  const nul = body.indexOf(0);
  if (nul < 0) return body;
  return nul === body.length - 1 ? body.subarray(0, nul) : undefined;
}

function refreshText(bits: number): string {
  const texts = REFRESH_TEXTS.filter(([bit]) => (bits & bit) !== 0).map(([, text]) => text);
  return texts.length === 0 ? 'FLUSH STATUS' : texts.join('; ');
}

function textOf(start: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : start + name;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function quoteName(
  bytes: Buffer,
  decode: (bytes: Buffer) => string | undefined,
): string | undefined {
  const name = decode(bytes);
  return name === undefined ? undefined : `\`${name.replaceAll('`', '``')}\``;
}
