import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as nodeFs from 'node:fs';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import { openRecording, type RecordedEvent } from '../../../lib/recording/reader.ts';
import { createRecorder, type RecordingFs } from '../../../lib/recording/recorder.ts';
import type { SessionRecorder } from '../../../lib/recording/recording.ts';
import { filesIn, HEADER, temporaryDirectory } from './session-fixture.ts';

const PATH = join('recordings', '2026-03-04', 'session-1.weir');

async function readAll(path: string): Promise<RecordedEvent[]> {
  const recording = await openRecording(path);
  const events: RecordedEvent[] = [];
  for await (const event of recording.events()) {
    events.push(event.kind === 'wire' ? { ...event, bytes: Buffer.from(event.bytes) } : event);
  }
  return events;
}

function wireBytes(events: readonly RecordedEvent[], from: 'client' | 'server'): Buffer {
  return Buffer.concat(
    events.flatMap((event) => (event.kind === 'wire' && event.from === from ? [event.bytes] : [])),
  );
}

/** A real file system whose calls a test can count, hold or let fail. */
/** The disk's answer comes after the flush was asked for; until then appends are taken. */
async function appendUntilRefused(session: SessionRecorder): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    session.append('client', Buffer.from('y'));
    await sleep(10);
  }
}

function watchedFs() {
  const watched = {
    writes: 0,
    flushes: 0,
    closed: [] as number[],
    failWrite: undefined as NodeJS.ErrnoException | undefined,
    failFlush: undefined as NodeJS.ErrnoException | undefined,
    shortWrites: false,
  };
  const fs: RecordingFs = {
    mkdirSync: nodeFs.mkdirSync,
    openSync: nodeFs.openSync,
    unlinkSync: nodeFs.unlinkSync,
    writeSync: (fd, buffer, offset, length) => {
      watched.writes += 1;
      if (watched.failWrite !== undefined) {
        // A full disk takes a part first.
        nodeFs.writeSync(fd, buffer, offset, Math.floor(length / 2));
        throw watched.failWrite;
      }
      return nodeFs.writeSync(
        fd,
        buffer,
        offset,
        watched.shortWrites ? Math.min(7, length) : length,
      );
    },
    fdatasync: (fd, done) => {
      watched.flushes += 1;
      if (watched.failFlush !== undefined) {
        const failure = watched.failFlush;
        setImmediate(() => done(failure));
      } else nodeFs.fdatasync(fd, done);
    },
    closeSync: (fd) => {
      watched.closed.push(fd);
      nodeFs.closeSync(fd);
    },
  };
  return { fs, watched };
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

t.test('what is appended is read back, in order, with who made it', async (t) => {
  const dataDir = temporaryDirectory(t);
  for (const durability of ['strict', 'synced', 'relaxed'] as const) {
    const recorder = createRecorder({ dataDir, durability });
    const session = recorder.start({ ...HEADER, session: durability });
    session.append('client', Buffer.from('one'));
    session.append('server', Buffer.from('two'), 'gateway');
    session.append('client', Buffer.alloc(0));
    session.note({ kind: 'refused', code: '42501', reason: 'no' });
    session.end('client closed');
    await recorder.close();
    const path = join(dataDir, 'recordings', '2026-03-04', `${durability}.weir`);
    const events = await readAll(path);
    t.match(events, [
      { kind: 'wire', from: 'client', by: undefined, bytes: Buffer.from('one') },
      { kind: 'wire', from: 'server', by: 'gateway', bytes: Buffer.from('two') },
      { kind: 'note', note: { kind: 'refused', code: '42501', reason: 'no' } },
      { kind: 'finish', state: 'ended', reason: 'client closed', frames: 5 },
    ]);
  }
});

t.test('the root hash is the BLAKE2b-512 of the file up to the end frame', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'strict' });
  const session = recorder.start(HEADER);
  for (let index = 0; index < 100; index += 1) session.append('client', Buffer.alloc(300, index));
  session.end('bye');
  await recorder.close();
  const bytes = readFileSync(join(dataDir, PATH));
  const endSize = 12 + 64 + 'bye'.length + 4;
  const root = createHash('blake2b512').update(bytes.subarray(0, -endSize)).digest('hex');
  t.match((await readAll(join(dataDir, PATH))).at(-1), { state: 'ended', root });
});

