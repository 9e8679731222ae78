/** One recording while it is written: what is appended in one go is written in one go, whatever its sizes. */
import * as nodeFs from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openRecording } from '../../../lib/recording/reader.ts';
import { createRecorder, type RecordingFs } from '../../../lib/recording/recorder.ts';
import { HEADER, temporaryDirectory } from './session-fixture.ts';

const PATH = join('recordings', '2026-03-04', 'session-1.weir');
/** Around the sizes of the buffers and of the largest frame. */
const SIZES = [0, 1, 9, 4096, 8176, 8192, 65_519, 65_536, 262_143, 262_144, 262_145, 600_000];

function countingFs() {
  const counted = { writes: 0 };
  const writeSync: RecordingFs['writeSync'] = (fd, buffer, offset, length) => {
    counted.writes += 1;
    return nodeFs.writeSync(fd, buffer, offset, length);
  };
  const fs: RecordingFs = { ...nodeFs, writeSync };
  return { fs, counted };
}

async function read(path: string): Promise<{ bytes: Buffer; state: string }> {
  const pieces: Buffer[] = [];
  let state = '';
  for await (const event of (await openRecording(path)).events()) {
    if (event.kind === 'wire') pieces.push(Buffer.from(event.bytes));
    if (event.kind === 'finish') ({ state } = event);
  }
  return { bytes: Buffer.concat(pieces), state };
}

t.test('strict: a head and its piece leave the process together, and not before', async (t) => {
  for (const size of SIZES.filter((one) => one > 0 && one <= 262_144)) {
    const dataDir = temporaryDirectory(t);
    const { fs, counted } = countingFs();
    const recorder = createRecorder({ dataDir, durability: 'strict', fs });
    const session = recorder.start(HEADER);
    session.append('client', Buffer.from('before'));
    const writes = counted.writes;
    session.append('server', Buffer.from('head'), undefined, true);
    t.equal(counted.writes, writes, 'more is coming');
    session.append('server', Buffer.alloc(size, 'x'));
    const isSplit = size > 4096 && size < 8192;
    t.ok(counted.writes <= writes + (isSplit ? 2 : 1), `${size} bytes: one write`);
    const { bytes } = await read(join(dataDir, PATH));
    t.ok(bytes.equals(Buffer.from(`beforehead${'x'.repeat(size)}`)), 'everything is in the file');
    await recorder.close();
  }
});

t.test('strict: nothing behind a head lets it go as well', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'strict' });
  const session = recorder.start(HEADER);
  session.append('server', Buffer.from('head'), undefined, true);
  session.append('server', Buffer.alloc(0));
  t.equal((await read(join(dataDir, PATH))).bytes.toString(), 'head');
  await recorder.close();
});

t.test('any order of sizes is read back, its digests are right', async (t) => {
  for (const durability of ['strict', 'synced', 'relaxed'] as const) {
    const dataDir = temporaryDirectory(t);
    const recorder = createRecorder({ dataDir, durability });
    const session = recorder.start(HEADER);
    const expected: Buffer[] = [];
    for (const [row, one] of SIZES.entries()) {
      for (const [column, other] of SIZES.entries()) {
        const head = Buffer.alloc(one, row + 1);
        const piece = Buffer.alloc(other, 100 + column);
        session.append('server', head, 'gateway', (row + column) % 3 !== 0);
        session.append('server', piece);
        expected.push(head, piece);
      }
    }
    session.end('done');
    await recorder.close();
    const { bytes, state } = await read(join(dataDir, PATH));
    // The reader checks every seal, and the end.
    t.equal(state, 'ended', durability);
    t.ok(bytes.equals(Buffer.concat(expected)), `${durability}: every byte`);
  }
});

t.test('synced: what waits for more is written before it is flushed', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'synced' });
  const session = recorder.start(HEADER);
  session.append('client', Buffer.from('head'), undefined, true);
  await session.synced();
  t.equal((await read(join(dataDir, PATH))).bytes.toString(), 'head');
  await recorder.close();
});
