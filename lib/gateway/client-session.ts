/** One client at the gateway: its driver, and what the rest of the gateway learns of it. */

import type { Duplex } from 'node:stream';
import type { Fact, Operation, Protocol, SessionOptions } from '../../protocols/contract.ts';
import type { ConnectionConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import type { SessionRecorder } from '../recording/recording.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import type { SessionDecider } from './decision-pipeline.ts';
import type { Decided, Driver, HttpParts, Secured } from './driver-parts.ts';
import { ExchangeDriver } from './exchange-driver.ts';
import type { Log } from './gateway.ts';
import type { MemoryLease } from './memory-budget.ts';
import { SessionDriver } from './session-driver.ts';

/** Sessions at once on one connection of the configuration. */
export interface Places {
  taken: number;
  readonly max: number;
}

export interface ClientSessionParts {
  readonly id: string;
  readonly connection: ConnectionConfig;
  readonly protocol: Protocol;
  readonly options: SessionOptions;
  readonly decider: SessionDecider;
  readonly places: Places;
  readonly memory: MemoryLease;
  readonly cancels: CancelRegistry;
  readonly client: Duplex;
  readonly openUpstream: () => Promise<Duplex>;
  readonly secureClient: (socket: Duplex, bytes: Buffer) => Promise<Secured>;
  readonly secureServer: (socket: Duplex) => Promise<Secured>;
  /** Of protocols with transport = "http" only. */
  readonly http: HttpParts | undefined;
  readonly startRecording: () => SessionRecorder;
  readonly log: Log;
  /** Once. `abandoned` is the cancel request to send for a client that left the server at work. */
  readonly onOver: (abandoned: Buffer | undefined) => void;
}

export class ClientSession {
  readonly driver: Driver;
  readonly #parts: ClientSessionParts;
  #forgetCancelKey: (() => void) | undefined;
  #cancelRequest: Buffer | undefined;
  #hasPlace = false;

  constructor(parts: ClientSessionParts) {
    this.#parts = parts;
    const { client, openUpstream, secureClient, secureServer, startRecording, http } = parts;
    const common = {
      session: parts.protocol.createSession({ ...parts.options, memory: parts.memory }),
      client,
      secureClient,
      startRecording,
      decide: (operation: Operation) => this.#decide(operation),
      onFact: (fact: Fact) => this.#onFact(fact),
      onTrouble: (error: unknown) => this.#onTrouble(error),
      onOver: (isAbandoned: boolean) => this.#onOver(isAbandoned),
    };
    this.driver =
      http === undefined
        ? new SessionDriver({ ...common, openUpstream, secureServer })
        : new ExchangeDriver({ ...common, ...http });
  }

  #decide(operation: Operation): Decided | Promise<Decided> {
    if (operation.kind === 'sign-in' && !this.#takePlace()) return TOO_MANY;
    if (operation.kind === 'request' && !this.#takePlace()) return TOO_MANY_REQUESTS;
    return this.#parts.decider.decide(operation);
  }

  /** A sign-in, or a first request, takes a place until its session is over, the next one in it none; a cancel needs none (PG-12). */
  #takePlace(): boolean {
    if (this.#hasPlace) return true;
    const { places } = this.#parts;
    if (places.taken >= places.max) return false;
    places.taken += 1;
    this.#hasPlace = true;
    return true;
  }

  #onFact(fact: Fact): void {
    const { id, connection, cancels, decider, log } = this.#parts;
    switch (fact.kind) {
      case 'signed-in':
        this.#onSignedIn(fact.user, fact.database);
        break;
      case 'called':
        this.#onSignedIn('', '');
        break;
      case 'cancel-key':
        this.#cancelRequest = fact.request;
        this.#forgetCancelKey = cancels.add(fact.key, this.driver);
        break;
      case 'refused':
        log.warn(
          { session: id, connection: connection.name, code: fact.code },
          `refused: ${fact.reason}`,
        );
        break;
      case 'schema-changed':
        decider.onSchemaChanged();
        break;
      case 'goodbye':
        break;
    }
  }

  #onSignedIn(user: string, database: string): void {
    const { id, connection, decider, log } = this.#parts;
    const principal = decider.principal?.name ?? user;
    this.driver.note({ kind: 'signed-in', principal, user: user || principal, database });
    log.info({ session: id, connection: connection.name, principal }, 'session started');
  }

  #onTrouble(error: unknown): void {
    const { id: session, log } = this.#parts;
    if (error instanceof GatewayError) log.warn({ session, code: error.code }, error.message);
    else log.error({ session, err: error }, 'internal error: this session ends');
  }

  #onOver(isAbandoned: boolean): void {
    this.#forgetCancelKey?.();
    this.#parts.memory.close();
    if (this.#hasPlace) this.#parts.places.taken -= 1;
    this.#parts.onOver(isAbandoned ? this.#cancelRequest : undefined);
  }
}

/** In the server's own words and code, so that clients and pools know what it is. */
const TOO_MANY: Decided = {
  decision: {
    kind: 'block',
    rule: undefined,
    code: '53300',
    reason: 'sorry, too many clients already',
  },
  note: {
    kind: 'decision',
    operation: 'sign-in',
    outcome: 'block',
    reason: 'limits.sessions_max is reached',
  },
};

const TOO_MANY_REQUESTS: Decided = {
  decision: TOO_MANY.decision,
  note: {
    kind: 'decision',
    operation: 'request',
    outcome: 'block',
    reason: 'limits.sessions_max is reached',
  },
};
