/**
 * Which process writes a recording, and whether it still runs. Only a hint for people: it tells an
 * open session from one that was cut off by a crash, and proves nothing about the bytes.
 */

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Writer } from './format.ts';

/** The 22nd field of /proc/PID/stat, counted behind the command name, which may hold blanks. */
const START_TIME_FIELD = 19;

export function describeThisProcess(): Writer {
  const started = readStartTime(process.pid);
  const writer = { host: hostname(), pid: process.pid };
  return started === undefined ? writer : { ...writer, started };
}

/** Undefined: written on another host (or in another container), so this one cannot know. */
export function isWriterRunning(writer: Writer): boolean | undefined {
  if (writer.host !== hostname()) return undefined;
  if (writer.started !== undefined) return readStartTime(writer.pid) === writer.started;
  try {
    process.kill(writer.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Undefined where there is no /proc or no such process. */
function readStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TIME_FIELD];
  } catch {
    return undefined;
  }
}
