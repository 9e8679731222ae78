/** Clients that break HTTP/2 or flood it: nothing of it is told, it costs their connection, and others go on. */
import t from 'tap';
import { until } from '../../gateway/duplex-pair.ts';
import { connectClient, fetchHttp2 } from '../../gateway/exchange-servers.ts';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  GET,
  hpack,
  type Lines,
  word,
} from './raw-http2.ts';
import { connectRaw, startHttp2 } from './http2-rig.ts';
import { echo } from './sides-rig.ts';

/** RFC 9113, 8.2 and 8.3: malformed requests, which must never be told. */
const MALFORMED: readonly (readonly [name: string, lines: Lines])[] = [
  ['upper case', [...GET, ['X-A', '1']]],
  ['connection', [...GET, ['connection', 'x']]],
  ['keep-alive', [...GET, ['keep-alive', 'x']]],
  ['transfer-encoding', [...GET, ['transfer-encoding', 'chunked']]],
  ['upgrade', [...GET, ['upgrade', 'websocket']]],
  ['te other than trailers', [...GET, ['te', 'gzip']]],
  ['pseudo behind others', [['x', '1'], ...GET]],
  ['pseudo unknown', [...GET, [':x', '1']]],
  ['pseudo twice', [...GET, [':path', '/b']]],
  ['no path', GET.filter(([name]) => name !== ':path')],
  ['no method', GET.filter(([name]) => name !== ':method')],
  ['no scheme', GET.filter(([name]) => name !== ':scheme')],
  ['two lengths', [...GET, ['content-length', '0'], ['content-length', '0']]],
  ['length of no body', [...GET, ['content-length', '5']]],
];

/** nghttp2 leaves such lines out, as RFC 9113, 8.2.1 allows for a recipient that does not refuse. */
const LEFT_OUT: Lines = [
  ['x', 'a\u0000b'],
  ['x', 'a\nb: c'],
  ['x', 'a\rb'],
  ['x y', '1'],
  ['x:y', '1'],
  ['', '1'],
];

t.test('lines that would break HTTP/1.1 are never told', async (t) => {
  const rig = await startHttp2(t);
  for (const line of LEFT_OUT) {
    const raw = await connectRaw(rig.port);
    raw.ask(1, [...GET, line, ['x-good', '1']]);
    t.ok(await until(() => raw.isClosed || raw.heard.some(({ stream }) => stream === 1)));
    raw.socket.destroy();
  }
  const told = rig.asked().flatMap(({ head }) => head.headers.map(([name]) => name));
  t.same([...new Set(told)], ['x-good']);
});

t.test('malformed requests are never told, and cost at most their connection', async (t) => {
  const rig = await startHttp2(t);
  for (const [name, lines] of MALFORMED) {
    const raw = await connectRaw(rig.port);
    raw.ask(1, lines);
    raw.ask(3);
    t.ok(
      await until(() => raw.isClosed || raw.of(FRAME.headers, 3).length === 1),
      `${name}: what comes then`,
    );
    t.equal(raw.of(FRAME.headers, 1).length === 0 || raw.codeOf(1) !== undefined, true, name);
    raw.socket.destroy();
  }
  const told = rig.asked().map(({ head }) => JSON.stringify(head.headers));
  t.same([...new Set(told)], ['[]'], 'only those behind them');
});

t.test('a body that is not as long as it was said to be has no end', async (t) => {
  const rig = await startHttp2(t);
  const sized: Lines = [[':method', 'POST'], ...GET.slice(1), ['content-length', '5']];
  for (const body of ['abc', 'abcdefg']) {
    const raw = await connectRaw(rig.port);
    raw.say(FRAME.headers, END_HEADERS, 1, hpack(sized));
    raw.say(FRAME.data, END_STREAM, 1, Buffer.from(body));
    t.ok(await until(() => raw.isClosed || raw.codeOf(1) !== undefined), body);
    raw.socket.destroy();
  }
  t.ok(await until(() => rig.asked().every(({ isDone }) => isDone)));
  t.ok(rig.asked().every(({ trailers }) => trailers === undefined));
  t.ok(rig.asked().every(({ cancelled }) => cancelled !== undefined));
});

