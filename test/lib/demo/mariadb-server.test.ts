import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import {
  findMariadb,
  type MariadbPrograms,
  type MariadbServer,
  startMariadb,
} from '../../../lib/demo/mariadb-server.ts';

const found = await findMariadb();
const skip = typeof found === 'string' ? found : false;
const ACCOUNT = { database: 'shop', user: 'app', password: 'app-secret' };

function programs(): MariadbPrograms {
  if (typeof found === 'string') throw new Error(found);
  return found;
}

async function ask(server: MariadbServer, user: string, password: string): Promise<unknown> {
  const { host, port } = server;
  const connection = await createConnection({ host, port, user, password });
  try {
    const [rows] = await connection.query('SELECT CURRENT_USER() AS me, @@version AS version');
    return rows;
  } finally {
    await connection.end();
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'weir-programs-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function addProgram(path: string, name: string, output: string): void {
  writeFileSync(join(path, name), `#!/bin/sh\necho '${output}'\n`);
  chmodSync(join(path, name), 0o755);
}

t.test('what is not installed is named', async (t) => {
  const path = folder();
  t.match(await findMariadb([path]), /neither mariadbd nor mysqld is installed/);
  addProgram(path, 'mysqld', 'mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server)');
  t.match(await findMariadb([path]), /mysqld is not MariaDB's/);
  addProgram(path, 'mariadbd', 'mariadbd  Ver 11.4.2-MariaDB');
  t.match(await findMariadb([path]), /mariadb-install-db is not installed/);
  addProgram(path, 'mariadb-install-db', '');
  t.same(await findMariadb([path]), {
    server: join(path, 'mariadbd'),
    install: join(path, 'mariadb-install-db'),
  });
});

t.test('a server starts, knows one account, and leaves nothing behind', { skip }, async (t) => {
  const server = await startMariadb(programs(), ACCOUNT);
  t.teardown(() => server.stop());
  const [row] = [await ask(server, 'app', 'app-secret')].flat();
  t.match(row, { me: 'app@127.0.0.1', version: /MariaDB/ });
  for (const user of ['root', '', 'mysql', 'nobody']) {
    await t.rejects(ask(server, user, ''), { code: 'ER_ACCESS_DENIED_ERROR' });
  }
  const [owner] = execFileSync('ps', ['-o', 'uid=', '-p', String(server.pid)], {
    encoding: 'utf8',
  }).split('\n');
  t.not(Number(owner), 0, 'it does not run as root');
  const args = execFileSync('ps', ['-o', 'args=', '-p', String(server.pid)], { encoding: 'utf8' });
  t.notMatch(args, 'app-secret');
  const scratch = /--datadir=(\S+)\/data/.exec(args)?.[1] ?? '';
  t.ok(existsSync(scratch));
  t.notOk(readdirSync(scratch).includes('init.sql'), 'the passwords are not left in a file');
  await server.stop();
  t.notOk(existsSync(scratch));
});

t.test('what a failed start says is told, and nothing is left', { skip }, async (t) => {
  const path = folder();
  addProgram(path, 'server', '');
  const { install } = programs();
  await t.rejects(startMariadb({ install, server: join(path, 'server') }, ACCOUNT), {
    code: 'MARIADB_START_FAILED',
  });
  await t.rejects(startMariadb({ install: '/bin/false', server: '/bin/false' }, ACCOUNT), {
    code: 'MARIADB_INSTALL_FAILED',
  });
});

t.test('the server ends with a program that is killed', { skip }, async (t) => {
  const module = new URL('../../../lib/demo/mariadb-server.js', import.meta.url);
  const script = `
    const { findMariadb, startMariadb } = await import(${JSON.stringify(module.href)});
    const server = await startMariadb(await findMariadb(), ${JSON.stringify(ACCOUNT)});
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line]: unknown[] = await once(createInterface(program.stdout), 'line');
  const pid = Number(line);
  t.ok(isAlive(pid));
  program.kill('SIGKILL');
  t.ok(await hasEnded(pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function hasEnded(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (!isAlive(pid)) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
}
