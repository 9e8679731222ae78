import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { GatewayError } from '../../../lib/errors.ts';
import { FRAME_OVERHEAD_SIZE, PREAMBLE_SIZE } from '../../../lib/recording/format.ts';
import { type FinishEvent, openRecording } from '../../../lib/recording/reader.ts';
import { describeFinish, stateOf } from '../../../lib/recording/state.ts';
import { HEADER, recordSession, shopSession, temporaryDirectory } from './session-fixture.ts';

async function readToEnd(path: string): Promise<{ finish: FinishEvent; count: number }> {
  const recording = await openRecording(path);
  let count = 0;
  for await (const event of recording.events()) {
    if (event.kind === 'finish') return { finish: event, count };
    count += 1;
  }
  throw new Error('no finish event');
}

/** Undefined: it opened. */
async function openingCode(path: string): Promise<unknown> {
  try {
    await (await openRecording(path)).close();
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.code : error;
  }
}

/** Offsets of all frames, from their length fields alone. */
function frameOffsets(bytes: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = PREAMBLE_SIZE; at < bytes.length; ) {
    offsets.push(at);
    at += bytes.readUInt32BE(at) + FRAME_OVERHEAD_SIZE;
  }
  return offsets;
}

t.test('the header tells who, where and by which process', async (t) => {
  const { path } = await recordSession(t, []);
  const recording = await openRecording(path);
  t.match(recording.header, { ...HEADER, durability: 'strict' });
  t.match(recording.header.writer, { host: hostname(), pid: process.pid });
  await recording.close();
});

t.test('a recording cut at any byte plays to its last whole frame and says so', async (t) => {
  const { path } = await recordSession(t, shopSession().slice(3, 10));
  const bytes = readFileSync(path);
  const offsets = [...frameOffsets(bytes), bytes.length];
  const cutPath = join(temporaryDirectory(t), 'cut.weir');
  for (let cut = 0; cut < bytes.length; cut += 1) {
    writeFileSync(cutPath, bytes.subarray(0, cut));
    if (cut < (offsets[1] ?? 0)) {
      if ((await openingCode(cutPath)) !== 'RECORDING_FORMAT') t.fail(`cut at ${cut}`);
      continue;
    }
    const whole = offsets.filter((offset) => offset <= cut).length - 1;
    const { finish, count } = await readToEnd(cutPath);
    const isBetween = offsets.includes(cut);
    if (
      finish.state !== (isBetween ? 'unended' : 'torn') ||
      finish.offset !== offsets[whole] ||
      finish.frames !== whole ||
      count !== whole - 1
    ) {
      t.fail(`cut at ${cut}`, { finish, count, whole });
    }
  }
});

t.test('an altered byte is found, and the frame it is in', async (t) => {
  const { path } = await recordSession(t, shopSession().slice(3, 10));
  const bytes = readFileSync(path);
  const offsets = frameOffsets(bytes);
  const alteredPath = join(temporaryDirectory(t), 'altered.weir');
  for (let index = 0; index < bytes.length; index += 1) {
    const altered = Buffer.from(bytes);
    altered[index] = (altered[index] ?? 0) ^ 0x20;
    writeFileSync(alteredPath, altered);
    if (index < (offsets[1] ?? 0)) {
      if ((await openingCode(alteredPath)) !== 'RECORDING_FORMAT') t.fail(`byte ${index}`);
      continue;
    }
    const { finish } = await readToEnd(alteredPath);
    const frame = offsets.findLast((offset) => offset <= index);
    if (finish.state === 'ended' || finish.offset !== frame) t.fail(`byte ${index}`, { finish });
  }
});

t.test('frames that were removed, moved or added are found by the digest', async (t) => {
  const { path } = await recordSession(t, shopSession());
  const bytes = readFileSync(path);
  const offsets = frameOffsets(bytes);
  const [, first = 0, second = 0, third = 0] = offsets;
  const doctored = join(temporaryDirectory(t), 'doctored.weir');
  writeFileSync(doctored, Buffer.concat([bytes.subarray(0, first), bytes.subarray(second)]));
  t.match((await readToEnd(doctored)).finish, { state: 'damaged', problem: /digest of the end/ });
  const moved = [
    bytes.subarray(0, first),
    bytes.subarray(second, third),
    bytes.subarray(first, second),
    bytes.subarray(third),
  ];
  writeFileSync(doctored, Buffer.concat(moved));
  t.match((await readToEnd(doctored)).finish, { state: 'damaged', problem: /is before that/ });
  writeFileSync(doctored, Buffer.concat([bytes, bytes.subarray(first, second)]));
  t.match((await readToEnd(doctored)).finish, { state: 'damaged', problem: /after the end frame/ });
});

t.test('who finds no end can tell an open session from one that was cut off', async (t) => {
  const { path } = await recordSession(t, shopSession(), { reason: undefined });
  const recording = await openRecording(path);
  await recording.close();
  const { header } = recording;
  const { finish } = await readToEnd(path);
  t.equal(stateOf(header, finish), 'open');
  const gone = { ...header, writer: { ...header.writer, started: '1' } };
  t.equal(stateOf(gone, finish), 'cut off', 'the process id was used again');
  const elsewhere = { ...header, writer: { ...header.writer, host: 'another' } };
  t.equal(stateOf(elsewhere, finish), 'unfinished');
  t.match(describeFinish(finish, 'cut off'), /cut off after \d+ whole frames, at offset \d+/);
});

t.test('what is no recording is refused', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'x.weir');
  writeFileSync(path, 'asciicast, perhaps');
  await t.rejects(openRecording(path), { code: 'RECORDING_FORMAT', message: /x\.weir/ });
  await t.rejects(openRecording(join(directory, 'none.weir')), { code: 'RECORDING_READ' });
  await t.rejects(openRecording(directory), { code: 'RECORDING_READ' });
});
