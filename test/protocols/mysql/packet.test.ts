import t from 'tap';
import {
  countPackets,
  encodePacket,
  PACKET_SIZE_MAX,
  PacketReader,
} from '../../../protocols/mysql/packet.ts';

t.test('packets come out as they went in, however they are cut', async (t) => {
  const bytes = Buffer.concat([
    encodePacket(Buffer.from('one'), 0),
    encodePacket(Buffer.alloc(0), 1),
    encodePacket(Buffer.alloc(300, 7), 255),
  ]);
  for (const step of [1, 2, 3, 5, 7, 100, 1000]) {
    const reader = new PacketReader('client', 1024);
    const seen: string[] = [];
    for (let offset = 0; offset < bytes.length; offset += step) {
      reader.push(bytes.subarray(offset, offset + step));
      for (let packet = reader.read(); packet !== undefined; packet = reader.read())
        seen.push(`${packet.sequence} ${packet.payload.length}`);
    }
    t.same(seen, ['0 3', '1 0', '255 300'], `${step}`);
    t.equal(reader.takeRest().length, 0);
  }
});

t.test('a length above the limit is refused by its header alone', async (t) => {
  const reader = new PacketReader('server', 100);
  reader.push(Buffer.of(101, 0, 0, 0));
  t.throws(() => reader.read(), { code: 'MYSQL_PACKET_SIZE', blame: 'server' });
  const full = new PacketReader('client', PACKET_SIZE_MAX + 5);
  full.push(Buffer.of(0xff, 0xff, 0xff, 0));
  t.throws(() => full.read(), { code: 'MYSQL_PACKET_SIZE' }, 'no packet goes on in this phase');
});

t.test('what is held has a limit', async (t) => {
  const reader = new PacketReader('client', 100);
  t.throws(() => reader.push(Buffer.alloc(1024 * 1024)), {
    code: 'MYSQL_HELD_SIZE',
    blame: 'client',
  });
});

t.test('payloads of 16 MB and more are split, a whole multiple ends empty (MY-13)', async (t) => {
  for (const [size, headers] of [
    [PACKET_SIZE_MAX - 1, ['feffff fe']],
    [PACKET_SIZE_MAX, ['ffffff fe', '000000 ff']],
    [PACKET_SIZE_MAX + 1, ['ffffff fe', '010000 ff']],
    [2 * PACKET_SIZE_MAX, ['ffffff fe', 'ffffff ff', '000000 00']],
  ] as const) {
    const bytes = encodePacket(Buffer.alloc(size), 254);
    const seen: string[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      seen.push(
        `${bytes.toString('hex', offset, offset + 3)} ${bytes.toString('hex', offset + 3, offset + 4)}`,
      );
      offset += 4 + bytes.readUIntLE(offset, 3);
    }
    t.same(seen, headers, `${size}`);
    t.equal(countPackets(size), headers.length);
  }
});
