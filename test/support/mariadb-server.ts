/**
 * A real MariaDB server for tests, on loopback with its own data folder; gone when it is stopped or when
 * the process that started it dies. Where it cannot be had, `mariadbMissing` gives the reason to skip:
 *
 *   t.test('...', { skip: mariadbMissing() ?? false }, async (t) => {
 *     const server = await startMariadb();
 *     t.teardown(() => server.stop());
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../../lib/demo/embedded-postgres.ts';
import { createCertificateFolder, RSA_KEY } from './certificates.ts';

export interface MariadbOptions {
  /** Without it: a free one. */
  readonly port?: number;
  /** Further arguments of mariadbd; they win over those given here. */
  readonly args?: readonly string[];
  /** With a self-signed certificate for localhost and 127.0.0.1; needs the openssl program. */
  readonly tls?: boolean;
}

export interface MariadbServer {
  readonly host: string;
  readonly port: number;
  /** Path of its Unix socket. */
  readonly socket: string;
  readonly dataDir: string;
  /** May do everything, from loopback and through the socket. */
  readonly rootUser: string;
  readonly rootPassword: string;
  /** PEM file of its own certificate, for clients that check it; undefined without `tls`. */
  readonly ca: string | undefined;
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<void>;
  /** Runs statements as root through the mariadb program (so DELIMITER works) and gives its batch output without column names. Throws on an error. */
  sql(text: string, database?: string): Promise<string>;
  /** The newest LOG_SIZE_MAX characters of its log. */
  readLog(): string;
  /** Calling it again is harmless. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const ROOT = 'root';
const ROOT_PASSWORD = 'root-secret';
const READY_LINE = 'ready for connections';

/** Enough to explain a failed start. */
const LOG_SIZE_MAX = 64 * 1024;
/** Either takes about a second on an idle machine; CI's is slow and loaded. */
const START_TIME_MAX = 60_000;
const INSTALL_TIME_MAX = 120_000;
const SQL_TIME_MAX = 120_000;
/** How long each step of a shutdown may take before the next, harder signal. */
const STOP_STEP_TIME_MAX = 15_000;
/** Another program can take a free port between finding and using it. */
const PORT_TRIES_MAX = 5;
/** What a result of `sql` may have, bytes. */
const SQL_OUTPUT_SIZE_MAX = 64 * 1024 * 1024;

/** Small files, no waiting for the disk, and nothing that depends on the machine's names or settings. */
const SERVER_ARGS: readonly string[] = [
  `--bind-address=${HOST}`,
  '--skip-name-resolve',
  '--character-set-server=utf8mb4',
  '--default-time-zone=+00:00',
  '--innodb-buffer-pool-size=64M',
  '--innodb-log-file-size=8M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--innodb-fast-shutdown=2',
  '--innodb-stats-auto-recalc=OFF',
  '--max-connections=200',
  '--max-allowed-packet=128M',
];

/** Ends the server ($pid, the newest line of its input) and removes its folder ($1) when its input ends. */
const GUARD_SCRIPT = `
pid=
while read -r line; do pid=$line; done
[ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null
rm -rf "$1"
`;

const run = promisify(execFile);

interface Programs {
  readonly server: string;
  readonly install: string;
  readonly client: string;
}

/** Path of an installed program, also from the folder of servers, which is not on everyone's PATH. */
function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function findPrograms(): Programs | string {
  const server = findProgram('mariadbd');
  const install = findProgram('mariadb-install-db');
  const client = findProgram('mariadb');
  if (server === undefined || install === undefined || client === undefined) {
    return 'MariaDB is not installed (mariadbd, mariadb-install-db, mariadb; Debian package mariadb-server)';
  }
  return { server, install, client };
}

/** Why there can be no MariaDB server here; undefined when there can. */
export function mariadbMissing(): string | undefined {
  const found = findPrograms();
  return typeof found === 'string' ? found : undefined;
}

/** mariadbd runs as root only when it is told to. */
function accountArgs(): readonly string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

/** A fresh data folder, made once per process, as making it takes longer than copying it. */
let template: Promise<string> | undefined;

async function makeTemplate(programs: Programs): Promise<string> {
  const folder = await makeScratch('weir-mariadb-template-');
  const data = join(folder.path, 'data');
  const args = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'];
  const rest = ['--skip-test-db', '--innodb-log-file-size=8M', ...accountArgs()];
  await run(programs.install, [...args, ...rest], {
    timeout: INSTALL_TIME_MAX,
    env: environment(folder.path),
  });
  return data;
}

interface Scratch {
  readonly path: string;
  readonly guard: ChildProcess;
}

async function makeScratch(prefix: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  // Detached, so that Ctrl-C in the terminal reaches the program, and the guard acts after it.
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'weir-guard', path], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // A guard must not keep its program alive, nor fail it when it ends first.
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  if ('unref' in guard.stdin && typeof guard.stdin.unref === 'function') guard.stdin.unref();
  return { path, guard };
}

