/** What is on record, and when: before it is forwarded, on the disk where that is asked for, or not at all. */
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import { createGate, settle, until } from './duplex-pair.ts';
import { RelaySession, startExchanges } from './exchange-rig.ts';
import {
  connectClient,
  fetchHttp1,
  fetchHttp2,
  serveHttp1,
  serveHttp2,
} from './exchange-servers.ts';

const WRITE_FAILED = new GatewayError('RECORDING_WRITE', 'no space left on device');

t.test('what cannot be recorded never reaches the server', async (t) => {
  let requests = 0;
  const upstreamPort = await serveHttp1(t, (_request, response) => {
    requests += 1;
    response.end('ok');
  });
  const rig = await startExchanges(t, {
    upstreamPort,
    startRecording: () => {
      throw new GatewayError('RECORDING_OPEN', 'no space left on device');
    },
  });
  const answer = await fetchHttp1(rig.port);
  t.equal(answer.status, 503);
  t.match(answer.body.toString(), /cannot record/);
  t.ok(await rig.allOver());
  t.equal(requests, 0);
});

t.test('an answer that cannot be recorded is not given', async (t) => {
  const upstreamPort = await serveHttp2(t, (stream, headers) => {
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/slow') stream.write('first');
    else stream.end('secret');
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  const slow = session.request({ ':path': '/slow' });
  let got = '';
  slow.on('error', () => undefined);
  slow.on('data', (bytes: Buffer) => (got += bytes.toString()));
  t.ok(await until(() => got === 'first'));
  const [recorder] = rig.recorders;
  if (recorder === undefined) throw new Error('no recorder');
  // The request and the head of the answer, and then no more.
  recorder.failure = WRITE_FAILED;
  recorder.appendsLeft = 2;
  const answer = await fetchHttp2(session, { path: '/secret' }).catch(String);
  t.notMatch(JSON.stringify(answer), /secret"/);
  t.ok(await until(() => slow.closed));
  t.not(slow.rstCode, 0, 'an answer that had begun is cut, not ended');
  t.equal(got, 'first');
  t.ok(await rig.allOver());
  t.equal(rig.troubles[0], WRITE_FAILED);
});

t.test('synced: a request is forwarded only when it is on the disk', async (t) => {
  const gate = createGate<void>();
  let requests = 0;
  const upstreamPort = await serveHttp2(t, (stream) => {
    requests += 1;
    stream.respond({ ':status': 200 });
    stream.end('ok');
  });
  const rig = await startExchanges(t, { upstreamPort });
  const session = connectClient(t, rig.port);
  await fetchHttp2(session);
  const [recorder] = rig.recorders;
  if (recorder === undefined) throw new Error('no recorder');
  recorder.nextSync = () => gate.passed;
  const asked = fetchHttp2(session, { method: 'POST', path: '/2', body: 'x' });
  t.ok(await until(() => rig.log.includes('record client: POST /2')));
  await settle(50);
  t.equal(requests, 1);
  recorder.nextSync = undefined;
  gate.open();
  t.equal((await asked).body.toString(), 'ok');
  t.equal(requests, 2);
  const failed = createGate<void>();
  recorder.nextSync = () => failed.passed;
  const lost = fetchHttp2(session, { path: '/3' });
  t.ok(await until(() => rig.log.includes('record client: GET /3')));
  failed.fail(WRITE_FAILED);
  t.equal((await lost).status, 503);
  t.ok(await rig.allOver());
  t.equal(requests, 2);
});

t.test('recording comes before everything, and a fault of a session ends only that', async (t) => {
  const upstreamPort = await serveHttp1(t, (_request, response) => response.end('answer'));
  const rig = await startExchanges(t, {
    upstreamPort,
    session: () =>
      new RelaySession((event) => {
        if (event.kind === 'request' && event.head.target === '/bug') throw new Error('bug');
        return undefined;
      }),
  });
  t.equal((await fetchHttp1(rig.port)).body.toString(), 'answer');
  t.same(rig.log, ['record client: GET /', 'record server: 200', 'record server: answer']);
  await t.rejects(fetchHttp1(rig.port, { path: '/bug' }));
  t.equal((await fetchHttp1(rig.port)).body.toString(), 'answer');
  t.ok(await rig.allOver());
  t.match(rig.troubles, [{ message: 'bug' }]);
});
