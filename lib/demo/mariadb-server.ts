/**
 * A MariaDB server for the demo, where the programs of one are installed: on loopback, with a temporary
 * data folder, under an account without rights. It leaves nothing behind, as `embedded-postgres.ts` does.
 * Its root account gets a random password before anybody can connect, and nobody is told it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { chown, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';
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

export interface MariadbPrograms {
  readonly server: string;
  readonly install: string;
}

/** What the server has from the start: one database, and one account that owns it. */
export interface MariadbOptions {
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface MariadbServer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, asked to or not. */
  readonly exited: Promise<void>;
  /** The newest part of the server's log. */
  readLog(): string;
  /** Calling it again is harmless. */
  stop(): Promise<void>;
}

const READY_LINE = 'ready for connections';
/** A shutdown in order, the same again, the end: MariaDB knows no step between. */
const SIGNALS: StopSignals = ['SIGTERM', 'SIGTERM', 'SIGKILL'];
/** Takes a second on an idle machine. */
const INSTALL_TIME_MAX = 60_000;
const VERSION_TIME_MAX = 10_000;
/** Another program can take a free port between finding and using it. */
const PORT_TRIES_MAX = 5;
/** Folders of servers that are not on everyone's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec', '/opt/homebrew/bin'];

/** Nothing to lose in a power cut, little to write, and nothing that depends on the machine. */
const SERVER_ARGS: readonly string[] = [
  `--bind-address=${HOST}`,
  '--skip-name-resolve',
  '--character-set-server=utf8mb4',
  '--default-time-zone=+00:00',
  '--innodb-buffer-pool-size=64M',
  '--innodb-log-file-size=8M',
  '--innodb-flush-log-at-trx-commit=0',
];

const run = promisify(execFile);

/** The installed programs; a text says why there are none. */
export async function findMariadb(
  folders: readonly string[] = usualFolders(),
): Promise<MariadbPrograms | string> {
  const install = findProgram(['mariadb-install-db', 'mysql_install_db'], folders);
  const server = findProgram(['mariadbd', 'mysqld'], folders);
  if (server === undefined) return 'neither mariadbd nor mysqld is installed';
  if (!(await isMariadb(server))) return `${server} is not MariaDB's`;
  return install === undefined ? 'mariadb-install-db is not installed' : { server, install };
}

function usualFolders(): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...SERVER_FOLDERS];
}

/** The first name that is found in any folder. */
function findProgram(names: readonly string[], folders: readonly string[]): string | undefined {
  const paths = names.flatMap((name) =>
    folders.filter((folder) => folder !== '').map((folder) => join(folder, name)),
  );
  return paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false; // Not there, or not ours to run: the next one.
    }
  });
}

/** MySQL's own server has the same name and is set up in another way. */
async function isMariadb(server: string): Promise<boolean> {
  try {
    const options = { env: environment(), timeout: VERSION_TIME_MAX };
    const { stdout } = await run(server, ['--no-defaults', '--version'], options);
    return /mariadb/i.test(stdout);
  } catch {
    return false; // What cannot say its version cannot be started either.
  }
}

export async function startMariadb(
  programs: MariadbPrograms,
  options: MariadbOptions,
): Promise<MariadbServer> {
  const account = await findUnprivilegedAccount();
  const scratch = await makeScratch({
    name: 'mariadb',
    product: 'MariaDB',
    account,
    signals: SIGNALS,
  });
  try {
    await installData(scratch, programs);
    return await startOnSomePort(scratch, programs, options);
  } catch (error) {
    await endScratch(scratch);
    throw error;
  }
}

async function installData(scratch: Scratch, { install }: MariadbPrograms): Promise<void> {
  const data = join(scratch.path, 'data');
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    // Signing in by the name of the system's user would let that user in without a password.
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--innodb-log-file-size=8M',
  ];
  const { path } = scratch;
  const options = { cwd: path, env: environment(path), timeout: INSTALL_TIME_MAX };
  try {
    await run(install, args, { ...options, ...ids(scratch.account) });
  } catch (cause) {
    const detail = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : '';
    const message = `mariadb-install-db failed: ${detail || String(cause)}`;
    throw new GatewayError('MARIADB_INSTALL_FAILED', message, { cause });
  }
}

async function startOnSomePort(
  scratch: Scratch,
  programs: MariadbPrograms,
  options: MariadbOptions,
): Promise<MariadbServer> {
  for (let tries = 1; ; tries++) {
    const port = await findFreePort();
    const server = await startServer(scratch, programs, { ...options, port });
    const { pid, child, log } = server;
    if (server.isReady && pid !== undefined) return describe(scratch, server, { port, pid });
    await stopProcess(child, SIGNALS);
    const isTaken = log.text.includes('Address already in use');
    if (isTaken && tries < PORT_TRIES_MAX) continue;
    const message = `The MariaDB server did not start: ${log.text.trim()}`;
    throw new GatewayError('MARIADB_START_FAILED', message);
  }
}

async function startServer(
  scratch: Scratch,
  { server }: MariadbPrograms,
  options: MariadbOptions & { readonly port: number },
): Promise<ServerProcess> {
  const { path, account } = scratch;
  const initFile = join(path, 'init.sql');
  await writeFile(initFile, describeAccounts(options), { mode: 0o600 });
  if (account !== undefined) await chown(initFile, account.uid, account.gid);
  const paths = [
    `--datadir=${join(path, 'data')}`,
    `--socket=${join(path, 'socket')}`,
    `--pid-file=${join(path, 'pid')}`,
    `--init-file=${initFile}`,
  ];
  const args = ['--no-defaults', ...paths, `--port=${options.port}`, ...SERVER_ARGS];
  const wait = { cwd: path, readyLine: READY_LINE };
  const started = await startProcess(scratch, server, args, wait);
  await rm(initFile, { force: true }); // The server has read it, and it holds passwords.
  return started;
}

/** One statement on a line, as --init-file wants it; it is run before anybody can connect. */
function describeAccounts({ database, user, password }: MariadbOptions): string {
  const random = randomBytes(18).toString('base64url');
  return `
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
FLUSH PRIVILEGES;
ALTER USER root@localhost IDENTIFIED BY '${random}';
CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4;
CREATE OR REPLACE USER ${user}@'${HOST}' IDENTIFIED BY '${password}';
GRANT ALL PRIVILEGES ON ${database}.* TO ${user}@'${HOST}';
`;
}

function describe(
  scratch: Scratch,
  server: ServerProcess,
  where: { readonly port: number; readonly pid: number },
): MariadbServer {
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await stopProcess(server.child, SIGNALS);
    await endScratch(scratch);
  };
  return {
    host: HOST,
    port: where.port,
    pid: where.pid,
    exited: server.exited,
    readLog: () => server.log.text,
    stop: () => (stopped ??= stop()),
  };
}
