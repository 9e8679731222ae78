/**
 * The side connection on which a MySQL or MariaDB catalog is read (GW-7): opened when needed, read-only,
 * with modes of its own, closed when idle. One query at a time; a failed one closes the connection, and
 * the next opens another.
 */

import { type Connection, type ConnectionOptions, createConnection } from 'mysql2/promise';
import { GatewayError } from '../errors.ts';

export interface MysqlSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  /** Undefined: without TLS. */
  readonly tls: { readonly isVerified: boolean; readonly ca: Buffer | undefined } | undefined;
}

export interface MysqlConnectionOptions {
  /** Asked for each connection, so that a credential can change. */
  readonly connect: () => MysqlSettings;
  /** For connecting and for each query, milliseconds. */
  readonly timeoutMs: number;
  /** Unused for this long: closed. Milliseconds. */
  readonly idleMs: number;
}

export interface MysqlConnection {
  /** Rejects with GatewayError CATALOG_UNREACHABLE, or CATALOG_QUERY with the server's error as cause. */
  query(text: string): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/**
 * Without modes the server prints names in backticks and strings with backslashes, whatever the
 * global sql_mode is; and nothing that a query could do changes anything.
 */
const PREPARE_SESSION = ["SET SESSION sql_mode = ''", 'SET SESSION TRANSACTION READ ONLY'];

export function createMysqlConnection(options: MysqlConnectionOptions): MysqlConnection {
  const { timeoutMs, idleMs } = options;
  let connection: Connection | undefined;
  let idleTimer: NodeJS.Timeout | undefined;

  const drop = (dropped: Connection): void => {
    if (connection === dropped) connection = undefined;
    // Destroyed and not ended: a server that hangs would never answer a goodbye.
    dropped.destroy();
  };

  const run = async (opened: Connection, text: string): Promise<readonly unknown[]> => {
    const [rows] = await opened.query({ sql: text, timeout: timeoutMs });
    return Array.isArray(rows) ? rows : [];
  };

  const open = async (): Promise<Connection> => {
    if (connection !== undefined) return connection;
    let opened: Connection | undefined;
    try {
      opened = await createConnection(settingsFor(options.connect(), timeoutMs));
      const created = opened;
      // A server that ends an idle connection must not end the gateway.
      created.on('error', () => drop(created));
      for (const text of PREPARE_SESSION) await run(created, text);
    } catch (error) {
      if (opened !== undefined) drop(opened);
      throw new GatewayError(
        'CATALOG_UNREACHABLE',
        `the catalog cannot be read: ${reasonOf(error)}; check the credential and that the server accepts connections`,
        { cause: error },
      );
    }
    connection = opened;
    return opened;
  };

  return {
    query: async (text) => {
      clearTimeout(idleTimer);
      const opened = await open();
      try {
        return await run(opened, text);
      } catch (error) {
        if (!isServerError(error)) drop(opened);
        throw new GatewayError('CATALOG_QUERY', `the catalog cannot be read: ${reasonOf(error)}`, {
          cause: error,
        });
      } finally {
        clearTimeout(idleTimer);
        idleTimer = setTimeout(() => connection && drop(connection), idleMs);
        idleTimer.unref();
      }
    },
    close: async () => {
      clearTimeout(idleTimer);
      if (connection !== undefined) drop(connection);
    },
  };
}

function settingsFor(settings: MysqlSettings, timeoutMs: number): ConnectionOptions {
  const { host, port, user, password, tls } = settings;
  return {
    host,
    port,
    user,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: tls.isVerified,
            verifyIdentity: tls.isVerified,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          },
        }),
    charset: 'utf8mb4',
    connectTimeout: timeoutMs,
    // Numbers that a double cannot hold and dates stay texts; a server that asks for a file gets none (MY-34).
    supportBigNumbers: true,
    dateStrings: true,
    flags: ['-LOCAL_FILES'],
    connectAttributes: { program_name: 'weir catalog' },
  };
}

/** The number of a server's error, also inside a GatewayError; undefined: it came from elsewhere. */
export function errorNumberOf(error: unknown): number | undefined {
  const source = error instanceof GatewayError ? error.cause : error;
  if (!(source instanceof Error) || !('errno' in source) || !('sqlState' in source))
    return undefined;
  return typeof source.errno === 'number' && source.sqlState !== undefined
    ? source.errno
    : undefined;
}

/** After an error of the server the connection goes on; after any other nobody knows where it is. */
function isServerError(error: unknown): boolean {
  return errorNumberOf(error) !== undefined;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
