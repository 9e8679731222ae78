/** One client at the gateway: its driver, and what the rest of the gateway learns of it. */

import type { Duplex } from 'node:stream';
import type { Fact, Operation, Protocol, SessionOptions } from '../../protocols/contract.ts';
import type { ConnectionConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import type { SessionRecorder } from '../recording/recording.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import type { SessionDecider } from './decision-pipeline.ts';
import type { Decided, Secured } from './driver-parts.ts';
import type { Log } from './gateway.ts';
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
  readonly cancels: CancelRegistry;
  readonly client: Duplex;
  readonly openUpstream: () => Promise<Duplex>;
  readonly secureClient: (socket: Duplex, bytes: Buffer) => Promise<Secured>;
  readonly secureServer: (socket: Duplex) => Promise<Secured>;
  readonly startRecording: () => SessionRecorder;
  readonly log: Log;
  /** Once. `abandoned` is the cancel request to send for a client that left the server at work. */
  readonly onOver: (abandoned: Buffer | undefined) => void;
}

export class ClientSession {
  readonly driver: SessionDriver;
  readonly #parts: ClientSessionParts;
  #forgetCancelKey: (() => void) | undefined;
  #cancelRequest: Buffer | undefined;
  #hasPlace = false;

  constructor(parts: ClientSessionParts) {
    this.#parts = parts;
    const { client, openUpstream, secureClient, secureServer, startRecording } = parts;
    this.driver = new SessionDriver({
      session: parts.protocol.createSession(parts.options),
      client,
      openUpstream,
      secureClient,
      secureServer,
      startRecording,
      decide: (operation) => this.#decide(operation),
      onFact: (fact) => this.#onFact(fact),
      onTrouble: (error) => this.#onTrouble(error),
      onOver: (isAbandoned) => this.#onOver(isAbandoned),
    });
  }

  #decide(operation: Operation): Decided | Promise<Decided> {
    if (operation.kind === 'sign-in' && !this.#takePlace()) return TOO_MANY;
    return this.#parts.decider.decide(operation);
  }

  /** A sign-in takes a place until its session is over, the next one in it none; a cancel needs none (PG-12). */
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
      case 'signed-in': {
        const principal = decider.principal?.name ?? fact.user;
        this.driver.note({
          kind: 'signed-in',
          principal,
          user: fact.user,
          database: fact.database,
        });
        log.info({ session: id, connection: connection.name, principal }, 'session started');
        break;
      }
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

  #onTrouble(error: unknown): void {
    const { id: session, log } = this.#parts;
    if (error instanceof GatewayError) log.warn({ session, code: error.code }, error.message);
    else log.error({ session, err: error }, 'internal error: this session ends');
  }

  #onOver(isAbandoned: boolean): void {
    this.#forgetCancelKey?.();
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
