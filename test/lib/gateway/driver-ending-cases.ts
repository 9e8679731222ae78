/** Session driver: alarms, closes, lost peers and what comes after the end. */
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import type { SessionCommand } from '../../../protocols/contract.ts';
import { CLOSE, createRig, OPEN, relayScript, send } from './driver-rig.ts';
import { createGate, createPair, pause, settle, until } from './duplex-pair.ts';

t.test(
  'a half-closed client still gets its whole answer, however slowly it reads (GW-14)',
  async (t) => {
    const rig = createRig({
      script: relayScript((event) =>
        event.kind === 'closed' && event.side === 'client'
          ? [{ kind: 'finish', side: 'server' }]
          : [],
      ),
      highWaterMark: 1024,
    });
    rig.client.pause();
    rig.driver.start();
    await settle();
    rig.client.end('ask');
    await until(() => rig.atServer.hasEnded);
    t.equal(rig.atServer.text, 'ask');
    // The client's window is full with the second piece, so the third waits in the gateway.
    for (const size of [1000, 100, 100]) {
      rig.server.write(Buffer.alloc(size, 'r'));
      await settle();
    }
    rig.server.end();
    await settle(50);
    t.same(rig.overs, [], 'not over while the client still has to read');
    rig.client.resume();
    t.ok(await until(() => rig.overs.length === 1));
    t.equal(rig.atClient.text.length, 1200);
  },
);

t.test('alarms ring, are replaced by name, cleared, and silent after the end', async (t) => {
  const set = (alarm: string, after: number | undefined): SessionCommand => ({
    kind: 'wake',
    alarm,
    after,
  });
  const rig = createRig({
    script: (event) =>
      event.kind === 'opened'
        ? [
            set('a', 5),
            set('b', 5),
            set('b', undefined),
            set('c', 10_000),
            set('c', 10),
            set('d', 60),
          ]
        : [],
  });
  rig.driver.start();
  await pause(40);
  const rung = () =>
    rig.session.events.flatMap((event) => (event.kind === 'woke' ? [event.alarm] : []));
  t.same(rung(), ['a', 'c']);
  rig.driver.destroy('test over');
  await pause(60);
  t.same(rung(), ['a', 'c']);
});

t.test(
  'a close waits for the client to take the last word, and then for its own close',
  async (t) => {
    const rig = createRig({
      script: relayScript((event) =>
        event.kind === 'received' ? [send('client', 'bye'), send('server', 'X'), CLOSE] : [],
      ),
    });
    rig.driver.start();
    await settle();
    rig.client.write('x');
    await until(() => rig.atClient.hasEnded);
    t.equal(rig.atClient.text, 'bye');
    t.equal(rig.atServer.text, 'X');
    t.same(rig.overs, [], 'cutting it off now could lose what it has not read');
    const before = rig.session.events.length;
    rig.client.write('more');
    await settle();
    t.equal(rig.session.events.length, before, 'what it still says is not listened to');
    rig.client.end();
    t.ok(await until(() => rig.overs.length === 1, 1_800));
  },
);

t.test('a client that does not close its side is cut off after the linger time', async (t) => {
  const rig = createRig({
    script: relayScript((event) => (event.kind === 'received' ? [CLOSE] : [])),
  });
  rig.driver.start();
  await settle();
  rig.client.write('x');
  await until(() => rig.atClient.hasEnded);
  const start = Date.now();
  t.ok(await until(() => rig.overs.length === 1));
  const took = Date.now() - start;
  t.ok(took > 1_500, `${took} ms`);
  t.ok(rig.clientNear.destroyed);
});

t.test('over is said once, with the reason in the recording', async (t) => {
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.client.reset();
  await until(() => rig.overs.length > 0);
  rig.driver.destroy('again');
  rig.driver.dispatch({ kind: 'stopped', code: '57P01', reason: 'again' });
  rig.server.end();
  await settle();
  t.same(rig.overs, [false]);
  t.same(rig.recorder.ends, ['client lost: read ECONNRESET']);
});

t.test('a session is abandoned only when the server was at work for it (GW-14)', async (t) => {
  const cases = [
    { isBusy: true, end: 'client', isAbandoned: true },
    { isBusy: false, end: 'client', isAbandoned: false },
    { isBusy: true, end: 'server', isAbandoned: false },
  ] as const;
  for (const { isBusy, end, isAbandoned } of cases) {
    const rig = createRig({ script: relayScript() });
    rig.driver.start();
    await settle();
    rig.session.isBusy = isBusy;
    (end === 'client' ? rig.client : rig.server).reset();
    await settle();
    rig.client.end();
    t.ok(await until(() => rig.overs.length === 1), `${end} is gone`);
    t.same(rig.overs, [isAbandoned], `${end} gone, busy: ${isBusy}`);
  }
});

t.test('events after the end do nothing', async (t) => {
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.driver.destroy('cut');
  const before = rig.session.events.length;
  rig.driver.dispatch({ kind: 'received', from: 'client', bytes: Buffer.from('x') });
  rig.driver.note({ kind: 'ended', reason: 'x' });
  t.equal(rig.session.events.length, before);
  t.same(rig.log, []);
});

t.test('an upstream that cannot be reached is told to the session as a closed side', async (t) => {
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'closed' && event.side === 'server'
        ? [send('client', event.reason ?? ''), CLOSE]
        : [],
    ),
    openUpstream: () => Promise.reject(new GatewayError('UPSTREAM_CONNECT', 'refused')),
  });
  rig.driver.start();
  rig.client.end();
  await until(() => rig.overs.length === 1);
  t.equal(rig.atClient.text, 'refused');
  t.match(rig.troubles, [{ code: 'UPSTREAM_CONNECT' }]);
});

t.test('an upstream that comes after the client has gone is closed', async (t) => {
  const late = createPair();
  const gate = createGate<typeof late.near>();
  const rig = createRig({
    script: (event) => (event.kind === 'opened' ? [OPEN] : []),
    openUpstream: () => gate.passed,
  });
  rig.driver.start();
  rig.driver.destroy('cut');
  gate.open(late.near);
  await settle();
  t.ok(late.near.destroyed);
});
