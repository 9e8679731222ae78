/**
 * A real PostgreSQL server from npm, on loopback, for the demo and the tests. It leaves nothing
 * behind: `stop` ends the server and removes its folder, and a guard process does the same when
 * the program that started it dies without saying so. It is not a way to run a production server:
 * without a `directory` of its own it does not even wait for the disk.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';
import { findPostgresPackage, preparePostgresBinaries } from './postgres-binaries.ts';
import {
  endScratch,
  environment,
  findFreePort,
  HOST,
  ids,
  makeScratch,
  type Scratch,
  type ServerProcess,
  startProcess,
  type StopSignals,
  stopProcess,
} from './server-process.ts';
import { findUnprivilegedAccount } from './unprivileged-account.ts';

export { findFreePort } from './server-process.ts';

export interface EmbeddedPostgresOptions {
  /** The data directory; it is kept, and used again when it holds a cluster already (then `password`
   * must be the one it was made with). Without it: a temporary one that `stop` removes. */
  readonly directory?: string;
  /** Without it, or with 0: a free one. */
  readonly port?: number;
  /** Of the superuser `postgres`; without it: a random one. */
  readonly password?: string;
  /** Server settings by name, over those of DEFAULT_SETTINGS. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly auth?: 'scram-sha-256' | 'md5' | 'password' | 'trust';
  /** Files written into the data directory before the server starts, such as `server.key` or
   * `pg_hba.conf`: they belong to the server's account and have mode 0600, as it demands. */
  readonly files?: Readonly<Record<string, string>>;
  /** Server programs from elsewhere; without it: those from npm. */
  readonly binDirectory?: string;
}

export interface EmbeddedPostgres {
  readonly host: string;
  readonly port: number;
  /** The superuser. */
  readonly user: string;
  readonly password: string;
  /** The data directory. */
  readonly directory: string;
  readonly binDirectory: string;
  /** Process id of the server. */
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<void>;
  /** The newest LOG_SIZE_MAX characters of the server's log. */
  readLog(): string;
  /** A fast shutdown: open sessions are ended. Calling it again is harmless. */
  stop(): Promise<void>;
}

const USER = 'postgres';
const READY_LINE = 'database system is ready to accept connections';
/** Fast shutdown, immediate shutdown, the end. */
const SIGNALS: StopSignals = ['SIGINT', 'SIGQUIT', 'SIGKILL'];

/** Another program can take a free port between finding and using it. */
const PORT_TRIES_MAX = 5;

const DEFAULT_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: HOST,
  unix_socket_directories: '',
  shared_buffers: '32MB',
  TimeZone: 'UTC',
  log_timezone: 'UTC',
};

/** A temporary cluster has nothing to lose in a power cut. */
const TEMPORARY_SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
};

const run = promisify(execFile);

/** Everything that one start hands from step to step. */
interface Start {
  readonly scratch: Scratch;
  readonly directory: string;
  readonly binDirectory: string;
  readonly password: string;
  readonly options: EmbeddedPostgresOptions;
}

export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const native = options.binDirectory === undefined ? findPostgresPackage() : undefined;
  const account = await findUnprivilegedAccount();
  const scratch = await makeScratch({
    name: 'postgres',
    product: 'PostgreSQL',
    account,
    signals: SIGNALS,
  });
  const directory =
    options.directory === undefined ? join(scratch.path, 'data') : resolve(options.directory);
  try {
    const binDirectory =
      options.binDirectory ?? (await preparePostgresBinaries(native ?? '', scratch.path, account));
    const password = options.password ?? randomBytes(18).toString('base64url');
    const start = { scratch, directory, binDirectory, password, options };
    await prepareCluster(start);
    const server = await startOnSomePort(start);
    return describe(start, server);
  } catch (error) {
    await endScratch(scratch);
    throw error;
  }
}

function describe(start: Start, server: Server): EmbeddedPostgres {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await stopProcess(server.child, SIGNALS);
    await endScratch(start.scratch);
  };
  return {
    host: HOST,
    port: server.port,
    user: USER,
    password: start.password,
    directory: start.directory,
    binDirectory: start.binDirectory,
    pid: server.pid,
    exited: server.exited,
    readLog: () => server.log.text,
    stop: () => (stopped ??= stop()),
  };
}

/** Makes the cluster unless it is there, and puts the caller's files into it. */
async function prepareCluster(start: Start): Promise<void> {
  const { directory, options } = start;
  const { account } = start.scratch;
  if (!(await exists(join(directory, 'PG_VERSION')))) await initializeCluster(start);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
    if (account !== undefined) await chown(path, account.uid, account.gid);
  }
}

async function initializeCluster(start: Start): Promise<void> {
  const { directory, binDirectory, password, options } = start;
  const { path: folder, account } = start.scratch;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(directory, account.uid, account.gid);

  const auth = options.auth ?? 'scram-sha-256';
  const passwordFile = join(folder, 'password');
  const commonOptions = [
    '--encoding=UTF8',
    '--locale=C',
    `--username=${USER}`,
    '--no-sync',
    '--no-instructions',
  ];
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
    if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
    await run(
      join(binDirectory, 'initdb'),
      [...commonOptions, `--auth=${auth}`, `--pwfile=${passwordFile}`, `--pgdata=${directory}`],
      { cwd: folder, env: environment(), ...ids(account) },
    );
  } catch (cause) {
    const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    const message = `initdb could not make a cluster in ${directory}: ${detail || String(cause)}`;
    throw new GatewayError('POSTGRES_INITDB_FAILED', message, { cause });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

interface Server extends ServerProcess {
  readonly pid: number;
  readonly port: number;
}

async function startOnSomePort(start: Start): Promise<Server> {
  const wanted = start.options.port ?? 0;
  for (let tries = 1; ; tries++) {
    const port = wanted === 0 ? await findFreePort() : wanted;
    try {
      return await startServer(start, port);
    } catch (error) {
      const isTaken = error instanceof GatewayError && error.code === 'POSTGRES_PORT_TAKEN';
      if (!isTaken || wanted !== 0 || tries === PORT_TRIES_MAX) throw error;
    }
  }
}

async function startServer(start: Start, port: number): Promise<Server> {
  const { directory, binDirectory, options } = start;
  const isTemporary = options.directory === undefined;
  const settings = {
    ...DEFAULT_SETTINGS,
    ...(isTemporary ? TEMPORARY_SETTINGS : {}),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Directly and not through pg_ctl: its end is seen at once, and it is a child that can be ended.
  const server = await startProcess(
    start.scratch,
    join(binDirectory, 'postgres'),
    ['-D', directory, '-p', String(port), ...flags],
    { cwd: directory, readyLine: READY_LINE },
  );
  const { pid, isReady, child, log } = server;
  if (isReady && pid !== undefined) return { ...server, pid, port };
  await stopProcess(child, SIGNALS);
  throw explainFailedStart(log.text, port);
}

function explainFailedStart(log: string, port: number): GatewayError {
  if (log.includes('Address already in use')) {
    const message = `Port ${port} of ${HOST} is taken by another program. Stop that program, or choose another port.`;
    return new GatewayError('POSTGRES_PORT_TAKEN', message);
  }
  return new GatewayError(
    'POSTGRES_START_FAILED',
    `The PostgreSQL server did not start: ${log.trim()}`,
  );
}
