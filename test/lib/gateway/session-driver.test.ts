/** Order, decisions, backpressure and TLS; the rest of the driver is in the files of cases. */
import t from 'tap';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { allow, askStatement, block, createRig, record, relayScript, send } from './driver-rig.ts';
import { createGate, settle, until } from './duplex-pair.ts';
import './driver-ending-cases.ts';
import './driver-reading-cases.ts';
import './driver-recording-cases.ts';
import './driver-synced-cases.ts';

t.test('bytes are recorded before they are sent, in both directions', async (t) => {
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.client.write('ask');
  await until(() => rig.atServer.text === 'ask');
  rig.server.write('answer');
  await until(() => rig.atClient.text === 'answer');
  t.same(rig.log, [
    'record client: ask',
    'write server: ask',
    'record server: answer',
    'write client: answer',
  ]);
  rig.driver.destroy('test over');
});

t.test(
  'while a decision is awaited its side is not read, the other goes on (GW-2, GW-12)',
  async (t) => {
    const gate = createGate<Decided>();
    const rig = createRig({
      script: relayScript((event) => {
        if (event.kind === 'received' && event.from === 'client') {
          return [record('client', event.bytes.toString()), askStatement(event.bytes.toString())];
        }
        return event.kind === 'decided' ? [send('server', `decided ${event.decision.kind};`)] : [];
      }),
      decide: ({ kind }) => (kind === 'statement' ? gate.passed : allow()),
    });
    rig.driver.start();
    await settle();
    rig.client.write('one');
    await until(() => rig.log.includes('record client: one'));
    rig.client.write('two');
    rig.server.write('meanwhile');
    await until(() => rig.atClient.text === 'meanwhile');
    await settle();
    t.notOk(rig.log.includes('record client: two'), 'later bytes stay with the client');
    t.equal(rig.atServer.text, '', 'nothing overtakes the held statement');
    gate.open(allow());
    await until(() => rig.atServer.text === 'decided allow;decided allow;');
    t.equal(rig.atServer.text, 'decided allow;decided allow;');
    t.ok(rig.log.indexOf('record client: two') > rig.log.indexOf('write server: decided allow;'));
    rig.driver.destroy('test over');
  },
);

t.test('a held result stops the server side only (GW-12)', async (t) => {
  const gate = createGate<Decided>();
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received' && event.from === 'server')
        return [askStatement('T', 'server')];
      return event.kind === 'decided' && event.id > 0 ? [send('client', 'row;')] : [];
    }),
    decide: ({ kind }) => (kind === 'statement' ? gate.passed : allow()),
  });
  rig.driver.start();
  await settle();
  rig.server.write('T');
  await until(() => rig.session.kinds().includes('received'));
  rig.server.write('later');
  rig.client.write('ask');
  await until(() => rig.atServer.text === 'ask');
  const received = rig.session.events.filter((event) => event.kind === 'received');
  t.equal(received.length, 2, 'of the server only what came before');
  gate.open(allow());
  t.ok(await until(() => rig.atClient.text === 'row;row;'));
  rig.driver.destroy('test over');
});

t.test(
  'thousands of statements in one chunk that are decided at once do not grow the stack',
  async (t) => {
    const count = 50_000;
    let decided = 0;
    const rig = createRig({
      script: relayScript((event) => {
        if (event.kind === 'received') return [askStatement('0')];
        if (event.kind !== 'decided') return [];
        decided += 1;
        return decided < count ? [askStatement(`${decided}`)] : [send('server', 'all')];
      }),
    });
    rig.driver.start();
    await settle();
    decided = 0;
    rig.client.write('batch');
    t.ok(await until(() => rig.atServer.text === 'all'));
    t.equal(decided, count);
    t.same(rig.troubles, []);
    rig.driver.destroy('test over');
  },
);