t.test('heads above the limit: too long, too many lines, never ending', async (t) => {
  const rig = await startHttp2(t);
  const big = hpack([...GET, ['x', 'y'.repeat(70_000)]]);
  const raw = await connectRaw(rig.port);
  raw.say(FRAME.headers, END_STREAM, 1, big.subarray(0, 16_000));
  for (let at = 16_000; at < big.length; at += 16_000) {
    const isLast = at + 16_000 >= big.length;
    raw.say(FRAME.continuation, isLast ? END_HEADERS : 0, 1, big.subarray(at, at + 16_000));
  }
  t.ok(await until(() => raw.isClosed || raw.codeOf(1) !== undefined));
  const many = await connectRaw(rig.port);
  many.ask(1, [...GET, ...Array.from({ length: 600 }, () => ['x', 'y'] as const)]);
  t.ok(await until(() => many.isClosed || many.codeOf(1) !== undefined));
  const endless = await connectRaw(rig.port);
  endless.say(FRAME.headers, END_STREAM, 1, hpack(GET));
  const piece = hpack([['x', 'y'.repeat(16_000)]]);
  for (let count = 0; count < 2000 && !endless.isClosed; count += 1) {
    endless.say(FRAME.continuation, 0, 1, piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(await until(() => endless.isClosed), 'a head without end is cut off');
  t.same(rig.asked(), []);
});

/** What a socket does not take for so long it is not read for, milliseconds. */
const STALL_TIME = 2_000;

t.test('floods end their connection or are not read, and others go on', async (t) => {
  const rig = await startHttp2(t, (told, what) => {
    if (told.head.target === '/') echo(told, what);
  });
  const repeat = (...one: Parameters<typeof frame>): Buffer =>
    Buffer.concat(Array.from({ length: 1000 }, () => frame(...one)));
  const slow = hpack([...GET.slice(0, 3), [':path', '/slow']]);
  const resets = (round: number): Buffer => {
    const ids = Array.from({ length: 100 }, (_, index) => 3 + 2 * (100 * round + index));
    return Buffer.concat(
      ids.flatMap((id) => [
        frame(FRAME.headers, END_HEADERS, id, slow),
        frame(FRAME.reset, 0, id, word(8)),
      ]),
    );
  };
  const floods: readonly (readonly [name: string, bytes: (round: number) => Buffer])[] = [
    ['ping', () => repeat(FRAME.ping, 0, 0, Buffer.alloc(8))],
    ['settings', () => repeat(FRAME.settings, 0, 0)],
    ['empty data', () => repeat(FRAME.data, 0, 1)],
    ['rapid reset', resets],
    ['window of nothing', () => repeat(FRAME.window, 0, 1, word(0))],
  ];
  for (const [name, bytes] of floods) {
    const raw = await connectRaw(rig.port);
    raw.say(FRAME.headers, END_HEADERS, 1, hpack([...GET.slice(0, 3), [':path', '/open']]));
    // Who floods does not read what it is answered, until there is nothing else to try.
    raw.socket.pause();
    const sizeMax = name === 'ping' || name === 'settings' ? 64_000_000 : 1_000_000;
    let sent = 0;
    let isStalled = false;
    for (let round = 0; sent < sizeMax && !raw.isClosed && !isStalled; round += 1) {
      const piece = bytes(round);
      sent += piece.length;
      raw.socket.write(piece);
      const isTaken = (): boolean => raw.isClosed || raw.socket.writableLength === 0;
      isStalled = !(await until(isTaken, STALL_TIME));
    }
    if (!isStalled) raw.socket.resume();
    const isOver = (): boolean => raw.isClosed || raw.of(FRAME.goaway).length > 0;
    const how = isStalled ? 'not read any more' : 'told to go';
    t.ok(isStalled || (await until(isOver)), `${name}: ${how} after ${sent} bytes`);
    raw.socket.destroy();
  }
  t.ok(rig.asked().length < 5000, `${rig.asked().length} requests were told`);
  t.ok(await until(() => rig.asked().every(({ isDone }) => isDone)));
  const session = connectClient(t, rig.port);
  t.equal((await fetchHttp2(session)).status, 200);
  t.equal(rig.asked().filter(({ isDone }) => !isDone).length, 0);
});
