/** The gateway: listeners, one driver for each client, and what they share. */

import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import type { Protocol, Rsa, SessionOptions } from '../../protocols/contract.ts';
import { findProtocol } from '../../protocols/registry.ts';
import type { Config, ConnectionConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { preparePassword } from '../identity/saslprep.ts';
import { hashForChannelBinding } from '../net/certificate.ts';
import { type Listener, listen } from '../net/listener.ts';
import { type ClientFacingTls, connectUpstreamTls, createClientFacingTls } from '../net/tls.ts';
import { connectUpstream } from '../net/upstream.ts';
import { createRecorder } from '../recording/recorder.ts';
import type { Recorder } from '../recording/recording.ts';
import { CancelRegistry } from './cancel-registry.ts';
import { budgetOf, MemoryBudget } from './memory-budget.ts';
import { type SharedParts, createPipeline, createSharedParts } from './parts.ts';
import type { DecisionPipeline } from './decision-pipeline.ts';
import { ClientSession, type Places } from './client-session.ts';
import type { Driver, HttpParts, Secured } from './driver-parts.ts';
import { createHttpParts, HTTP_ALPN } from './exchange-parts.ts';
import { inflate } from './inflate.ts';
import { createRsa } from './rsa.ts';
import { createSessionId } from './session-id.ts';

/** What the gateway tells the people who run it. pino's loggers fit. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface Gateway {
  listen(): Promise<void>;
  readonly addresses: readonly {
    readonly connection: string;
    readonly host: string;
    readonly port: number;
  }[];
  /** Ends every session with the server's own "terminating connection" and frees everything. */
  close(): Promise<void>;
}

/** Connections beyond the limit of sessions: refused with an error, or cancels, which are no sessions. */
const RESERVED_CONNECTIONS = 32;
const UPSTREAM_CONNECT_TIMEOUT = 10_000;
/** How long sessions get to take their last message at shutdown, milliseconds. */
const SHUTDOWN_TIMEOUT = 5_000;
/** Derived keys kept: one for each upstream credential and salt. */
const DERIVED_KEYS_MAX = 64;

interface Door {
  readonly connection: ConnectionConfig;
  readonly protocol: Protocol;
  readonly options: SessionOptions;
  readonly pipeline: DecisionPipeline;
  readonly cancels: CancelRegistry;
  readonly tls: ClientFacingTls | undefined;
  readonly http: HttpParts | undefined;
  readonly places: Places;
}

export async function createGateway(
  config: Config,
  { log }: { readonly log: Log },
): Promise<Gateway> {
  const shared = createSharedParts(config, log);
  const recorder = createRecorder({ dataDir: config.dataDir, durability: config.durability });
  // Passthrough as well: with TLS on one leg only the password changes its cover on the way (MY-8).
  const needsRsa = config.connections.some(({ protocol }) => protocol === 'mysql');
  const rsa = needsRsa ? await createRsa() : undefined;
  return new RunningGateway(config, { shared, recorder, rsa }, log);
}

interface GatewayParts {
  readonly shared: SharedParts;
  readonly recorder: Recorder;
  readonly rsa: Rsa | undefined;
}

class RunningGateway implements Gateway {
  readonly #config: Config;
  readonly #shared: SharedParts;
  readonly #recorder: Recorder;
  readonly #rsa: Rsa | undefined;
  readonly #log: Log;
  readonly #doors: Door[];
  readonly #listeners: { connection: string; listener: Listener }[] = [];
  readonly #drivers = new Set<Driver>();
  readonly #deriveKey = createKeyDerivation();
  readonly #memory: MemoryBudget;
  #onIdle: (() => void) | undefined;

  constructor(config: Config, { shared, recorder, rsa }: GatewayParts, log: Log) {
    this.#config = config;
    this.#shared = shared;
    this.#recorder = recorder;
    this.#rsa = rsa;
    this.#log = log;
    const sizes = config.connections.flatMap(({ limits }) => [
      limits.statementSizeMax,
      limits.rowSizeMax,
    ]);
    // A request may be as large as its answer, and both be held.
    this.#memory = new MemoryBudget(budgetOf(2 * Math.max(0, ...sizes)));
    this.#doors = config.connections.map((connection) => this.#createDoor(connection));
  }

