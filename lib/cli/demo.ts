/**
 * `weir demo`: a PostgreSQL server with a sample shop, the same in MariaDB where that is installed,
 * documents in Chroma where its server runs, and a gateway in front of them, from nothing, until Ctrl-C. The databases live in temporary folders and
 * are gone afterwards; only the recordings stay, so that they can be replayed.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findChromaBindings } from '../demo/chroma-bindings.ts';
import { startChroma } from '../demo/chroma-server.ts';
import { startEmbeddedPostgres } from '../demo/embedded-postgres.ts';
import { findMariadb, startMariadb } from '../demo/mariadb-server.ts';
import { loadChromaSample } from '../demo/sample-chroma.ts';
import { loadSampleData } from '../demo/sample-data.ts';
import { loadMysqlSample, makeMysqlSample } from '../demo/sample-mysql.ts';
import { GatewayError } from '../errors.ts';
import { type Config, createGateway, type Gateway, loadConfig } from '../index.ts';
import { createLog } from '../log.ts';
import { type DemoAddress, describeDemo } from './demo-guide.ts';

export interface DemoIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Ends the demo as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

const HELP = `Usage: weir demo [--port PORT] [--data-dir DIR]

Starts PostgreSQL with a sample shop and a gateway in front of it, MariaDB with the same shop where it is
installed, and Chroma with documents where npm has it for this machine; Ctrl-C stops everything.

  --port PORT         where the gateway listens (6432, or the next port that is free)
  --mysql-port PORT   the same for MariaDB's clients (6433)
  --chroma-port PORT  the same for Chroma's clients (6434)
  --data-dir DIR      where the recordings go (./weir-data)
`;

/** Compiled, this file lies in build/lib/cli. */
const EXAMPLE = fileURLToPath(new URL('../../../config.example.toml', import.meta.url));

/** The variables from which config.example.toml takes the upstream passwords. */
const PASSWORD_VARIABLES = { postgres: 'SHOP_PASSWORD', mysql: 'SHOP_MYSQL_PASSWORD' } as const;
type Protocol = keyof typeof PASSWORD_VARIABLES | 'chroma';

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
  readonly ports: Readonly<Record<Protocol, number | undefined>>;
  readonly dataDir: string;
}

function readOptions(argv: readonly string[], io: DemoIo): DemoOptions | number {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        'mysql-port': { type: 'string' },
        'chroma-port': { type: 'string' },
        'data-dir': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      io.stdout.write(HELP);
      return 0;
    }
    const ports = {
      postgres: readPort('--port', values.port),
      mysql: readPort('--mysql-port', values['mysql-port']),
      chroma: readPort('--chroma-port', values['chroma-port']),
    };
    return { ports, dataDir: resolve(values['data-dir'] ?? 'weir-data') };
  } catch (error) {
    io.stderr.write(`weir demo: ${explain(error)}\n\n${HELP}`);
    return 2;
  }
}

function readPort(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new Error(`${option} takes a number from 1 to 65535, not "${text}"`);
}

/** A server with the sample shop, as the gateway has to know it. */
interface Shop {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** All three undefined: it asks nobody who they are. */
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

/** What runs until the demo ends. */
interface Server {
  readonly exited: Promise<void>;
  readLog(): string;
  stop(): Promise<void>;
}

/** The parts that run. */
class Demo {
  readonly #io: DemoIo;
  readonly #interrupted: AbortSignal;
  readonly #startedAt = performance.now();
  readonly #servers: Server[] = [];
  /** Never reject; a text says why that one is left out. */
  #others: readonly Promise<Shop | string>[] = [];
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
    this.#interrupted.throwIfAborted();
    // At the same time: each waits for the disk most of the time.
    const mysqlStart = tryStart(async () => await this.#startMariadb());
    const chromaStart = tryStart(async () => await this.#startChroma());
    this.#others = [mysqlStart, chromaStart];
    const postgres = await this.#startPostgres();
    const [mysql, chroma] = [await mysqlStart, await chromaStart];
    const shops = [postgres, mysql, chroma].filter((shop) => typeof shop !== 'string');

    this.#interrupted.throwIfAborted();
    const config = await adaptConfig(shops, options, (text) => this.#progress(text));
    this.#gateway = await createGateway(config, { log: createLog(this.#io.stderr, 'warn') });
    await this.#gateway.listen();
    const { addresses } = this.#gateway;
    for (const { host, port } of addresses) this.#progress(`Gateway listens on ${host}:${port}`);
    const placeOf = (shop: Shop | string): DemoAddress | string => {
      const address = typeof shop === 'string' ? undefined : addresses[shops.indexOf(shop)];
      return address ?? (typeof shop === 'string' ? shop : 'the gateway does not listen for it');
    };
    const first = placeOf(postgres);
    if (typeof first === 'string') throw new Error(first);
    const { dataDir } = config;
    const places = { postgres: first, mysql: placeOf(mysql), chroma: placeOf(chroma), dataDir };
    this.#io.stdout.write(describeDemo(places));
    await this.#waitForEnd();
  }

  async #startPostgres(): Promise<Shop> {
    const server = await startEmbeddedPostgres();
    this.#servers.push(server);
    this.#progress(`PostgreSQL started on ${server.host}:${server.port} (temporary)`);
    this.#interrupted.throwIfAborted();
    const { user, password, database, rowCounts } = await loadSampleData(server);
    this.#progress(`Sample shop loaded: ${describeCounts(rowCounts)}`);
    const { host, port } = server;
    return { protocol: 'postgres', host, port, user, password, database };
  }

  async #startMariadb(): Promise<Shop | string> {
    const programs = await findMariadb();
    if (typeof programs === 'string') return programs;
    const sample = makeMysqlSample();
    const server = await startMariadb(programs, sample);
    this.#servers.push(server);
    const { host, port } = server;
    this.#progress(`MariaDB started on ${host}:${port} (temporary)`);
    this.#interrupted.throwIfAborted();
    await loadMysqlSample(server, sample);
    this.#progress('The same shop loaded into MariaDB');
    return { protocol: 'mysql', host, port, ...sample };
  }

