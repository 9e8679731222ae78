import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runReplay } from '../../../lib/cli/replay.ts';
import {
  complete,
  dataRow,
  errorResponse,
  type Fixture,
  message,
  query,
  ready,
  recordSession,
  rowDescription,
  type Step,
  shopSession,
  startup,
} from '../recording/session-fixture.ts';
import { type Run, runCommand } from './command-run.ts';

function replay(fixture: Fixture, ...argv: string[]): Promise<Run> {
  return runCommand(runReplay, ['session-1', '--data-dir', fixture.dataDir, ...argv]);
}

const SHOP_TEXT = `session session-1
connection shop (postgres), client 127.0.0.1:50123, started 2026-03-04T05:06:07.890Z

  +0.000s  client connects: user=alice database=shop
  +0.001s  client sends a credential (not recorded)
  +0.001s  signed in as alice (database user app, database shop)
  +0.012s  alice> SELECT id, email
               FROM customers
  +0.014s  masked: public.customers.email
 id |   email
----+------------
  1 | [redacted]
 20 | (null)
(2 rows)
  +0.020s  alice> DROP TABLE customers
  +0.021s  BLOCKED by rule "no-destruction": drop on public.customers
  +0.021s  ERROR 42501: blocked by rule "no-destruction" (from Weir)
  +0.030s  alice> SELECT name FROM customers WHERE id = $1
             with $1 = '7'
 name
------
 Ann
(1 row)
  +0.040s  session ended: client closed
`;

t.test('text: what was asked, decided and answered', async (t) => {
  const fixture = await recordSession(t, shopSession());
  const { code, stdout, stderr } = await replay(fixture, '--speed', 'max');
  t.equal(stdout, SHOP_TEXT);
  t.equal(stderr, '');
  t.equal(code, 0);
});

t.test('json: one object a line, everything that is on the wire but secrets', async (t) => {
  const { code, stdout } = await replay(await recordSession(t, shopSession()), '--format', 'json');
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.equal(code, 0);
  t.same(lines.slice(0, 12), [
    {
      at: 0,
      event: 'session',
      session: 'session-1',
      connection: 'shop',
      protocol: 'postgres',
      startedAt: '2026-03-04T05:06:07.890Z',
      clientAddress: '127.0.0.1:50123',
      policyVersion: 'ab'.repeat(32),
      durability: 'strict',
    },
    { at: 0, event: 'ssl-request', from: 'client' },
    { at: 100, event: 'negotiation-reply', from: 'server', by: 'gateway', reply: 'N' },
    {
      at: 200,
      event: 'startup',
      from: 'client',
      protocol: '3.0',
      parameters: { user: 'alice', database: 'shop' },
    },
    { at: 900, event: 'authentication', from: 'server', method: 'sasl' },
    { at: 950, event: 'credential', from: 'client', size: 40 },
    { at: 1000, event: 'signed-in', principal: 'alice', user: 'app', database: 'shop' },
    { at: 1100, event: 'authentication', from: 'server', method: 'ok' },
    { at: 1100, event: 'ready', from: 'server', status: 'idle' },
    {
      at: 12_000,
      event: 'query',
      from: 'client',
      text: 'SELECT id, email\n  FROM customers',
      size: 34,
    },
    { at: 13_000, event: 'decision', operation: 'statement', outcome: 'allow' },
    {
      at: 14_000,
      event: 'decision',
      operation: 'result',
      outcome: 'mask',
      masked: ['public.customers.email'],
    },
  ]);
  t.match(lines.at(-1), {
    event: 'finish',
    state: 'ended',
    reason: 'client closed',
    root: /^[0-9a-f]{128}$/,
  });
});

t.test('csv: the rows of each result, NULL apart from the empty text', async (t) => {
  const fixture = await recordSession(t, [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT')]) },
    {
      at: 1,
      from: 'server',
      bytes: Buffer.concat([
        rowDescription({ name: 'a' }, { name: 'b,"c' }),
        dataRow('1', null),
        dataRow('', 'x "y"\nz\r\x1b'),
        complete('SELECT 2'),
        rowDescription({ name: 'n' }),
        complete('SELECT 0'),
        ready(),
      ]),
    },
  ]);
  const { stdout } = await replay(fixture, '--format', 'csv');
  t.equal(stdout, 'a,"b,""c"\r\n1,\r\n"","x ""y""\nz\\r\\x1b"\r\n\r\nn\r\n');
});

