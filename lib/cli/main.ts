/**
 * `weir`: finds the command and turns what it throws into words and an exit code. Each command is
 * loaded only when it is asked for, so that one broken part does not take the others down.
 */
import { readFileSync } from 'node:fs';
import { GatewayError } from '../errors.ts';
import { isUsageError } from './data-dir.ts';
import type { CommandOutput } from './output.ts';

/** `process`, or what a test puts in its place. */
export interface MainIo {
  readonly stdout: CommandOutput;
  readonly stderr: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly stdin?: NodeJS.ReadStream;
  /** Ends `serve` and `demo` as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

type Command = (argv: readonly string[], io: MainIo) => Promise<number>;

const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['demo', async () => (await import('./demo.ts')).runDemo],
  ['serve', async () => (await import('./serve.ts')).runServe],
  ['check', async () => (await import('./check.ts')).runCheck],
  ['explain', loadExplain],
  ['sessions', async () => (await import('./sessions.ts')).runSessions],
  ['replay', async () => (await import('./replay.ts')).runReplay],
  ['who-saw', async () => (await import('./who-saw.ts')).runWhoSaw],
  ['verify', async () => (await import('./verify.ts')).runVerify],
  ['user', async () => (await import('./user.ts')).runUser],
]);

async function loadExplain(): Promise<Command> {
  const { EXPLAIN_USAGE, runExplain } = await import('./explain.ts');
  return async (argv, io) => {
    // Its last argument is a statement, so help is asked for by the first one only.
    if (argv[0] !== '--help' && argv[0] !== '-h') return runExplain(argv, io);
    io.stdout.write(EXPLAIN_USAGE);
    return EXIT_OK;
  };
}

/** What is wrong with these is the configuration, not the moment. */
const USAGE_CODES: ReadonlySet<string> = new Set(['CONFIG_INVALID', 'LOG_LEVEL']);

const HELP = `Weir sits between clients and databases: it blocks, masks, records and replays.

Usage: weir COMMAND [options]

  When something is wrong
    weir check -c weir.toml                is the configuration valid, and what is in force?
    weir explain -c weir.toml --connection shop --as alice "DELETE FROM t"
                                           why is this statement blocked, or is it?
    weir sessions [list|show ID|grep TEXT] -c weir.toml
                                           who did what?
    weir replay SESSION                    play one session back
    weir who-saw --connection qdrant --collection customers --id 42 -c weir.toml
                                           who was given this record of a vector database?
    weir verify DATA_DIR                   are the recordings whole?

  To run it
    weir demo                              a database, a gateway and things to try; needs nothing
    weir serve -c weir.toml                run the gateway; Ctrl-C or SIGTERM ends it in order,
                                           a second one at once
    weir user add NAME                     make a [[user]] for weir.toml; asks for the password

  weir COMMAND --help                      the options of one command
  weir --version

Exit codes: 0 ok, 1 failure at run time, 2 usage or configuration error.
(verify: 1 broken, 3 could not check. explain: 4 blocked. who-saw: 1 nobody, 3 not complete.)

Environment: WEIR_LOG=trace|debug|info|warn|error|fatal|silent (info).
`;

/** Resolves to the exit code; never rejects. */
export async function main(argv: readonly string[], io: MainIo): Promise<number> {
  const [name, ...rest] = argv;
  switch (name) {
    case undefined:
      io.stderr.write(HELP);
      return EXIT_USAGE;
    case 'help':
    case '--help':
    case '-h':
      if (rest[0] !== undefined) return runCommand(rest[0], ['--help'], io);
      io.stdout.write(HELP);
      return EXIT_OK;
    case 'version':
    case '--version':
    case '-v':
      io.stdout.write(`weir ${readVersion()}\n`);
      return EXIT_OK;
    default:
      return runCommand(name, rest, io);
  }
}

async function runCommand(name: string, argv: readonly string[], io: MainIo): Promise<number> {
  const load = COMMANDS.get(name);
  if (load === undefined) {
    const commands = [...COMMANDS.keys()].join(', ');
    io.stderr.write(`weir: there is no command ${JSON.stringify(name)}. Commands: ${commands}.\n`);
    return EXIT_USAGE;
  }
  try {
    const command = await load();
    return await command(argv, io);
  } catch (error) {
    return explainFailure(name, error, io);
  }
}

function explainFailure(name: string, error: unknown, io: MainIo): number {
  if (isUsageError(error)) {
    io.stderr.write(`weir ${name}: ${error.message}\nweir ${name} --help tells the options.\n`);
    return EXIT_USAGE;
  }
  if (error instanceof GatewayError) {
    // Messages about the configuration start with file:line, which editors can jump to.
    const prefix = error.code === 'CONFIG_INVALID' ? '' : `weir ${name}: `;
    io.stderr.write(`${prefix}${error.message}\n`);
    return USAGE_CODES.has(error.code) ? EXIT_USAGE : EXIT_FAILED;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`weir ${name}: internal error, please report it:\n${stack}\n`);
  return EXIT_FAILED;
}

/** Compiled, this file lies in build/lib/cli. */
function readVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  // Our own file: it has a version.
  const manifest: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  const { version } = manifest;
  return version;
}