t.test('files are private', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'strict' });
  recorder.start(HEADER);
  t.teardown(() => recorder.close());
  t.equal(statSync(join(dataDir, PATH)).mode & 0o777, 0o600);
  t.equal(statSync(join(dataDir, 'recordings')).mode & 0o777, 0o700);
  t.equal(statSync(join(dataDir, 'recordings', '2026-03-04')).mode & 0o777, 0o700);
});

t.test('large appends are cut into continued frames, and sealed on the way', async (t) => {
  const dataDir = temporaryDirectory(t);
  for (const durability of ['strict', 'relaxed'] as const) {
    const recorder = createRecorder({ dataDir, durability });
    const session = recorder.start({ ...HEADER, session: durability });
    const sizes = [3_000_000, 65_536, 65_520, 65_519, 8192, 8176, 1, 1_048_576];
    const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1));
    for (const bytes of pieces) session.append('server', bytes);
    session.end('done');
    await recorder.close();
    const path = join(dataDir, 'recordings', '2026-03-04', `${durability}.weir`);
    const events = await readAll(path);
    t.ok(wireBytes(events, 'server').equals(Buffer.concat(pieces)), `${durability}: every byte`);
    t.match(events.at(-1), { state: 'ended' });
    const seals =
      readFileSync(path)
        .toString('latin1')
        .match(/\0\0\0\x40#\0/g) ?? [];
    t.equal(seals.length, 4, 'one seal for each MiB');
  }
});

t.test('strict: one write for each append, and the bytes are in the file at once', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir, durability: 'strict', fs });
  const session = recorder.start(HEADER);
  t.teardown(() => recorder.close());
  for (let index = 0; index < 100; index += 1) {
    const writes = watched.writes;
    session.append('client', Buffer.from(`statement ${index}`));
    t.equal(watched.writes, writes + 1);
  }
  t.match(await readAll(join(dataDir, PATH)), { length: 101 });
});

t.test('strict reaches the disk in the background, not once for each append', async (t) => {
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir: temporaryDirectory(t), durability: 'strict', fs });
  const session = recorder.start(HEADER);
  for (let index = 0; index < 50; index += 1) session.append('client', Buffer.from('x'));
  t.equal(watched.flushes, 0);
  while (watched.flushes === 0) await sleep(10);
  await recorder.close();
  t.ok(watched.flushes <= 2, `${watched.flushes} flushes`);
});

t.test('relaxed gathers, and writes by itself soon after', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir, durability: 'relaxed', fs });
  const session = recorder.start(HEADER);
  t.teardown(() => recorder.close());
  const writes = watched.writes;
  for (let index = 0; index < 100; index += 1) session.append('client', Buffer.alloc(100, 65));
  t.equal(watched.writes, writes);
  while (watched.writes === writes) await sleep(10);
  t.equal(watched.writes, writes + 1);
  t.equal(wireBytes(await readAll(join(dataDir, PATH)), 'client').length, 10_000);
});

t.test('writes that take only a part go on', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { fs, watched } = watchedFs();
  watched.shortWrites = true;
  const recorder = createRecorder({ dataDir, durability: 'strict', fs });
  const session = recorder.start(HEADER);
  session.append('client', Buffer.alloc(500, 66));
  session.end('done');
  await recorder.close();
  t.match((await readAll(join(dataDir, PATH))).at(-1), { state: 'ended' });
});