t.test('a recording cannot drive the terminal of who replays it', async (t) => {
  const evil = '\x1b[2J\x1b]52;c;cHduZWQ=\x07\u009b31m\u202e\r';
  const bytes = Buffer.concat([
    rowDescription({ name: evil }),
    dataRow(evil),
    complete(`INSERT ${evil}`),
    message('N', `S${evil}`, `C${evil}`, `M${evil}`, `D${evil}`, `H${evil}`, Buffer.alloc(1)),
    errorResponse({ M: evil, D: evil }),
    message('A', Buffer.alloc(4), evil, evil),
    ready(),
  ]);
  const fixture = await recordSession(
    t,
    [
      { at: 0, from: 'client', bytes: startup({ user: evil, [evil]: evil }) },
      { at: 1, note: { kind: 'signed-in', principal: evil, user: evil, database: evil } },
      { at: 2, from: 'client', bytes: query(`SELECT '${evil}'`) },
      { at: 3, from: 'server', bytes },
      { at: 4, note: { kind: 'refused', code: evil, reason: evil } },
      {
        at: 5,
        note: {
          kind: 'decision',
          operation: 'result',
          outcome: 'mask',
          rule: evil,
          masked: [evil],
        },
      },
      {
        at: 6,
        note: {
          kind: 'decision',
          operation: 'statement',
          outcome: 'block',
          rule: evil,
          reason: evil,
        },
      },
    ],
    { header: { connection: evil, clientAddress: evil }, reason: evil },
  );
  for (const format of ['text', 'json', 'csv']) {
    const { stdout } = await replay(fixture, '--speed', 'max', '--format', format);
    const codes = new Set(Array.from(stdout, (character) => character.codePointAt(0) ?? 0));
    // RFC 4180 ends its lines with CR LF.
    const allowed = format === 'csv' ? [0x0a, 0x0d] : [0x0a];
    const controls = [...codes].filter(
      (code) =>
        (code < 0x20 && !allowed.includes(code)) ||
        (code >= 0x7f && code < 0xa0) ||
        code === 0x202e,
    );
    t.same(controls, [], format);
    t.ok(stdout.includes('52;c;cHduZWQ='), `${format}: the text itself is there`);
  }
});

t.test('colours only on a terminal that wants them', async (t) => {
  const { dataDir } = await recordSession(t, shopSession());
  const argv = ['last', '--data-dir', dataDir, '--speed', 'max'];
  const before = process.env['NO_COLOR'];
  t.teardown(() => {
    if (before === undefined) delete process.env['NO_COLOR'];
    else process.env['NO_COLOR'] = before;
  });
  delete process.env['NO_COLOR'];
  t.ok((await runCommand(runReplay, argv, { isTTY: true })).stdout.includes('\x1b[31m'));
  t.notOk((await runCommand(runReplay, argv)).stdout.includes('\x1b'));
  process.env['NO_COLOR'] = '1';
  t.notOk((await runCommand(runReplay, argv, { isTTY: true })).stdout.includes('\x1b'));
});

t.test('time passes as it was recorded, or faster', async (t) => {
  const steps: Step[] = [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT 1')]) },
    { at: 1_900_000, from: 'client', bytes: query('SELECT 2') },
  ];
  const fixture = await recordSession(t, steps);
  const time = async (...argv: string[]): Promise<number> => {
    const start = performance.now();
    t.equal((await replay(fixture, ...argv)).code, 0);
    return performance.now() - start;
  };
  t.ok((await time()) >= 1890, 'real time by default');
  const double = await time('--speed', '2');
  t.ok(double >= 940, 'half the time');
  t.ok((await time('--speed', 'max')) < double, 'no pauses');
});

t.test('long silences are shortened, and it says so, unless a speed is asked for', async (t) => {
  const fixture = await recordSession(t, [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT 1')]) },
    { at: 90_000_000, from: 'client', bytes: query('SELECT 2') },
  ]);
  const { stdout } = await replay(fixture);
  t.match(stdout, /\(90\.0s of silence, shortened to 2s\)/);
  t.notMatch((await replay(fixture, '--speed', '1000')).stdout, /shortened/);
});

t.test('--at starts later, and still knows what was said before', async (t) => {
  const fixture = await recordSession(t, shopSession());
  for (const at of ['0.0205', '2026-03-04T05:06:07.911Z']) {
    const { stdout } = await replay(fixture, '--speed', 'max', '--at', at);
    t.notMatch(stdout, /SELECT id/);
    t.match(stdout, /alice> SELECT name/);
  }
  t.match(await replay(fixture, '--at', 'noon'), { code: 2, stderr: /this is no time/ });
});

