/**
 * What the MySQL suites stand on: one real MariaDB server with an ordinary user and a database, and ways
 * to it: direct, through a gateway that asks for its own password, and through one that passes the
 * sign-in on. Programs are run with the same input each way.
 */

import {
  clientLogin,
  type Login,
  makeCertificate,
  type RunningTarget,
} from '../support/gateway-process.ts';
import { mariadbMissing, type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { connectMysql, type MysqlOptions } from '../support/mysql-sign-in.ts';
import type { MysqlClient } from '../support/mysql-client.ts';
import { type MysqlGatewayOptions, startMysqlTarget } from '../support/mysql-gateway.ts';
import type { SuiteContext } from './harness.ts';
import {
  ALICE,
  APP,
  DATABASE,
  type ProgramOptions,
  type ProgramResult,
  runProgram,
} from './lab.ts';

export interface MysqlWay extends Login {
  readonly name: 'direct' | 'through' | 'passthrough';
  readonly port: number;
}

export interface MysqlLab {
  readonly server: MariadbServer;
  readonly target: RunningTarget;
  readonly direct: MysqlWay;
  readonly through: MysqlWay;
  /** Another gateway, which relays the sign-in; started when first asked for. */
  passthrough(): Promise<MysqlWay>;
  /** Statements as root, past the gateway, through the mariadb program. */
  admin(sql: string, database?: string): Promise<string>;
  /** The database empty again, with `sql` run in it by root. */
  recreate(sql?: string): Promise<void>;
}

export type MysqlLabOptions = Omit<MysqlGatewayOptions, 'upstreamPort' | 'upstream' | 'users'> & {
  /** Further arguments of mariadbd. */
  readonly args?: readonly string[];
  readonly withTls?: boolean;
  readonly tlsMode?: 'allow' | 'require';
  /** What `app` may do; all of its database unless given. */
  readonly grant?: string;
  readonly users?: NonNullable<MysqlGatewayOptions['users']>;
};

/** Reports the whole suite as skipped where there is no server. */
export function isMariadbMissing(context: SuiteContext, name: string): boolean {
  const missing = mariadbMissing();
  if (missing !== undefined) context.skip(name, missing);
  return missing !== undefined;
}

export async function openMysqlLab(
  context: SuiteContext,
  options: MysqlLabOptions = {},
): Promise<MysqlLab> {
  const { args = [], withTls = false, tlsMode = 'allow', grant, ...own } = options;
  const server = await startMariadb({ args, tls: withTls });
  context.teardown(() => server.stop());
  const rights = grant ?? `ALL ON ${DATABASE}.*`;
  await server.sql(
    `CREATE USER ${APP.user}@'127.0.0.1' IDENTIFIED BY '${APP.password}';
     GRANT ${rights} TO ${APP.user}@'127.0.0.1'`,
  );
  const certificate = withTls ? await makeCertificate(context) : undefined;
  const base: MysqlGatewayOptions = {
    users: [ALICE],
    ...own,
    upstreamPort: server.port,
    upstream: APP,
    ...(certificate === undefined ? {} : { tls: { ...certificate, mode: tlsMode } }),
  };
  const target = await startMysqlTarget(context, base);
  let relayed: Promise<MysqlWay> | undefined;
  const startRelayed = async (): Promise<MysqlWay> => {
    const relay = await startMysqlTarget(context, { ...base, users: [], auth: 'passthrough' });
    return { name: 'passthrough', port: relay.port, ...APP };
  };
  const recreate = async (sql = ''): Promise<void> => {
    const name = DATABASE;
    await server.sql(
      `DROP DATABASE IF EXISTS ${name}; CREATE DATABASE ${name}; USE ${name};\n${sql}`,
    );
  };
  await recreate();
  return {
    server,
    target,
    direct: { name: 'direct', port: server.port, ...APP },
    through: { name: 'through', port: target.port, ...clientLogin(base) },
    passthrough: () => (relayed ??= startRelayed()),
    admin: (sql, database = DATABASE) => server.sql(sql, database),
    recreate,
  };
}

/** A raw connection to the lab's database. */
export function connectLab(
  way: MysqlWay,
  options: Partial<MysqlOptions> = {},
): Promise<MysqlClient> {
  const { port, user, password } = way;
  return connectMysql({ port, user, password, database: DATABASE, ...options });
}

/**
 * A step that waits for an event of the server, with far more time: a loaded machine begins late with events, so
 * what shows nothing direct is tried once more like this before it counts as harmless.
 */
export function waitLonger(step: string): string {
  return step.replace(/^SELECT SLEEP\([\d.]+\)$/, 'SELECT SLEEP(15)');
}

/** How MariaDB's own programs are told where to go; `--no-defaults` must be the first of all. */
export function loginArgs(way: MysqlWay, tls = false): string[] {
  return [
    '--no-defaults',
    '--host=127.0.0.1',
    `--port=${way.port}`,
    `--user=${way.user}`,
    `--password=${way.password}`,
    tls ? '--ssl' : '--skip-ssl',
  ];
}

/** Runs a program that is told by its arguments or by DB_HOST, DB_PORT, DB_USER, ... where to go. */
export function runMysqlProgram(
  way: MysqlWay,
  command: readonly string[],
  options: ProgramOptions & { readonly tls?: boolean } = {},
): Promise<ProgramResult> {
  const environment = {
    DB_HOST: '127.0.0.1',
    DB_PORT: String(way.port),
    DB_USER: way.user,
    DB_PASSWORD: way.password,
    DB_NAME: DATABASE,
    DB_TLS: options.tls === true ? '1' : '',
    ...options.environment,
  };
  return runProgram({ ...way, name: 'direct' }, command, { ...options, environment });
}

/** The whole of a result as one text, without what differs from run to run. */
export function mysqlTranscript(result: ProgramResult, way: MysqlWay): string {
  const text = `exit ${result.code}\n--- output\n${result.stdout}\n--- errors\n${result.stderr}`;
  return text
    .replace(new RegExp(`(127\\.0\\.0\\.1\\D{1,4}|port:?\\s+)${way.port}\\b`, 'gi'), '$1PORT')
    .replace(/\((?:\d+ min )?\d+\.\d+ sec\)/g, '(TIME)')
    .replace(/(Dump completed on) .*/g, '$1 DATE');
}
