/**
 * What the demo's database servers have in common: a temporary folder of the account that the server
 * runs as, a guard that cleans up when the program dies without saying so, a port, a start that is
 * waited for, an end in steps. What a server is told is in `embedded-postgres.ts` and `mariadb-server.ts`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';
import type { Account } from './unprivileged-account.ts';

export const HOST = '127.0.0.1';
/** For the log kept in memory: enough to explain a failed start, and to read back a test. */
const LOG_SIZE_MAX = 256 * 1024;
/** Starting takes 0.1 s on an idle machine; recovery after a crash and a slow disk take longer. */
const START_TIME_MAX = 60_000;
/** How long each step of a shutdown may take before the next, harder signal. */
const STOP_STEP_TIME_MAX = 10_000;

const run = promisify(execFile);

/** How a server is asked to end, then told to, then ended. */
export type StopSignals = readonly [NodeJS.Signals, NodeJS.Signals, NodeJS.Signals];

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
alive && kill "$2" "$pid"
i=0
while alive && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done
alive && kill "$3" "$pid" && sleep 1
rm -rf "$1"
`;

/** A temporary folder with the guard that removes it. */
export interface Scratch {
  readonly path: string;
  readonly guard: ChildProcess;
  readonly account: Account | undefined;
  readonly signals: StopSignals;
}

export interface ScratchOptions {
  /** As in `weir-NAME-`. */
  readonly name: string;
  /** What it says to people when the folder is out of the account's reach. */
  readonly product: string;
  readonly account: Account | undefined;
  readonly signals: StopSignals;
}

export async function makeScratch(options: ScratchOptions): Promise<Scratch> {
  const { account, signals } = options;
  const path = await makeFolder(options);
  return { path, account, signals, guard: spawnGuard(path, account, signals) };
}

/** The temporary folder belongs to the server's account, so that its guard can remove it. */
async function makeFolder({ name, product, account }: ScratchOptions): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `weir-${name}-`));
  if (account === undefined) return path;

  await chown(path, account.uid, account.gid);
  try {
    await run('/bin/sh', ['-c', 'cd "$1"', 'sh', path], { cwd: '/', ...ids(account) });
    return path;
  } catch (cause) {
    await rm(path, { recursive: true, force: true });
    throw new GatewayError(
      `${name.toUpperCase()}_FOLDER_CLOSED`,
      `The account ${account.name}, as which the ${product} server runs because this is root, ` +
        `cannot reach the temporary folder ${tmpdir()}. Set TMPDIR to a folder that it can reach, such as /tmp.`,
      { cause },
    );
  }
}

export function ids(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** Few variables are passed on: the PG* and MYSQL_* ones of the user's shell would redirect the server. */
/** `temporary`: a MariaDB server that starts removes the temporary files of others in the same folder. */
export function environment(temporary: string = tmpdir()): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    TMPDIR: temporary,
  };
}

function spawnGuard(
  path: string,
  account: Account | undefined,
  [ask, tell]: StopSignals,
): ChildProcess {
  const signals = [ask, tell].map((signal) => signal.replace('SIG', '-'));
  // Detached, so that Ctrl-C in the terminal reaches the program, and the guard acts after it.
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'weir-guard', path, ...signals], {
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

export async function endScratch({ guard, path }: Scratch): Promise<void> {
  guard.stdin?.end();
  if (guard.pid !== undefined && !(await hasExited(guard, STOP_STEP_TIME_MAX * 2))) {
    guard.kill('SIGKILL');
  }
  await rm(path, { recursive: true, force: true });
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

export interface ServerProcess {
  readonly child: ChildProcess;
  /** Undefined: it could not even be started. */
  readonly pid: number | undefined;
  readonly exited: Promise<void>;
  /** The newest LOG_SIZE_MAX characters of what it wrote on its error output. */
  readonly log: { text: string };
  /** It printed its ready line; false: it has ended, or the time was over. */
  readonly isReady: boolean;
}

/** Starts a server and waits for `readyLine` in its log. */
export async function startProcess(
  scratch: Scratch,
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly readyLine: string },
): Promise<ServerProcess> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: environment(scratch.path),
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // Ctrl-C in the terminal shall reach the program alone, which stops its parts in order.
    ...ids(scratch.account),
  });
  const { guard } = scratch;
  const log = { text: '' };
  guard.stdin?.write(`${child.pid ?? ''}\n`);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => guard.stdin?.write('\n'));
    child.once('exit', () => done());
    child.once('error', (error) => {
      log.text += error.message;
      done();
    });
  });
  const isReady = await waitUntilReady(child, log, options.readyLine);
  return { child, pid: child.pid, exited, log, isReady: isReady && child.pid !== undefined };
}

async function waitUntilReady(
  child: ChildProcess,
  log: { text: string },
  readyLine: string,
): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isReady = await new Promise<boolean>((done) => {
    timer = setTimeout(() => done(false), START_TIME_MAX);
    child.once('close', () => done(false)); // Not `exit`: the log shall be whole.
    child.once('error', () => done(false));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log.text = (log.text + text).slice(-LOG_SIZE_MAX);
      if (timer !== undefined && log.text.includes(readyLine)) done(true);
    });
  });
  clearTimeout(timer);
  timer = undefined;
  return isReady;
}

export async function stopProcess(child: ChildProcess, signals: StopSignals): Promise<void> {
  if (child.pid === undefined) return;
  for (const signal of signals) {
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