  get addresses() {
    return this.#listeners.map(({ connection, listener }) => ({
      connection,
      ...listener.address(),
    }));
  }

  async listen(): Promise<void> {
    await this.#shared.warmUp();
    for (const door of this.#doors) {
      const { name, listen: at, limits } = door.connection;
      const listener = await listen({
        host: at.host,
        port: at.port,
        // Above the limit there is room to be told so, and to cancel what is running.
        sessionsMax: limits.sessionsMax + RESERVED_CONNECTIONS,
        allowHalfOpen: true,
        onConnection: (socket) => this.#serve(door, socket),
        onTrouble: (error) => this.#log.warn({ connection: name, code: error.code }, error.message),
      });
      this.#listeners.push({ connection: name, listener });
    }
  }

  async close(): Promise<void> {
    const closing = this.#listeners.map(({ listener }) => listener.close());
    const isIdle = new Promise<void>((resolve) => {
      if (this.#drivers.size === 0) resolve();
      else this.#onIdle = resolve;
    });
    for (const driver of this.#drivers) {
      const reason = 'terminating connection due to administrator command';
      driver.dispatch({ kind: 'stopped', code: '57P01', reason });
    }
    const timeout = new Promise<void>(
      (resolve) => void setTimeout(resolve, SHUTDOWN_TIMEOUT).unref(),
    );
    await Promise.race([isIdle, timeout]);
    for (const driver of this.#drivers) driver.destroy('gateway stopped');
    await Promise.all(closing);
    try {
      await this.#recorder.close();
    } finally {
      await this.#shared.close();
    }
  }

  #createDoor(connection: ConnectionConfig): Door {
    const protocol = findProtocol(connection.protocol);
    if (protocol === undefined) {
      throw new GatewayError('PROTOCOL_UNKNOWN', `no protocol is called "${connection.protocol}"`);
    }
    const isHttp = protocol.transport === 'http';
    const cancels = new CancelRegistry();
    const onReload = (error: GatewayError | undefined): void => {
      if (error !== undefined) this.#log.warn({ connection: connection.name }, error.message);
    };
    const tls =
      connection.tls === undefined
        ? undefined
        : createClientFacingTls({
            certFile: connection.tls.cert,
            keyFile: connection.tls.key,
            onReload,
            ...(isHttp ? { alpn: HTTP_ALPN } : {}),
          });
    const pipeline = createPipeline(this.#shared, connection, cancels);
    const options: SessionOptions = {
      auth: connection.auth,
      clientTls: connection.tls?.mode ?? 'off',
      upstreamTls: connection.upstream.tls !== 'off',
      statementSizeMax: connection.limits.statementSizeMax,
      rowSizeMax: connection.limits.rowSizeMax,
      signInTimeout: connection.limits.signInTimeout,
      random: randomBytes,
      deriveKey: this.#deriveKey,
      ...(isHttp ? { inflate, knows: (credential) => pipeline.knows(credential) } : {}),
      ...(connection.protocol === 'mysql' ? this.#mysqlOptions(connection) : {}),
    };
    const places: Places = { taken: 0, max: connection.limits.sessionsMax };
    const http = isHttp ? createHttpParts(connection, options) : undefined;
    return { connection, protocol, options, pipeline, cancels, tls, http, places };
  }

  #mysqlOptions({ localInfile }: ConnectionConfig): Partial<SessionOptions> {
    return {
      localInfile: localInfile === true,
      ...(this.#rsa === undefined ? {} : { rsa: this.#rsa }),
    };
  }

  #serve(door: Door, client: Duplex, address = describeAddress(client)): void {
    const id = createSessionId(Date.now(), randomBytes(16));
    const session = new ClientSession({
      id,
      connection: door.connection,
      protocol: door.protocol,
      options: door.options,
      decider: door.pipeline.openSession(),
      places: door.places,
      memory: this.#memory.lease(),
      cancels: door.cancels,
      client,
      openUpstream: () => this.#openUpstream(door.connection),
      secureClient: (socket, bytes) => secureClient(door, socket, bytes),
      secureServer: (socket) => this.#secureServer(door.connection, socket),
      http: door.http,
      startRecording: () =>
        this.#recorder.start({
          session: id,
          connection: door.connection.name,
          protocol: door.protocol.name,
          startedAt: new Date().toISOString(),
          clientAddress: address,
          policyVersion: this.#config.version,
        }),
      log: this.#log,
      onOver: (abandoned) => {
        this.#drivers.delete(session.driver);
        if (abandoned !== undefined) this.#cancelAbandoned(door, abandoned);
        if (this.#drivers.size === 0) this.#onIdle?.();
      },
    });
    this.#drivers.add(session.driver);
    session.driver.start();
  }

  /** The client is gone and the server still works for it: it is told to stop (GW-14). */
  #cancelAbandoned(door: Door, request: Buffer): void {
    const release = door.cancels.add(request.subarray(8), { isBusy: true });
    const nobody = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => done(),
      // Nobody lingers: once we have ended our side, so has the other.
      final: (done) => {
        nobody.push(null);
        done();
      },
    });
    nobody.once('close', release);
    this.#serve(door, nobody, 'weir');
    nobody.push(request);
  }

  async #openUpstream({ upstream }: ConnectionConfig): Promise<Socket> {
    return connectUpstream({
      host: upstream.host,
      port: upstream.port,
      timeoutMs: UPSTREAM_CONNECT_TIMEOUT,
    });
  }

  async #secureServer({ upstream }: ConnectionConfig, socket: Duplex): Promise<Secured> {
    const mode = upstream.tls;
    if (mode === 'off') throw new Error('TLS towards an upstream without TLS');
    const { host, ca } = upstream;
    const secured = await connectUpstreamTls({ socket: asSocket(socket), host, mode, ca });
    const certificate = secured.socket.getPeerX509Certificate();
    // Ours to bind SCRAM to, so that nobody can stand between the gateway and the server (PG-14).
    const channelBinding =
      certificate === undefined ? undefined : hashForChannelBinding(certificate.raw);
    return { ...secured, channelBinding };
  }
}

