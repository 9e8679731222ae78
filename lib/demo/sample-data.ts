/**
 * Puts the sample shop into a PostgreSQL server: a database `shop`, owned by a role `app` without
 * other rights, which is the credential that the gateway uses upstream.
 */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { GatewayError } from '../errors.ts';
import { makeSampleRows } from './sample-rows.ts';
import { SAMPLE_SCHEMA } from './sample-schema.ts';

/** Who may create roles and databases, and where. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface SampleDatabase {
  readonly database: string;
  /** The role that owns the tables, and its password, new for each database. */
  readonly user: string;
  readonly password: string;
  readonly rowCounts: Readonly<Record<string, number>>;
}

const DATABASE = 'shop';
const OWNER = 'app';

/** Parents before children, because of the foreign keys. */
const TABLES = ['customers', 'products', 'orders', 'order_items', 'payments'] as const;

export async function loadSampleData(server: ServerAddress): Promise<SampleDatabase> {
  const password = randomBytes(18).toString('base64url');
  try {
    await withClient({ ...server, database: 'postgres' }, async (client) => {
      // A failed statement would stand in the server's log, password and all.
      await client.query(`SET log_min_error_statement = 'panic'`);
      await client.query(`CREATE ROLE ${OWNER} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
      await client.query(`CREATE DATABASE ${DATABASE} OWNER ${OWNER}`);
    });
    const owner = { host: server.host, port: server.port, user: OWNER, password };
    const rowCounts = await withClient({ ...owner, database: DATABASE }, fillDatabase);
    return { database: DATABASE, user: OWNER, password, rowCounts };
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError('SAMPLE_DATA_FAILED', `The sample data could not be loaded: ${detail}`, {
      cause,
    });
  }
}

async function fillDatabase(client: pg.Client): Promise<Record<string, number>> {
  await client.query('BEGIN');
  await client.query(SAMPLE_SCHEMA);
  const rows = makeSampleRows();
  const rowCounts: Record<string, number> = {};
  for (const table of TABLES) {
    // The whole table as one JSON value: one round trip, and no limit on the number of parameters.
    const result = await client.query(
      `INSERT INTO public.${table} SELECT * FROM json_populate_recordset(NULL::public.${table}, $1)`,
      [JSON.stringify(rows[table])],
    );
    rowCounts[table] = result.rowCount ?? 0;
  }
  await client.query('COMMIT');
  await client.query('ANALYZE');
  return rowCounts;
}

async function withClient<T>(
  config: pg.ClientConfig,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
