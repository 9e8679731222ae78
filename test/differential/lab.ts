/**
 * What most suites stand on: one real server with an ordinary role and a database, and two ways to it:
 * direct, and through the gateway as another user. Programs are run with the same input both ways.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { EmbeddedPostgres } from '../../lib/demo/embedded-postgres.ts';
import {
  clientLogin,
  type GatewayOptions,
  type Login,
  makeCertificate,
  type RunningTarget,
  startTarget,
} from '../support/gateway-process.ts';
import { debianPostgres15, debianPostgres15Missing, embeddedPostgres } from '../support/servers.ts';
import type { SuiteContext } from './harness.ts';

/** Whom the gateway logs in as; what statements run as, whichever the way. */
export const APP: Login = { user: 'app', password: 'app-secret' };
/** Who signs in to the gateway. */
export const ALICE: Login = { user: 'alice', password: 'alice-secret' };
export const DATABASE = 'lab';

/** One way to the database. */
export interface Way extends Login {
  readonly name: 'direct' | 'through';
  readonly port: number;
}

export interface Lab {
  readonly server: EmbeddedPostgres;
  readonly target: RunningTarget;
  readonly direct: Way;
  readonly through: Way;
  /** A statement as superuser, past the gateway. */
  admin(sql: string, database?: string): Promise<Record<string, unknown>[]>;
  /** The database empty again, with `sql` run in it by the superuser. */
  recreate(sql?: string): Promise<void>;
}

export type LabOptions = Omit<GatewayOptions, 'upstreamPort' | 'upstream' | 'users'> & {
  readonly server?: '15' | 'any';
  readonly settings?: Readonly<Record<string, string>>;
  readonly withTls?: boolean;
  readonly users?: NonNullable<GatewayOptions['users']>;
};

export async function openLab(context: SuiteContext, options: LabOptions = {}): Promise<Lab> {
  const certificate = options.withTls === true ? await makeCertificate(context) : undefined;
  const files =
    certificate === undefined
      ? {}
      : {
          'server.crt': await readFile(certificate.cert, 'utf8'),
          'server.key': await readFile(certificate.key, 'utf8'),
        };
  const start = debianPostgres15Missing() === false ? debianPostgres15 : embeddedPostgres;
  const server = await start(context, {
    files,
    settings: {
      max_connections: '120',
      ...(certificate === undefined ? {} : { ssl: 'on' }),
      ...options.settings,
    },
  });
  const admin = (sql: string, database = DATABASE) => runAsSuperuser(server, sql, database);
  await admin(`CREATE ROLE ${APP.user} LOGIN CREATEDB PASSWORD '${APP.password}'`, 'postgres');
  const recreate = async (sql?: string): Promise<void> => {
    await admin(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`, 'postgres');
    await admin(`CREATE DATABASE ${DATABASE} OWNER ${APP.user}`, 'postgres');
    if (sql !== undefined) await admin(sql);
  };
  await recreate();
  const gateway: GatewayOptions = {
    users: [ALICE],
    ...options,
    upstreamPort: server.port,
    upstream: APP,
    ...(certificate === undefined ? {} : { tls: { ...certificate, mode: 'allow' } }),
  };
  const target = await startTarget(context, gateway);
  return {
    server,
    target,
    direct: { name: 'direct', port: server.port, ...APP },
    through: { name: 'through', port: target.port, ...clientLogin(gateway) },
    admin,
    recreate,
  };
}

async function runAsSuperuser(
  server: EmbeddedPostgres,
  sql: string,
  database: string,
): Promise<Record<string, unknown>[]> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(sql);
    return result.rows ?? [];
  } finally {
    await client.end();
  }
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeMax?: number;
  /** Called once it runs: to send it a signal. */
  readonly whileRunning?: (child: ChildProcess) => Promise<void>;
}

/** A Java program is compiled first, and a slow machine under load takes many times of what it takes alone. */
const PROGRAM_TIME_MAX = 180_000;

/** libpq's variables for one way; nothing of the caller's own PG* settings goes through. */
export function libpqEnvironment(way: Way): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return {
    ...Object.fromEntries(own.map(([name, value]) => [name, value ?? ''])),
    PGHOST: '127.0.0.1',
    PGPORT: String(way.port),
    PGUSER: way.user,
    PGPASSWORD: way.password,
    PGDATABASE: DATABASE,
    PGSSLMODE: 'disable',
    PGCONNECT_TIMEOUT: '60',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    PSQLRC: '/dev/null',
    PAGER: '',
  };
}

/** Runs a client program one way; a program that takes too long is ended and has code null. */
export async function runProgram(
  way: Way,
  command: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    env: { ...libpqEnvironment(way), ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeMax ?? PROGRAM_TIME_MAX);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  await options.whileRunning?.(child);
  const code = await ended.finally(() => clearTimeout(timer));
  const text = (parts: Buffer[]): string => Buffer.concat(parts).toString('latin1');
  return { code, stdout: text(chunks.stdout), stderr: text(chunks.stderr) };
}

/** pg_dump's random key against injection into psql. */
const RESTRICT_KEY = /^(\\(?:un)?restrict) \w+$/gm;

/** The whole of a result as one text, without what differs from run to run: ports, process ids, keys. */
export function transcript(result: ProgramResult, way: Way): string {
  const text = `exit ${result.code}\n--- output\n${result.stdout}\n--- errors\n${result.stderr}`;
  // The port only where it is a word of its own: its digits may come within any number, sum or time.
  return text
    .replace(new RegExp(`(?<![\\w.])${way.port}(?!\\w|\\.\\d)`, 'g'), 'PORT')
    .replace(/PID \d+/g, 'PID N')
    .replace(RESTRICT_KEY, '$1 KEY');
}

export async function isInstalled(
  program: string,
  args: readonly string[] = ['--version'],
): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
