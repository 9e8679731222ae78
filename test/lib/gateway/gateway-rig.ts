/** A gateway in this process, in front of a real server with a small shop. */
import { rm } from 'node:fs/promises';
import pg from 'pg';
import { createGateway, type Gateway } from '../../../lib/gateway/gateway.ts';
import type { EmbeddedPostgres } from '../../../lib/demo/embedded-postgres.ts';
import { type GatewayOptions, makeConfig, makeTemporary } from '../../support/gateway-process.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';
import { decodeFields, type Message } from '../../support/raw-postgres.ts';
import type { Teardown } from '../../support/servers.ts';

export const USERS = [
  { user: 'alice', password: 'alice-secret', groups: ['analysts'] },
  { user: 'petra', password: 'petra-secret', groups: ['privacy'] },
] as const;

const SHOP = `
  CREATE TABLE customers (id int PRIMARY KEY, email text, phone varchar(40));
  INSERT INTO customers VALUES (1, 'ann@example.com', '555-0100'), (2, NULL, '555-0101');
  CREATE TABLE orders (id int PRIMARY KEY, total numeric);
  INSERT INTO orders SELECT n, n FROM generate_series(1, 10) n`;

export interface GatewayRig {
  readonly gateway: Gateway;
  readonly port: number;
  readonly dataDir: string;
  readonly log: string[];
  connect(user?: string, password?: string): Promise<RawClient>;
}

export async function createShop(server: EmbeddedPostgres): Promise<pg.Client> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  // It ends with the server.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(SHOP);
  return client;
}

export async function startGateway(
  t: Teardown,
  server: EmbeddedPostgres,
  options: Partial<GatewayOptions> = {},
): Promise<GatewayRig> {
  process.env['WEIR_TEST_UPSTREAM_PASSWORD'] = server.password;
  const dataDir = options.dataDir ?? (await makeTemporary(t, 'weir-gateway-'));
  const upstream = { user: server.user, password: server.password };
  const config = makeConfig(
    { upstreamPort: server.port, upstream, users: USERS, ...options },
    dataDir,
  );
  const log: string[] = [];
  const write = (details: object, message: string): void =>
    void log.push(`${message} ${JSON.stringify(details)}`);
  const gateway = await createGateway(config, { log: { info: write, warn: write, error: write } });
  let isClosed = false;
  const close = gateway.close.bind(gateway);
  gateway.close = async () => {
    if (isClosed) return;
    isClosed = true;
    await close();
  };
  t.teardown(async () => {
    await gateway.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  await gateway.listen();
  const port = gateway.addresses[0]?.port ?? 0;
  return {
    gateway,
    port,
    dataDir,
    log,
    connect: async (user = 'alice', password = `${user}-secret`) => {
      const client = await connectRaw({ port, user, password });
      client.messages.length = 0;
      return client;
    },
  };
}

export function errorOf(messages: readonly Message[]): Record<string, string> {
  const error = messages.find(({ type }) => type === 'E');
  return error === undefined ? {} : decodeFields(error.body);
}

export function types(messages: readonly Message[]): string {
  return messages.map(({ type }) => type).join('');
}

/** The transaction status of the last ReadyForQuery: I, T or E. */
export function statusOf(messages: readonly Message[]): string {
  return messages.findLast(({ type }) => type === 'Z')?.body.toString('latin1') ?? '';
}