  async #startChroma(): Promise<Shop | string> {
    const bindings = findChromaBindings();
    if (typeof bindings === 'string') return bindings;
    const server = await startChroma(bindings);
    this.#servers.push(server);
    const { host, port } = server;
    this.#progress(`Chroma started on ${host}:${port} (temporary)`);
    this.#interrupted.throwIfAborted();
    this.#progress(`${await loadChromaSample(server)} support tickets loaded into Chroma`);
    return { protocol: 'chroma', host, port };
  }

  async #waitForEnd(): Promise<void> {
    const ends = this.#servers.map(({ exited }) => exited);
    await Promise.race([untilAborted(this.#interrupted), ...ends]);
    if (this.#interrupted.aborted) return;
    const logs = this.#servers.map((server) => server.readLog().slice(-2000));
    const message = `A database server ended: ${logs.join('\n')}`;
    throw new GatewayError('DEMO_SERVER_ENDED', message);
  }

  /** Stops what was started, the newest first. */
  async stop(): Promise<void> {
    await Promise.all(this.#others);
    const servers = this.#servers;
    if (servers.length === 0) return;
    this.#io.stdout.write('\nStopping the gateway and the databases ...\n');
    try {
      await this.#gateway?.close();
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      for (const variable of Object.values(PASSWORD_VARIABLES)) delete process.env[variable];
    }
    this.#io.stdout.write('Stopped. Recordings stay, everything else is gone.\n');
  }

  #progress(text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#io.stdout.write(`  [${seconds.padStart(5)} s] ${text}\n`);
  }
}

/**
 * The example's own rules and users, pointed at the servers that have just been started; a connection
 * to a database that is not there is left out. In the order of `shops`.
 */
async function adaptConfig(
  shops: readonly Shop[],
  options: DemoOptions,
  progress: (text: string) => void,
): Promise<Config> {
  const example = loadConfig(EXAMPLE);
  const connections: Config['connections'][number][] = [];
  for (const shop of shops) {
    const { protocol, host, port, user, password, database } = shop;
    const connection = example.connections.find((one) => one.protocol === protocol);
    if (connection === undefined)
      throw new Error(`${EXAMPLE} has no [[connection]] of ${protocol}`);
    if (protocol !== 'chroma') process.env[PASSWORD_VARIABLES[protocol]] = password ?? '';
    const wanted = options.ports[protocol] ?? connection.listen.port;
    const taken = connections.map(({ listen }) => listen.port);
    const free = await findPortFrom(connection.listen.host, wanted, taken);
    if (free !== wanted) progress(`Port ${wanted} is taken by another program: using ${free}`);
    connections.push({
      ...connection,
      listen: { ...connection.listen, port: free },
      upstream: { ...connection.upstream, host, port, user, database },
    });
  }
  return { ...example, dataDir: options.dataDir, connections };
}

/** One database is a demo too: what is wrong with another one is told at the end. */
async function tryStart(start: () => Promise<Shop | string>): Promise<Shop | string> {
  try {
    return await start();
  } catch (error) {
    return explain(error);
  }
}

/** `taken`: ports that are ours, but not listened on yet. */
async function findPortFrom(
  host: string,
  wanted: number,
  taken: readonly number[],
): Promise<number> {
  const last = Math.min(wanted + PORT_TRIES_MAX, 65_535);
  for (let port = wanted; port <= last; port++) {
    if (!taken.includes(port) && (await isFree(host, port))) return port;
  }
  throw new GatewayError(
    'DEMO_PORT_TAKEN',
    `All ports from ${wanted} to ${last} of ${host} are taken. Choose one with --port, --mysql-port or --chroma-port.`,
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
