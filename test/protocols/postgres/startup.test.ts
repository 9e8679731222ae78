import t from 'tap';
import {
  asksForReplication,
  decodeFirstPacket,
  findParameter,
  rewriteStartup,
  type StartupPacket,
  STARTUP_SIZE_MAX,
} from '../../../protocols/postgres/startup.ts';
import {
  cancelRequest,
  gssRequest,
  int32,
  sslRequest,
  startup,
} from '../../support/raw-postgres.ts';

function decode(parameters: Record<string, string>, version?: number): StartupPacket {
  const first = decodeFirstPacket(startup(parameters, version));
  if (first?.kind !== 'startup') throw new Error('not a start-up packet');
  return first.packet;
}

t.test('the first packets by their code (PG-1)', async (t) => {
  const rows: readonly [Buffer, string][] = [
    [sslRequest(), 'ssl'],
    [gssRequest(), 'gssenc'],
    [cancelRequest(Buffer.alloc(8)), 'cancel'],
    [cancelRequest(Buffer.alloc(36)), 'cancel'],
    [cancelRequest(Buffer.alloc(260)), 'cancel'],
    [cancelRequest(Buffer.alloc(7)), 'bad-length'],
    [cancelRequest(Buffer.alloc(261)), 'bad-length'],
    [startup({ user: 'ann' }), 'startup'],
    [startup({ user: 'ann' }, 0x0003_270f), 'startup'],
    [Buffer.concat([int32(8), int32(0x0002_0000)]), 'bad-version'],
    [Buffer.concat([int32(8), int32(0x0001_0000)]), 'bad-version'],
    [Buffer.concat([int32(9), int32(0x0004_0000), Buffer.of(0)]), 'bad-version'],
    [Buffer.concat([int32(8), int32(0x0003_0000)]), 'bad-layout'],
    [Buffer.concat([int32(14), int32(0x0003_0000), Buffer.from('user\0a')]), 'bad-layout'],
    [Buffer.concat([int32(10), int32(0x0003_0000), Buffer.from('\0x')]), 'bad-layout'],
    [Buffer.concat([int32(9), int32(80_877_103), Buffer.of(0)]), 'bad-length'],
    [int32(7), 'bad-length'],
    [int32(-1), 'bad-length'],
    [int32(STARTUP_SIZE_MAX + 1), 'bad-length'],
    [Buffer.from('GET / HTTP/1.1\r\n'), 'bad-length'],
  ];
  for (const [bytes, kind] of rows)
    t.equal(decodeFirstPacket(bytes)?.kind, kind, bytes.toString('hex', 0, 12));
});

t.test('a packet that is cut waits, whatever its kind; bytes behind it stay', async (t) => {
  for (const bytes of [
    sslRequest(),
    cancelRequest(Buffer.alloc(36)),
    startup({ user: 'ann', database: 'shop' }),
  ]) {
    for (let size = 0; size < bytes.length; size++)
      t.equal(decodeFirstPacket(bytes.subarray(0, size)), undefined);
    t.match(decodeFirstPacket(Buffer.concat([bytes, Buffer.from('more')])), { size: bytes.length });
  }
});

t.test('parameters keep their order and bytes; the last of a name counts (PG-9)', async (t) => {
  const packet = decode(
    { user: 'ann', options: String.raw`-c a=b\ c`, '_pq_.x': '1' },
    0x0003_0002,
  );
  t.same(
    packet.parameters.map(({ name }) => name),
    ['user', 'options', '_pq_.x'],
  );
  t.equal(packet.minor, 2);
  t.equal(findParameter(packet, 'options'), String.raw`-c a=b\ c`);
  t.equal(findParameter(packet, 'nosuch'), undefined);
  const twice = decodeFirstPacket(
    Buffer.concat([int32(27), int32(0x0003_0000), Buffer.from('user\0ann\0user\0bob\0\0')]),
  );
  t.equal(twice?.kind === 'startup' ? findParameter(twice.packet, 'user') : '', 'bob');
});

t.test(
  "rewritten: user and database are ours, the rest and the version the client's (PG-9)",
  async (t) => {
    const packet = decode(
      { user: 'ann', database: 'x', application_name: 'psql', '_pq_.y': '' },
      0x0003_0002,
    );
    const again = decodeFirstPacket(rewriteStartup(packet, 'weir', 'shop'));
    t.match(again, { kind: 'startup', packet: { major: 3, minor: 2 } });
    if (again?.kind !== 'startup') return;
    t.same(
      again.packet.parameters.map(({ name, value }) => `${name}=${value.toString()}`),
      ['user=weir', 'application_name=psql', '_pq_.y=', 'database=shop'],
    );
  },
);

t.test('replication as the server reads its booleans (PG-53)', async (t) => {
  for (const value of ['true', 'TRUE', 'on', '1', 'yes', 'database', 't', 'y', 'o', '', 'maybe'])
    t.ok(asksForReplication(decode({ replication: value })), value);
  for (const value of ['false', 'off', '0', 'no', 'f', 'n', 'of', 'FALSE'])
    t.notOk(asksForReplication(decode({ replication: value })), value);
  t.notOk(asksForReplication(decode({ user: 'ann' })));
});
