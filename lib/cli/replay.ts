/**
 * `bin/replay SESSION`: plays a recorded session back, with its timing for people (`text`) or as
 * fast as it can be read for programs (`json`, `csv`). Replay against a database is not here yet.
 */

import { parseArgs } from 'node:util';
import { GatewayError } from '../errors.ts';
import { findRecording } from '../recording/library.ts';
import { type PlaybackFormat, playBack } from '../recording/playback.ts';
import { createCsvFormat, createJsonFormat } from '../recording/playback-data.ts';
import { createTextFormat } from '../recording/playback-text.ts';
import { escapeLine, escapeLines } from '../recording/printable.ts';
import { type FinishEvent, openRecording, type Recording } from '../recording/reader.ts';
import { describeFinish, stateOf } from '../recording/state.ts';
import {
  DATA_DIR_HELP,
  DATA_DIR_OPTIONS,
  isUsageError,
  resolveDataDir,
  UsageError,
} from './data-dir.ts';
import { type CommandIo, EXIT_INTERRUPTED, Output } from './output.ts';
import { parseInstant } from './instant.ts';

const HELP = `Usage: bin/replay SESSION [options]

Plays a recorded session back. SESSION is the path of a recording, a session id, the start of one
(where only one session has it), or \`last\`.

  --speed N|max    text: N times as fast, or without any pause. Without --speed the time is real,
                   but no pause is longer than 2 seconds. json and csv never pause unless it is given.
  --format FORMAT  text (default) | json (one object a line) | csv (the rows of the results)
  --at TIME        start there: 12.5, 1m30s, 1:30 into the session, or 2026-01-31T09:15:00Z
  --rows N|all     text: rows shown of each result (100)
${DATA_DIR_HELP}

Exit code: 0 played to its end, 1 the recording is damaged or cut off (what is there was played),
2 wrong arguments or no such session, 130 interrupted.
`;

/** Longest silence that is played when no --speed was given, microseconds. */
const PAUSE_MAX = 2_000_000;
const ROWS_SHOWN_DEFAULT = 100;
const FORMATS = ['text', 'json', 'csv'] as const;
type Format = (typeof FORMATS)[number];
/** Named in the plan of the project, so people will try them. */
const FORMATS_TO_COME: readonly string[] = ['asciicast', 'pcapng'];

interface ReplayOptions {
  readonly session: string;
  readonly dataDir: string;
  readonly format: Format;
  /** Undefined: real time with shortened pauses for text, none for the others. */
  readonly speed: number | undefined;
  readonly at: string | undefined;
  readonly rowsMax: number;
}

export async function runReplay(argv: readonly string[], io: CommandIo): Promise<number> {
  let recording: Recording | undefined;
  try {
    const options = readOptions(argv);
    if (options === undefined) {
      io.stdout.write(HELP);
      return 0;
    }
    const stored = await findRecording(options.session, options.dataDir);
    recording = await openRecording(stored.path);
    return await play(recording, options, io);
  } catch (error) {
    if (!(error instanceof GatewayError) && !isUsageError(error)) throw error;
    const hint = isUsageError(error) ? '\nbin/replay --help shows how it is used' : '';
    io.stderr.write(`replay: ${escapeLines(error.message)}${hint}\n`);
    // A file whose header cannot be read is a damaged recording, not a wrong argument.
    return error instanceof GatewayError && error.code === 'RECORDING_FORMAT' ? 1 : 2;
  } finally {
    await recording?.close();
  }
}

