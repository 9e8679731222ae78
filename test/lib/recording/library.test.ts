import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findRecording, listNewest, listRecordings } from '../../../lib/recording/library.ts';
import { recordSession, temporaryDirectory } from './session-fixture.ts';

t.test('sessions are found by path, id, start of an id, and `last`', async (t) => {
  const dataDir = temporaryDirectory(t);
  const starts = [
    ['aa-early', '2026-03-04T10:00:00.000Z'],
    ['ab-late', '2026-03-05T09:00:00.000Z'],
    ['zz-first-of-day', '2026-03-05T08:00:00.000Z'],
  ] as const;
  for (const [session, startedAt] of starts) {
    await recordSession(t, [], { dataDir, header: { session, startedAt }, reason: 'done' });
  }
  const ids = async (count: number) =>
    (await listNewest(dataDir, count)).map(({ session }) => session);
  t.same(await ids(10), ['ab-late', 'zz-first-of-day', 'aa-early']);
  t.same(await ids(1), ['ab-late']);
  t.equal((await listRecordings(dataDir)).length, 3);
  t.match(await findRecording('last', dataDir), { session: 'ab-late' });
  t.match(await findRecording('zz', dataDir), { session: 'zz-first-of-day' });
  const { path } = await findRecording('aa-early', dataDir);
  t.match(await findRecording(path, undefined), { path });
  await t.rejects(findRecording('a', dataDir), {
    code: 'RECORDING_NOT_FOUND',
    message: /2 sessions/,
  });
  await t.rejects(findRecording('q', dataDir), { code: 'RECORDING_NOT_FOUND' });
});

t.test('an id that another id starts with is still found', async (t) => {
  const dataDir = temporaryDirectory(t);
  for (const session of ['one', 'one-two']) {
    await recordSession(t, [], { dataDir, header: { session }, reason: 'done' });
  }
  t.match(await findRecording('one', dataDir), { session: 'one' });
});

t.test('a file without a header does not hide the others', async (t) => {
  const { dataDir, path } = await recordSession(t, []);
  writeFileSync(join(path, '..', 'broken.weir'), 'x');
  t.match(await findRecording('last', dataDir), { session: 'session-1' });
});

t.test('no data directory is said', async (t) => {
  const dataDir = temporaryDirectory(t);
  await t.rejects(findRecording('last', join(dataDir, 'none')), { code: 'RECORDING_READ' });
});
