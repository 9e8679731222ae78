import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { runWhoSaw } from '../../../lib/cli/who-saw.ts';
import { encodeCancel } from '../../../protocols/wire/exchange-record.ts';
import {
  type Capture,
  exchangeSteps,
  GRPC_HEADERS,
  qdrantAnswer,
  qdrantQuery,
} from '../recording/exchange-capture.ts';
import { type Fixture, recordSession } from '../recording/session-fixture.ts';
import { runCommand } from './command-run.ts';

const ASK = ['--connection', 'qdrant', '--collection', 'people', '--id', '42'];
const REST: Capture = {
  exchange: 1,
  line: 'POST /collections/alias/points/query',
  body: '{"query":[0.1,0.2,0.3,0.4,0.5,0.6],"limit":3}',
  note: { principal: 'ann', route: 'POST /points/query', objects: ['qdrant:people'] },
  answer: '{"result":{"points":[{"id":42,"payload":{"email":"***"}}]}}',
};
const RPC: Capture = {
  exchange: 2,
  line: 'POST /qdrant.Points/Query',
  headers: GRPC_HEADERS,
  body: qdrantQuery('people', [0.1, 0.2]),
  note: { principal: 'bob', route: 'qdrant.Points/Query', objects: ['qdrant:people'] },
  answerHeaders: GRPC_HEADERS,
  answer: qdrantAnswer([7, 42]),
};

async function record(
  t: Test,
  captures: readonly Capture[],
  own: Partial<Fixture> = {},
  session = 'session-1',
) {
  return recordSession(
    t,
    captures.flatMap((one, index) => exchangeSteps(one, index * 100_000)),
    {
      ...(own.dataDir === undefined ? {} : { dataDir: own.dataDir }),
      header: { protocol: 'qdrant', connection: 'qdrant', session },
      reason: 'client closed',
    },
  );
}

t.test('who, when, in which session, by which query', async (t) => {
  const { dataDir } = await record(t, [REST, RPC]);
  const { code, stdout, stderr } = await runCommand(runWhoSaw, [...ASK, '--data-dir', dataDir]);
  t.equal(code, 0);
  const [first = '', second = '', ...rest] = stdout.split('\n');
  t.match(
    first,
    /^2026-03-04T05:06:07\.\d{3}Z {2}ann {2}session-1 {2}#1 {2}POST \/points\/query {2}POST \/collections\/alias/,
  );
  t.match(first, '{"query": [0.1, 0.2, ... 6 numbers], "limit": 3}');
  t.match(
    second,
    /bob {2}session-1 {2}#2 {2}qdrant\.Points\/Query {2}.*\{1: "people", 3: \{1: \[0\.1, 0\.2\]\}\}/,
  );
  t.same(rest, ['']);
  t.match(stderr, '1 recording of "qdrant" searched, seen 2 times');
});

t.test('nobody: another id, another collection, refused, withheld, not asked for', async (t) => {
  const { dataDir } = await record(t, [
    { ...REST, answer: '{"result":{"points":[{"id":43,"score":42}]}}' },
    { ...REST, exchange: 2, note: { ...REST.note, objects: ['qdrant:people2'] } },
    { ...REST, exchange: 3, note: { ...REST.note, outcome: 'block' }, by: 'gateway' },
    { ...REST, exchange: 4, by: 'gateway' },
    { ...REST, exchange: 5, body: '{"id":42}', answer: '{"result":true}' },
  ]);
  const { code, stdout } = await runCommand(runWhoSaw, [...ASK, '--data-dir', dataDir]);
  t.equal(stdout, '');
  t.equal(code, 1);
});

t.test('names by their parts from the right, and other connections', async (t) => {
  const chroma = { ...REST, note: { ...REST.note, objects: ['chroma:acme/main/people'] } };
  const { dataDir } = await record(t, [chroma]);
  const ask = async (collection: string, connection = 'qdrant'): Promise<number> => {
    const argv = ['--connection', connection, '--collection', collection, '--id', '42'];
    return (await runCommand(runWhoSaw, [...argv, '--data-dir', dataDir])).code;
  };
  t.equal(await ask('people'), 0);
  t.equal(await ask('main/people'), 0);
  t.equal(await ask('chroma:acme/main/people'), 0);
  t.equal(await ask('other/people'), 1);
  t.equal(await ask('people', 'elsewhere'), 1);
});

t.test('JSON', async (t) => {
  const { dataDir } = await record(t, [REST]);
  const argv = [...ASK, '--format', 'json', '--data-dir', dataDir];
  const { stdout } = await runCommand(runWhoSaw, argv);
  t.match(JSON.parse(stdout), {
    principal: 'ann',
    session: 'session-1',
    exchange: 1,
    client: /127/,
  });
});

t.test('what cannot be read makes the answer incomplete', async (t) => {
  const { dataDir, path } = await record(t, [REST, RPC]);
  const { path: other } = await record(t, [REST], { dataDir }, 'session-2');
  writeFileSync(join(dirname(path), 'broken.weir'), 'no recording');
  const altered = readFileSync(other);
  altered[900] = (altered[900] ?? 0) ^ 1;
  writeFileSync(other, altered);
  const { code, stdout, stderr } = await runCommand(runWhoSaw, [...ASK, '--data-dir', dataDir]);
  t.equal(code, 3);
  t.match(stdout, /ann {2}session-1/, 'what is there is told');
  t.match(stderr, /broken\.weir/);
  t.match(stderr, /session-2\.weir/);
  const { dataDir: odd } = await record(t, [{ ...REST, answer: '{"result":' }]);
  const found = await runCommand(runWhoSaw, [...ASK, '--data-dir', odd]);
  t.match(found, { code: 3, stderr: /the answer to #1 \(10 bytes\) cannot be searched/ });
});

t.test('of an answer that its client broke off, what came is looked at', async (t) => {
  const broken = [
    ...exchangeSteps(REST).slice(0, -1),
    {
      at: 9_000,
      from: 'client' as const,
      bytes: encodeCancel(1, { code: 8, reason: 'the stream was reset (8)' }),
    },
  ];
  const header = { protocol: 'qdrant', connection: 'qdrant', session: 'session-1' };
  const { dataDir } = await recordSession(t, broken, { header, reason: 'client closed' });
  const { code, stdout } = await runCommand(runWhoSaw, [...ASK, '--data-dir', dataDir]);
  t.match(stdout, /ann {2}session-1 {2}#1/);
  t.equal(code, 0);
});

t.test('arguments', async (t) => {
  t.match(await runCommand(runWhoSaw, ['--help']), { code: 0, stdout: /--collection NAME/ });
  t.match(await runCommand(runWhoSaw, ['--id', '1']), { code: 2, stderr: /which record/ });
  t.equal((await runCommand(runWhoSaw, [...ASK, '--format', 'csv'])).code, 2);
  t.equal((await runCommand(runWhoSaw, [...ASK, '-c', 'nowhere.toml'])).code, 2);
});
