import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  frameMessage,
  GrpcFrames,
  grpcRefusal,
  grpcStatusOf,
  httpGrpcCode,
  isGrpcAnswer,
  isGrpcContentType,
} from '../../../protocols/wire/grpc.ts';

t.test('messages are found however the bytes were cut', async () => {
  const list = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });
  const cuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
  fc.assert(
    fc.property(list, cuts, (messages, offsets) => {
      const all = Buffer.concat(messages.map((one) => frameMessage(Buffer.from(one))));
      const places = [0, ...offsets.filter((at) => at < all.length), all.length];
      const sorted = [...new Set(places)].toSorted((a, b) => a - b);
      const frames = new GrpcFrames(100, 'client');
      const found = sorted
        .slice(1)
        .flatMap((end, index) => frames.push(Buffer.from(all.subarray(sorted[index], end))));
      const texts = found.map(
        ({ bytes, isCompressed }) => `${isCompressed} ${bytes.toString('hex')}`,
      );
      const wanted = messages.map((one) => `false ${Buffer.from(one).toString('hex')}`);
      if (texts.join() !== wanted.join()) throw new Error(`${texts.join()} for ${wanted.join()}`);
      if (frames.heldSize !== 0) throw new Error('something is left');
      const again = Buffer.concat(found.map(({ frame }) => frame));
      if (!again.equals(all)) throw new Error('other frames');
    }),
    { numRuns: 300 },
  );
});

t.test('half a message is held, and counted', async (t) => {
  const frames = new GrpcFrames(100, 'server');
  t.same(frames.push(frameMessage(Buffer.from('hello')).subarray(0, 7)), []);
  t.equal(frames.heldSize, 7);
});

t.test('what no message can be is refused before it is there', async (t) => {
  const long = Buffer.from([0, 0, 0, 0, 101]);
  t.throws(() => new GrpcFrames(100, 'client').push(long), { code: 'GRPC_MESSAGE_SIZE' });
  const odd = Buffer.from([2, 0, 0, 0, 1]);
  t.throws(() => new GrpcFrames(100, 'client').push(odd), ProtocolError);
  t.throws(() => new GrpcFrames(100, 'client').push(odd), { code: 'GRPC_FLAG', blame: 'client' });
});

t.test(
  'grpc-message: percent-encoded as little as the specification asks (vector.md 0.9)',
  async (t) => {
    t.equal(encodeGrpcMessage('denied by policy: "x"'), 'denied by policy: "x"');
    t.equal(encodeGrpcMessage('100%\r\nné'), '100%25%0D%0An%C3%A9');
    t.equal(decodeGrpcMessage('100%25%0D%0An%C3%A9'), '100%\r\nné');
    t.equal(decodeGrpcMessage('50% off'), '50% off', 'no escape, so it stays');
  },
);

t.test('status codes', async (t) => {
  t.equal(grpcStatusOf('forbidden'), 7);
  t.equal(grpcStatusOf('unauthenticated'), 16);
  t.equal(grpcStatusOf('too-many'), 8);
  t.equal(httpGrpcCode(502), 14);
  t.equal(httpGrpcCode(404), 12);
  t.equal(httpGrpcCode(418), 2);
  const { head, body, trailers } = grpcRefusal(7, 'no');
  t.match(head, { status: 200, headers: [['content-type', 'application/grpc']] });
  t.equal(body.length, 0);
  t.same(trailers, [
    ['grpc-status', '7'],
    ['grpc-message', 'no'],
  ]);
});

t.test('content types', async (t) => {
  t.ok(isGrpcContentType('application/grpc'));
  t.ok(isGrpcContentType('application/grpc+proto; charset=utf-8'));
  t.notOk(isGrpcContentType('application/grpc-web'));
  t.notOk(isGrpcContentType('application/grpc-web-text+proto'));
  t.notOk(isGrpcContentType('application/grpc+json'));
  t.notOk(isGrpcContentType(undefined));
  const headers = [['content-type', 'application/grpc']] as const;
  t.notOk(isGrpcAnswer({ status: 502, headers }));
  t.ok(isGrpcAnswer({ status: 200, headers }));
});
