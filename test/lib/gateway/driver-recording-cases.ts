/** Session driver: what is recorded and when, and what happens when it cannot be. */
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import { allow, CLOSE, createRig, record, relayScript, send, SIGN_IN } from './driver-rig.ts';
import { settle, until } from './duplex-pair.ts';

const WRITE_FAILED = new GatewayError('RECORDING_WRITE', 'no space left on device');

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

t.test(
  'after the recorder failed nothing is forwarded, and the client gets a last word',
  async (t) => {
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
  },
);

t.test('a request in the same batch as a failed record is not forwarded either', async (t) => {
  const rig = createRig({
    script: relayScript((event) =>
      event.kind === 'received'
        ? [
            record('client', 'one'),
            send('server', 'one'),
            record('client', 'two'),
            send('server', 'two'),
          ]
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
