/**
 * `weir demo`: a PostgreSQL server with a sample shop and a gateway in front of it, from nothing,
 * until Ctrl-C. The database lives in a temporary folder and is gone afterwards; only the
 * recordings stay, so that they can be replayed.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../demo/embedded-postgres.ts';
import { loadSampleData, type SampleDatabase } from '../demo/sample-data.ts';
import { GatewayError } from '../errors.ts';
import { type Config, createGateway, type Gateway, loadConfig } from '../index.ts';
import { createLog } from '../log.ts';

export interface DemoIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Ends the demo as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

const HELP = `Usage: weir demo [--port PORT] [--data-dir DIR]

Starts PostgreSQL with a sample shop and a gateway in front of it; Ctrl-C stops both.

  --port PORT      where the gateway listens (6432, or the next port that is free)
  --data-dir DIR   where the recordings go (./weir-data)
`;

/** Compiled, this file lies in build/lib/cli. */
const EXAMPLE = fileURLToPath(new URL('../../../config.example.toml', import.meta.url));

const REPLAY = fileURLToPath(new URL('../../../bin/replay', import.meta.url));

/** The variable from which config.example.toml takes the upstream password. */
const PASSWORD_VARIABLE = 'SHOP_PASSWORD';

/** How many ports above the wanted one are tried. */
const PORT_TRIES_MAX = 100;

/** Resolves to the exit code: 0 after Ctrl-C, 1 when something failed, 2 for wrong arguments. */
export async function runDemo(argv: readonly string[], io: DemoIo): Promise<number> {
  const options = readOptions(argv, io);
  if (typeof options === 'number') return options;

  const interrupt = catchInterrupts(io);
  const demo = new Demo(io, interrupt.signal);
  try {
    await demo.run(options);
    return 0;
  } catch (error) {
    if (interrupt.signal.aborted) return 0; // Half-started parts fail in many ways when interrupted.
    io.stderr.write(`weir demo: ${explain(error)}\n`);
    return 1;
  } finally {
    await demo.stop();
    interrupt.release();
  }
}

interface DemoOptions {
  readonly port: number | undefined;
  readonly dataDir: string;
}

function readOptions(argv: readonly string[], io: DemoIo): DemoOptions | number {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      io.stdout.write(HELP);
      return 0;
    }
    return { port: readPort(values.port), dataDir: resolve(values['data-dir'] ?? 'weir-data') };
  } catch (error) {
    io.stderr.write(`weir demo: ${explain(error)}\n\n${HELP}`);
    return 2;
  }
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`--port takes a number from 1 to 65535, not "${text}"`);
}

/** The parts that run, in the order in which they were started. */
class Demo {
  readonly #io: DemoIo;
  readonly #interrupted: AbortSignal;
  readonly #startedAt = performance.now();
  #server: EmbeddedPostgres | undefined;
  #gateway: Gateway | undefined;

  constructor(io: DemoIo, interrupted: AbortSignal) {
    this.#io = io;
    this.#interrupted = interrupted;
  }

  /** Resolves when interrupted. */
  async run(options: DemoOptions): Promise<void> {
    this.#io.stdout.write(
      'Weir demo: a database, a gateway in front of it, nothing to install.\n\n',
    );
    const server = await startEmbeddedPostgres();
    this.#server = server;
    this.#progress(`PostgreSQL started on ${server.host}:${server.port} (temporary)`);

    this.#interrupted.throwIfAborted();
    const shop = await loadSampleData(server);
    this.#progress(`Sample shop loaded: ${describeCounts(shop.rowCounts)}`);

