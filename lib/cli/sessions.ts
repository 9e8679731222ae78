/** `weir sessions`: the recorded sessions as a table, one of them in detail, or those that hold a text. */

import { parseArgs } from 'node:util';
import { GatewayError } from '../errors.ts';
import { findRecording, listNewest, type StoredRecording } from '../recording/library.ts';
import { type PlaybackEvent, playBack } from '../recording/playback.ts';
import { displayWidth, escapeLine, escapeLines, shorten } from '../recording/printable.ts';
import { openRecording } from '../recording/reader.ts';
import { describeFinish } from '../recording/state.ts';
import { type SessionSummary, summariseSession } from '../recording/summary.ts';
import {
  DATA_DIR_HELP,
  DATA_DIR_OPTIONS,
  isUsageError,
  resolveDataDir,
  UsageError,
} from './data-dir.ts';
import { type CommandIo, EXIT_INTERRUPTED, Output } from './output.ts';

const HELP = `Usage: weir sessions [list | show ID | grep TEXT] [options]

  list             the sessions that started last, newest first (default)
  show ID          one session; ID as for bin/replay
  grep TEXT        where TEXT occurs: in statements, parameters, results, errors and decisions

  --limit N|all    how many sessions list and grep look at (50 for list, all for grep)
${DATA_DIR_HELP}

Exit code: 0 done, 1 nothing was found or a recording could not be read, 2 wrong arguments or no
such session, 130 interrupted.
`;

const LIST_COUNT_DEFAULT = 50;
const MATCH_LENGTH_MAX = 160;
/** Shown of a match ahead of the text that was looked for, characters. */
const MATCH_CONTEXT_LENGTH = 40;

type Row = readonly string[];
const HEADINGS: Row = [
  'SESSION',
  'STARTED',
  'PRINCIPAL',
  'CONNECTION',
  'DATABASE',
  'DURATION',
  'STATEMENTS',
  'BLOCKED',
  'STATE',
];

export async function runSessions(argv: readonly string[], io: CommandIo): Promise<number> {
  const output = new Output(io);
  try {
    const code = await runCommand(argv, io, output);
    return output.isInterrupted ? EXIT_INTERRUPTED : code;
  } catch (error) {
    if (!(error instanceof GatewayError) && !isUsageError(error)) throw error;
    io.stderr.write(`weir sessions: ${escapeLines(error.message)}\n`);
    return 2;
  } finally {
    output.release();
  }
}

async function runCommand(argv: readonly string[], io: CommandIo, output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { ...DATA_DIR_OPTIONS, limit: { type: 'string' } },
  });
  const [command = 'list', argument, ...others] = positionals;
  if (values.help === true) {
    await output.print(HELP);
    return 0;
  }
  if (others.length > 0) throw new UsageError(`what is "${others[0]}"? One argument is enough`);
  const dataDir = resolveDataDir(values);
  switch (command) {
    case 'list':
      if (argument !== undefined) throw new UsageError('list takes no argument');
      return listSessions(dataDir, parseLimit(values.limit, LIST_COUNT_DEFAULT), io, output);
    case 'show':
      if (argument === undefined) throw new UsageError('show which session?');
      return showSession(argument, dataDir, output);
    case 'grep':
      if (argument === undefined || argument === '') throw new UsageError('grep for what?');
      return grepSessions(
        argument,
        await listNewest(dataDir, parseLimit(values.limit, Number.POSITIVE_INFINITY)),
        io,
        output,
      );
    default:
      throw new UsageError(`"${command}" is none of list, show, grep`);
  }
}

async function listSessions(
  dataDir: string,
  limit: number,
  io: CommandIo,
  output: Output,
): Promise<number> {
  const recordings = await listNewest(dataDir, limit);
  const rows: Row[] = [];
  let unreadable = 0;
  for (const { path } of recordings) {
    if (output.isStopped) return 0;
    const summary = await readSummary(path, io);
    if (summary === undefined) unreadable += 1;
    else rows.push(toRow(summary));
  }
  await output.print(alignRows([HEADINGS, ...rows]));
  return unreadable > 0 ? 1 : 0;
}

