/**
 * `weir demo`: a PostgreSQL server with a sample shop, the same in MariaDB where that is installed, and
 * a gateway in front of them, from nothing, until Ctrl-C. The databases live in temporary folders and
 * are gone afterwards; only the recordings stay, so that they can be replayed.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../demo/embedded-postgres.ts';
import {
  findMariadb,
  type MariadbPrograms,
  type MariadbServer,
  startMariadb,
} from '../demo/mariadb-server.ts';
import { loadSampleData } from '../demo/sample-data.ts';
import { loadMysqlSample, makeMysqlSample } from '../demo/sample-mysql.ts';
import { GatewayError } from '../errors.ts';
import { type Config, createGateway, type Gateway, loadConfig } from '../index.ts';
import { createLog } from '../log.ts';
import { describeDemo } from './demo-guide.ts';

export interface DemoIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Ends the demo as Ctrl-C does. */
  readonly signal?: AbortSignal;
}

const HELP = `Usage: weir demo [--port PORT] [--data-dir DIR]

Starts PostgreSQL with a sample shop and a gateway in front of it, and MariaDB with the same shop where
it is installed; Ctrl-C stops everything.

  --port PORT         where the gateway listens (6432, or the next port that is free)
  --mysql-port PORT   the same for MariaDB's clients (6433)
  --data-dir DIR      where the recordings go (./weir-data)
`;

/** Compiled, this file lies in build/lib/cli. */
const EXAMPLE = fileURLToPath(new URL('../../../config.example.toml', import.meta.url));

/** The variables from which config.example.toml takes the upstream passwords. */
const PASSWORD_VARIABLES = { postgres: 'SHOP_PASSWORD', mysql: 'SHOP_MYSQL_PASSWORD' } as const;
type Protocol = keyof typeof PASSWORD_VARIABLES;

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
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The parts that run. */
class Demo {
  readonly #io: DemoIo;
  readonly #interrupted: AbortSignal;
  readonly #startedAt = performance.now();
  #postgres: EmbeddedPostgres | undefined;
  #mariadb: MariadbServer | undefined;
  /** Never rejects; a text says why MariaDB is left out. */
  #mariadbStart: Promise<Shop | string> | undefined;
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
    this.#mariadbStart = this.#tryMariadb();
    const shops = [await this.#startPostgres()];
    const mariadb = await this.#mariadbStart;
    if (typeof mariadb !== 'string') shops.push(mariadb);

    this.#interrupted.throwIfAborted();
    const config = await adaptConfig(shops, options, (text) => this.#progress(text));
    this.#gateway = await createGateway(config, { log: createLog(this.#io.stderr, 'warn') });
    await this.#gateway.listen();
    const [postgres, mysql] = this.#gateway.addresses;
    if (postgres === undefined) throw new Error('the gateway listens nowhere');
    for (const { host, port } of this.#gateway.addresses) {
      this.#progress(`Gateway listens on ${host}:${port}`);
    }
    const reason = typeof mariadb === 'string' ? mariadb : 'the gateway does not listen for it';
    const { dataDir } = config;
    this.#io.stdout.write(describeDemo({ postgres, mysql: mysql ?? reason, dataDir }));
    await this.#waitForEnd();
  }

  async #startPostgres(): Promise<Shop> {
    const server = await startEmbeddedPostgres();
    this.#postgres = server;
    this.#progress(`PostgreSQL started on ${server.host}:${server.port} (temporary)`);
    this.#interrupted.throwIfAborted();
    const { user, password, database, rowCounts } = await loadSampleData(server);
    this.#progress(`Sample shop loaded: ${describeCounts(rowCounts)}`);
    const { host, port } = server;
    return { protocol: 'postgres', host, port, user, password, database };
  }

  async #tryMariadb(): Promise<Shop | string> {
    try {
      const programs = await findMariadb();
      return typeof programs === 'string' ? programs : await this.#startMariadb(programs);
    } catch (error) {
      // One database is a demo too: what is wrong with the other one is told at the end.
      return explain(error);
    }
  }

  async #startMariadb(programs: MariadbPrograms): Promise<Shop> {
    const sample = makeMysqlSample();
    const server = await startMariadb(programs, sample);
    this.#mariadb = server;
    const { host, port } = server;
    this.#progress(`MariaDB started on ${host}:${port} (temporary)`);
    this.#interrupted.throwIfAborted();
    await loadMysqlSample(server, sample);
    this.#progress('The same shop loaded into MariaDB');
    return { protocol: 'mysql', host, port, ...sample };
  }

  async #waitForEnd(): Promise<void> {
    const ends = [untilAborted(this.#interrupted)];
    for (const server of [this.#postgres, this.#mariadb]) if (server) ends.push(server.exited);
    await Promise.race(ends);
    if (this.#interrupted.aborted) return;
    const logs = [this.#postgres, this.#mariadb].map((server) => server?.readLog().slice(-2000));
    const message = `A database server ended: ${logs.join('\n')}`;
    throw new GatewayError('DEMO_SERVER_ENDED', message);
  }

  /** Stops what was started, the newest first. */
  async stop(): Promise<void> {
    await this.#mariadbStart;
    const servers = [this.#mariadb, this.#postgres].filter((server) => server !== undefined);
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
    process.env[PASSWORD_VARIABLES[protocol]] = password;
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
    `All ports from ${wanted} to ${last} of ${host} are taken. Choose one with --port or --mysql-port.`,
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
