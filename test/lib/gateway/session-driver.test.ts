import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import type { Decided } from '../../../lib/gateway/session-driver.ts';
import type { SessionCommand } from '../../../protocols/contract.ts';
import {
  allow,
  askStatement,
  block,
  CLOSE,
  createRig,
  OPEN,
  record,
  relayScript,
  send,
  SIGN_IN,
} from './driver-rig.ts';
import { createPair, pause, settle, until } from './duplex-pair.ts';

const WRITE_FAILED = new GatewayError('RECORDING_WRITE', 'no space left on device');

/** A promise that the test settles. */
function createGate<Value>() {
  let open: (value: Value) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const passed = new Promise<Value>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}

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

t.test('what came before the sign-in is in the recording, in order and by whom', async (t) => {
  const rig = createRig({
    script: (event) =>
      event.kind === 'opened'
        ? [
            record('client', 'startup'),
            { kind: 'record', from: 'server', bytes: Buffer.from('N'), by: 'gateway' },
            SIGN_IN,
          ]
        : [],
  });
  rig.driver.start();
  t.same(rig.log, ['record client: startup', 'record server by gateway: N']);
  rig.driver.destroy('test over');
  t.same(rig.recorder.ends, ['test over']);
});

t.test('who only knocks or cancels leaves no recording', async (t) => {
  let starts = 0;
  const rig = createRig({
    script: (event) =>
      event.kind === 'opened'
        ? [
            record('client', 'cancel'),
            {
              kind: 'decide',
              holds: 'client',
              operation: { kind: 'cancel', id: 1, key: Buffer.from('key') },
            },
          ]
        : event.kind === 'decided'
          ? [CLOSE]
          : [],
    startRecording: () => {
      starts += 1;
      throw new Error('never');
    },
  });
  rig.driver.start();
  await settle();
  t.equal(starts, 0);
  t.same(rig.log, []);
  rig.driver.destroy('test over');
});

t.test('a sign-in that cannot be recorded is refused, and the client is told', async (t) => {
  let asked = 0;
  const rig = createRig({
    script: (event) => {
      if (event.kind === 'opened') return [SIGN_IN];
      if (event.kind !== 'decided' || event.decision.kind !== 'block') return [];
      return [send('client', `${event.decision.code} ${event.decision.reason}`), CLOSE];
    },
    decide: () => {
      asked += 1;
      return allow();
    },
    startRecording: () => {
      throw new GatewayError('RECORDING_OPEN', 'no space left on device');
    },
  });
  rig.driver.start();
  rig.client.end();
  await until(() => rig.overs.length > 0);
  t.equal(rig.atClient.text, '58030 Weir cannot record this session, so it is refused');
  t.equal(asked, 0, 'nothing else is asked');
  t.match(rig.troubles, [{ code: 'RECORDING_OPEN' }]);
  t.same(rig.overs, [false]);
});

t.test('a recording that fails on its first bytes is closed', async (t) => {
  const rig = createRig({
    script: (event) => (event.kind === 'opened' ? [record('client', 'startup'), SIGN_IN] : [CLOSE]),
  });
  rig.recorder.failure = WRITE_FAILED;
  rig.driver.start();
  t.match(rig.troubles, [{ code: 'RECORDING_WRITE' }]);
  t.equal(rig.recorder.ends.length, 1, 'or its file would stay open for ever');
  rig.driver.destroy('test over');
});

t.test('after the recorder failed nothing is forwarded, and the client gets a last word', async (t) => {
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.recorder.failure = WRITE_FAILED;
  rig.client.write('DELETE');
  await until(() => rig.atClient.hasEnded);
  rig.client.write('DROP');
  await settle();
  t.equal(rig.atServer.text, '', 'the server sees none of it');
  t.equal(rig.atClient.text, 'last word 58030');
  t.ok(rig.atServer.hasEnded, 'its connection ends');
  t.match(rig.session.events.at(-1), { kind: 'stopped', code: '58030', reason: /cannot record/ });
  t.equal(rig.recorder.ends.length, 1, 'the file is closed');
  rig.client.end();
  t.ok(await until(() => rig.overs.length === 1));
});

t.test('a request in the same batch as a failed record is not forwarded either', async (t) => {
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'received'
        ? [record('client', 'one'), send('server', 'one'), record('client', 'two'), send('server', 'two')]
        : [],
    ),
  });
  rig.driver.start();
  await settle();
  rig.recorder.failure = WRITE_FAILED;
  rig.recorder.appendsLeft = 1;
  rig.client.write('x');
  await until(() => rig.atClient.hasEnded);
  t.same(rig.log, ['record client: one', 'write client: last word 58030']);
  t.equal(rig.atServer.text, '');
  rig.driver.destroy('test over');
});