    this.#interrupted.throwIfAborted();
    const config = await adaptConfig(server, shop, options, (text) => this.#progress(text));
    const gateway = await createGateway(config, {
      log: createLog(this.#io.stderr, 'warn'),
    });
    this.#gateway = gateway;
    await gateway.listen();
    const [address] = gateway.addresses;
    if (address === undefined) throw new Error('the gateway listens nowhere');
    this.#progress(`Gateway listens on ${address.host}:${address.port}`);

    this.#io.stdout.write(describeDemo(address.host, address.port, config.dataDir));
    await Promise.race([untilAborted(this.#interrupted), server.exited]);
    if (this.#interrupted.aborted) return;
    throw new GatewayError(
      'POSTGRES_ENDED',
      `The PostgreSQL server ended: ${server.readLog().slice(-2000)}`,
    );
  }

  /** Stops what was started, the newest first. */
  async stop(): Promise<void> {
    if (this.#server === undefined) return;
    this.#io.stdout.write('\nStopping the gateway and PostgreSQL ...\n');
    try {
      await this.#gateway?.close();
    } finally {
      await this.#server.stop();
      delete process.env[PASSWORD_VARIABLE];
    }
    this.#io.stdout.write('Stopped. Recordings stay, everything else is gone.\n');
  }

  #progress(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#io.stdout.write(`  [${seconds.padStart(5)} s] ${text}\n`);
  }
}

/** The example's own rules and users, pointed at the server that has just been started. */
async function adaptConfig(
  server: EmbeddedPostgres,
  shop: SampleDatabase,
  options: DemoOptions,
  progress: (text: string) => void,
): Promise<Config> {
  process.env[PASSWORD_VARIABLE] = shop.password;
  const example = loadConfig(EXAMPLE);
  const [connection] = example.connections;
  if (connection === undefined) throw new Error(`${EXAMPLE} has no [[connection]]`);

  const wanted = options.port ?? connection.listen.port;
  const port = await findPortFrom(connection.listen.host, wanted);
  if (port !== wanted) progress(`Port ${wanted} is taken by another program: using ${port}`);
  const upstream = {
    ...connection.upstream,
    host: server.host,
    port: server.port,
    user: shop.user,
    database: shop.database,
  };
  const adapted = { ...connection, listen: { ...connection.listen, port }, upstream };
  return { ...example, dataDir: options.dataDir, connections: [adapted] };
}

async function findPortFrom(host: string, wanted: number): Promise<number> {
  const last = Math.min(wanted + PORT_TRIES_MAX, 65_535);
  for (let port = wanted; port <= last; port++) {
    if (await isFree(host, port)) return port;
  }
  throw new GatewayError(
    'DEMO_PORT_TAKEN',
    `All ports from ${wanted} to ${last} of ${host} are taken. Choose one with --port.`,
  );
}

async function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return true;
  } catch {
    return false; // Taken, or not ours to use: either way the next one is tried.
  }
}

function describeCounts(rowCounts: Readonly<Record<string, number>>): string {
  const counts = Object.entries(rowCounts).map(
    ([table, count]) => `${count} ${table.replace('_', ' ')}`,
  );
  return counts.join(', ');
}

function describeDemo(host: string, port: number, dataDir: string): string {
  const url = (user: string): string => `postgres://${user}:${user}-demo@${host}:${port}/shop`;
  // `bin/replay` looks in ./weir-data by itself.
  const where = dataDir === resolve('weir-data') ? '' : ` --data-dir ${shorten(dataDir)}`;
  return `
Connect as alice, an analyst (in another terminal):

  psql "${url('alice')}"

and try these four:

  1. Personal data is masked:
     SELECT id, full_name, email, phone FROM customers ORDER BY id LIMIT 3;

  2. A DROP is blocked:
     DROP TABLE customers;

  3. So is a DELETE that hides in a CTE:
     WITH gone AS (DELETE FROM order_items RETURNING *) SELECT count(*) FROM gone;

  4. Leave psql with \\q, then replay what you did:
     ${shorten(REPLAY)} last${where}

Petra of the privacy group sees the values: psql "${url('petra')}"
Rules, masks and users are those of config.example.toml. Ctrl-C stops everything.
`;
}

/** As a person in the current folder would type it. */
function shorten(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

interface Interrupt {
  readonly signal: AbortSignal;
  release(): void;
}

/** The first Ctrl-C stops in order; the second does not wait (the guard of the server cleans up). */
function catchInterrupts(io: DemoIo): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  const onAbort = (): void => controller.abort();
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  if (io.signal?.aborted === true) controller.abort();
  io.signal?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
      io.signal?.removeEventListener('abort', onAbort);
    },
  };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
