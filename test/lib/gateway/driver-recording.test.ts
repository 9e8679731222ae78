import t from 'tap';
import { DriverRecording } from '../../../lib/gateway/driver-recording.ts';
import { FakeRecorder } from './driver-rig.ts';

t.test('what comes before the start is kept and copied, then recorded first', async (t) => {
  const log: string[] = [];
  const recording = new DriverRecording();
  const reused = Buffer.from('one');
  recording.append('client', reused, undefined);
  reused.fill('-');
  recording.append('server', Buffer.from('two'), 'gateway');
  recording.start(() => new FakeRecorder(log));
  recording.append('client', Buffer.from('three'), undefined);
  t.same(log, ['record client: one', 'record server by gateway: two', 'record client: three']);
});

t.test('whoever signs in again goes on in the same recording', async (t) => {
  const log: string[] = [];
  const recording = new DriverRecording();
  recording.start(() => new FakeRecorder(log));
  recording.start(() => {
    throw new Error('a second recording');
  });
  recording.append('client', Buffer.from('one'), undefined);
  t.same(log, ['record client: one']);
});

t.test('what is kept for a start that never comes is bounded', async (t) => {
  const log: string[] = [];
  const recording = new DriverRecording();
  for (let index = 0; index < 1000; index += 1)
    recording.append('client', Buffer.from('x'), undefined);
  recording.start(() => new FakeRecorder(log));
  t.equal(log.length, 64);
});

t.test('after the end nothing is recorded, and the end comes once', async (t) => {
  const log: string[] = [];
  const recorder = new FakeRecorder(log);
  const recording = new DriverRecording();
  recording.start(() => recorder);
  recording.end('first');
  recording.end('second');
  recording.append('client', Buffer.from('x'), undefined);
  recording.note({ kind: 'ended', reason: 'x' });
  t.same(recorder.ends, ['first']);
  t.same(log, []);
  t.equal(recording.synced(), undefined);
});

t.test('a recorder that fails on what was kept is closed by the end', async (t) => {
  const recorder = new FakeRecorder([]);
  recorder.failure = new Error('full');
  const recording = new DriverRecording();
  recording.append('client', Buffer.from('x'), undefined);
  t.throws(() => recording.start(() => recorder), { message: 'full' });
  recording.end('it could not be started');
  t.same(recorder.ends, ['it could not be started']);
});

t.test('notes and flushes go to the recorder', async (t) => {
  const log: string[] = [];
  const recorder = new FakeRecorder(log);
  const synced = Promise.resolve();
  recorder.nextSync = () => synced;
  const recording = new DriverRecording();
  recording.note({ kind: 'ended', reason: 'too early' });
  recording.start(() => recorder);
  recording.note({ kind: 'refused', code: 'c', reason: 'r' });
  t.same(log, ['note refused']);
  t.equal(recording.synced(), synced);
});
