/**
 * Random walks through the protocol: the same messages direct and through a gateway that masks and blocks,
 * over clear data, must give the same messages and the same transaction status, whatever their order.
 */

import { assertSameText, type SuiteContext } from './harness.ts';
import type { Way } from './lab.ts';
import { connectTo, type RedLab } from './red-team-lab.ts';
import {
  bind,
  closeNamed,
  decodeFields,
  describe,
  execute,
  flush,
  type Message,
  parse,
  printMessage,
  query,
  sync,
} from '../support/raw-postgres.ts';

const WALKS = 120;
const STEPS_MAX = 14;

/** A small generator with a seed that is printed with a failure (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const TEXTS: readonly string[] = [
  'SELECT id, title FROM regions ORDER BY id',
  'SELECT name FROM customers ORDER BY id',
  'SELECT count(*) FROM customers',
  'INSERT INTO outbox (body) VALUES ($$x$$) RETURNING body',
  'SELECT 1/0',
  'SELECT nope',
  'SELEC',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT a',
  'ROLLBACK TO a',
  'DECLARE p CURSOR FOR SELECT id FROM regions',
  'FETCH 1 FROM p',
  'CLOSE p',
  'PREPARE s AS SELECT title FROM regions ORDER BY id',
  'EXECUTE s',
  'DEALLOCATE s',
  'DEALLOCATE ALL',
  'DISCARD PLANS',
  'SELECT harmless(1)',
  'COPY regions TO STDOUT',
  'SELECT email FROM customers WHERE false',
  `SET application_name = 'walk'`,
  'CREATE TEMP TABLE walked (n int)',
  'LISTEN w',
];
const PAIRS: readonly string[] = [
  'SELECT 1; SELECT 2',
  'BEGIN; SELECT 1',
  'SELECT 1; SELECT 1/0; SELECT 3',
  'COMMIT; SELECT 1; ROLLBACK',
];

/** Messages of one write. */
type Segment = readonly Buffer[];

function makeSegment(random: () => number): Segment {
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const name = (): string => pick(['', 's', 't']);
  const portal = (): string => pick(['', 'p', 'q']);
  const makers: readonly (() => readonly Buffer[])[] = [
    () => [parse(name(), pick(TEXTS))],
    () => [bind(portal(), name(), { resultFormats: [pick([0, 1])] })],
    () => [describe('S', name())],
    () => [describe('P', portal())],
    () => [execute(portal(), pick([0, 0, 1]))],
    () => [closeNamed(pick(['S', 'P'] as const), pick(['', 's', 'p']))],
    () => [flush()],
    () => [sync()],
    () => [query(pick([...TEXTS, ...PAIRS]))],
    () => {
      const [one, text] = [portal(), pick(TEXTS)];
      return [parse('', text), bind(one, ''), describe('P', one), execute(one)];
    },
    () => [parse('t', pick(TEXTS)), bind('q', 't'), execute('q', pick([0, 1])), sync()],
  ];
  const parts: Buffer[] = [];
  const count = 1 + Math.floor(random() * 5);
  for (let step = 0; step < count; step += 1) parts.push(...pick(makers)());
  return parts;
}

/**
 * Behind each segment stands a Sync and an empty statement of its own, whose EmptyQueryResponse nothing
 * else gives, not even in a failed transaction: no pause has to be guessed. COPY FROM is left to
 * other checks, because it would swallow that mark.
 */
const MARK: Segment = [
  sync(),
  closeNamed('S', 'mark'),
  closeNamed('P', 'mark'),
  parse('mark', ''),
  bind('mark', 'mark'),
  execute('mark'),
  sync(),
];

/** Some walks leave a server waiting for more; a difference is looked at once more, with more patience. */
const PATIENCE = [2_000, 20_000] as const;

async function play(way: Way, segments: readonly Segment[], patience: number): Promise<string> {
  const client = await connectTo(way);
  const seen: string[] = [];
  try {
    for (const segment of segments) {
      client.send(...segment, ...MARK);
      for (let isMarked = false, isDone = false; !isDone; ) {
        const one = await client.next(patience).catch(() => undefined);
        seen.push(
          one === undefined ? `nothing more${client.isClosed ? ', closed' : ''}` : print(one),
        );
        isMarked ||= one?.type === 'I';
        isDone = one === undefined || (isMarked && one.type === 'Z');
      }
      if (seen.at(-1)?.startsWith('nothing')) return seen.join('\n');
    }
    await client.query('ROLLBACK');
    seen.push(...(await client.query(`SELECT 'end'`)).map(print));
  } finally {
    client.close();
  }
  return seen.join('\n');
}

function print(one: Message): string {
  if (one.type !== 'E' && one.type !== 'N') return printMessage(one);
  return `${one.type} ${decodeFields(one.body)['C']}`;
}

export async function checkWalks(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('random walks');
  await lab.recreate();
  const first = Number(process.env['WEIR_RED_TEAM_SEED'] ?? 1);
  for (let seed = first; seed < first + WALKS; seed += 1) {
    const random = randomOf(seed);
    const segments = Array.from({ length: 1 + Math.floor(random() * STEPS_MAX) }, () =>
      makeSegment(random),
    );
    await context.check(`walk with seed ${seed}`, async () => {
      const [short, long] = PATIENCE;
      const expected = await play(lab.direct, segments, short);
      if ((await play(lab.masked, segments, short)) === expected) return;
      const again = await play(lab.direct, segments, long);
      assertSameText(await play(lab.masked, segments, long), again, `seed ${seed}`);
    });
  }
}
