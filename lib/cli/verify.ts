/**
 * `weir verify DATA_DIR`: reads every recording to its end against its checksums and digests. What
 * this proves is bounded, and the command says so: whoever can write the file can make new digests,
 * until the audit log keeps them apart from it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { GatewayError } from '../errors.ts';
import { listRecordings } from '../recording/library.ts';
import { escapeLine, escapeLines } from '../recording/printable.ts';
import { openRecording } from '../recording/reader.ts';
import { describeFinish, type RecordingState, stateOf } from '../recording/state.ts';
import {
  DATA_DIR_HELP,
  DATA_DIR_OPTIONS,
  isConfigError,
  isUsageError,
  resolveDataDir,
  UsageError,
} from './data-dir.ts';
import { type CommandIo, EXIT_INTERRUPTED, Output } from './output.ts';

const HELP = `Usage: weir verify [DATA_DIR] [options]

Checks every recording against its checksums and digests and names the file and the offset where
one is altered or cut off.

${DATA_DIR_HELP}

Exit code: 0 all recordings are whole (sessions that are still open may be among them), 1 at least
one is altered or cut off, 2 wrong arguments, 3 something could not be checked, 130 interrupted.
`;

const AUDIT_LOG_NOTE =
  'The audit log is not there yet: a recording that was removed, or replaced by another whole one,\n' +
  'is not noticed by this check.\n';

/** A writer is between two frames, or somebody cut the file: the second look tells. Milliseconds. */
const SECOND_LOOK_DELAY = 250;

type Verdict = RecordingState | 'unchecked';

interface Check {
  readonly verdict: Verdict;
  /** Undefined: nothing to say. */
  readonly problem: string | undefined;
}

export async function runVerify(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const dataDir = readDataDir(argv);
    if (dataDir === undefined) {
      io.stdout.write(HELP);
      return 0;
    }
    return await verifyAll(dataDir, io);
  } catch (error) {
    if (!(error instanceof GatewayError) && !isUsageError(error)) throw error;
    io.stderr.write(`weir verify: ${escapeLines(error.message)}\n`);
    return isUsageError(error) || isConfigError(error) ? 2 : 3;
  }
}

async function verifyAll(dataDir: string, io: CommandIo): Promise<number> {
  const recordings = await listRecordings(dataDir);
  const counts = new Map<Verdict, number>();
  const output = new Output(io);
  try {
    for (const { path } of recordings) {
      if (output.isStopped) break;
      const { verdict, problem } = await checkRecording(path);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      if (problem === undefined) continue;
      await output.print(`${verdict.toUpperCase()} ${escapeLine(path)}: ${escapeLine(problem)}\n`);
    }
    if (output.isInterrupted) return EXIT_INTERRUPTED;
    await output.print(`${summarise(recordings.length, counts)}\n${AUDIT_LOG_NOTE}`);
  } finally {
    output.release();
  }
  if (counts.has('damaged') || counts.has('cut off')) return 1;
  return counts.has('unchecked') || counts.has('unfinished') ? 3 : 0;
}

async function checkRecording(path: string): Promise<Check> {
  try {
    const first = await readToEnd(path);
    if (first.verdict !== 'open' || !first.isTorn) return first;
    // Writers write whole frames. A piece of one that stays is no frame in the making.
    await sleep(SECOND_LOOK_DELAY);
    const second = await readToEnd(path);
    if (second.verdict !== 'open' || !second.isTorn || second.offset !== first.offset)
      return second;
    const problem = `at offset ${second.offset}: bytes that never became a frame`;
    return { verdict: 'damaged', problem };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const verdict = error.code === 'RECORDING_FORMAT' ? 'damaged' : 'unchecked';
    return { verdict, problem: error.message };
  }
}

async function readToEnd(path: string): Promise<Check & { isTorn: boolean; offset: number }> {
  const recording = await openRecording(path);
  try {
    for await (const event of recording.events()) {
      if (event.kind !== 'finish') continue;
      const verdict = stateOf(recording.header, event);
      const isWhole = verdict === 'ended' || verdict === 'open';
      const problem = isWhole ? undefined : describeFinish(event, verdict);
      return { verdict, problem, isTorn: event.state === 'torn', offset: event.offset };
    }
  } finally {
    await recording.close();
  }
  throw new Error('a recording is read to a finish event'); // Else the reader is wrong.
}

function summarise(total: number, counts: ReadonlyMap<Verdict, number>): string {
  const order: readonly Verdict[] = [
    'ended',
    'open',
    'cut off',
    'damaged',
    'unfinished',
    'unchecked',
  ];
  const parts = order
    .filter((verdict) => counts.has(verdict))
    .map(
      (verdict) => `${counts.get(verdict)} ${verdict === 'ended' ? 'ended and whole' : verdict}`,
    );
  const list = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  return `${total} ${total === 1 ? 'recording' : 'recordings'}${list}`;
}

/** Undefined: help was asked for. */
function readDataDir(argv: readonly string[]): string | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: DATA_DIR_OPTIONS,
  });
  if (values.help === true) return undefined;
  const [dataDir, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`one data directory, not also "${others[0]}"`);
  if (dataDir === undefined) return resolveDataDir(values);
  if (values.config !== undefined || values['data-dir'] !== undefined) {
    throw new UsageError('give the data directory once');
  }
  return resolveDataDir({ 'data-dir': dataDir });
}
