import t from 'tap';
import { createRedisView } from '../../../lib/recording/redis-view.ts';
import type { ViewEvent } from '../../../lib/recording/view.ts';
import { encodeRequest } from '../../../protocols/wire/resp-request.ts';
import { redis } from '../../../protocols/redis/index.ts';
import { replay } from '../../support/play.ts';
import { readTranscript } from '../../support/transcript.ts';

function show(from: 'client' | 'server', text: string | Buffer): ViewEvent[] {
  return createRedisView().push(from, Buffer.from(text), undefined);
}

const REPLIES =
  '+OK\r\n-NOPERM not allowed\r\n$-1\r\n$5\r\nhello\r\n:3\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n%1\r\n+k\r\n,1.5\r\n' +
  '>3\r\n+message\r\n$1\r\nc\r\n$2\r\nhi\r\n|1\r\n+a\r\n+b\r\n:9\r\n$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n*?\r\n:1\r\n.\r\n_\r\n';

void t.test('commands, as a person types them', async (t) => {
  const bytes = Buffer.concat([
    encodeRequest(['HGET', 'a b', 'x']),
    encodeRequest(['SET', 'k', Buffer.from([0xff, 1])]),
  ]);
  t.same(
    show('client', bytes).map((one) => ('text' in one ? one.text : one.event)),
    ['HGET "a b" x', 'SET k "\\\\xff01"'],
  );
});

void t.test('answers', async (t) => {
  const events = show('server', REPLIES);
  t.same(
    events.filter(({ event }) => event === 'row').map((one) => ('values' in one ? one.values : [])),
    [[null], ['hello'], ['3'], ['a'], ['[1]'], ['k', '1.5'], ['9'], ['abc'], ['1'], [null]],
  );
  t.match(events[0], { event: 'complete', tag: 'OK', from: 'server' });
  t.match(events[1], { event: 'error', code: 'NOPERM', message: 'not allowed' });
  t.match(
    events.find(({ event }) => event === 'notification'),
    { channel: 'c', payload: 'hi' },
  );
});

void t.test('the same events, however the bytes were cut', async (t) => {
  const view = createRedisView();
  const events = [...Buffer.from(REPLIES)].flatMap((byte) =>
    view.push('server', Buffer.of(byte), undefined),
  );
  t.same(events, show('server', REPLIES));
  t.equal(view.heldSize, 0);
});

void t.test('long values are cut, and memory with them', async (t) => {
  const view = createRedisView();
  view.push('server', Buffer.from('$100000000\r\n'), undefined);
  for (let count = 0; count < 100; count += 1)
    view.push('server', Buffer.alloc(1_000_000, 0x61), undefined);
  t.ok(view.heldSize <= 256 * 1024);
  const [found] = view.push('server', Buffer.from('\r\n'), undefined);
  t.match(found, { event: 'row', cut: true, size: 100_000_014 });
  const many = show('server', `*50000\r\n${':1\r\n'.repeat(50_000)}`);
  t.equal(many.length, 10_001);
});

void t.test('what is no RESP is said once', async (t) => {
  const view = createRedisView();
  t.match(view.push('server', Buffer.from('HTTP/1.1'), undefined), [{ event: 'out-of-step' }]);
  t.same(view.push('server', Buffer.from('+OK\r\n'), undefined), []);
  for (const bytes of ['*x\r\n', '.\r\n', '$2\r\nabcd\r\n', '*1\r\n'.repeat(2000)]) {
    t.ok(
      show('server', bytes).some(({ event }) => event === 'out-of-step'),
      bytes.slice(0, 20),
    );
  }
});

void t.test('what a session records can be read', async (t) => {
  const transcript = readTranscript('test/fixtures/transcripts/redis/sign-in-gateway.transcript');
  const view = createRedisView();
  const events = replay(redis, transcript).flatMap((one) =>
    one.kind === 'record' ? view.push(one.from, one.bytes, one.by) : [],
  );
  const texts = events.flatMap((one) => (one.event === 'query' ? [one.text] : []));
  t.ok(texts.includes('AUTH ann ***'));
  t.ok(texts.includes('HELLO 3 AUTH ann *** SETNAME me'));
  t.ok(
    events.some((one) => one.event === 'error' && one.by === 'gateway' && one.code === 'NOPERM'),
  );
});