t.test('when the failure may have cut a message, there is no last word (GW-13)', async (t) => {
  const rig = createRig({ script: relayScript() });
  rig.driver.start();
  await settle();
  rig.server.write('half a row, ');
  await until(() => rig.atClient.text !== '');
  rig.recorder.failure = WRITE_FAILED;
  rig.server.write('the other half');
  await until(() => rig.atClient.hasEnded);
  t.equal(rig.atClient.text, 'half a row, ', 'an error here would be read as the rest of the row');
  rig.driver.destroy('test over');
});

t.test('a fault of the session ends that session only, and the recording says so', async (t) => {
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received') throw new Error('a bug');
      return event.kind === 'stopped'
        ? [record('server', 'last word'), send('client', 'last word'), CLOSE]
        : [];
    }),
  });
  rig.driver.start();
  await settle();
  rig.client.end('x');
  await until(() => rig.overs.length === 1);
  t.match(rig.troubles, [{ message: 'a bug' }]);
  t.equal(rig.atClient.text, 'last word');
  t.ok(rig.log.includes('record server: last word'), 'what the client saw is on record');
  t.same(rig.recorder.ends, ['internal error in Weir']);
});

t.test('while a decision is awaited its side is not read, the other goes on (GW-2, GW-12)', async (t) => {
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
});

t.test('a held result stops the server side only (GW-12)', async (t) => {
  const gate = createGate<Decided>();
  const rig = createRig({
    script: relayScript((event) => {
      if (event.kind === 'received' && event.from === 'server') return [askStatement('T', 'server')];
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

t.test('thousands of statements in one chunk that are decided at once do not grow the stack', async (t) => {
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
});

t.test('a decision that is known comes in the same turn, and its note is recorded first', async (t) => {
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
});

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

t.test('a client that does not read stops the reading of the server, and only that (GW-12)', async (t) => {
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
  t.ok(await until(() => rig.atClient.text.length === total * 1024), 'and then everything arrives');
  rig.driver.destroy('test over');
});

t.test('a server that does not read stops the reading of the client, and only that (GW-12)', async (t) => {
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
  t.ok(await until(() => rig.atServer.text.length === total * 1024), 'and then everything arrives');
  rig.driver.destroy('test over');
});

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
      event.kind === 'closed' && event.side === 'client' ? [{ kind: 'finish', side: 'server' }] : [],
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

t.test('synced: a server that does not read still stops the reading of the client (GW-12)', async (t) => {
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
});

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

t.test('a half-closed client still gets its whole answer, however slowly it reads (GW-14)', async (t) => {
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'closed' && event.side === 'client' ? [{ kind: 'finish', side: 'server' }] : [],
    ),
    highWaterMark: 1024,
  });
  rig.client.pause();
  rig.driver.start();
  await settle();
  rig.client.end('ask');
  await until(() => rig.atServer.hasEnded);
  t.equal(rig.atServer.text, 'ask');
  const total = 16 * 1024;
  rig.server.end(Buffer.alloc(total, 'r'));
  await settle(100);
  t.same(rig.overs, [], 'not over while the client still has to read');
  rig.client.resume();
  t.ok(await until(() => rig.overs.length === 1));
  t.equal(rig.atClient.text.length, total);
});

t.test('alarms ring, are replaced by name, cleared, and silent after the end', async (t) => {
  const set = (alarm: string, after: number | undefined): SessionCommand => ({
    kind: 'wake',
    alarm,
    after,
  });
  const rig = createRig({
    script: (event) =>
      event.kind === 'opened'
        ? [set('a', 5), set('b', 5), set('b', undefined), set('c', 10_000), set('c', 10), set('d', 60)]
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

t.test('a close waits for the client to take the last word, and then for its own close', async (t) => {
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
  t.ok(await until(() => rig.overs.length === 1, 1000));
});

t.test('a client that does not close its side is cut off after the linger time', async (t) => {
  const rig = createRig({ script: relayScript((event) => (event.kind === 'received' ? [CLOSE] : [])) });
  rig.driver.start();
  await settle();
  rig.client.write('x');
  await until(() => rig.atClient.hasEnded);
  const start = Date.now();
  t.ok(await until(() => rig.overs.length === 1, 4_000));
  const took = Date.now() - start;
  t.ok(took > 1_500 && took < 3_500, `${took} ms`);
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
