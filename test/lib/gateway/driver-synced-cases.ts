/** Session driver with durability "synced": nothing is forwarded before it is on the disk. */
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { allow, askStatement, createRig, record, relayScript, send } from './driver-rig.ts';
import { createGate, settle, until } from './duplex-pair.ts';

const WRITE_FAILED = new GatewayError('RECORDING_WRITE', 'no space left on device');

t.test('synced: a request is forwarded only when it is on the disk', async (t) => {
  const gate = createGate<void>();
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => gate.passed;
  rig.client.write('ask');
  await until(() => rig.log.includes('record client: ask'));
  rig.client.write('more');
  await settle();
  t.equal(rig.atServer.text, '');
  t.notOk(rig.log.includes('record client: more'), 'the client is not read meanwhile');
  rig.recorder.nextSync = undefined;
  gate.open();
  t.ok(await until(() => rig.atServer.text === 'askmore'));
  rig.driver.destroy('test over');
});

t.test('synced: what is decided during a flush waits for a flush of its own', async (t) => {
  const gates = [createGate<void>(), createGate<void>()];
  const decision = createGate<Decided>();
  let flushes = 0;
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received') {
        return [record('client', 'one'), send('server', 'one;'), askStatement('two')];
      }
      return event.kind === 'decided' && event.id > 0
        ? [record('client', 'two'), send('server', 'two;')]
        : [];
    }),
    decide: ({ kind }) => (kind === 'statement' ? decision.passed : allow()),
  });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => {
    flushes += 1;
    return gates[flushes - 1]?.passed;
  };
  rig.client.write('x');
  await until(() => flushes === 1);
  decision.open(allow());
  await until(() => rig.log.includes('record client: two'));
  gates[0]?.open();
  await until(() => rig.atServer.text !== '');
  await settle();
  t.equal(rig.atServer.text, 'one;', 'the first flush does not cover the second statement');
  gates[1]?.open();
  t.ok(await until(() => rig.atServer.text === 'one;two;'));
  rig.driver.destroy('test over');
});

t.test('synced: a half-close waits behind the request', async (t) => {
  const gate = createGate<void>();
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'closed' && event.side === 'client'
        ? [{ kind: 'finish', side: 'server' }]
        : [],
    ),
  });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => gate.passed;
  rig.driver.dispatch({ kind: 'received', from: 'client', bytes: Buffer.from('ask') });
  rig.driver.dispatch({ kind: 'closed', side: 'client' });
  await settle();
  t.equal(rig.atServer.text, '');
  t.notOk(rig.atServer.hasEnded);
  rig.recorder.nextSync = undefined;
  gate.open();
  t.ok(await until(() => rig.atServer.hasEnded));
  t.equal(rig.atServer.text, 'ask');
  rig.driver.destroy('test over');
});

t.test('synced: what the disk refuses is never forwarded', async (t) => {
  const gate = createGate<void>();
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => gate.passed;
  rig.client.write('DELETE');
  await until(() => rig.log.includes('record client: DELETE'));
  gate.fail(WRITE_FAILED);
  await until(() => rig.atServer.hasEnded);
  t.equal(rig.atServer.text, '');
  t.ok(await until(() => rig.atClient.text === 'last word 58030'));
  rig.driver.destroy('test over');
});

t.test('synced: a client that is gone before the flush has its request dropped', async (t) => {
  const gate = createGate<void>();
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => gate.passed;
  rig.client.write('DELETE');
  await until(() => rig.log.includes('record client: DELETE'));
  rig.driver.dispatch({ kind: 'closed', side: 'client', reason: 'lost' });
  gate.open();
  await settle();
  t.equal(rig.atServer.text, '');
  rig.driver.destroy('test over');
});

t.test(
  'synced: a server that does not read still stops the reading of the client (GW-12)',
  async (t) => {
    const rig = createRig({ script: relayScript(), highWaterMark: 1024 });
    rig.server.pause();
    rig.driver.start();
    await settle();
    rig.recorder.nextSync = () => Promise.resolve();
    const total = 200;
    for (let index = 0; index < total; index += 1) rig.client.write(Buffer.alloc(1024, 'p'));
    await settle(200);
    const read = rig.session.events.filter((event) => event.kind === 'received').length;
    t.ok(read < 20, `${read} of ${total} chunks were read`);
    rig.server.resume();
    t.ok(await until(() => rig.atServer.text.length === total * 1024));
    rig.driver.destroy('test over');
  },
);

t.test('synced: answers alone cause no flush', async (t) => {
  let flushes = 0;
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.recorder.nextSync = () => {
    flushes += 1;
    return Promise.resolve();
  };
  rig.server.write('answer');
  await until(() => rig.atClient.text === 'answer');
  t.equal(flushes, 0);
  rig.driver.destroy('test over');
});
