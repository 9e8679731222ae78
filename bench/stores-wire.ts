/**
 * What masking an answer of a vector database costs on one core, in megabytes per second: JSON by spans and
 * protobuf by plan, against taking them apart and writing them anew; and what nobody can save who records it,
 * its digest, its checksums and its bytes in a file. Answers are made here, with vectors of 768 dimensions.
 * Run it with: node build/bench/stores-wire.js
 */

import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { createFieldMasks } from '../lib/masking/field-masks.ts';
import { DIGEST_ALGORITHM } from '../lib/recording/format.ts';
import { maskJson, readJson } from '../protocols/wire/json.ts';
import type { JsonPlan } from '../protocols/wire/json.ts';
import { mapPlan, rewriteMessage } from '../protocols/wire/protobuf.ts';
import type { ProtoAction, ProtoPlan } from '../protocols/wire/protobuf.ts';
import type { FieldMasks } from '../protocols/store.ts';
import { jsonAnswer, protoAnswer } from './stores-answers.ts';

/** Of one measurement, after as long a warm-up. */
const SECONDS = 1;

/** One mask by name and two detectors, as a configuration has them. */
const MASKS = createMasks();

function createMasks(): FieldMasks {
  const base = {
    connections: ['*'],
    columns: [],
    with: 'redact',
    mode: 'mask',
    except: [],
  } as const;
  const masks = createFieldMasks(
    [
      { ...base, name: 'by name', fields: ['email'] },
      { ...base, name: 'by content', detect: ['email', 'credit-card'] },
    ],
    { hashKey: undefined },
  );
  if (masks === undefined) throw new Error('no masks');
  return masks;
}

const NAMES: FieldMasks = { ...MASKS, detect: undefined };

const JSON_PLAN: JsonPlan = {
  keys: new Map([
    ['result', { keys: new Map([['points', { keys: new Map([['payload', { record: [] }]]) }]]) }],
  ]),
};

/** Plans of protobuf call what they were given: one plan for each way to mask. */
function protoPlan(masks: FieldMasks): ProtoPlan {
  const value = new Map<number, ProtoAction>();
  value.set(4, (bytes, path) => {
    const mask = masks.maskOf(path) ?? masks.detect;
    if (mask === undefined) return bytes;
    const text = bytes.toString('utf8');
    const masked = mask(text) ?? '';
    return masked === text ? bytes : Buffer.from(masked);
  });
  value.set(6, new Map([[1, mapPlan(value)]]));
  value.set(7, new Map([[1, value]]));
  return new Map([[1, new Map([[2, mapPlan(value)]])]]);
}

function measure(name: string, bytes: Buffer, run: () => unknown): void {
  let count = 0;
  let elapsed = 0;
  for (const part of ['warm-up', 'measured']) {
    count = 0;
    const before = process.cpuUsage();
    const start = performance.now();
    while (performance.now() - start < SECONDS * 1000) {
      run();
      count += 1;
    }
    // Processor time, garbage collection with it: others may share the core.
    const { user, system } = process.cpuUsage(before);
    elapsed = part === 'measured' ? (user + system) / 1e6 : 0;
  }
  const rate = (bytes.length * count) / 1e6 / elapsed;
  const each = (elapsed / count) * 1000;
  const size = `${(bytes.length / 1000).toFixed(0)} kB`.padStart(8);
  console.log(
    `${name.padEnd(34)}${size}${each.toFixed(3).padStart(10)} ms${rate.toFixed(0).padStart(8)} MB/s`,
  );
}

for (const size of [350_000, 1_300_000]) {
  const json = jsonAnswer(Math.round(size / jsonAnswer(1).length));
  const proto = protoAnswer(Math.round(size / protoAnswer(1).length));
  measure('json: masked by name', json, () => maskJson(json, JSON_PLAN, NAMES));
  measure('json: masked, with detectors', json, () => maskJson(json, JSON_PLAN, MASKS));
  measure('json: checked, nothing to mask', json, () => maskJson(json, 'pass', MASKS));
  measure('json: readJson', json, () => readJson(json, 'client'));
  measure('json: parse and stringify', json, () => JSON.stringify(JSON.parse(json.toString())));
  const [byName, withDetectors] = [protoPlan(NAMES), protoPlan(MASKS)];
  measure('protobuf: masked by name', proto, () => rewriteMessage(proto, byName));
  measure('protobuf: masked, with detectors', proto, () => rewriteMessage(proto, withDetectors));
  measureRecording(json);
}

/** The floor under the recording of an answer, without Weir. */
function measureRecording(bytes: Buffer): void {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const file = openSync(join(folder, 'floor'), 'wx', 0o600);
  const hash = createHash(DIGEST_ALGORITHM);
  measure('recording: digest', bytes, () => hash.update(bytes));
  measure('recording: checksums', bytes, () => crc32(bytes));
  // Over itself again and again: the disk is not what is measured.
  measure('recording: write', bytes, () => writeSync(file, bytes, 0, bytes.length, 0));
  closeSync(file);
  rmSync(folder, { recursive: true });
}
