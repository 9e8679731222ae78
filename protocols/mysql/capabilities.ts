/**
 * Capability flags. MariaDB's own ones follow from bit 32 on; it sends them in bytes that are reserved
 * elsewhere, and only where bit 0 is clear (MY-2). What both legs speak is what the server offers, Weir
 * allows and the client asks for (MY-3).
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 * https://mariadb.com/kb/en/connection/#capabilities
 */

/** Named as in the servers' sources, without CLIENT_. */
export const CAPABILITY = {
  /** MySQL calls it LONG_PASSWORD and always sets it; MariaDB's servers and clients leave it clear. */
  mysql: 1n << 0n,
  foundRows: 1n << 1n,
  longFlag: 1n << 2n,
  connectWithDb: 1n << 3n,
  noSchema: 1n << 4n,
  compress: 1n << 5n,
  odbc: 1n << 6n,
  localFiles: 1n << 7n,
  ignoreSpace: 1n << 8n,
  protocol41: 1n << 9n,
  interactive: 1n << 10n,
  ssl: 1n << 11n,
  ignoreSigpipe: 1n << 12n,
  transactions: 1n << 13n,
  reserved: 1n << 14n,
  secureConnection: 1n << 15n,
  multiStatements: 1n << 16n,
  multiResults: 1n << 17n,
  psMultiResults: 1n << 18n,
  pluginAuth: 1n << 19n,
  connectAttrs: 1n << 20n,
  lenencAuth: 1n << 21n,
  expiredPasswords: 1n << 22n,
  sessionTrack: 1n << 23n,
  deprecateEof: 1n << 24n,
  optionalResultsetMetadata: 1n << 25n,
  zstd: 1n << 26n,
  queryAttributes: 1n << 27n,
  multiFactor: 1n << 28n,
  progressObsolete: 1n << 29n,
  sslVerifyServerCert: 1n << 30n,
  rememberOptions: 1n << 31n,
  mariadbProgress: 1n << 32n,
  mariadbComMulti: 1n << 33n,
  mariadbStmtBulk: 1n << 34n,
  mariadbExtendedMetadata: 1n << 35n,
  mariadbCacheMetadata: 1n << 36n,
  mariadbBulkUnitResults: 1n << 37n,
} as const;

/**
 * What Weir understands well enough to let it be used. Not among them, and why:
 * noSchema lets the server forget the database in `db.table`, so that other tables are read than judged;
 * compress and zstd hide the packets (MY-12); optionalResultsetMetadata and mariadbCacheMetadata give rows
 * without their definitions (MY-30); multiFactor, progressObsolete, mariadbComMulti and
 * mariadbBulkUnitResults change packets and are used by nearly nobody; ssl is each leg's own matter; the
 * last two of the first 32 mean something inside of clients only.
 */
const HANDLED =
  CAPABILITY.mysql |
  CAPABILITY.foundRows |
  CAPABILITY.longFlag |
  CAPABILITY.connectWithDb |
  CAPABILITY.odbc |
  CAPABILITY.ignoreSpace |
  CAPABILITY.protocol41 |
  CAPABILITY.interactive |
  CAPABILITY.ignoreSigpipe |
  CAPABILITY.transactions |
  CAPABILITY.reserved |
  CAPABILITY.secureConnection |
  CAPABILITY.multiStatements |
  CAPABILITY.multiResults |
  CAPABILITY.psMultiResults |
  CAPABILITY.pluginAuth |
  CAPABILITY.connectAttrs |
  CAPABILITY.lenencAuth |
  CAPABILITY.expiredPasswords |
  CAPABILITY.sessionTrack |
  CAPABILITY.deprecateEof |
  CAPABILITY.queryAttributes |
  CAPABILITY.mariadbProgress |
  CAPABILITY.mariadbStmtBulk |
  CAPABILITY.mariadbExtendedMetadata;

const LOW_BITS = 0xffff_ffffn;

export function has(capabilities: bigint, flag: bigint): boolean {
  return (capabilities & flag) !== 0n;
}

/** Of what a server offers, what Weir lets clients use; TLS is not among it (MY-3). */
export function allowedOf(offered: bigint, isLocalInfileAllowed: boolean): bigint {
  const allowed = isLocalInfileAllowed ? HANDLED | CAPABILITY.localFiles : HANDLED;
  return offered & allowed;
}

/**
 * What both legs speak. Bit 0 is not ANDed: it tells how the extended flags travel, and a MySQL client
 * keeps it set towards a MariaDB server, which offers it clear (MY-2).
 */
export function agreeOn(allowed: bigint, asked: bigint): bigint {
  return (allowed & asked) | (asked & CAPABILITY.mysql);
}

export function lowBits(capabilities: bigint): number {
  return Number(capabilities & LOW_BITS);
}

export function extendedBits(capabilities: bigint): number {
  return Number((capabilities >> 32n) & LOW_BITS);
}

/** The flags of both fields; the extended ones count only where bit 0 is clear. */
export function joinBits(low: number, extended: number): bigint {
  const capabilities = BigInt(low);
  return has(capabilities, CAPABILITY.mysql)
    ? capabilities
    : capabilities | (BigInt(extended) << 32n);
}