async function play(recording: Recording, options: ReplayOptions, io: CommandIo): Promise<number> {
  const { header } = recording;
  const from = options.at === undefined ? 0 : parseInstant(options.at, header.startedAt);
  if (from === undefined) throw new UsageError(`--at ${options.at}: this is no time`);
  const format = createFormat(recording, options, io);
  const output = new Output(io);
  const pacer = new Pacer(output, options);
  let finish: FinishEvent | undefined;
  try {
    await output.print(format.begin());
    for await (const event of playBack(recording)) {
      if (output.isStopped) break;
      if (event.kind === 'finish') finish = event;
      const text = format.show(event);
      // What is before --at is read all the same: the view must know the statements.
      if (text === '' || (event.at < from && event.kind !== 'finish')) continue;
      await pacer.waitFor(Math.max(0, event.at - from));
      await output.print(text);
    }
  } finally {
    output.release();
  }
  if (output.isInterrupted) return EXIT_INTERRUPTED;
  if (finish === undefined) return 0; // The reader of our output has gone.
  const state = stateOf(header, finish);
  if (state === 'ended' || state === 'open') return 0;
  io.stderr.write(`replay: ${escapeLine(describeFinish(finish, state))}\n`);
  return 1;
}

function createFormat(recording: Recording, options: ReplayOptions, io: CommandIo): PlaybackFormat {
  switch (options.format) {
    case 'text': {
      const hasColour = io.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
      return createTextFormat(recording.header, { hasColour, rowsMax: options.rowsMax });
    }
    case 'json':
      return createJsonFormat(recording.header);
    case 'csv':
      return createCsvFormat();
  }
}

/** Lets the time of the recording pass. */
class Pacer {
  readonly #output: Output;
  /** Infinity: no pauses. */
  readonly #speed: number;
  readonly #isShortening: boolean;
  #at = 0;
  #due = performance.now();

  constructor(output: Output, options: ReplayOptions) {
    this.#output = output;
    this.#speed = options.speed ?? (options.format === 'text' ? 1 : Number.POSITIVE_INFINITY);
    this.#isShortening = options.speed === undefined;
  }

  /** `at`: microseconds since the start of what is played. */
  async waitFor(at: number): Promise<void> {
    const silence = Math.max(0, at - this.#at);
    this.#at = Math.max(at, this.#at);
    if (this.#speed === Number.POSITIVE_INFINITY) return;
    const isShortened = this.#isShortening && silence > PAUSE_MAX;
    if (isShortened) {
      const seconds = (silence / 1_000_000).toFixed(1);
      await this.#output.print(`           (${seconds}s of silence, shortened to 2s)\n`);
    }
    // Against a schedule, not one sleep after the other: timers and printing would add up.
    this.#due += (isShortened ? PAUSE_MAX : silence) / 1000 / this.#speed;
    const left = this.#due - performance.now();
    if (left >= 1) await this.#output.pause(left);
  }
}

/** Undefined: help was asked for. Throws UsageError, and what `parseArgs` throws. */
function readOptions(argv: readonly string[]): ReplayOptions | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      ...DATA_DIR_OPTIONS,
      speed: { type: 'string' },
      format: { type: 'string' },
      at: { type: 'string' },
      rows: { type: 'string' },
      to: { type: 'string' },
      diff: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  if (values.to !== undefined || values.diff !== undefined) {
    throw new UsageError('--to and --diff, replay against a database, are not there yet');
  }
  const [session, ...others] = positionals;
  if (session === undefined) throw new UsageError('which session? A path, an id, or `last`');
  if (others.length > 0) throw new UsageError(`one session at a time, not also "${others[0]}"`);
  return {
    session,
    dataDir: resolveDataDir(values),
    format: parseFormat(values.format ?? 'text'),
    speed: values.speed === undefined ? undefined : parseSpeed(values.speed),
    at: values.at,
    rowsMax: parseRows(values.rows),
  };
}

function parseFormat(text: string): Format {
  const format = FORMATS.find((known) => known === text);
  if (format !== undefined) return format;
  const problem = FORMATS_TO_COME.includes(text) ? 'is not there yet' : 'is unknown';
  throw new UsageError(`--format ${text} ${problem}; there are ${FORMATS.join(', ')}`);
}

function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const speed = Number(text);
  if (text.trim() !== '' && Number.isFinite(speed) && speed > 0) return speed;
  throw new UsageError(`--speed ${text}: a number above 0, or max`);
}

function parseRows(text: string | undefined): number {
  if (text === undefined) return ROWS_SHOWN_DEFAULT;
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--rows ${text}: a whole number, or all`);
}