/** A folder of its own for temporary files: a server that starts removes those of others (`#sql...`). */
function environment(temporary: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    TMPDIR: temporary,
  };
}

export async function startMariadb(options: MariadbOptions = {}): Promise<MariadbServer> {
  const programs = findPrograms();
  if (typeof programs === 'string') throw new Error(programs);
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(programs, options);
    } catch (error) {
      const isTaken = String(error).includes('Address already in use');
      if (!isTaken || options.port !== undefined || tries === PORT_TRIES_MAX) throw error;
    }
  }
}

async function startOnce(programs: Programs, options: MariadbOptions): Promise<MariadbServer> {
  template ??= makeTemplate(programs);
  const { path, guard } = await makeScratch('weir-mariadb-');
  const dataDir = join(path, 'data');
  const socket = join(path, 'socket');
  await cp(await template, dataDir, { recursive: true });
  const tls = options.tls === true ? makeTlsFiles() : undefined;
  const port = options.port ?? (await findFreePort());
  await writeFile(join(path, 'init.sql'), INIT_SQL);
  const own = [`--datadir=${dataDir}`, `--socket=${socket}`, `--port=${port}`];
  const paths = [`--pid-file=${join(path, 'pid')}`, `--init-file=${join(path, 'init.sql')}`];
  const tlsArgs = tls === undefined ? [] : [`--ssl-cert=${tls.cert}`, `--ssl-key=${tls.key}`];
  const args = [...own, ...paths, ...SERVER_ARGS, ...tlsArgs, ...accountArgs()];
  const child = spawn(programs.server, ['--no-defaults', ...args, ...(options.args ?? [])], {
    cwd: path,
    env: environment(path),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  guard.stdin?.write(`${child.pid ?? ''}\n`);
  const log = { text: '' };
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done());
  });
  const stop = async (): Promise<void> => {
    await stopServer(child);
    // From here on the number may belong to somebody else.
    guard.stdin?.write('\n');
    guard.stdin?.end();
    tls?.remove();
    await rm(path, { recursive: true, force: true });
  };
  if (!(await waitUntilReady(child, log))) {
    await stop();
    throw new Error(`MariaDB did not start: ${log.text.trim()}`);
  }
  return {
    host: HOST,
    port,
    socket,
    dataDir,
    rootUser: ROOT,
    rootPassword: ROOT_PASSWORD,
    ca: tls?.cert,
    pid: child.pid ?? 0,
    exited,
    sql: (text, database) => runSql(programs.client, socket, text, database),
    readLog: () => log.text,
    stop,
  };
}

/** One statement on a line, as --init-file wants it. */
const INIT_SQL = `ALTER USER ${ROOT}@localhost IDENTIFIED BY '${ROOT_PASSWORD}';
CREATE OR REPLACE USER ${ROOT}@'${HOST}' IDENTIFIED BY '${ROOT_PASSWORD}';
GRANT ALL ON *.* TO ${ROOT}@'${HOST}' WITH GRANT OPTION;
`;

function makeTlsFiles(): { cert: string; key: string; remove: () => void } {
  const folder = createCertificateFolder();
  return { ...folder.make('localhost', { key: RSA_KEY }), remove: () => folder.remove() };
}

/** True when the server answers; false when it has ended or the time is over. */
async function waitUntilReady(child: ChildProcess, log: { text: string }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isReady = await new Promise<boolean>((done) => {
    timer = setTimeout(() => done(false), START_TIME_MAX);
    child.once('close', () => done(false)); // Not `exit`: the log shall be whole.
    child.once('error', (error) => {
      log.text += error.message;
      done(false);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.text = (log.text + text).slice(-LOG_SIZE_MAX);
      if (log.text.includes(READY_LINE)) done(true);
    });
  });
  clearTimeout(timer);
  return isReady;
}

function runSql(client: string, socket: string, text: string, database?: string): Promise<string> {
  const login = [`--socket=${socket}`, `--user=${ROOT}`, `--password=${ROOT_PASSWORD}`];
  const form = ['--batch', '--skip-column-names', '--default-character-set=utf8mb4'];
  const args = ['--no-defaults', ...login, ...form, ...(database === undefined ? [] : [database])];
  return new Promise((resolve, reject) => {
    const limits = { timeout: SQL_TIME_MAX, maxBuffer: SQL_OUTPUT_SIZE_MAX };
    const child = execFile(client, args, limits, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${stderr.trim() || error.message} in: ${text.slice(0, 300)}`));
    });
    // It ends at the first error without reading the rest.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(text);
  });
}

/** A request to shut down, then the end: nothing here is worth a long wait. */
async function stopServer(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (await hasExited(child)) return;
  }
}

async function hasExited(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  try {
    await once(child, 'exit', { signal: AbortSignal.timeout(STOP_STEP_TIME_MAX) });
    return true;
  } catch {
    return false; // The time was over first.
  }
}