t.test(
  'a decision that is known comes in the same turn, and its note is recorded first',
  async (t) => {
    const rig = createRig({
      script: relayScript((event) => {
        if (event.kind === 'received') return [askStatement('x')];
        return event.kind === 'decided' && event.id > 0
          ? [record('client', 'poison'), send('server', 'poison')]
          : [];
      }),
      decide: ({ kind }) => (kind === 'statement' ? block('42501') : allow()),
    });
    rig.driver.start();
    await settle();
    rig.driver.dispatch({ kind: 'received', from: 'client', bytes: Buffer.from('x') });
    t.same(rig.log, ['note decision', 'record client: poison', 'write server: poison']);
    rig.driver.destroy('test over');
  },
);

t.test('a decision that comes after the end does nothing', async (t) => {
  const gate = createGate<Decided>();
  const rig = createRig({
    script: relayScript((event) => (event.kind === 'received' ? [askStatement('x')] : [])),
    decide: ({ kind }) => (kind === 'statement' ? gate.passed : allow()),
  });
  rig.driver.start();
  await settle();
  rig.client.write('x');
  await until(() => rig.session.kinds().includes('received'));
  rig.driver.destroy('cut');
  const before = rig.session.events.length;
  gate.open(block('42501'));
  await settle();
  t.equal(rig.session.events.length, before);
  t.same(rig.troubles, []);
  t.same(rig.overs, [false]);
});

t.test('a decision that fails ends the session, not the process', async (t) => {
  const rig = createRig({
    script: relayScript((event) => (event.kind === 'received' ? [askStatement('x')] : [])),
    decide: ({ kind }) => (kind === 'statement' ? Promise.reject(new Error('a bug')) : allow()),
  });
  rig.driver.start();
  await settle();
  rig.client.end('x');
  t.ok(await until(() => rig.overs.length === 1));
  t.match(rig.troubles, [{ message: 'a bug' }]);
  t.equal(rig.atClient.text, 'last word 58030');
  t.equal(rig.atServer.text, '');
});

t.test(
  'a client that does not read stops the reading of the server, and only that (GW-12)',
  async (t) => {
    const rig = createRig({ script: relayScript(), highWaterMark: 1024 });
    rig.client.pause();
    rig.driver.start();
    await settle();
    const total = 200;
    for (let index = 0; index < total; index += 1) rig.server.write(Buffer.alloc(1024, 'r'));
    await settle(100);
    const read = rig.session.events.filter((event) => event.kind === 'received').length;
    t.ok(read < 20, `${read} of ${total} chunks were read`);
    rig.client.write('ask');
    t.ok(await until(() => rig.atServer.text === 'ask'), 'the other direction goes on');
    rig.client.resume();
    t.ok(
      await until(() => rig.atClient.text.length === total * 1024),
      'and then everything arrives',
    );
    rig.driver.destroy('test over');
  },
);

t.test(
  'a server that does not read stops the reading of the client, and only that (GW-12)',
  async (t) => {
    const rig = createRig({ script: relayScript(), highWaterMark: 1024 });
    rig.server.pause();
    rig.driver.start();
    await settle();
    const total = 200;
    for (let index = 0; index < total; index += 1) rig.client.write(Buffer.alloc(1024, 'p'));
    await settle(100);
    const read = rig.session.events.filter((event) => event.kind === 'received').length;
    t.ok(read < 20, `${read} of ${total} chunks were read`);
    rig.server.write('notice');
    t.ok(await until(() => rig.atClient.text === 'notice'), 'the other direction goes on');
    rig.server.resume();
    t.ok(
      await until(() => rig.atServer.text.length === total * 1024),
      'and then everything arrives',
    );
    rig.driver.destroy('test over');
  },
);

t.test('TLS is started where the session says so, and told to it', async (t) => {
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received' && event.bytes.toString() === 'tls?') {
        return [send('client', 'S'), { kind: 'secure', side: 'client', bytes: Buffer.alloc(0) }];
      }
      return [];
    }),
  });
  rig.driver.start();
  await settle();
  rig.client.write('tls?');
  await until(() => rig.session.kinds().includes('secured'));
  t.match(rig.session.events.at(-1), { kind: 'secured', side: 'client', alpn: 'test' });
  t.equal(rig.atClient.text, 'S', 'the answer goes out before the handshake');
  rig.client.write('inside');
  t.ok(await until(() => rig.atServer.text === 'inside'));
  rig.driver.destroy('test over');
});