function secureClient(door: Door, socket: Duplex, firstBytes: Buffer): Promise<Secured> {
  return new Promise((resolve, reject) => {
    if (door.tls === undefined) {
      reject(new GatewayError('CLIENT_TLS', 'TLS is not configured on this connection'));
      return;
    }
    door.tls.secure({ socket: asSocket(socket), firstBytes, onSecure: resolve, onError: reject });
  });
}

/** Sockets come from `lib/net` and are what it made them; only cancels of our own have none. */
function asSocket(socket: Duplex): Socket {
  if (socket instanceof Socket) return socket;
  throw new GatewayError('CLIENT_TLS', 'TLS needs a network socket');
}

function describeAddress(client: Duplex): string {
  if (!(client instanceof Socket)) return 'unknown';
  return `${client.remoteAddress ?? 'unknown'}:${client.remotePort ?? 0}`;
}

/**
 * PBKDF2 costs a millisecond; a gateway signs in with the same password and salt over and over. Passwords
 * come as they were typed, from clients of MySQL and from the configuration, and SCRAM hashes the prepared
 * form: so does libpq as a client, and so were verifiers made.
 */
function createKeyDerivation(): SessionOptions['deriveKey'] {
  const known = new Map<string, Buffer>();
  const secret = randomBytes(32);
  return (password, salt, iterations) => {
    // The password itself is not kept as a key of the map.
    const hash = createHmac('sha256', secret).update(
      JSON.stringify([password, salt.toString('hex'), iterations]),
    );
    const name = hash.digest('hex');
    const prepared = preparePassword(password);
    const key = known.get(name) ?? pbkdf2Sync(prepared, salt, iterations, 32, 'sha256');
    if (known.size >= DERIVED_KEYS_MAX) known.clear();
    known.set(name, key);
    return key;
  };
}
