/**
 * HTTP/1.1 and HTTP/2 through the gateway against direct: framing, order, trailers, cancels and deadlines of gRPC,
 * ends. What happens when somebody floods, stalls or dies is in store-transport-faults.ts.
 */

import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { checkFaults } from './store-transport-faults.ts';
import { checkRest2, checkTls, checkTlsToStore } from './store-transport-tls.ts';
import {
  startTransportGateway,
  TransportServer,
  type TransportGateway,
  type Way,
} from './store-transport-lab.ts';
import { Call, openGrpc, pause, say, Talk, until } from './store-transport-talk.ts';

export interface TransportLab extends TransportGateway {
  readonly server: TransportServer;
}

export const storeTransport: Suite = {
  name: 'store-transport',
  about:
    'HTTP/1.1, HTTP/2 and gRPC through a gateway process: framing, cancels, floods, stalls, deaths',
  run: async (context) => {
    const server = new TransportServer();
    await server.listen(context);
    const gateway = await startTransportGateway(context, server, LIMITS);
    const lab = { server, ...gateway };
    await compareHttp1(context, lab);
    await compareGrpc(context, lab);
    await checkCancels(context, lab);
    await checkTls(context, server);
    await checkRest2(context);
    await checkTlsToStore(context);
    await checkFaults(context, lab);
  },
};

const LIMITS = 'statement_size_max = 1048576, row_size_max = 1048576, sign_in_timeout = 20000';
const UPLOAD = 'POST /snapshots/upload';
const CHUNKED = 'transfer-encoding: chunked\r\n';

/** Each is one or more requests on one connection. */
const SCRIPTS: readonly (readonly [name: string, bytes: string, count: number])[] = [
  ['a length', say('GET /snapshots/sized?size=5'), 1],
  ['chunks of the server', say('GET /snapshots/chunks'), 1],
  ['trailers of the server', say('GET /snapshots/trailers'), 1],
  ['the last answer of a connection', say('GET /snapshots/closing'), 1],
  ['204', say('GET /snapshots/empty'), 1],
  ['304', say('GET /snapshots/same'), 1],
  ['an error with a reason and lines of one name', say('GET /snapshots/failed'), 1],
  ['a body with a length', say(UPLOAD, 'content-length: 5\r\n', 'hello'), 1],
  ['an empty body', say(UPLOAD, 'content-length: 0\r\n'), 1],
  [
    'a chunked body with an extension and trailers',
    say(UPLOAD, CHUNKED, '3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx-sum: 7\r\n\r\n'),
    1,
  ],
  ['100 pipelined', say('GET /snapshots/sized').repeat(100), 100],
  [
    'pipelined, of all kinds',
    say(UPLOAD, CHUNKED, '1\r\na\r\n0\r\n\r\n') +
      say('GET /snapshots/empty') +
      say('GET /snapshots/chunks') +
      say(UPLOAD, 'content-length: 2\r\n', 'ok') +
      say('GET /snapshots/trailers'),
    5,
  ],
  ['expect', say(UPLOAD, 'content-length: 5\r\nexpect: 100-continue\r\n', 'hello'), 2],
];

async function compareHttp1(context: SuiteContext, lab: TransportLab): Promise<void> {
  const ways: readonly Way[] = [lab.server.way, lab.way];
  for (const [name, bytes, count] of SCRIPTS) {
    await context.check(`same as direct: ${name}`, async () => {
      const shown: string[] = [];
      for (const way of ways) {
        const talk = new Talk(way);
        talk.socket.write(bytes, 'latin1');
        shown.push((await talk.answers(count)).join('\n\n'));
        talk.socket.destroy();
      }
      assertSameText(shown[1] ?? '', shown[0] ?? '', name);
      if (shown[0] === '') throw new Error('nothing came direct');
    });
  }
  await context.check('cut at each byte, on one connection that is kept', async () => {
    const bytes = say(UPLOAD, CHUNKED, '3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nx-sum: 7\r\n\r\n');
    const before = lab.server.connections;
    const talk = new Talk(lab.way);
    const answers = new Set<string>();
    for (let cut = 1; cut < bytes.length; cut += 1) {
      talk.socket.write(bytes.slice(0, cut), 'latin1');
      await pause(1);
      talk.socket.write(bytes.slice(cut), 'latin1');
      answers.add((await talk.answers(1)).join());
    }
    talk.socket.destroy();
    if (answers.size !== 1 || ![...answers][0]?.includes('"size":5')) {
      throw new Error([...answers].join('\n'));
    }
    const made = lab.server.connections - before;
    if (made !== 1) throw new Error(`${made} connections to the server`);
  });
  await context.check(
    'HEAD is no route: refused without a body, the connection goes on',
    async () => {
      const talk = new Talk(lab.way);
      talk.socket.write(say('HEAD /snapshots/sized') + say('GET /snapshots/empty'));
      await until(() => talk.text.includes('204'), 'the second answer');
      if (!/^HTTP\/1\.1 403 [^]*?\r\n\r\nHTTP\/1\.1 204 /.test(talk.text))
        throw new Error(talk.text);
      talk.socket.destroy();
    },
  );
  await context.check('a client that has closed its side gets its answer', async () => {
    const talk = new Talk(lab.way);
    talk.socket.end(say('GET /snapshots/sized'));
    const [answer = ''] = await talk.answers(1);
    if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
    await until(() => talk.hasEnded, 'the end of the connection');
  });
  context.progress(`${SCRIPTS.length} scripts of HTTP/1.1 compared`);
}