t.test('synced: a flush covers what came before it, and all who wait share it', async (t) => {
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir: temporaryDirectory(t), durability: 'synced', fs });
  const session = recorder.start(HEADER);
  await session.synced();
  t.equal(session.synced(), undefined, 'nothing to wait for');
  const first = watched.flushes;
  session.append('client', Buffer.from('a'));
  const one = session.synced();
  t.equal(session.synced(), one, 'the flush that covers it is under way');
  session.append('client', Buffer.from('b'));
  const two = session.synced();
  t.not(two, one, 'that one began too early');
  session.append('client', Buffer.from('c'));
  t.equal(session.synced(), two, 'the next has not begun: it covers this as well');
  await Promise.all([one, two]);
  t.equal(watched.flushes, first + 2);
  t.equal(session.synced(), undefined);
  await recorder.close();
});

t.test('only synced has something to wait for', async (t) => {
  for (const durability of ['strict', 'relaxed'] as const) {
    const recorder = createRecorder({ dataDir: temporaryDirectory(t), durability });
    const session = recorder.start(HEADER);
    session.append('client', Buffer.from('a'));
    t.equal(session.synced(), undefined);
    await recorder.close();
  }
});

t.test('a full disk ends the recording for good', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir, durability: 'strict', fs });
  const session = recorder.start(HEADER);
  session.append('client', Buffer.from('kept'));
  watched.failWrite = errno('ENOSPC');
  const expected = { code: 'RECORDING_WRITE', message: /ENOSPC/ };
  t.throws(() => session.append('client', Buffer.from('lost')), expected);
  watched.failWrite = undefined;
  t.throws(() => session.append('client', Buffer.from('never')), expected, 'also with space again');
  t.throws(() => session.note({ kind: 'refused', code: '', reason: '' }), expected);
  session.end('recorder failed');
  t.equal(watched.closed.length, 1, 'the descriptor is given back');
  await recorder.close();
  const events = await readAll(join(dataDir, PATH));
  t.equal(wireBytes(events, 'client').toString(), 'kept');
  t.match(events.at(-1), { kind: 'finish', state: 'torn' });
});

t.test('a disk that fails to flush ends the recording, whoever asked for the flush', async (t) => {
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir: temporaryDirectory(t), durability: 'synced', fs });
  const session = recorder.start(HEADER);
  watched.failFlush = errno('EIO');
  session.append('client', Buffer.from('x'));
  await t.rejects(session.synced() ?? Promise.resolve(), {
    code: 'RECORDING_WRITE',
    message: /EIO/,
  });
  t.throws(() => session.append('client', Buffer.from('y')), { code: 'RECORDING_WRITE' });
  await t.rejects(session.synced() ?? Promise.resolve(), { code: 'RECORDING_WRITE' });
  session.end('recorder failed');

  const background = recorder.start({ ...HEADER, session: 'background' });
  const flushes = watched.flushes;
  background.append('client', Buffer.from('x'));
  while (watched.flushes === flushes) await sleep(10);
  await t.rejects(appendUntilRefused(background), { code: 'RECORDING_WRITE' });
  await recorder.close();
  t.equal(watched.closed.length, 2);
});

t.test('relaxed: a full disk found in the background stops the next append', async (t) => {
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir: temporaryDirectory(t), durability: 'relaxed', fs });
  const session = recorder.start(HEADER);
  watched.failWrite = errno('ENOSPC');
  session.append('client', Buffer.from('x'));
  const writes = watched.writes;
  while (watched.writes === writes) await sleep(10);
  t.throws(() => session.append('client', Buffer.from('y')), { code: 'RECORDING_WRITE' });
  session.end('recorder failed');

  watched.failWrite = undefined;
  const ending = recorder.start({ ...HEADER, session: 'ending' });
  ending.append('client', Buffer.from('x'));
  watched.failWrite = errno('ENOSPC');
  t.throws(() => ending.end('client closed'), { code: 'RECORDING_WRITE' }, 'also at the end');
  t.equal(watched.closed.length, 2);
  await recorder.close();
});

