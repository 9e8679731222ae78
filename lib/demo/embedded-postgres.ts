/**
 * A real PostgreSQL server from npm, on loopback, for the demo and the tests. It leaves nothing
 * behind: `stop` ends the server and removes its folder, and a guard process does the same when
 * the program that started it dies without saying so. It is not a way to run a production server:
 * without a `directory` of its own it does not even wait for the disk.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';
import { findPostgresPackage, preparePostgresBinaries } from './postgres-binaries.ts';
import { type Account, findUnprivilegedAccount } from './unprivileged-account.ts';

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

const HOST = '127.0.0.1';
const USER = 'postgres';
const READY_LINE = 'database system is ready to accept connections';

/** For the log kept in memory: enough to explain a failed start, and to read back a test. */
const LOG_SIZE_MAX = 256 * 1024;
/** Starting takes 0.1 s on an idle machine; recovery after a crash and a slow disk take longer. */
const START_TIME_MAX = 60_000;
/** How long each step of a shutdown may take before the next, harder signal. */
const STOP_STEP_TIME_MAX = 10_000;
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

/**
 * Waits for the end of its input, which comes when `stop` closes it or the parent dies however
 * violently; then ends the server, if one still runs, and removes the temporary folder ($1). Each
 * line of input is the pid of the server; an empty one says that it has ended, so that the guard
 * never signals a process that merely got the same number later.
 */
const GUARD_SCRIPT = `
pid=
while read -r line; do pid=$line; done
alive() { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; }
alive && kill -INT "$pid"
i=0
while alive && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
alive && kill -QUIT "$pid" && sleep 1
rm -rf "$1"
`;

const run = promisify(execFile);

/** Everything that one start hands from step to step. */
interface Start {
  readonly scratch: string;
  readonly directory: string;
  readonly binDirectory: string;
  readonly account: Account | undefined;
  readonly guard: ChildProcess;
  readonly password: string;
  readonly options: EmbeddedPostgresOptions;
}

export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const native = options.binDirectory === undefined ? findPostgresPackage() : undefined;
  const account = await findUnprivilegedAccount();
  const scratch = await makeScratch(account);
  const directory =
    options.directory === undefined ? join(scratch, 'data') : resolve(options.directory);
  const guard = spawnGuard(scratch, account);
  try {
    const binDirectory =
      options.binDirectory ?? (await preparePostgresBinaries(native ?? '', scratch, account));
    const password = options.password ?? randomBytes(18).toString('base64url');
    const start = { scratch, directory, binDirectory, account, guard, password, options };
    await prepareCluster(start);
    const server = await startOnSomePort(start);
    return describe(start, server);
  } catch (error) {
    await endGuard(guard, scratch);
    throw error;
  }
}

function describe(start: Start, server: Server): EmbeddedPostgres {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await stopServer(server.child);
    await endGuard(start.guard, start.scratch);
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

/** The temporary folder belongs to the server's account, so that its guard can remove it. */
async function makeScratch(account: Account | undefined): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'weir-postgres-'));
  if (account === undefined) return scratch;

  await chown(scratch, account.uid, account.gid);
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', scratch], { cwd: '/', ...ids(account) });
    return scratch;
  } catch (cause) {
    await rm(scratch, { recursive: true, force: true });
    throw new GatewayError(
      'POSTGRES_FOLDER_CLOSED',
      `The account ${account.name}, as which the PostgreSQL server runs because this is root, ` +
        `cannot reach the temporary folder ${tmpdir()}. Set TMPDIR to a folder that it can reach, such as /tmp.`,
      { cause },
    );
  }
}

function ids(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Few variables are passed on: the PG* ones of the user's shell would redirect the server. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function spawnGuard(scratch: string, account: Account | undefined): ChildProcess {
  // Detached, so that Ctrl-C in the terminal reaches the program, and the guard acts after it.
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'weir-guard', scratch], {
    cwd: '/',
    env: environment(),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    ...ids(account),
  });
  guard.on('error', () => undefined); // Without /bin/sh there is no guard; `stop` still cleans up.
  guard.stdin?.on('error', () => undefined); // It ended before us: nothing left to tell it.
  return guard;
}

async function endGuard(guard: ChildProcess, scratch: string): Promise<void> {
  guard.stdin?.end();
  if (guard.pid !== undefined && !(await hasExited(guard, STOP_STEP_TIME_MAX * 2))) {
    guard.kill('SIGKILL');
  }
  await rm(scratch, { recursive: true, force: true });
}

/** Makes the cluster unless it is there, and puts the caller's files into it. */
async function prepareCluster(start: Start): Promise<void> {
  const { directory, account, options } = start;
  if (!(await exists(join(directory, 'PG_VERSION')))) await initializeCluster(start);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, 0o600);
    if (account !== undefined) await chown(path, account.uid, account.gid);
  }
}

async function initializeCluster(start: Start): Promise<void> {
  const { directory, scratch, account, binDirectory, password, options } = start;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (account !== undefined) await chown(directory, account.uid, account.gid);

  const auth = options.auth ?? 'scram-sha-256';
  const passwordFile = join(scratch, 'password');
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
      { cwd: scratch, env: environment(), ...ids(account) },
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

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly exited: Promise<void>;
  readonly log: { text: string };
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

/** A port of loopback that nobody listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

async function startServer(start: Start, port: number): Promise<Server> {
  const { directory, binDirectory, account, options } = start;
  const isTemporary = options.directory === undefined;
  const settings = {
    ...DEFAULT_SETTINGS,
    ...(isTemporary ? TEMPORARY_SETTINGS : {}),
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Directly and not through pg_ctl: its end is seen at once, and it is a child that can be ended.
  const child = spawn(
    join(binDirectory, 'postgres'),
    ['-D', directory, '-p', String(port), ...flags],
    {
      cwd: directory,
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true, // Ctrl-C in the terminal shall reach the program alone, which stops its parts in order.
      ...ids(account),
    },
  );
  const log = { text: '' };
  start.guard.stdin?.write(`${child.pid ?? ''}\n`);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => start.guard.stdin?.write('\n'));
    child.once('exit', () => done());
    child.once('error', (error) => {
      log.text += error.message;
      done();
    });
  });

  const isReady = await waitUntilReady(child, log);
  if (isReady && child.pid !== undefined) return { child, pid: child.pid, port, exited, log };

  await stopServer(child);
  throw explainFailedStart(log.text, port);
}

/** True when the server answers; false when it has ended or the time is over. */
async function waitUntilReady(child: ChildProcess, log: { text: string }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isReady = await new Promise<boolean>((done) => {
    timer = setTimeout(() => done(false), START_TIME_MAX);
    child.once('close', () => done(false)); // Not `exit`: the log shall be whole.
    child.once('error', () => done(false));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.text = (log.text + text).slice(-LOG_SIZE_MAX);
      if (timer !== undefined && log.text.includes(READY_LINE)) done(true);
    });
  });
  clearTimeout(timer);
  timer = undefined;
  return isReady;
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

/** Fast shutdown, then immediate shutdown, then the end. */
async function stopServer(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (await hasExited(child, STOP_STEP_TIME_MAX)) return;
  }
}

async function hasExited(child: ChildProcess, timeMax: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  try {
    await once(child, 'exit', { signal: AbortSignal.timeout(timeMax) });
    return true;
  } catch {
    return false; // The time was over first.
  }
}
