import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { MessageBuffer } from '../../../protocols/postgres/message-buffer.ts';
import { int32, message } from '../../support/raw-postgres.ts';

/** Walks everything that is there; gives the whole messages and the passed pieces. */
function walk(buffer: MessageBuffer, gathers: (tag: number) => boolean): Buffer[] {
  const pieces: Buffer[] = [];
  for (;;) {
    const rest = buffer.restSize;
    const tag = rest > 0 ? 0 : buffer.peekTag();
    if (tag === undefined) return pieces;
    const size = rest > 0 ? rest : buffer.peekSize();
    if (rest === 0 && gathers(tag) && !buffer.gather(size, 1000)) return pieces;
    const start = buffer.offset;
    buffer.pass(size);
    pieces.push(buffer.view.subarray(start, buffer.offset));
    if (buffer.restSize > 0) return pieces;
  }
}

t.test('whole messages, however they are cut', async (t) => {
  const messages = [
    message('A'),
    message('B', Buffer.from('body')),
    message('A', Buffer.alloc(300, 1)),
  ];
  const all = Buffer.concat(messages);
  for (const gathers of [() => true, () => false, (tag: number) => tag === 0x41]) {
    for (let step = 1; step <= all.length; step += step < 12 ? 1 : 37) {
      const buffer = new MessageBuffer('client');
      const got: Buffer[] = [];
      for (let at = 0; at < all.length; at += step) {
        buffer.push(all.subarray(at, at + step));
        got.push(...walk(buffer, gathers).map((piece) => Buffer.from(piece)));
      }
      t.same(Buffer.concat(got), all, `in steps of ${step}`);
    }
  }
});

t.test('a gathered message is one piece', async (t) => {
  const buffer = new MessageBuffer('client');
  const one = message('A', Buffer.alloc(500, 1));
  for (const byte of one.subarray(0, -1)) {
    buffer.push(Buffer.of(byte));
    t.same(
      walk(buffer, () => true),
      [],
    );
  }
  buffer.push(one.subarray(-1));
  t.same(
    walk(buffer, () => true),
    [one],
  );
});

t.test(
  'lengths below 4 and above 1 GB are refused, and what is too large to gather (PG-23)',
  async (t) => {
    for (const length of [-2147483648, -1, 0, 3, 0x4000_0000, 0x7fff_ffff]) {
      const buffer = new MessageBuffer('server');
      buffer.push(Buffer.concat([Buffer.from('A'), int32(length)]));
      t.throws(
        () => buffer.peekSize(),
        { code: 'PG_MESSAGE_LENGTH', blame: 'server' },
        `${length}`,
      );
    }
    const buffer = new MessageBuffer('client');
    buffer.push(Buffer.concat([Buffer.from('A'), int32(2000)]));
    t.throws(() => walk(buffer, () => true), { code: 'PG_MESSAGE_TOO_LARGE' });
    t.doesNotThrow(() => walk(buffer, () => false));
  },
);

t.test('what waits behind a decision is limited', async (t) => {
  const buffer = new MessageBuffer('client');
  buffer.push(Buffer.alloc(100_000));
  t.doesNotThrow(() => buffer.refuseHeldAbove(1000));
  buffer.push(Buffer.alloc(500_000));
  t.throws(() => buffer.refuseHeldAbove(1000), ProtocolError);
  t.doesNotThrow(() => buffer.refuseHeldAbove(1_000_000));
});

t.test('a message in many chunks is joined once', async (t) => {
  const buffer = new MessageBuffer('client');
  const all = message('Q', Buffer.alloc(64 * 1024 * 1024));
  const start = Date.now();
  let joined = 0;
  let view: Buffer | undefined;
  for (let at = 0; at < all.length; at += 16_384) {
    buffer.push(all.subarray(at, at + 16_384));
    if (buffer.peekTag() !== undefined) buffer.gather(buffer.peekSize(), all.length);
    if (view !== buffer.view) joined += 1;
    view = buffer.view;
  }
  t.equal(buffer.view.length, all.length);
  t.ok(joined < 5, `${joined} joins, ${Date.now() - start} ms`);
});
