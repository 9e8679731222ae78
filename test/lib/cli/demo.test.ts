import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ChromaClient, type Collection } from 'chromadb';
import { createConnection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { runDemo } from '../../../lib/cli/demo.ts';
import { runWhoSaw } from '../../../lib/cli/who-saw.ts';
import { findMariadb } from '../../../lib/demo/mariadb-server.ts';
import { chromaMissing } from '../../support/chroma-server.ts';
import { embeddedPostgresMissing, freePort } from '../../support/servers.ts';
import { runCommand } from './command-run.ts';

/** Of the running demo: what it has printed, and how to end it. */
interface Running {
  readonly port: number;
  readonly output: () => string;
  stop(): Promise<number>;
}

const READY = /Ctrl-C stops everything/;
const START_TIME_MAX = 60_000;

async function startDemo(dataDir: string, args: readonly string[]): Promise<Running> {
  const controller = new AbortController();
  let output = '';
  let onReady: (() => void) | undefined;
  const ready = new Promise<void>((done) => {
    onReady = done;
  });
  const sink = {
    write: (text: string) => {
      output += text;
      if (READY.test(output)) onReady?.();
    },
  };
  const io = { stdout: sink, stderr: sink, signal: controller.signal };
  const exit = runDemo(['--data-dir', dataDir, ...args], io);
  const late = AbortSignal.timeout(START_TIME_MAX);
  await Promise.race([ready, exit, once(late, 'abort')]);
  const port = Number(/@127\.0\.0\.1:(\d+)\/shop/.exec(output)?.[1]);
  if (!Number.isInteger(port)) throw new Error(`the demo did not start: ${output}`);
  return {
    port,
    output: () => output,
    stop: async () => {
      controller.abort();
      return exit;
    },
  };
}

async function connect(port: number, user: string): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user,
    password: `${user}-demo`,
    database: 'shop',
  });
  await client.connect();
  return client;
}

