/** Heads between Node's form and ours: what stays on its hop, and what is refused because it can be read twice. */
import t from 'tap';
import {
  isBadHead,
  isGrpc,
  readHttp1Request,
  readHttp2Request,
  readResponse,
  readTrailers,
  toHttp1Headers,
  toHttp1Trailers,
  toHttp2Headers,
  valueOf,
} from '../../../../lib/net/http/heads.ts';
import { HEADER_COUNT_MAX } from '../../../../lib/net/http/limits.ts';

const LINE = { method: 'POST', target: '/a?b=c', minor: 1 };

/** Names and values in turns, as Node gives them. */
function linesOf(...texts: readonly string[]): string[] {
  const lines = texts.flatMap((text) => text.split(' | '));
  return lines.flatMap((line) => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
}

function read1(lines: readonly string[], line: Partial<typeof LINE> = {}) {
  return readHttp1Request({ ...LINE, ...line }, ['Host', 'store:1', ...lines]);
}

function refusal1(raw: readonly string[], line: Partial<typeof LINE> = {}): string {
  const read = read1(raw, line);
  return isBadHead(read) ? `${read.status} ${read.reason}` : 'read';
}

function read2(raw: readonly string[]) {
  return readHttp2Request([':method', 'POST', ':path', '/a', ':authority', 's:1', ...raw], false);
}

function refusal2(raw: readonly string[]): string {
  const read = read2(raw);
  return isBadHead(read) ? `${read.status} ${read.reason}` : 'read';
}

t.test('a request of HTTP/1.1: names in lower case, lines of one hop are gone', async (t) => {
  const read = read1(
    linesOf(
      'Content-Type: application/json | X-Twice: a | x-twice: b | Connection: keep-alive, X-Mine',
      'x-mine: gone | Keep-Alive: timeout=5 | TE: trailers | Trailer: x-sum',
      'Transfer-Encoding: chunked | Proxy-Authorization: Basic x | Proxy-Connection: close',
      'Upgrade: h2c | HTTP2-Settings: AAMAAABkAAQAAP__ | Expect: 100-Continue',
    ),
  );
  t.same(read, {
    head: {
      version: '1.1',
      method: 'POST',
      target: '/a?b=c',
      authority: 'store:1',
      headers: [
        ['content-type', 'application/json'],
        ['x-twice', 'a'],
        ['x-twice', 'b'],
      ],
      isWhole: false,
    },
    expectsContinue: true,
  });
});

t.test('whether a body follows is said by its framing alone', async (t) => {
  const isWhole = (raw: readonly string[]): unknown => {
    const read = read1(raw);
    return isBadHead(read) ? read : read.head.isWhole;
  };
  t.equal(isWhole([]), true);
  t.equal(isWhole(['content-length', '0']), true);
  t.equal(isWhole(['content-length', '000']), true);
  t.equal(isWhole(['content-length', '7']), false);
  t.equal(isWhole(['transfer-encoding', 'Chunked ']), false);
});

t.test('"connection" takes away what it names, never what frames the body', async (t) => {
  const read = read1([
    'connection',
    'content-length, host, , x-a',
    'content-length',
    '3',
    'x-a',
    '1',
  ]);
  t.match(read, {
    head: { isWhole: false, authority: 'store:1', headers: [['content-length', '3']] },
  });
  t.notMatch(JSON.stringify(read), 'x-a');
});

t.test('what two readers of HTTP/1.1 could understand in two ways is refused', async (t) => {
  const cases: readonly (readonly [
    raw: readonly string[],
    line: Partial<typeof LINE>,
    say: RegExp,
  ])[] = [
    [['host', 'store:1'], {}, /^400 host twice/],
    [['content-length', '1', 'content-length', '1'], {}, /^400 content-length twice/],
    [['content-length', '1, 1'], {}, /^400 content-length/],
    [['content-length', '+1'], {}, /^400/],
    [['content-length', '0x1'], {}, /^400/],
    [['content-length', ''], {}, /^400/],
    [['content-length', '1'.repeat(16)], {}, /^400/],
    [['transfer-encoding', 'chunked'], { minor: 0 }, /^400 transfer-encoding in/],
    [['transfer-encoding', 'gzip, chunked'], {}, /^501/],
    [['transfer-encoding', 'identity'], {}, /^501/],
    [['transfer-encoding', 'chunked', 'transfer-encoding', 'chunked'], {}, /^501/],
    [['transfer-encoding', 'chunked', 'transfer-encoding', 'identity'], {}, /^501/],
    [['authorization', 'a', 'Authorization', 'b'], {}, /^400 authorization twice/],
    [['content-type', 'a', 'content-type', 'b'], {}, /^400 content-type twice/],
    [['content-encoding', 'gzip', 'content-encoding', 'gzip'], {}, /^400 content-encoding twice/],
    [['upgrade', 'websocket'], {}, /^501 upgrade/],
    [['upgrade', 'h2c, websocket'], {}, /^501 upgrade/],
    [[], { target: 'http://other/a' }, /^400 a target/],
    [[], { target: '*' }, /^400 a target/],
    [[], { target: 'other:443' }, /^400 a target/],
    [[], { target: '' }, /^400 a target/],
    [[], { target: '/a b' }, /^400 a target/],
    [[], { target: '/\u00e9' }, /^400 a target/],
    [[], { target: '/a\u0000' }, /^400 a target/],
    [Array.from({ length: 2 * HEADER_COUNT_MAX }, () => 'x'), {}, /^431/],
  ];
  for (const [lines, line, say] of cases) {
    t.match(refusal1(lines, line), say, JSON.stringify([lines, line]).slice(0, 90));
  }
  t.equal(refusal1(Array.from({ length: 2 * HEADER_COUNT_MAX - 2 }, () => 'x')), 'read');
});

t.test('a request of HTTP/2', async (t) => {
  t.same(read2(['content-type', 'application/grpc', 'te', 'trailers', 'grpc-timeout', '1S']), {
    head: {
      version: '2',
      method: 'POST',
      target: '/a',
      authority: 's:1',
      headers: [
        ['content-type', 'application/grpc'],
        ['grpc-timeout', '1S'],
      ],
      isWhole: false,
    },
    expectsContinue: false,
  });
  t.match(read2(['host', 's:1']), { head: { authority: 's:1', headers: [] } });
  const hostOnly = readHttp2Request([':method', 'GET', ':path', '/', 'host', 'h'], true);
  t.match(hostOnly, { head: { authority: 'h', isWhole: true } });
});

t.test('what two readers of HTTP/2 could understand in two ways is refused', async (t) => {
  t.match(refusal2(['host', 'other']), /^400 host is not/);
  t.match(refusal2(['host', 's:1', 'host', 's:1']), /^400 host twice/);
  t.match(refusal2(['grpc-timeout', '1S', 'grpc-timeout', '9S']), /^400 grpc-timeout twice/);
  t.match(refusal2(['grpc-encoding', 'gzip', 'grpc-encoding', 'identity']), /^400 grpc-encoding/);
  t.match(refusal2(Array.from({ length: 2 * HEADER_COUNT_MAX }, () => 'x')), /^431/);
  const connect = readHttp2Request([':method', 'CONNECT', ':authority', 'other:1'], false);
  t.match(connect, { status: 501 });
  for (const path of ['http://other/', '*', '']) {
    const read = readHttp2Request([':method', 'GET', ':path', path, ':authority', 'a'], true);
    t.match(read, { status: 400 }, path);
  }
  t.match(readHttp2Request([':method', 'GET', ':authority', 'a'], true), { status: 400 });
});

t.test('answers and trailers', async (t) => {
  t.same(
    readResponse(
      200,
      'Fine',
      linesOf(
        'Connection: x-hop | X-Hop: 1 | Transfer-Encoding: chunked | Trailer: x | Alt-Svc: h2=":1"',
        'Set-Cookie: a=1 | Set-Cookie: b=2',
      ),
    ),
    {
      status: 200,
      reason: 'Fine',
      headers: [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    },
  );
  t.same(readResponse(200, '', [':status', '200', 'a', 'b']), {
    status: 200,
    headers: [['a', 'b']],
  });
  t.same(readTrailers([':status', '9', 'Grpc-Status', '0', 'transfer-encoding', 'chunked']), [
    ['grpc-status', '0'],
  ]);
});

t.test("back in Node's forms lines of one name stay lines of their own", async (t) => {
  const headers = [
    ['a', '1'],
    ['b', '2'],
    ['a', '3'],
    ['a', '4'],
  ] as const;
  t.same(toHttp2Headers(headers), { a: ['1', '3', '4'], b: '2' });
  t.same(toHttp1Headers(headers), ['a', '1', 'b', '2', 'a', '3', 'a', '4']);
  t.same(toHttp1Trailers(headers.slice(0, 1)), [['a', '1']]);
  t.equal(valueOf(headers, 'a'), '1');
  t.equal(valueOf(headers, 'c'), undefined);
  // A name of Object's own is a header as any other.
  t.same(
    Object.entries(
      toHttp2Headers([
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]),
    ),
    [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ],
  );
});

t.test('gRPC is told by its content type', async (t) => {
  t.ok(isGrpc([['content-type', 'application/grpc']]));
  t.ok(isGrpc([['content-type', 'Application/GRPC+proto; x=y']]));
  t.notOk(isGrpc([['content-type', 'application/json']]));
  t.notOk(isGrpc([]));
});
