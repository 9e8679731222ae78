/**
 * A gateway (or a byte copy in its place) as a child process, for suites that measure it, kill it or
 * must not share an event loop with it. Its configuration is built here from few options; the form
 * of configuration files is tested elsewhere.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServeRequest } from '../../bench/serve.ts';
import type {
  ClientTlsConfig,
  Config,
  LimitsConfig,
  MaskConfig,
  RuleConfig,
  UserConfig,
} from '../../lib/config/config.ts';
import type { Teardown } from './servers.ts';

/** 'copy' proves that a suite can fail: nothing is blocked or masked there. */
export type TargetKind = 'gateway' | 'copy';

export function targetKind(): TargetKind {
  return process.env['WEIR_DIFFERENTIAL_TARGET'] === 'copy' ? 'copy' : 'gateway';
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface GatewayOptions {
  readonly upstreamPort: number;
  /** How the gateway logs in; with passthrough, who reads the catalog. */
  readonly upstream: Login;
  /** Undefined: the client's database name goes through. */
  readonly database?: string;
  readonly auth?: 'gateway' | 'passthrough';
  /** Users that sign in to the gateway. */
  readonly users?: readonly (Login & { readonly groups?: readonly string[] })[];
  readonly rules?: readonly RuleConfig[];
  readonly masks?: readonly MaskConfig[];
  readonly tls?: ClientTlsConfig;
  readonly upstreamTls?: 'off' | 'require';
  readonly durability?: Config['durability'];
  readonly dataDir?: string;
  /** FunctionCall messages (PG-46); refused unless true. */
  readonly functionCalls?: boolean;
  readonly limits?: Partial<LimitsConfig>;
}

export interface RunningTarget {
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** What it wrote on its error output so far. */
  readLog(): string;
  /** Largest resident size so far, bytes (VmHWM). */
  peakMemory(): Promise<number>;
  stop(): Promise<void>;
}

const START_TIME_MAX = 60_000;
const LOG_SIZE_MAX = 64 * 1024;
const LIMITS: LimitsConfig = {
  sessionsMax: 500,
  statementSizeMax: 64 * 1024 * 1024,
  parseSizeMax: 1024 * 1024,
  rowSizeMax: 16 * 1024 * 1024,
  signInTimeout: 30_000,
};

/** PostgreSQL's own text form of a SCRAM-SHA-256 verifier. */
export function makeVerifier(password: string, iterations = 4096): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const sign = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest('base64');
  const serverKey = sign('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

export function makeConfig(options: GatewayOptions, dataDir: string): Config {
  const upstream = {
    host: '127.0.0.1',
    port: options.upstreamPort,
    user: options.upstream.user,
    database: options.database,
    password: { env: 'WEIR_TEST_UPSTREAM_PASSWORD' },
    tls: options.upstreamTls ?? 'off',
    ca: undefined,
  } as const;
  const users: UserConfig[] = (options.users ?? []).map((user) => ({
    name: user.user,
    groups: user.groups ?? [],
    scram: makeVerifier(user.password),
  }));
  return {
    file: join(dataDir, 'weir.toml'),
    version: createHash('sha256').update(JSON.stringify(options)).digest('hex'),
    dataDir,
    durability: options.durability ?? 'strict',
    hashKey: undefined,
    connections: [
      {
        name: 'test',
        protocol: 'postgres',
        listen: { host: '127.0.0.1', port: 0 },
        upstream,
        auth: options.auth ?? 'gateway',
        tls: options.tls,
        catalog: options.auth === 'passthrough' ? upstream : undefined,
        functionCalls: options.functionCalls ?? false,
        replication: [],
        limits: { ...LIMITS, ...options.limits },
      },
    ],
    users,
    rules: options.rules ?? [],
    masks: options.masks ?? [],
  };
}

export async function startGatewayProcess(
  t: Teardown,
  options: GatewayOptions,
): Promise<RunningTarget> {
  const dataDir = options.dataDir ?? (await makeTemporary(t, 'weir-data-'));
  const config = makeConfig(options, dataDir);
  const environment = { WEIR_TEST_UPSTREAM_PASSWORD: options.upstream.password };
  return startServing(t, { kind: 'gateway', config }, { dataDir, environment });
}

export function startCopyProcess(t: Teardown, upstreamPort: number): Promise<RunningTarget> {
  return startServing(t, { kind: 'copy', upstreamPort }, { dataDir: '', environment: {} });
}

/** The gateway, or a byte copy where WEIR_DIFFERENTIAL_TARGET says so. */
export function startTarget(t: Teardown, options: GatewayOptions): Promise<RunningTarget> {
  return targetKind() === 'copy'
    ? startCopyProcess(t, options.upstreamPort)
    : startGatewayProcess(t, options);
}

/** Who a client signs in as: a byte copy knows the server's own users only. */
export function clientLogin(options: GatewayOptions): Login {
  const first = options.users?.[0];
  return targetKind() === 'copy' || first === undefined ? options.upstream : first;
}

export async function startServing(
  t: Teardown,
  request: ServeRequest,
  own: { readonly dataDir: string; readonly environment: Record<string, string> },
): Promise<RunningTarget> {
  const script = fileURLToPath(new URL('../../bench/serve.js', import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', script], {
    env: { ...process.env, ...own.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-LOG_SIZE_MAX);
  });
  child.stdin.on('error', () => undefined);
  const stop = (): Promise<void> => endProcess(child);
  t.teardown(stop);
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const port = await readPort(child, () => log);
  const pid = child.pid ?? 0;
  return {
    port,
    pid,
    dataDir: own.dataDir,
    child,
    readLog: () => log,
    peakMemory: () => readPeakMemory(pid),
    stop,
  };
}

function readPort(child: ChildProcess, readLog: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => reject(new Error(`${what}: ${readLog()}`));
    const timer = setTimeout(() => fail('the gateway did not start in time'), START_TIME_MAX);
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      clearTimeout(timer);
      const answer: { port: number } = JSON.parse(text);
      resolve(answer.port);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`the gateway ended (${code ?? signal}) instead of starting`);
    });
  });
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

export async function readPeakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

export async function makeTemporary(t: Teardown, prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A self-signed certificate for localhost; needs the openssl program. */
export async function makeCertificate(
  t: Teardown,
): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = await makeTemporary(t, 'weir-tls-');
  const cert = join(folder, 'server.crt');
  const key = join(folder, 'server.key');
  execFileSync(
    'openssl',
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  return { cert, key };
}
