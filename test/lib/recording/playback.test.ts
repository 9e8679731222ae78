import { rmSync } from 'node:fs';
import t from 'tap';
import { playBack } from '../../../lib/recording/playback.ts';
import { openRecording } from '../../../lib/recording/reader.ts';
import {
  complete,
  int16,
  int32,
  query,
  ready,
  recordSession,
  type Step,
  startup,
} from './session-fixture.ts';

t.test('a value of 200 MB goes through reader and view in bounded memory', async (t) => {
  const valueSize = 200 * 1024 * 1024;
  const piece = Buffer.alloc(1024 * 1024, 0x61);
  const head = [Buffer.from('D'), int32(valueSize + 10), int16(1), int32(valueSize)];
  const steps: Step[] = [
    { at: 0, from: 'client', bytes: Buffer.concat([startup({ user: 'a' }), query('SELECT')]) },
    { at: 1, from: 'server', bytes: Buffer.concat(head) },
    ...Array.from({ length: 200 }, (): Step => ({ at: 2, from: 'server', bytes: piece })),
    { at: 3, from: 'server', bytes: Buffer.concat([complete('SELECT 1'), ready()]) },
  ];
  const { dataDir, path } = await recordSession(t, steps);
  const recording = await openRecording(path);
  const before = process.memoryUsage().arrayBuffers;
  let highWater = 0;
  const events: string[] = [];
  const watch = setInterval(() => {
    highWater = Math.max(highWater, process.memoryUsage().arrayBuffers - before);
  }, 5);
  for await (const event of playBack(recording)) {
    events.push(event.kind === 'message' ? event.message.event : event.kind);
    if (event.kind === 'message' && event.message.event === 'row') {
      t.match(event.message, { cut: true, size: valueSize + 6 });
    }
    if (event.kind === 'finish') t.match(event, { state: 'ended' });
  }
  clearInterval(watch);
  t.same(events, ['startup', 'query', 'row', 'complete', 'ready', 'finish']);
  t.ok(highWater > 0 && highWater < 16 * 1024 * 1024, `${highWater} bytes of buffers at most`);
  rmSync(dataDir, { recursive: true });
});

t.test('another protocol is refused, not guessed at', async (t) => {
  const { path } = await recordSession(t, [], { header: { protocol: 'gopher' }, reason: 'done' });
  const recording = await openRecording(path);
  await t.rejects(playBack(recording).next(), { code: 'RECORDING_PROTOCOL' });
  await recording.close();
});
