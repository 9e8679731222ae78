/** Session driver: the session says itself when it wants no more of a side. */
import t from 'tap';
import type { SessionCommand } from '../../../protocols/contract.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { allow, askStatement, createRig, relayScript, send } from './driver-rig.ts';
import { createGate, settle, until } from './duplex-pair.ts';

const reading = (isPaused: boolean): SessionCommand => ({
  kind: 'reading',
  side: 'client',
  isPaused,
});

/** Enough to fill what a socket in memory holds, many times. */
const PIECE = Buffer.alloc(4096, 'x');
const PIECES = 50;

t.test('what a session pauses is not read, so that the peer has to wait (GW-12)', async (t) => {
  const rig = createRig({
    highWaterMark: 1024,
    script: relayScript((event) => {
      if (event.kind !== 'received') return [];
      if (event.from === 'server') return [reading(false), send('client', 'on')];
      return event.bytes.toString() === 'stop' ? [reading(true), send('server', 'stop')] : [];
    }),
  });
  rig.driver.start();
  await settle();
  rig.client.write('stop');
  await until(() => rig.atServer.text === 'stop');
  for (let piece = 0; piece < PIECES; piece += 1) rig.client.write(PIECE);
  await settle(200);
  const received = (): number =>
    rig.session.events
      .flatMap((event) =>
        event.kind === 'received' && event.from === 'client' ? [event.bytes.length] : [],
      )
      .reduce((sum, size) => sum + size, 0);
  t.ok(received() <= 4 + PIECE.length, 'at most what was under way');
  t.ok(rig.client.writableNeedDrain, 'the client is told that nobody reads');
  // The other side is still read: its answer lets the client go on.
  rig.server.write('answer');
  t.ok(await until(() => received() === 4 + PIECES * PIECE.length), 'nothing is lost');
  t.equal(rig.atClient.text, 'on');
  t.same(rig.troubles, []);
});

t.test('a pause of the session and one for a decision do not end each other', async (t) => {
  const gate = createGate<Decided>();
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received' && event.bytes.toString() === 'ask')
        return [reading(true), askStatement('ask')];
      return event.kind === 'received' && event.from === 'server' ? [reading(false)] : [];
    }),
    decide: (operation) => (operation.kind === 'statement' ? gate.passed : allow()),
  });
  rig.driver.start();
  await settle();
  rig.client.write('ask');
  await settle();
  rig.client.write('more');
  // The session reads on, the decision is still awaited.
  rig.server.write('go');
  await settle(50);
  t.notOk(rig.atServer.text.includes('more'));
  gate.open(allow());
  t.ok(await until(() => rig.atServer.text.includes('more')));
});

t.test('a session may pause and resume twice, or before its server is there', async (t) => {
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'received' && event.bytes.toString() === 'twice'
        ? [reading(true), reading(true), reading(false), send('server', 'read on')]
        : [],
    ),
  });
  rig.driver.start();
  await settle();
  rig.client.write('twice');
  await until(() => rig.atServer.text === 'read on');
  rig.client.write('more');
  t.ok(await until(() => rig.atServer.text === 'read onmore'));
});