t.test('large results show their first rows', async (t) => {
  const rows = Array.from({ length: 250 }, (_, index) => dataRow(`row ${index}`));
  const fixture = await recordSession(t, [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT')]) },
    {
      at: 1,
      from: 'server',
      bytes: Buffer.concat([
        rowDescription({ name: 'r' }),
        ...rows,
        complete('SELECT 250'),
        ready(),
      ]),
    },
  ]);
  const some = (await replay(fixture, '--speed', 'max')).stdout;
  t.match(some, /row 99\n\(150 more rows; --rows all shows them\)\n\(250 rows\)/);
  t.match(
    (await replay(fixture, '--speed', 'max', '--rows', 'all')).stdout,
    /row 249\n\(250 rows\)/,
  );
});

t.test('what is damaged or cut off is played as far as it goes, with exit code 1', async (t) => {
  const cut = await recordSession(t, shopSession());
  truncateSync(cut.path, readFileSync(cut.path).length - 60);
  const torn = await replay(cut, '--speed', 'max');
  t.equal(torn.code, 0, 'its writer, this test, still runs: the session counts as open');
  t.match(torn.stdout, /alice> SELECT name/);

  const altered = await recordSession(t, shopSession());
  const bytes = readFileSync(altered.path);
  const place = bytes.indexOf('DROP TABLE');
  bytes.write('d', place);
  writeFileSync(altered.path, bytes);
  const damaged = await replay(altered, '--speed', 'max');
  t.equal(damaged.code, 1);
  t.match(damaged.stdout, /\(2 rows\)/);
  t.notMatch(damaged.stdout, /dROP/);
  t.match(damaged.stderr, /damaged after \d+ whole frames, at offset \d+/);

  writeFileSync(altered.path, 'no recording');
  t.match(await replay(altered), { code: 1, stderr: /not a Weir recording/ });
});

t.test('wrong arguments are told, with exit code 2', async (t) => {
  const { dataDir } = await recordSession(t, []);
  const cases: readonly [string[], RegExp][] = [
    [[], /which session/],
    [['nobody', '--data-dir', dataDir], /no session "nobody"/],
    [['last', '--data-dir', `${dataDir}/none`], /cannot read/],
    [['last', 'first'], /one session at a time/],
    [['last', '--format', 'asciicast'], /asciicast is not there yet/],
    [['last', '--format', 'xml'], /xml is unknown/],
    [['last', '--to', 'postgres://x'], /not there yet/],
    [['last', '--diff'], /not there yet/],
    [['last', '--speed', '0'], /--speed 0/],
    [['last', '--rows', '-1'], /rows/],
    [['last', '--nonsense'], /nonsense/],
    [['last', '--data-dir', dataDir, '-c', 'x.toml'], /not both/],
  ];
  for (const [argv, problem] of cases) {
    t.match(await runCommand(runReplay, argv), { code: 2, stdout: '', stderr: problem });
  }
  t.match(await runCommand(runReplay, ['--help']), { code: 0, stdout: /Usage: bin\/replay/ });
});

t.test('a protocol that cannot be shown is said', async (t) => {
  const fixture = await recordSession(t, [], { header: { protocol: 'gopher' }, reason: 'done' });
  t.match(await replay(fixture), { code: 2, stderr: /gopher/ });
});

t.test('Ctrl-C ends a replay at once; a reader that has gone is no error', async (t) => {
  const fixture = await recordSession(t, [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT 1')]) },
    { at: 90_000_000, from: 'client', bytes: query('SELECT 2') },
  ]);
  const script = fileURLToPath(new URL('./replay-command.js', import.meta.url));
  const interrupted = spawn(process.execPath, [script, fixture.path, '--speed', '1']);
  let output = '';
  interrupted.stdout.on('data', (chunk) => {
    output += String(chunk);
    if (output.includes('SELECT 1')) interrupted.kill('SIGINT');
  });
  const [code] = await once(interrupted, 'close');
  t.equal(code, 130);

  const large = await recordSession(t, [
    { at: 0, from: 'client', bytes: startup({ user: 'a' }) },
    {
      at: 1,
      from: 'client',
      bytes: Buffer.concat(Array.from({ length: 20_000 }, () => query('SELECT 1'))),
    },
  ]);
  const left = spawn(process.execPath, [script, large.path, '--speed', 'max']);
  let errors = '';
  left.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  await once(left.stdout, 'data');
  left.stdout.destroy();
  const [leftCode] = await once(left, 'close');
  t.equal(leftCode, 0);
  t.equal(errors, '');
});
