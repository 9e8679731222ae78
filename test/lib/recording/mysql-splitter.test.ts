import fc from 'fast-check';
import t from 'tap';
import { createMysqlView } from '../../../lib/recording/mysql-view.ts';
import type { ViewEvent } from '../../../lib/recording/view.ts';
import type { Side } from '../../../protocols/contract.ts';
import { CAPABILITY, COM, command, frame, lenenc, uint32 } from '../../support/mysql-packets.ts';
import {
  afterSignIn,
  BASIC,
  type Chunk,
  column,
  endOfRows,
  ok,
  query,
  reply,
  signIn,
} from './mysql-capture.ts';

t.test(
  'a packet of 16 MB and more is one packet; a row may begin with 0xfe (MY-13, MY-14)',
  async (t) => {
    const size = 0xff_ffff - 9;
    const value = Buffer.alloc(size, 0x61);
    const header = Buffer.concat([Buffer.of(0xfe), uint32(size), uint32(0)]);
    const events = afterSignIn([
      query('SELECT'),
      reply(lenenc(1), column({ name: 'a' })),
      ['server', frame(Buffer.concat([header, value]), 3)],
      ['server', frame(endOfRows(), 5)],
      query('SELECT 1'),
    ]);
    t.match(events.slice(2), [
      { event: 'row', cut: true, size: 0xff_ffff },
      { event: 'complete' },
      { event: 'query' },
    ]);
  },
);

t.test('what is out of order is said, and the rest is shown', async (t) => {
  const events = afterSignIn([
    ['client', frame(command(COM.query, 'SELECT 1'), 7)],
    ['server', frame(ok(), 3)],
    query('SELECT 2'),
  ]);
  t.match(events, [
    { event: 'problem', from: 'client', problem: 'sequence id 7 where 0 was expected' },
    { event: 'query', text: 'SELECT 1' },
    { event: 'problem', from: 'server', problem: 'sequence id 3 where 8 was expected' },
    { event: 'complete' },
    { event: 'query', text: 'SELECT 2' },
  ]);
  const wild = frame(command(COM.query, 'x'), 7);
  const many = afterSignIn(Array.from({ length: 100 }, (): Chunk => ['client', wild]));
  t.equal(many.filter(({ event }) => event === 'problem').length, 19);
  t.match(many.filter(({ event }) => event === 'out-of-step').length, 1);
  t.ok(many.length < 60, 'then nothing more is shown of that side');
});

t.test('a row of 200 MB costs its head', async (t) => {
  const viewer = createMysqlView();
  const start = [...signIn(), query('SELECT'), reply(lenenc(1), column({ name: 'a' }))];
  for (const [from, bytes] of start) viewer.push(from, bytes, undefined);
  const part = Buffer.alloc(0xff_ffff, 0x61);
  Buffer.concat([Buffer.of(0xfe), uint32(12 * part.length), uint32(0)]).copy(part);
  const header = Buffer.of(0xff, 0xff, 0xff, 0);
  let highWater = 0;
  const events: ViewEvent[] = [];
  for (let sequence = 3; sequence < 15; sequence += 1) {
    header[3] = sequence;
    for (const piece of [header, part.subarray(0, 999), part.subarray(999)]) {
      events.push(...viewer.push('server', piece, undefined));
      highWater = Math.max(highWater, viewer.heldSize);
    }
  }
  events.push(...viewer.push('server', frame(Buffer.alloc(0), 15), undefined));
  t.ok(highWater <= 256 * 1024, `held ${highWater} bytes at most`);
  t.match(events, [{ event: 'row', cut: true, size: 12 * part.length }]);
  t.equal(viewer.heldSize, 0);
});

t.test('hostile bytes never throw, and cost little', async () => {
  const side = fc.constantFrom<Side>('client', 'server');
  fc.assert(
    fc.property(fc.array(fc.tuple(side, fc.uint8Array({ maxLength: 80 }))), (pieces) => {
      const viewer = createMysqlView();
      for (const [from, bytes] of pieces) viewer.push(from, Buffer.from(bytes), undefined);
      return viewer.heldSize <= 600 * 1024;
    }),
    { numRuns: 500 },
  );
  // Packets that are well framed, in the middle of things.
  const first = fc.constantFrom(0, 1, 3, 0x16, 0x17, 0x18, 0x1c, 0xfa, 0xfb, 0xfc, 0xfe, 0xff);
  const piece = fc.tuple(side, first, fc.uint8Array({ maxLength: 60 }), fc.nat(3));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.nat(2 ** 31), (pieces, extra) => {
      const viewer = createMysqlView();
      const extended = extra & 0x1f;
      const capabilities = (BASIC ^ (extra & ~CAPABILITY.longPassword)) >>> 0;
      const start = signIn({ capabilities, extended }).slice(0, 2);
      for (const [from, bytes] of start) viewer.push(from, bytes, undefined);
      for (const [from, head, body, sequence] of pieces) {
        const packet = frame(Buffer.concat([Buffer.of(head), body]), sequence);
        viewer.push(from, packet, undefined);
      }
      return viewer.heldSize <= 600 * 1024;
    }),
    { numRuns: 1000 },
  );
});
