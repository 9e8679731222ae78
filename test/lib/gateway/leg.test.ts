import t from 'tap';
import { Leg } from '../../../lib/gateway/leg.ts';
import { createPair, Received, settle, until } from './duplex-pair.ts';

function createLeg(highWaterMark?: number) {
  const { near, far } = createPair(highWaterMark);
  const writes: number[] = [];
  const write = near._write.bind(near);
  near._write = (chunk, encoding, done) => {
    writes.push(chunk.length);
    write(chunk, encoding, done);
  };
  const log: string[] = [];
  const leg = new Leg(near, {
    onBytes: (bytes) => void log.push(`bytes ${bytes.toString()}`),
    onClosed: (reason) => void log.push(`closed ${reason}`),
    onDrain: () => void log.push('drain'),
  });
  return { leg, near, far, atFar: new Received(far), log, writes };
}

t.test('sends of one turn become one write, in their order', async (t) => {
  const { leg, atFar, writes } = createLeg();
  leg.send(Buffer.from('a'));
  leg.send(Buffer.from('b'));
  t.same(writes, [], 'nothing before the flush');
  t.equal(leg.pendingCount, 2);
  leg.flush();
  leg.flush();
  await until(() => atFar.text === 'ab');
  t.equal(atFar.text, 'ab');
  t.same(writes, [2]);
  t.equal(leg.pendingCount, 0);
});

t.test('large sends are not copied together, and stay in order', async (t) => {
  const { leg, atFar, writes } = createLeg(1024 * 1024);
  leg.send(Buffer.alloc(40 * 1024, 'a'));
  leg.send(Buffer.alloc(40 * 1024, 'b'));
  leg.flush();
  await until(() => atFar.text.length === 80 * 1024);
  t.same(writes, [40 * 1024, 40 * 1024]);
  t.match(atFar.text, /^a+b+$/);
});

t.test('a part of what is pending can be flushed, the rest stays', async (t) => {
  const { leg, atFar } = createLeg();
  for (const text of ['a', 'b', 'c']) leg.send(Buffer.from(text));
  leg.flush(2);
  leg.send(Buffer.from('d'));
  await settle();
  t.equal(atFar.text, 'ab');
  leg.flush();
  await until(() => atFar.text === 'abcd');
  t.equal(atFar.text, 'abcd');
});

t.test('what is discarded is never written', async (t) => {
  const { leg, atFar } = createLeg();
  leg.send(Buffer.from('secret'));
  leg.discard();
  leg.send(Buffer.from('rest'));
  leg.finish();
  await until(() => atFar.hasEnded);
  t.equal(atFar.text, 'rest');
});

t.test('reading goes on when the last reason to pause is gone', async (t) => {
  const { leg, far, log } = createLeg();
  leg.pause('decision');
  leg.pause('peer');
  leg.pause('peer');
  far.write('x');
  await settle();
  leg.resume('peer');
  leg.resume('sync');
  await settle();
  t.same(log, [], 'one reason is left');
  leg.resume('decision');
  await until(() => log.length > 0);
  t.same(log, ['bytes x']);
});

t.test('a leg whose peer does not read is full, and says when it is not', async (t) => {
  const { leg, far, log, atFar } = createLeg(16);
  far.pause();
  leg.send(Buffer.alloc(64, 'x'));
  leg.flush();
  t.ok(leg.isFull);
  await settle();
  t.same(log, []);
  far.resume();
  await until(() => log.length > 0);
  t.same(log, ['drain']);
  t.notOk(leg.isFull);
  t.equal(atFar.text.length, 64);
});

t.test('finish sends what is pending and goes on reading', async (t) => {
  const { leg, far, atFar, log } = createLeg();
  leg.send(Buffer.from('last'));
  leg.finish();
  leg.finish();
  leg.send(Buffer.from('too late'));
  leg.flush();
  await until(() => atFar.hasEnded);
  t.equal(atFar.text, 'last');
  far.write('answer');
  await until(() => log.length > 0);
  t.same(log, ['bytes answer']);
});

t.test('an end in order is told without a reason, and once', async (t) => {
  const { leg, far, log } = createLeg();
  far.end('x');
  await until(() => log.length === 2);
  leg.finish();
  await settle(20);
  t.same(log, ['bytes x', 'closed undefined']);
});

t.test('an error and a cut are told with their reason', async (t) => {
  const broken = createLeg();
  broken.far.reset();
  await until(() => broken.log.length === 2);
  t.same(broken.log, ['closed read ECONNRESET', 'closed the connection was closed']);
  const cut = createLeg();
  cut.leg.destroy();
  await until(() => cut.log.length > 0);
  t.same(cut.log, ['closed the connection was closed']);
});

t.test('after detach the socket belongs to somebody else', async (t) => {
  const { leg, near, far, log } = createLeg();
  leg.pause('decision');
  leg.detach();
  far.write('handshake');
  const other = new Received(near);
  near.resume();
  await until(() => other.text === 'handshake');
  t.equal(other.text, 'handshake');
  near.destroy(new Error('not of our concern'));
  await settle();
  t.same(log, []);
});

t.test('a replaced socket keeps the pauses and takes over the writing', async (t) => {
  const { leg, log } = createLeg();
  const inner = createPair();
  const atInner = new Received(inner.far);
  leg.pause('decision');
  leg.detach();
  leg.replaceSocket(inner.near);
  inner.far.write('x');
  leg.send(Buffer.from('y'));
  leg.flush();
  await until(() => atInner.text === 'y');
  t.equal(atInner.text, 'y');
  t.same(log, []);
  leg.resume('decision');
  await until(() => log.length > 0);
  t.same(log, ['bytes x']);
});
