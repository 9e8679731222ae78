/** `weir who-saw`: who was given a record of a vector database, when and by which query, from the recordings. */

import { parseArgs } from 'node:util';
import { GatewayError } from '../errors.ts';
import { listRecordings } from '../recording/library.ts';
import { escapeJson, escapeLine, escapeLines } from '../recording/printable.ts';
import { openRecording, type Recording } from '../recording/reader.ts';
import { type Question, SEARCHED_PROTOCOLS, type Sighting, whoSaw } from '../recording/who-saw.ts';
import {
  DATA_DIR_HELP,
  DATA_DIR_OPTIONS,
  isConfigError,
  isUsageError,
  resolveDataDir,
  UsageError,
} from './data-dir.ts';
import { type CommandIo, EXIT_INTERRUPTED, Output } from './output.ts';

const HELP = `Usage: weir who-saw --connection NAME --collection NAME --id ID [options]

Goes through the recordings of a Chroma, Qdrant, Milvus or Redis connection and prints every answer in which
the record came back: time, principal, session, exchange, route, the query in short. By the name that
the collection has in rules: not an alias, not an id. \`bin/replay SESSION\` shows the rest.

  --connection NAME  as in the configuration
  --collection NAME  parts from the right: customers, or sales/customers; Redis: keys, user:*, or an index
  --id ID            of the record, as text or number
  --field NAME       name of the field that holds the ids in JSON answers (id); Milvus lets it be any
  --format FORMAT    text (default) | json (one object a line)
${DATA_DIR_HELP}

Exit code: 0 somebody saw it, 1 nobody did, 2 wrong arguments, 3 a recording could not be read or
searched to its end, so that there may be more, 130 interrupted.
`;

const EXIT_NOBODY = 1;
const EXIT_USAGE = 2;
const EXIT_INCOMPLETE = 3;
/** A scan that takes longer than this says how far it is, milliseconds. */
const PROGRESS_INTERVAL = 3000;

interface Options extends Question {
  readonly connection: string;
  readonly dataDir: string;
  readonly isJson: boolean;
}

export async function runWhoSaw(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options === undefined) {
      io.stdout.write(HELP);
      return 0;
    }
    return await scan(options, io);
  } catch (error) {
    if (!(error instanceof GatewayError) && !isUsageError(error)) throw error;
    io.stderr.write(`weir who-saw: ${escapeLines(error.message)}\n`);
    return isUsageError(error) || isConfigError(error) ? EXIT_USAGE : EXIT_INCOMPLETE;
  }
}

async function scan(options: Options, io: CommandIo): Promise<number> {
  const recordings = await listRecordings(options.dataDir);
  const output = new Output(io);
  const scanner = new Scanner(options, io, output);
  let toldAt = performance.now();
  try {
    // The list has the newest day first; this is a history.
    for (const [index, { path }] of recordings.toReversed().entries()) {
      if (output.isStopped) break;
      await scanner.search(path);
      if (performance.now() - toldAt < PROGRESS_INTERVAL) continue;
      toldAt = performance.now();
      scanner.say(`${index + 1} of ${recordings.length} recordings read, ${scanner.found} found`);
    }
  } finally {
    output.release();
  }
  if (output.isInterrupted) return EXIT_INTERRUPTED;
  scanner.say(scanner.summary);
  if (scanner.gaps > 0) return EXIT_INCOMPLETE;
  return scanner.found > 0 ? 0 : EXIT_NOBODY;
}

class Scanner {
  readonly #options: Options;
  readonly #io: CommandIo;
  readonly #output: Output;
  /** Recordings of the connection. */
  #searched = 0;
  #found = 0;
  #gaps = 0;

  constructor(options: Options, io: CommandIo, output: Output) {
    this.#options = options;
    this.#io = io;
    this.#output = output;
  }

  get found(): number {
    return this.#found;
  }

  get gaps(): number {
    return this.#gaps;
  }

  get summary(): string {
    const recordings = `${this.#searched} ${this.#searched === 1 ? 'recording' : 'recordings'}`;
    const times = `${this.#found} ${this.#found === 1 ? 'time' : 'times'}`;
    return `${recordings} of "${this.#options.connection}" searched, seen ${times}`;
  }

  say(text: string): void {
    this.#io.stderr.write(`weir who-saw: ${escapeLine(text)}\n`);
  }

  async search(path: string): Promise<void> {
    let recording: Recording | undefined;
    try {
      recording = await openRecording(path);
      const { connection, protocol } = recording.header;
      if (connection !== this.#options.connection) return;
      if (SEARCHED_PROTOCOLS.has(protocol)) await this.#searchOpen(recording);
      else this.#report(path, `recordings of ${protocol} cannot be searched for records`);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#report(path, error.message);
    } finally {
      await recording?.close();
    }
  }

  async #searchOpen(recording: Recording): Promise<void> {
    this.#searched += 1;
    for await (const event of whoSaw(recording, this.#options)) {
      if (this.#output.isStopped) return;
      if (event.kind === 'gap') {
        this.#report(recording.path, event.problem);
        continue;
      }
      this.#found += 1;
      await this.#output.print(this.#options.isJson ? toJson(event) : toText(event));
    }
  }

  #report(path: string, problem: string): void {
    this.#gaps += 1;
    this.say(`${path}: ${problem}`);
  }
}

function toJson(sighting: Sighting): string {
  const { kind: _, ...facts } = sighting;
  return `${escapeJson(JSON.stringify(facts))}\n`;
}

function toText({ at, principal, session, exchange, route, query }: Sighting): string {
  const cells = [at, principal, session, `#${exchange}`, route, query];
  return `${cells.map(escapeLine).join('  ')}\n`;
}

/** Undefined: help was asked for. */
function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...DATA_DIR_OPTIONS,
      connection: { type: 'string' },
      collection: { type: 'string' },
      id: { type: 'string' },
      field: { type: 'string' },
      format: { type: 'string' },
    },
  });
  if (values.help === true) return undefined;
  const { connection, collection, id, field, format = 'text' } = values;
  if (connection === undefined || collection === undefined || id === undefined) {
    throw new UsageError('which record? --connection, --collection and --id say it');
  }
  if (format !== 'text' && format !== 'json') {
    throw new UsageError(`--format ${format} is unknown; there are text, json`);
  }
  // A rule writes `qdrant:customers`: what stands before the colon is known from the connection.
  const own = collection.replace(/^(?:chroma|qdrant|milvus|redis):/, '');
  const isJson = format === 'json';
  return { connection, collection: own, id, field, isJson, dataDir: resolveDataDir(values) };
}