/** A temporary folder of our own, to see what is left in it; open, because the server is not root. */
async function useTemporaryFolder(t: {
  teardown(stop: () => Promise<void>): void;
}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-test-'));
  await chmod(folder, 0o755);
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  t.teardown(async () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

async function occupy(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** What it prints about MariaDB: how to connect and what happens then, or why it is left out. */
async function tryMariadb(t: Test, output: string): Promise<void> {
  const found = await findMariadb();
  if (typeof found === 'string') {
    t.match(output, `MariaDB is left out: ${found}`);
    return;
  }
  const port = Number(/mariadb --skip-ssl -h 127\.0\.0\.1 -P (\d+) -u alice/.exec(output)?.[1]);
  const login = { user: 'alice', password: 'alice-demo', database: 'shop' };
  const alice = await createConnection({ host: '127.0.0.1', port, ...login });
  const statements = [
    ...output.slice(output.indexOf('mariadb --skip')).matchAll(/^ {5}(\S.*);$/gm),
  ];
  const [masked = '', ...blocked] = statements.map(([, sql = '']) => sql);
  const [rows] = await alice.query(masked);
  t.match(rows, [{ contact: '***' }, { contact: '***' }, { contact: '***' }]);
  t.equal(blocked.length, 2);
  for (const sql of blocked) {
    await t.rejects(alice.query(sql), { errno: 1142, message: /no-destruction/ }, sql);
  }
  t.match(await alice.query('SELECT count(*) AS count FROM order_items'), [[{ count: 7670 }]]);
  await alice.end();
}

/** Its lines are run as they are printed, but for `require`: a module has none. */
async function tryChroma(t: Test, output: string): Promise<void> {
  const missing = chromaMissing();
  if (missing !== undefined) {
    t.match(output, `Chroma is left out: ${missing}`);
    return;
  }
  const printed = output.slice(output.indexOf('const chroma = '));
  const port = Number(
    / port: (\d+), headers: \{ 'x-chroma-token': 'alice-demo' \}/.exec(printed)?.[1],
  );
  const headers = { 'x-chroma-token': 'alice-demo' };
  const chroma = new ChromaClient({ host: '127.0.0.1', port, headers });
  const tickets = await chroma.getCollection({ name: 'support-tickets' });
  const [masked = '', ...refused] = [...printed.matchAll(/^ {5}(\S.*)$/gm)].map(
    ([, line = '']) => line,
  );
  const run = async (line: string): Promise<unknown> => await evaluate(line, chroma, tickets);
  const rows = JSON.stringify(await run(masked));
  t.match(rows, /"email":"\*\*\*"/, 'metadata is masked');
  t.notMatch(rows, /@example|555-01/, 'and so is the text');
  const [steered = '', dropped = '', whoSaw = ''] = refused;
  await t.rejects(run(steered), { message: /ticket-contacts/ }, steered);
  await t.rejects(run(dropped), { message: /no-destruction/ }, dropped);
  t.equal(await tickets.count(), 120);
  const [, words = ''] = whoSaw.split(' who-saw ');
  const { code, stdout } = await runCommand(runWhoSaw, words.split(' '));
  t.equal(code, 0, whoSaw);
  t.match(stdout, /alice .*\/get /, 'the request that showed the ticket');
}

async function evaluate(line: string, chroma: ChromaClient, tickets: Collection): Promise<unknown> {
  const source = `return (async () => (${line}))()`;
  return await Reflect.construct(Function, ['chroma', 'tickets', source])(chroma, tickets);
}

t.test('the demo does what it prints', { skip: embeddedPostgresMissing() }, async (t) => {
  const temporary = await useTemporaryFolder(t);
  const dataDir = join(temporary, 'data');
  const taken = await freePort();
  const squatter = await occupy(taken);
  t.teardown(() => {
    squatter.close();
  });
  const ports = ['--port', '--mysql-port', '--chroma-port'];
  const args = ports.flatMap((name) => [name, String(taken)]);
  const demo = await startDemo(dataDir, args);
  t.teardown(() => demo.stop());
  t.match(demo.output(), `Port ${taken} is taken`);
  t.not(demo.port, taken);

  const alice = await connect(demo.port, 'alice');
  const masked = await alice.query(
    'SELECT full_name, email, phone FROM customers ORDER BY id LIMIT 3',
  );
  t.equal(masked.rows.length, 3);
  t.notMatch(JSON.stringify(masked.rows), /@example|555-01/, 'alice sees masks');
  await t.rejects(alice.query('DROP TABLE customers'), {
    code: '42501',
    message: /no-destruction/,
  });
  await t.rejects(
    alice.query('WITH gone AS (DELETE FROM order_items RETURNING *) SELECT count(*) FROM gone'),
    { code: '42501', message: /no-destruction/ },
  );
  t.same((await alice.query('SELECT count(*)::int AS count FROM customers')).rows, [
    { count: 320 },
  ]);
  await alice.end();

  const petra = await connect(demo.port, 'petra');
  const clear = await petra.query('SELECT email FROM customers ORDER BY id LIMIT 3');
  t.match(clear.rows[0], { email: /@example/ }, 'petra sees the values');
  await petra.end();

  await tryMariadb(t, demo.output());
  await tryChroma(t, demo.output());

  t.equal(await demo.stop(), 0);
  t.same(readdirSync(temporary), ['data'], 'no folder is left but that of the recordings');
  t.ok(existsSync(dataDir) && readdirSync(dataDir).length > 0, 'the recordings are kept');
});

t.test('wrong arguments are refused before anything starts', async (t) => {
  let output = '';
  const sink = { write: (text: string) => (output += text) };
  t.equal(await runDemo(['--port', 'x'], { stdout: sink, stderr: sink }), 2);
  t.match(output, /--port takes a number/);
  t.equal(await runDemo(['--mysql-port', '0'], { stdout: sink, stderr: sink }), 2);
  t.equal(await runDemo(['--chroma-port', '70000'], { stdout: sink, stderr: sink }), 2);
  t.equal(await runDemo(['--nonsense'], { stdout: sink, stderr: sink }), 2);
  t.equal(await runDemo(['--help'], { stdout: sink, stderr: sink }), 0);
});

t.test(
  'interrupted before it began, it stops and leaves nothing',
  { skip: embeddedPostgresMissing() },
  async (t) => {
    const temporary = await useTemporaryFolder(t);
    const sink = { write: () => undefined };
    const signal = AbortSignal.abort();
    t.equal(await runDemo([], { stdout: sink, stderr: sink, signal }), 0);
    t.same(readdirSync(temporary), []);
  },
);
