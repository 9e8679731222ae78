/** Pieces of a body are told in few pieces, in order, not while paused, and the end behind them all. */
import t from 'tap';
import { Inflow } from '../../../../lib/net/http/inflow.ts';
import { BATCH_SIZE_MAX, LONE_SIZE_MIN } from '../../../../lib/net/http/limits.ts';
import { settle } from '../../gateway/duplex-pair.ts';

function start(onBody: (inflow: Inflow) => void = () => undefined) {
  const log: string[] = [];
  const inflow = new Inflow({
    onBody: (bytes) => {
      log.push(bytes.length > 40 ? `${bytes.length}` : bytes.toString());
      onBody(inflow);
    },
    onEnded: (trailers) => log.push(`end ${JSON.stringify(trailers)}`),
  });
  return { inflow, log };
}

t.test('what comes in one turn is told as one, in order', async (t) => {
  const { inflow, log } = start();
  for (const text of ['a', 'b', 'c']) inflow.push(Buffer.from(text));
  t.same(log, []);
  await settle();
  t.same(log, ['abc']);
  inflow.push(Buffer.from('d'));
  inflow.end([['x', 'y']]);
  t.same(log, ['abc', 'd', 'end [["x","y"]]']);
  await settle();
  inflow.push(Buffer.from('late'));
  await settle();
  t.equal(log.length, 3, 'nothing comes behind the end');
});

t.test('it holds no more than one batch', async (t) => {
  const { inflow, log } = start();
  const size = LONE_SIZE_MIN / 2;
  for (let sum = 0; sum < 2 * BATCH_SIZE_MAX; sum += size) inflow.push(Buffer.alloc(size));
  t.same(log, [`${BATCH_SIZE_MAX}`, `${BATCH_SIZE_MAX}`]);
});

t.test('a large piece is told at once, with what waited before it', (t) => {
  const { inflow, log } = start();
  inflow.push(Buffer.alloc(100));
  inflow.push(Buffer.alloc(LONE_SIZE_MIN));
  inflow.push(Buffer.alloc(LONE_SIZE_MIN));
  t.same(log, [`${100 + LONE_SIZE_MIN}`, `${LONE_SIZE_MIN}`]);
  t.end();
});

t.test('nothing is told while it is paused, not even the end', async (t) => {
  const { inflow, log } = start();
  inflow.setPaused(true);
  inflow.push(Buffer.from('a'));
  inflow.end([]);
  await settle();
  t.same(log, []);
  inflow.setPaused(false);
  t.same(log, [], 'in a turn of its own');
  inflow.setPaused(true);
  await settle();
  t.same(log, [], 'paused again before its turn');
  inflow.setPaused(false);
  await settle();
  t.same(log, ['a', 'end []']);
});

t.test('whoever is told may pause or stop it at once', async (t) => {
  const paused = start((inflow) => inflow.setPaused(true));
  paused.inflow.push(Buffer.from('a'));
  paused.inflow.end([]);
  await settle();
  t.same(paused.log, ['a'], 'the end waits');
  paused.inflow.setPaused(false);
  await settle();
  t.same(paused.log, ['a', 'end []']);
  const stopped = start((inflow) => inflow.stop());
  stopped.inflow.push(Buffer.from('a'));
  stopped.inflow.end([]);
  await settle();
  t.same(stopped.log, ['a'], 'the end never comes');
});
