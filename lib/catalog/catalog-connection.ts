/**
 * The side connection on which a catalog is read (GW-7): opened when needed, read-only, with an empty
 * search_path, closed when idle so that it does not stand in the way of DROP DATABASE. One query at
 * a time; a failed one closes the connection, and the next opens another.
 */

import { Client, type ClientConfig } from 'pg';
import { GatewayError } from '../errors.ts';

export interface CatalogConnectionOptions {
  readonly connect: () => ClientConfig;
  /** For connecting and for each query, milliseconds. */
  readonly timeoutMs: number;
  /** Unused for this long: closed. Milliseconds. */
  readonly idleMs: number;
  /** The clock of ages, milliseconds. */
  readonly now?: () => number;
}

export interface CatalogConnection {
  readonly isOpen: boolean;
  /** Rejects with GatewayError CATALOG_UNREACHABLE, or CATALOG_QUERY with the server's error as cause. */
  query(text: string, values?: readonly unknown[]): Promise<readonly unknown[]>;
  /** Between two reads: closes a connection that is open for long, and the next query opens another. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/**
 * After a switch to another server the old one may go on answering on a connection that it has, while clients
 * come to the new one: so none is kept for longer, busy or not. Milliseconds.
 */
export const CONNECTION_AGE_MAX = 60_000;

/** How long a query waits for a lock, milliseconds; its caller asks for less then. */
const LOCK_TIME_MAX = 100;

/** Without a search_path no name in a query or in a definition can mean what a user has made of it. */
const PREPARE_SESSION = `SELECT pg_catalog.set_config('search_path', '', false),
  pg_catalog.set_config('default_transaction_read_only', 'on', false),
  pg_catalog.set_config('lock_timeout', '${LOCK_TIME_MAX}ms', false),
  pg_catalog.set_config('statement_timeout', $1, false),
  pg_catalog.set_config('idle_in_transaction_session_timeout', $1, false)`;

/** The client gives up this much after the server should have, milliseconds. */
const ANSWER_GRACE = 1000;

export function createCatalogConnection(options: CatalogConnectionOptions): CatalogConnection {
  const { timeoutMs, idleMs, now = () => performance.now() } = options;
  let client: Client | undefined;
  let openedAt = 0;
  let idleTimer: NodeJS.Timeout | undefined;

  const drop = async (dropped: Client): Promise<void> => {
    if (client === dropped) client = undefined;
    // The connection is given up: how it ends does not matter to anyone.
    await dropped.end().catch(() => undefined);
  };

  const open = async (): Promise<Client> => {
    if (client !== undefined) return client;
    const opened = newClient(options);
    // A server that ends an idle connection must not end the gateway.
    opened.on('error', () => void drop(opened));
    try {
      await opened.connect();
      await opened.query(PREPARE_SESSION, [`${timeoutMs}ms`]);
    } catch (error) {
      await drop(opened);
      throw new GatewayError(
        'CATALOG_UNREACHABLE',
        `the catalog cannot be read: ${reasonOf(error)}; check the credential and that the server accepts connections`,
        { cause: error },
      );
    }
    client = opened;
    openedAt = now();
    return opened;
  };

  return {
    get isOpen() {
      return client !== undefined;
    },
    query: async (text, values = []) => {
      clearTimeout(idleTimer);
      const opened = await open();
      try {
        // pg types rows as any; they leave here as unknown and are checked where they are read.
        const result = await opened.query<Record<string, unknown>>(text, [...values]);
        return result.rows;
      } catch (error) {
        if (endsConnection(error)) await drop(opened);
        throw new GatewayError('CATALOG_QUERY', `the catalog cannot be read: ${reasonOf(error)}`, {
          cause: error,
        });
      } finally {
        clearTimeout(idleTimer);
        idleTimer = setTimeout(() => client && void drop(client), idleMs);
        idleTimer.unref();
      }
    },
    renew: async () => {
      if (client !== undefined && now() - openedAt >= CONNECTION_AGE_MAX) await drop(client);
    },
    close: async () => {
      clearTimeout(idleTimer);
      if (client !== undefined) await drop(client);
    },
  };
}

function newClient({ connect, timeoutMs }: CatalogConnectionOptions): Client {
  return new Client({
    ...connect(),
    application_name: 'weir catalog',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs + ANSWER_GRACE,
    keepAlive: true,
  });
}

/** The SQLSTATE of a server's error, also inside a GatewayError; undefined: it came from elsewhere. */
export function sqlStateOf(error: unknown): string | undefined {
  const source = error instanceof GatewayError ? error.cause : error;
  if (!(source instanceof Error) || !('severity' in source) || !('code' in source))
    return undefined;
  return typeof source.code === 'string' ? source.code : undefined;
}

/** 57P..: the server shuts down or was told to end this session; 25P03 and 25P04 are its time-outs. */
function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state === undefined || /^(?:08|57P|25P0[34])/.test(state);
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