const CALLS: readonly (readonly [name: string, how: string, message: string])[] = [
  ['an echo with trailers', 'echo', 'hello'],
  ['an empty echo', 'echo', ''],
  ['trailers only', 'only', 'hello'],
  ['a reset of the server, with its code', 'reset', 'hello'],
  ['an answer of 3 MB', 'pour3000000', ''],
  ['GOAWAY with an answer behind it', 'away', 'still'],
];

async function compareGrpc(context: SuiteContext, { server, way }: TransportLab): Promise<void> {
  for (const [name, how, message] of CALLS) {
    await context.check(`same as direct: ${name}`, async () => {
      const shown: string[] = [];
      for (const one of [server.way, way]) {
        const session = openGrpc(one);
        const call = new Call(session, how);
        call.stream.end(message);
        shown.push(await call.shown());
        session.destroy();
      }
      assertSameText(shown[1] ?? '', shown[0] ?? '', name);
    });
  }
  await context.check('messages pass one by one, both ways, before either side ends', async () => {
    const session = openGrpc(way);
    const call = new Call(session, 'echo');
    for (let size = 1; size <= 200; size += 1) {
      call.stream.write('x');
      await until(() => call.size === size, `message ${size}`);
    }
    call.stream.end();
    const shown = await call.shown();
    if (!shown.includes('grpc-status: 0')) throw new Error(shown);
    session.destroy();
  });
  await context.check('te and grpc-timeout reach the server', async () => {
    const session = openGrpc(way);
    const call = new Call(session, 'only', { 'grpc-timeout': '7S' });
    call.stream.end();
    await call.shown();
    assertSameText(`${server.te.at(-1)} ${server.timeouts.at(-1)}`, 'trailers 7S', 'headers');
    session.destroy();
  });
  await context.check('after GOAWAY the next call is answered on a new connection', async () => {
    const session = openGrpc(way);
    for (const how of ['away', 'echo', 'away', 'echo']) {
      const call = new Call(session, how);
      call.stream.end('hello');
      const shown = await call.shown();
      if (!shown.includes('grpc-status: 0')) throw new Error(shown);
    }
    session.destroy();
  });
}

async function checkCancels(context: SuiteContext, { server, way }: TransportLab): Promise<void> {
  const lostNow = async (what: string, code: string, cancel: () => void): Promise<void> => {
    const before = server.lost.length;
    const asked = server.asked;
    await context.check(what, async () => {
      cancel();
      await until(() => server.lost.length > before, 'the server hears of it');
      assertSameText(server.lost.at(-1) ?? '', code, what);
      if (server.asked < asked) throw new Error('it was never asked');
    });
  };
  for (const how of ['silent', 'held']) {
    const session = openGrpc(way);
    const call = new Call(session, how);
    const asked = server.asked;
    call.stream.write('x');
    await until(() => server.asked > asked || call.size > 0, 'the call begins');
    await lostNow(`a cancel reaches the server (${how})`, '8', () => call.stream.close(8));
    session.destroy();
  }
  const session = openGrpc(way);
  const call = new Call(session, 'silent', { 'grpc-timeout': '1S' });
  const asked = server.asked;
  call.stream.write('x');
  await until(() => server.asked > asked, 'the call begins');
  // A client of gRPC resets its stream at its own deadline.
  await lostNow('a deadline reaches the server as a reset', '8', () => {
    setTimeout(() => call.stream.close(8), 1000);
  });
  const dying = new Call(session, 'silent');
  dying.stream.write('x');
  await until(() => server.asked > asked + 1, 'the call begins');
  await lostNow('a lost connection is a reset for the server', '8', () => session.destroy());
  for (const how of ['silent', 'half']) {
    const talk = new Talk(way);
    const before = server.asked;
    talk.socket.write(say(`GET /snapshots/${how}`));
    await until(() => server.asked > before, 'the request');
    await lostNow(`a closed socket reaches the server (${how})`, 'closed', () =>
      talk.socket.resetAndDestroy(),
    );
  }
}