async function showSession(wanted: string, dataDir: string, output: Output): Promise<number> {
  const { path } = await findRecording(wanted, dataDir);
  const recording = await openRecording(path);
  try {
    const summary = await summariseSession(recording);
    const { header, finish, state } = summary;
    const rows: Row[] = [
      ...HEADINGS.map((name, index) => [name.toLowerCase(), toRow(summary)[index] ?? '']),
      ['client', header.clientAddress],
      ['protocol', header.protocol],
      ['policy', header.policyVersion],
      ['durability', header.durability],
      ['file', path],
      ['end', describeFinish(finish, state)],
      ['blake2b', finish.root ?? ''],
    ];
    const shown = rows.map(([name = '', value = '']) => [name, escapeLine(value)]);
    await output.print(alignRows(shown));
    return 0;
  } finally {
    await recording.close();
  }
}

async function grepSessions(
  text: string,
  recordings: readonly StoredRecording[],
  io: CommandIo,
  output: Output,
): Promise<number> {
  const needle = text.toLowerCase();
  let found = 0;
  let unreadable = 0;
  for (const { path } of recordings) {
    if (output.isStopped) break;
    try {
      found += await grepSession(needle, path, output);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      unreadable += 1;
      io.stderr.write(`weir sessions: ${escapeLines(error.message)}\n`);
    }
  }
  return found === 0 || unreadable > 0 ? 1 : 0;
}

async function grepSession(needle: string, path: string, output: Output): Promise<number> {
  const recording = await openRecording(path);
  let principal = '-';
  let found = 0;
  try {
    for await (const event of playBack(recording)) {
      if (output.isStopped) break;
      if (event.kind === 'note' && event.note.kind === 'signed-in') {
        principal = event.note.principal;
      }
      const place = findText(searchable(event), needle);
      if (place === undefined) continue;
      found += 1;
      const time = `+${(event.at / 1_000_000).toFixed(3)}s`;
      const what = nameOf(event);
      const line = [recording.header.session, time, principal, what, place].map(escapeLine);
      await output.print(`${line.join('  ')}\n`);
    }
  } finally {
    await recording.close();
  }
  return found;
}

function searchable(event: PlaybackEvent): object {
  if (event.kind === 'message') return event.message;
  return event.kind === 'note' ? event.note : {};
}

function nameOf(event: PlaybackEvent): string {
  if (event.kind === 'message') return event.message.event;
  return event.kind === 'note' ? event.note.kind : event.kind;
}

/** The first text anywhere in `value` that holds `needle`, cut to what surrounds it. */
function findText(value: unknown, needle: string): string | undefined {
  if (typeof value === 'string') {
    const index = value.toLowerCase().indexOf(needle);
    if (index < 0) return undefined;
    const start = Math.max(0, index - MATCH_CONTEXT_LENGTH);
    return (start > 0 ? '…' : '') + shorten(value.slice(start), MATCH_LENGTH_MAX);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const part of Object.values(value)) {
    const place = findText(part, needle);
    if (place !== undefined) return place;
  }
  return undefined;
}

async function readSummary(path: string, io: CommandIo): Promise<SessionSummary | undefined> {
  try {
    return await summariseSession(await openRecording(path));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    io.stderr.write(`weir sessions: ${escapeLines(error.message)}\n`);
    return undefined;
  }
}

function toRow(summary: SessionSummary): Row {
  const { header } = summary;
  return [
    header.session,
    header.startedAt,
    summary.principal ?? '-',
    header.connection,
    // A MySQL session may begin without one.
    summary.database === '' ? '-' : (summary.database ?? '-'),
    `${(summary.duration / 1_000_000).toFixed(1)}s`,
    String(summary.statements),
    String(summary.blocked),
    summary.state,
  ].map((cell) => shorten(escapeLine(cell), MATCH_LENGTH_MAX));
}

function alignRows(rows: readonly Row[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell));
    });
  }
  return rows
    .map((row) => {
      const cells = row.map(
        (cell, index) => cell + ' '.repeat((widths[index] ?? 0) - displayWidth(cell)),
      );
      return `${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

function parseLimit(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (text === 'all') return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`--limit ${text}: a whole number above 0, or all`);
}
