import t from 'tap';
import { PacketStream } from '../../../protocols/mysql/packet-stream.ts';
import { frame } from '../../support/mysql-packets.ts';

function pushed(...chunks: readonly Buffer[]): PacketStream {
  const stream = new PacketStream('server');
  for (const chunk of chunks) stream.push(chunk);
  return stream;
}

t.test('a whole packet, however it was cut', async (t) => {
  const bytes = frame(Buffer.from('hello'), 7);
  for (let at = 0; at <= bytes.length; at++) {
    const stream = pushed(bytes.subarray(0, at), bytes.subarray(at));
    t.ok(stream.peek());
    t.equal(stream.length, 5);
    t.same(stream.head(2), Buffer.from('he'));
    t.equal(stream.gather(5), 'whole');
    t.same(stream.takeWhole(), { raw: bytes, payload: Buffer.from('hello'), sequence: 7 });
    t.ok(stream.isEmpty);
  }
});

t.test('a packet of two parts is one, and an empty part ends a full one (MY-13)', async (t) => {
  for (const size of [0xffffff, 0xffffff + 1]) {
    const payload = Buffer.alloc(size, 1);
    const stream = pushed(frame(payload, 254));
    t.equal(stream.gather(size - 1), 'too-large');
    t.equal(stream.gather(size), 'whole');
    const whole = stream.takeWhole();
    t.ok(whole.payload.equals(payload));
    t.equal(whole.sequence, 254);
    t.equal(stream.lastSequence, 255);
    const half = pushed(frame(payload).subarray(0, size));
    t.equal(half.gather(2 ** 26), 'more');
  }
});

t.test('too large a packet is known by its header', async (t) => {
  const stream = pushed(frame(Buffer.alloc(100)).subarray(0, 4));
  t.equal(stream.gather(99), 'too-large');
  t.equal(stream.gather(100), 'more');
});

t.test('a packet passes in pieces, and is over at its end', async (t) => {
  const stream = pushed(frame(Buffer.from('hello')).subarray(0, 6));
  t.ok(stream.peek());
  stream.takeHeader();
  t.equal(stream.takePart(), 2);
  t.ok(stream.isMidPacket);
  t.equal(stream.takePart(), 0);
  stream.push(Buffer.from('llo!'));
  t.equal(stream.takePart(), 3);
  t.notOk(stream.isMidPacket);
  t.equal(stream.heldSize, 1);
  t.same(stream.takeRest(), Buffer.from('!'));
});

t.test('rows that are here pass in one go, up to what is odd (MY-14)', async (t) => {
  const rows = Buffer.concat([frame(Buffer.from('a'), 3), frame(Buffer.from('b'), 4)]);
  for (const odd of [Buffer.of(0xfe, 1), Buffer.of(0xff, 1), Buffer.alloc(0)]) {
    const stream = pushed(Buffer.concat([rows, frame(odd, 5)]));
    stream.passRows();
    t.equal(stream.offset, rows.length);
    t.equal(stream.lastSequence, 4);
  }
  const cut = pushed(Buffer.concat([rows, frame(Buffer.from('cc'), 5).subarray(0, 5)]));
  cut.passRows();
  t.equal(cut.offset, rows.length);
});

t.test('what is held is bounded', async (t) => {
  const stream = pushed(Buffer.alloc(300 * 1024));
  t.doesNotThrow(() => stream.refuseHeldAbove(64 * 1024));
  t.throws(() => stream.refuseHeldAbove(1024), { code: 'MYSQL_HELD_SIZE' });
});
