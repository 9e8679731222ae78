import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import t from 'tap';
import {
  type EmbeddedPostgres,
  findFreePort,
  startEmbeddedPostgres,
} from '../../../lib/demo/embedded-postgres.ts';
import {
  debianPostgres15,
  debianPostgres15Missing,
  embeddedPostgres,
  embeddedPostgresMissing,
} from '../../support/servers.ts';

const skip = embeddedPostgresMissing();

async function query(server: EmbeddedPostgres, text: string): Promise<Record<string, unknown>[]> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: 'postgres' });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended stays visible until its parent, which may be init, has seen it.
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'));
  } catch {
    return false;
  }
}

async function waitFor(isTrue: () => boolean, timeMax = 30_000): Promise<boolean> {
  for (let waited = 0; waited < timeMax; waited += 50) {
    if (isTrue()) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return isTrue();
}

t.test('a server starts, answers and leaves nothing behind', { skip }, async (t) => {
  const server = await startEmbeddedPostgres();
  t.match(await query(server, 'SELECT version()'), [{ version: /^PostgreSQL 18/ }]);
  t.same(await query(server, 'SHOW listen_addresses'), [{ listen_addresses: '127.0.0.1' }]);
  t.same(await query(server, 'SHOW server_encoding'), [{ server_encoding: 'UTF8' }]);
  t.same(await query(server, 'SHOW password_encryption'), [
    { password_encryption: 'scram-sha-256' },
  ]);
  t.notMatch(server.readLog(), server.password, 'the log does not hold the password');
  t.notOk(existsSync(join(dirname(server.directory), 'password')), 'nor does a file');

  await Promise.all([server.stop(), server.stop()]);
  await server.exited;
  t.notOk(isAlive(server.pid));
  t.notOk(existsSync(dirname(server.directory)), 'the temporary folder is gone');
});

const skipUnlessRoot = skip !== false || process.getuid?.() === 0 ? skip : 'this is not root';

t.test('a server never runs as root', { skip: skipUnlessRoot }, async (t) => {
  const server = await embeddedPostgres(t);
  if (process.platform === 'linux') {
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    t.notMatch(status, /^Uid:\t0\t/m);
    t.match(status, /^Groups:\s*$/m, 'no group of root stays behind');
  }
  t.match(await query(server, 'SELECT 1 AS one'), [{ one: 1 }]);
});

t.test('a wrong password is refused', { skip }, async (t) => {
  const server = await embeddedPostgres(t, { password: 'right' });
  await t.rejects(query({ ...server, password: 'wrong' }, 'SELECT 1'), { code: '28P01' });
});

t.test('settings, files and the way to sign in are the caller’s', { skip }, async (t) => {
  const server = await embeddedPostgres(t, {
    auth: 'md5',
    settings: { log_statement: 'all', work_mem: '7MB' },
    files: { 'note.txt': 'hello' },
  });
  t.same(await query(server, 'SHOW work_mem'), [{ work_mem: '7MB' }]);
  t.match(await query(server, 'SELECT rolpassword FROM pg_authid WHERE rolsuper'), [
    { rolpassword: /^md5/ },
  ]);
  t.same(await query(server, `SELECT pg_read_file('note.txt') AS note`), [{ note: 'hello' }]);
  t.match(server.readLog(), /statement: SHOW work_mem/);
});

t.test('a data directory of one’s own is kept and used again', { skip }, async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'weir-test-'));
  await chmod(parent, 0o755);
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  const options = { directory: join(parent, 'cluster'), password: 'kept' };

  const first = await startEmbeddedPostgres(options);
  await query(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  t.ok(existsSync(join(parent, 'cluster', 'PG_VERSION')));

  const second = await startEmbeddedPostgres(options);
  t.teardown(() => second.stop());
  t.same(await query(second, 'SELECT answer FROM kept'), [{ answer: 42 }]);
});

t.test('a port that is taken is named, and nothing is left', { skip }, async (t) => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  t.teardown(() => {
    squatter.close();
  });
  const address = squatter.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  await t.rejects(startEmbeddedPostgres({ port }), {
    code: 'POSTGRES_PORT_TAKEN',
    message: new RegExp(`Port ${port} `),
  });
});

t.test('a server that cannot start says why', { skip }, async (t) => {
  await t.rejects(startEmbeddedPostgres({ settings: { nonsense: '1' } }), {
    code: 'POSTGRES_START_FAILED',
    message: /unrecognized configuration parameter "nonsense"/,
  });
});

t.test('the server ends with a program that is killed', { skip }, async (t) => {
  const module = new URL('../../../lib/demo/embedded-postgres.js', import.meta.url);
  const script = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(module.href)});
    const server = await startEmbeddedPostgres();
    console.log(server.pid, server.directory);
    setInterval(() => {}, 1000);`;
  const signals = ['SIGKILL', 'SIGINT', 'SIGTERM'] as const;
  await Promise.all(
    signals.map(async (signal) => {
      const program = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line]: unknown[] = await once(createInterface(program.stdout), 'line');
      const [pidText, directory = ''] = String(line).split(' ');
      const pid = Number(pidText);
      t.ok(isAlive(pid), `${signal}: the server runs before`);
      program.kill(signal);
      t.ok(await waitFor(() => !isAlive(pid)), `${signal}: the server has ended`);
      t.ok(await waitFor(() => !existsSync(dirname(directory))), `${signal}: its folder is gone`);
    }),
  );
});

t.test('a free port can be listened on', async (t) => {
  const port = await findFreePort();
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  t.pass();
});

t.test(
  'PostgreSQL 15 of Debian runs the same way',
  { skip: debianPostgres15Missing() },
  async (t) => {
    const server = await debianPostgres15(t);
    t.match(await query(server, 'SELECT version()'), [{ version: /^PostgreSQL 15/ }]);
  },
);
