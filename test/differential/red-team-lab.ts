/** What the red-team checks stand on: one server and three gateways before it: mask, strict, and one with rules only. */

import pg from 'pg';
import type { EmbeddedPostgres } from '../../lib/demo/embedded-postgres.ts';
import { type RunningTarget, startTarget } from '../support/gateway-process.ts';
import type { Message } from '../support/raw-postgres.ts';
import { decodeDataRow } from '../support/raw-postgres.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { debianPostgres15, embeddedPostgres } from '../support/servers.ts';
import type { SuiteContext } from './harness.ts';
import { ALICE, APP, DATABASE, type Way } from './lab.ts';
import { findSecret } from './mask-database.ts';
import { MASKS, RED_DATABASE, RULES, STRICT_MASKS } from './red-team-database.ts';

const TEMPLATE = 'red_template';

export interface RedLab {
  readonly server: EmbeddedPostgres;
  readonly version: number;
  readonly direct: Way;
  readonly masked: Way;
  readonly strict: Way;
  readonly ruled: Way;
  readonly gateways: readonly RunningTarget[];
  admin(sql: string, database?: string): Promise<Record<string, unknown>[]>;
  /** The database as it was, with `setup` run in it by the superuser. */
  recreate(setup?: string): Promise<void>;
}

export async function openRedLab(context: SuiteContext): Promise<RedLab> {
  const is15 = process.env['WEIR_RED_TEAM_SERVER'] === '15';
  const start = is15 ? debianPostgres15 : embeddedPostgres;
  const server = await start(context, { settings: { autovacuum: 'off', max_connections: '60' } });
  const admin = async (sql: string, database = DATABASE): Promise<Record<string, unknown>[]> => {
    const { host, port, user, password } = server;
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(sql);
      return result.rows ?? [];
    } finally {
      await client.end();
    }
  };
  // The strongest user: nothing but the gateway is in the way.
  await admin(`CREATE ROLE ${APP.user} SUPERUSER LOGIN PASSWORD '${APP.password}'`, 'postgres');
  await admin(`CREATE DATABASE ${TEMPLATE} OWNER ${APP.user}`, 'postgres');
  await admin(RED_DATABASE, TEMPLATE);
  const recreate = async (setup?: string): Promise<void> => {
    await admin(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`, 'postgres');
    await admin(`CREATE DATABASE ${DATABASE} TEMPLATE ${TEMPLATE} OWNER ${APP.user}`, 'postgres');
    if (setup !== undefined) await admin(setup);
  };
  await recreate();
  const common = {
    upstreamPort: server.port,
    upstream: APP,
    users: [ALICE],
    rules: RULES,
    durability: 'relaxed',
  } as const;
  const mask = await startTarget(context, { ...common, masks: MASKS });
  const strict = await startTarget(context, { ...common, masks: STRICT_MASKS });
  const ruled = await startTarget(context, { ...common });
  const through = (target: RunningTarget): Way => ({
    name: 'through',
    port: target.port,
    ...ALICE,
  });
  return {
    server,
    version: is15 ? 15 : 18,
    direct: { name: 'direct', port: server.port, ...APP },
    masked: through(mask),
    strict: through(strict),
    ruled: through(ruled),
    gateways: [mask, strict, ruled],
    admin,
    recreate,
  };
}

export async function connectTo(
  way: Way,
  parameters: Record<string, string> = {},
): Promise<RawClient> {
  const client = await connectRaw({ ...way, database: DATABASE, parameters });
  await client.until('Z');
  client.bytes = [];
  return client;
}

/** The first secret that came, in the bytes as they came or in the values put together. */
export async function secretIn(
  way: Way,
  act: (client: RawClient) => Promise<unknown>,
  parameters: Record<string, string> = {},
): Promise<string | undefined> {
  const client = await connectTo(way, parameters);
  try {
    await act(client);
  } catch (error) {
    // A gateway that cannot go on safely closes; what it sent before counts.
    if (!client.isClosed) throw error;
  } finally {
    client.close();
  }
  const bytes = Buffer.concat(client.bytes);
  return findSecret(bytes) ?? findSecret(Buffer.concat(valuesIn(bytes)));
}

function valuesIn(bytes: Buffer): Buffer[] {
  const values: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (bytes[at] === 0x44 && end <= bytes.length) {
      values.push(...decodeDataRow(bytes.subarray(at + 5, end)).filter((value) => value !== null));
    }
    at = end;
  }
  return values;
}

export async function sendAll(client: RawClient, texts: readonly string[]): Promise<Message[]> {
  const seen: Message[] = [];
  for (const text of texts) seen.push(...(await client.query(text)));
  return seen;
}
