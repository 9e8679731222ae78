/**
 * Finds recordings in a data directory: all of them, one by id, by the start of an id, or the last.
 * The directory is the index; nothing is kept beside the recordings that could disagree with them.
 */

import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { describeCause } from './cause.ts';
import { RECORDING_SUFFIX } from './format.ts';
import { openRecording } from './reader.ts';
import { RECORDINGS_DIRECTORY } from './recorder.ts';

export interface StoredRecording {
  readonly session: string;
  readonly path: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Newest day first, by id within a day. Throws GatewayError RECORDING_READ. */
export async function listRecordings(dataDir: string): Promise<StoredRecording[]> {
  const found: StoredRecording[] = [];
  for (const day of await listDays(dataDir)) found.push(...(await listDay(day)));
  return found;
}

/** `wanted` is a path, `last`, an id, or the start of exactly one id. Throws GatewayError RECORDING_NOT_FOUND. */
export async function findRecording(
  wanted: string,
  dataDir: string | undefined,
): Promise<StoredRecording> {
  if (wanted.endsWith(RECORDING_SUFFIX) || (await isFile(wanted))) {
    return { session: basename(wanted, RECORDING_SUFFIX), path: wanted };
  }
  if (dataDir === undefined) {
    const message = `"${wanted}" is no file; to find a session by id, say where: --data-dir DIR or -c FILE`;
    throw new GatewayError('RECORDING_NOT_FOUND', message);
  }
  if (wanted === 'last') return findLast(dataDir);
  const all = await listRecordings(dataDir);
  const exact = all.find((stored) => stored.session === wanted);
  if (exact !== undefined) return exact;
  const matches = all.filter((stored) => stored.session.startsWith(wanted));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  const problem =
    matches.length === 0
      ? `no session "${wanted}" in ${dataDir}; \`weir sessions list\` shows those that are there`
      : `"${wanted}" fits ${matches.length} sessions: write more of the id`;
  throw new GatewayError('RECORDING_NOT_FOUND', problem);
}

/**
 * Those that started last, newest first, by their own headers: ids need not sort by time. One whose
 * header cannot be read comes last in its day. Throws GatewayError RECORDING_READ.
 */
export async function listNewest(dataDir: string, countMax: number): Promise<StoredRecording[]> {
  const found: StoredRecording[] = [];
  for (const day of await listDays(dataDir)) {
    if (found.length >= countMax) break;
    const dated: { stored: StoredRecording; startedAt: string }[] = [];
    for (const stored of await listDay(day)) {
      dated.push({ stored, startedAt: await readStart(stored.path) });
    }
    dated.sort((one, other) => compareText(other.startedAt, one.startedAt));
    found.push(...dated.map(({ stored }) => stored));
  }
  return found.slice(0, countMax);
}

async function findLast(dataDir: string): Promise<StoredRecording> {
  const [last] = await listNewest(dataDir, 1);
  if (last !== undefined) return last;
  throw new GatewayError('RECORDING_NOT_FOUND', `there is no recorded session in ${dataDir}`);
}

/** Paths of the day directories, newest first. */
async function listDays(dataDir: string): Promise<string[]> {
  const root = join(dataDir, RECORDINGS_DIRECTORY);
  const days = (await readNames(root)).filter((name) => DAY.test(name));
  return days
    .toSorted()
    .toReversed()
    .map((day) => join(root, day));
}

async function listDay(directory: string): Promise<StoredRecording[]> {
  return (await readNames(directory))
    .filter((name) => name.endsWith(RECORDING_SUFFIX))
    .toSorted()
    .map((name) => ({
      session: basename(name, RECORDING_SUFFIX),
      path: join(directory, name),
    }));
}

/** Empty: no readable header, which `weir verify` reports. */
async function readStart(path: string): Promise<string> {
  try {
    const recording = await openRecording(path);
    await recording.close();
    return recording.header.startedAt;
  } catch (error) {
    if (error instanceof GatewayError) return '';
    throw error;
  }
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

async function readNames(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    const message = `cannot read ${directory}: ${describeCause(cause)}`;
    throw new GatewayError('RECORDING_READ', message, { cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