t.test('a session that cannot be recorded does not start, and leaves no file', async (t) => {
  const dataDir = temporaryDirectory(t);
  const { fs, watched } = watchedFs();
  const recorder = createRecorder({ dataDir, durability: 'relaxed', fs });
  watched.failWrite = errno('ENOSPC');
  t.throws(() => recorder.start(HEADER), { code: 'RECORDING_OPEN', message: /ENOSPC/ });
  t.equal(watched.closed.length, 1);
  t.same(
    filesIn(dataDir).filter((name) => name.endsWith('.weir')),
    [],
  );
  watched.failWrite = undefined;
  recorder.start(HEADER);
  t.throws(() => recorder.start(HEADER), { code: 'RECORDING_OPEN', message: /EEXIST/ });
  for (const session of ['../escape', '', 'a/b', 'x'.repeat(65)]) {
    t.throws(() => recorder.start({ ...HEADER, session }), { code: 'RECORDING_OPEN' });
  }
  t.throws(() => recorder.start({ ...HEADER, startedAt: '../..' }), { code: 'RECORDING_OPEN' });
  await recorder.close();
  t.throws(() => recorder.start({ ...HEADER, session: 'late' }), GatewayError);
});

t.test('closing the recorder ends what is open', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'relaxed' });
  const sessions = ['a', 'b', 'c'].map((session) => recorder.start({ ...HEADER, session }));
  for (const session of sessions) session.append('client', Buffer.from('x'));
  await recorder.close();
  for (const name of ['a', 'b', 'c']) {
    const path = join(dataDir, 'recordings', '2026-03-04', `${name}.weir`);
    t.match((await readAll(path)).at(-1), { state: 'ended', reason: 'gateway stopped' });
  }
  t.throws(() => sessions[0]?.append('client', Buffer.from('late')), /has ended/);
});

t.test('many sessions at once keep their frames apart', async (t) => {
  const dataDir = temporaryDirectory(t);
  const recorder = createRecorder({ dataDir, durability: 'strict' });
  const sessions: SessionRecorder[] = [];
  for (let index = 0; index < 40; index += 1) {
    sessions.push(recorder.start({ ...HEADER, session: `s${index}` }));
  }
  for (let round = 0; round < 30; round += 1) {
    sessions.forEach((session, index) => {
      session.append('client', Buffer.alloc(round % 5 === 0 ? 9000 : 500, index));
    });
    if (round % 10 === 0) await sleep(210);
  }
  await recorder.close();
  for (let index = 0; index < sessions.length; index += 1) {
    const path = join(dataDir, 'recordings', '2026-03-04', `s${index}.weir`);
    const events = await readAll(path);
    const bytes = wireBytes(events, 'client');
    t.equal(bytes.length, 6 * 9000 + 24 * 500);
    t.ok(bytes.every((byte) => byte === index));
    t.match(events.at(-1), { state: 'ended' });
  }
});

t.test('kill -9 of a strict writer loses no append that had returned', async (t) => {
  const dataDir = temporaryDirectory(t);
  const script = fileURLToPath(new URL('./endless-writer.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = '';
  child.stdout?.on('data', (chunk) => {
    acknowledged += String(chunk);
  });
  while (acknowledged.length < 2000) await sleep(20);
  child.kill('SIGKILL');
  await once(child, 'close');
  const counts = acknowledged.split('\n').slice(0, -1);
  const last = Number(counts.at(-1));
  t.ok(last > 100, `${last} appends had returned`);
  const events = await readAll(join(dataDir, PATH));
  const found = events.filter((event) => event.kind === 'wire').length;
  t.ok(found >= last, `${found} of at least ${last} are in the file`);
  t.match(events[last - 1], { bytes: Buffer.from(`statement ${last}`) });
  t.match(events.at(-1), { kind: 'finish', state: /unended|torn/ });
});
