/** Proxies of other people that the bench compares with, where they are installed: HAProxy and PgBouncer. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from '../lib/demo/embedded-postgres.ts';
import { findUnprivilegedAccount } from '../lib/demo/unprivileged-account.ts';
import { type Login, makeTemporary } from '../test/support/gateway-process.ts';
import type { Teardown } from '../test/support/servers.ts';
import { hasProgram, PROGRAM_PATH } from './programs.ts';

export interface Proxy {
  readonly port: number;
  readonly pid: number;
}

const START_TRIES_MAX = 100;

/** Undefined where the program is not installed. */
export async function startHaproxy(t: Teardown, upstreamPort: number): Promise<Proxy | undefined> {
  if (!(await hasProgram('haproxy'))) return undefined;
  const folder = await makeTemporary(t, 'weir-haproxy-');
  const port = await findFreePort();
  const config = join(folder, 'haproxy.cfg');
  await writeFile(
    config,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen database
  bind 127.0.0.1:${port}
  server upstream 127.0.0.1:${upstreamPort}
`,
  );
  return start(t, { program: 'haproxy', args: ['-db', '-f', config], port });
}

/** Session pooling: one server session for each client, like a gateway. */
export async function startPgbouncer(
  t: Teardown,
  upstreamPort: number,
  login: Login,
): Promise<Proxy | undefined> {
  if (!(await hasProgram('pgbouncer'))) return undefined;
  const folder = await makeTemporary(t, 'weir-pgbouncer-');
  const port = await findFreePort();
  const users = join(folder, 'users.txt');
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${login.user}" "${login.password}"\n`);
  await writeFile(
    config,
    `[databases]
* = host=127.0.0.1 port=${upstreamPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = session
default_pool_size = 50
log_connections = 0
log_disconnections = 0
`,
  );
  // It does not run as root.
  const account = await findUnprivilegedAccount();
  if (account !== undefined) {
    for (const path of [folder, users, config]) await chown(path, account.uid, account.gid);
  }
  await chmod(folder, 0o755);
  const ids = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  return start(t, { program: 'pgbouncer', args: [config], port, ids });
}

interface Program {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  readonly ids?: { readonly uid?: number; readonly gid?: number };
}

async function start(t: Teardown, wanted: Program): Promise<Proxy> {
  const child = spawn(wanted.program, wanted.args, {
    env: { PATH: PROGRAM_PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...wanted.ids,
  });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log = (log + chunk.toString()).slice(-4000)));
  t.teardown(() => stop(child));
  for (let tries = 0; tries < START_TRIES_MAX; tries += 1) {
    if (await answers(wanted.port)) return { port: wanted.port, pid: child.pid ?? 0 };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${wanted.program} did not start: ${log}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
