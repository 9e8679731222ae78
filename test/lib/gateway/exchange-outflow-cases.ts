/** What waits for a slow peer has a limit over all exchanges; a request that is not whole keeps no connection. */
import { Readable } from 'node:stream';
import type { SessionCommand, SessionEvent } from '../../../protocols/contract.ts';
import t from 'tap';
import { GET, RawHttp2, FRAME, hpack, END_HEADERS, word } from '../net/http/raw-http2.ts';
import { until } from './duplex-pair.ts';
import { RelaySession, startExchanges } from './exchange-rig.ts';
import { connectClient, RawSocket, serveHttp1, serveHttp2 } from './exchange-servers.ts';

const MEGABYTE = 1024 * 1024;

function* pieces(size: number): Generator<Buffer> {
  const piece = Buffer.alloc(16 * 1024);
  for (let left = size; left > 0; left -= piece.length) yield piece;
}

/** Answers are held until they are whole, and then given away in one piece, as those are that are masked. */
function holdAnswers(): RelaySession {
  const held = new Map<number, Buffer[]>();
  return new RelaySession((event: SessionEvent): SessionCommand[] | undefined => {
    if (event.kind === 'body' && event.from === 'server') {
      held.set(event.exchange, [...(held.get(event.exchange) ?? []), event.bytes]);
      return [];
    }
    if (event.kind !== 'ended' || event.from !== 'server') return undefined;
    const { exchange, trailers } = event;
    const bytes = Buffer.concat(held.get(exchange) ?? []);
    return [
      { kind: 'body', exchange, to: 'client', bytes },
      { kind: 'end', exchange, to: 'client', trailers },
    ];
  });
}

t.test(
  'a client that reads none of many large answers does not have all of them held',
  async (t) => {
    const count = 40;
    const upstreamPort = await serveHttp2(t, (stream) => {
      stream.respond({ ':status': 200 });
      // Piece by piece: a server of Node refuses streams when more than 10 MB wait in it.
      Readable.from(pieces(MEGABYTE)).pipe(stream);
    });
    const rig = await startExchanges(t, {
      upstreamPort,
      session: holdAnswers,
      heldSizeMax: 4 * MEGABYTE,
      isQuiet: true,
    });
    const raw = RawHttp2.connect(rig.port);
    for (let index = 0; index < count; index += 1) raw.ask(1 + 2 * index);
    const ended = (): number =>
      rig.events().filter((event) => event.kind === 'ended' && event.from === 'server').length;
    t.ok(await until(() => ended() >= 4));
    // Whoever waits for nothing to happen has to wait for some time: until two looks are the same.
    for (let last = -1; last !== ended(); ) {
      last = ended();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    t.ok(ended() <= 8, `${ended()} answers of a megabyte wait where 4 are allowed`);
    raw.say(FRAME.window, 0, 0, word(2 * count * MEGABYTE));
    for (let index = 0; index < count; index += 1) {
      raw.say(FRAME.window, 0, 1 + 2 * index, word(2 * MEGABYTE));
    }
    const size = (): number =>
      raw.of(FRAME.data).reduce((sum, { payload }) => sum + payload.length, 0);
    t.ok(await until(() => size() === count * MEGABYTE), 'all of them come');
    t.same(rig.troubles, []);
    raw.socket.destroy();
    t.ok(await rig.allOver());
  },
);

/** As the session of the stores: whose answer is whole needs nothing more of its request. */
const leaveAtEnd = () =>
  new RelaySession((event) => {
    if (event.kind !== 'ended' || event.from !== 'server') return undefined;
    const { exchange, trailers } = event;
    return [
      { kind: 'end', exchange, to: 'client', trailers },
      { kind: 'abandon', exchange, to: 'server', code: 0 },
    ];
  });

t.test('an answer before its request is whole does not keep the next one waiting', async (t) => {
  const upstreamPort = await serveHttp1(t, (request, response) => {
    request.on('error', () => undefined);
    response.end(`answer to ${request.url}`);
  });
  const rig = await startExchanges(t, { upstreamPort, session: leaveAtEnd });
  const raw = new RawSocket(rig.port);
  raw.write('POST /1 HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhello');
  t.ok(await until(() => raw.text.includes('answer to /1')));
  raw.write('worldGET /2 HTTP/1.1\r\nhost: a\r\n\r\n');
  t.ok(await until(() => raw.text.includes('answer to /2')));
  raw.socket.destroy();
  t.ok(await rig.allOver());
  t.same(rig.troubles, []);
});

t.test('with HTTP/2 its stream is closed, whatever the server does', async (t) => {
  let opened = 0;
  let closed = 0;
  const upstreamPort = await serveHttp2(t, (stream) => {
    opened += 1;
    stream.once('close', () => (closed += 1));
    // Node resets a stream that nobody reads; one that is read stays open for the rest of the request.
    stream.resume();
    stream.respond({ ':status': 200 });
    stream.end('enough');
  });
  const rig = await startExchanges(t, { upstreamPort, session: leaveAtEnd });
  const client = RawHttp2.connect(rig.port);
  const lines = [[':method', 'POST'] as const, ...GET.slice(1)];
  client.say(FRAME.headers, END_HEADERS, 1, hpack(lines));
  client.say(FRAME.data, 0, 1, Buffer.from('part'));
  t.ok(await until(() => opened === 1 && closed === 1));
  client.socket.destroy();
  t.ok(await rig.allOver());
});

t.test('a sync that takes long stops clients whose requests come meanwhile as well', async (t) => {
  const upstreamPort = await serveHttp2(t, (stream) => {
    stream.resume();
    stream.respond({ ':status': 200 });
  });
  let release = (): void => undefined;
  const isSynced = new Promise<void>((resolve) => (release = resolve));
  const rig = await startExchanges(t, {
    upstreamPort,
    startRecording: () => ({
      append: () => undefined,
      note: () => undefined,
      synced: () => isSynced,
      end: () => undefined,
    }),
  });
  const session = connectClient(t, rig.port);
  session.request({ ':path': '/1' }).on('error', () => undefined);
  t.ok(await until(() => rig.kinds().includes('request')));
  const late = session.request({ ':path': '/2', ':method': 'POST' });
  late.on('error', () => undefined);
  for (let count = 0; count < 64; count += 1) late.write(Buffer.alloc(MEGABYTE / 4));
  t.ok(await until(() => rig.kinds().filter((kind) => kind === 'request').length === 2));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const told = rig
    .events()
    .reduce((sum, event) => sum + (event.kind === 'body' ? event.bytes.length : 0), 0);
  t.ok(told <= 2 * MEGABYTE, `${told} bytes wait for the disk`);
  session.destroy();
  release();
  t.ok(await rig.allOver());
});
