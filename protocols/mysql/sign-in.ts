/**
 * From the first byte to the moment when commands may flow: greeting, transport, identity, upstream.
 *
 *   upstream opened -> its greeting, edited -> (TLS) -> response -> decide sign-in
 *      -> the client proves itself -> (TLS upstream) -> the gateway signs in upstream -> OK
 *      \-> passthrough: (TLS upstream) -> response and exchange are relayed          /
 *   OK -> under inspection the server is asked for its state -> OK to the client
 *
 * The server speaks first, so the upstream is opened before anything is known of the client (MY-1).
 */

import type { Decision, Inspection, SessionOptions } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { CACHING_SHA2 } from './auth-caching-sha2.ts';
import { NATIVE_PASSWORD } from './auth-native.ts';
import { CAPABILITY, agreeOn, allowedOf, has } from './capabilities.ts';
import { decodeName, refusalOfCharset } from './collations.ts';
import {
  type Greeting,
  NONCE_SIZE,
  type ServerIdentity,
  encodeGreeting,
  identityOf,
  nonceOf,
} from './greeting.ts';
import type { HandshakeResponse } from './handshake-response.ts';
import { schemaOf, signedInOk } from './ok-packet.ts';
import type { Outbox } from './outbox.ts';
import { ERR_HEADER, READ_TIMEOUT, parseErr, refusalOf } from './refusal.ts';
import { type ServerState, StateCheck, assumedState } from './server-state.ts';
import { SignInClient } from './sign-in-client.ts';
import { type OwnLogin, SignInExchange } from './sign-in-exchange.ts';
import { SignInUpstream } from './sign-in-upstream.ts';

export interface SignedIn {
  readonly inspection: Inspection;
  readonly user: string;
  /** What both legs speak; never with TLS. */
  readonly capabilities: bigint;
  readonly server: ServerIdentity;
  /** Collation id that the client chose; what the server makes of it is in `state`. */
  readonly charset: number;
  /** Default database, charset and more, as the server has them. */
  readonly state: ServerState;
  readonly isSecure: boolean;
  /** The upstream's greeting: COM_CHANGE_USER begins with its plugin and nonce. */
  readonly greeting: Greeting;
  /** What either side sent behind the sign-in. */
  readonly clientRest: Buffer;
  readonly serverRest: Buffer;
}

export class SignIn {
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #client: SignInClient;
  #upstream: SignInUpstream | undefined;
  #greeting: Greeting | undefined;
  /** Of the greeting that the client got. */
  #offer: Pick<Greeting, 'plugin' | 'nonce'> = { plugin: '', nonce: Buffer.alloc(0) };
  #allowed = 0n;
  #response: HandshakeResponse | undefined;
  #user = '';
  #database = '';
  #decisionId: number | undefined;
  #inspection: Inspection = { statements: true, results: true };
  #exchange: SignInExchange | undefined;
  /** The OK that ends the sign-in, for the client once the state is known. */
  #ok: Buffer | undefined;
  #check: StateCheck | undefined;
  /** Set once everything is done. */
  done: SignedIn | undefined;

  constructor(out: Outbox, options: SessionOptions) {
    this.#out = out;
    this.#options = options;
    this.#client = new SignInClient(out, options);
  }

  onClientOpened(): void {
    this.#upstream = new SignInUpstream(this.#out, this.#options.upstreamTls);
    this.#upstream.open();
  }

  onClientBytes(bytes: Buffer): void {
    this.#client.push(bytes);
    this.#stepClient();
  }

  onClientSecured(): void {
    this.#client.onSecured();
  }

  onServerSecured(): void {
    this.#upstream?.onSecured();
  }

  onServerBytes(bytes: Buffer): void {
    this.#upstream?.push(bytes);
    this.#stepServer();
  }

  /** The upstream is gone before anything was agreed on; never without a word to the client (MY-1). */
  onServerClosed(reason: string | undefined): void {
    const message = `Weir could not reach the database: ${reason ?? 'it closed the connection'}`;
    this.#out.refuse({ code: '08006', message });
  }

  onTimeout(): void {
    this.#out.refuse({ code: '57014', message: 'the sign-in took too long', error: READ_TIMEOUT });
  }

  onDecided(id: number, decision: Decision): void {
    if (id !== this.#decisionId) throw new Error(`decision ${id} answers no held operation`);
    this.#decisionId = undefined;
    if (decision.kind === 'block') this.#out.refuse(refusalOf(decision));
    else this.#startExchange(decision);
    this.#stepClient();
  }

  #stepClient(): void {
    while (!this.#out.isClosing && this.done === undefined && this.#decisionId === undefined) {
      if (this.#greeting === undefined) return;
      if (this.#response === undefined) {
        const response = this.#client.readResponse();
        if (response === undefined) return;
        this.#onResponse(response);
      } else if (this.#exchange?.stepClient() !== true) {
        return;
      }
    }
  }

  #stepServer(): void {
    while (!this.#out.isClosing && this.done === undefined) {
      const payload = this.#upstream?.read();
      if (payload === undefined) return;
      if (this.#greeting === undefined) this.#onGreeting(payload);
      else if (this.#exchange === undefined) this.#onEarlyErr(payload);
      else if (this.#check !== undefined) this.#check.onServer(payload);
      else if (this.#exchange.onServer(payload)) this.#onOk(payload);
      this.#finishIfKnown();
      this.#stepClient();
    }
  }

  #onGreeting(payload: Buffer): void {
    if (payload[0] === ERR_HEADER) {
      this.#onEarlyErr(payload);
      return;
    }
    const greeting = this.#upstream?.readGreeting(payload);
    if (greeting === undefined) return;
    this.#greeting = greeting;
    const isGateway = this.#options.auth === 'gateway';
    this.#offer = isGateway
      ? { plugin: gatewayPlugin(greeting), nonce: nonceOf(this.#options.random(NONCE_SIZE)) }
      : { plugin: greeting.plugin, nonce: greeting.nonce };
    this.#allowed = allowedOf(greeting.capabilities, this.#options.localInfile === true);
    const tls = this.#options.clientTls === 'off' ? 0n : CAPABILITY.ssl;
    const capabilities = this.#allowed | tls;
    this.#client.relay(encodeGreeting({ ...greeting, ...this.#offer, capabilities }));
  }

  /** In place of the greeting (MY-1), or before the client has said who it is. */
  #onEarlyErr(payload: Buffer): void {
    if (payload[0] !== ERR_HEADER) {
      throw new ProtocolError('MYSQL_SIGN_IN_PACKET', 'server', 'a packet came before its time');
    }
    const { errno, message } = parseErr(payload);
    const reason = `the database refused the connection: ${errno} ${message}`;
    this.#out.note({ kind: 'refused', code: '08006', reason });
    this.#client.relay(payload);
    this.#out.close();
  }

  #onResponse(response: HandshakeResponse): void {
    this.#response = response;
    const user = decodeName(response.user, response.collation);
    const database = decodeName(response.database, response.collation);
    if (user === undefined || database === undefined) {
      this.#out.refuse({
        code: '22021',
        message: 'the name of the user or of the database is not in the charset of the connection',
      });
      return;
    }
    this.#user = user;
    this.#database = database;
    this.#decisionId = this.#out.nextId();
    this.#out.decide(
      {
        kind: 'sign-in',
        id: this.#decisionId,
        user,
        database,
        isSecure: this.#client.isSecure,
        // A replica says what it is by a command, when it has signed in.
        isReplication: false,
        settings: [],
      },
      'client',
    );
  }

  #startExchange(decision: Exclude<Decision, { kind: 'block' }>): void {
    const upstream = this.#upstream;
    const greeting = this.#greeting;
    const response = this.#response;
    if (upstream === undefined || greeting === undefined || response === undefined)
      throw new Error('a decision came before the response');
    this.#inspection = decision.inspection ?? this.#inspection;
    const refusal = refusalOfCharset(this.#inspection, response.collation);
    if (refusal !== undefined) {
      this.#out.refuse(refusal);
      return;
    }
    const exchange = new SignInExchange(
      { out: this.#out, options: this.#options, client: this.#client, upstream },
      {
        user: this.#user,
        toClient: this.#offer,
        fromServer: greeting,
        canSwitch: has(this.#agreed(response), CAPABILITY.pluginAuth),
        plugin: response.plugin,
        authResponse: response.authResponse,
      },
      (own) => upstream.respond(this.#upstreamResponse(response, greeting, own)),
    );
    this.#exchange = exchange;
    if (decision.kind === 'prove') exchange.prove(decision);
    else exchange.passThrough();
  }

  #upstreamResponse(
    response: HandshakeResponse,
    greeting: Greeting,
    own: OwnLogin | undefined,
  ): HandshakeResponse {
    const agreed = this.#agreed(response);
    if (own === undefined) {
      return { ...response, capabilities: withDatabase(agreed, response.database) };
    }
    const { login, plugin, response: authResponse } = own;
    this.#database = login.database ?? this.#database;
    const database = login.database === undefined ? response.database : Buffer.from(login.database);
    // How the gateway authenticates is no matter of the client's flags, and changes no later packet.
    const flags =
      agreed | (greeting.capabilities & (CAPABILITY.pluginAuth | CAPABILITY.lenencAuth));
    const user = Buffer.from(login.user);
    const capabilities = withDatabase(flags, database);
    return { ...response, capabilities, user, authResponse, database, plugin };
  }

  /** The server is content; whether the client may be is said by what the session is in now (MY-56). */
  #onOk(payload: Buffer): void {
    const response = this.#response;
    const upstream = this.#upstream;
    if (response === undefined || upstream === undefined)
      throw new Error('signed in before the response');
    const capabilities = this.#agreed(response);
    const isPassthrough = this.#exchange?.isPassthrough === true;
    const { bytes, ok } = signedInOk(payload, capabilities, isPassthrough);
    this.#ok = bytes;
    const parts = { out: this.#out, client: this.#client, upstream, capabilities };
    this.#check = new StateCheck(
      { ...parts, inspection: this.#inspection, user: isPassthrough ? this.#user : undefined },
      assumedState(schemaOf(ok) ?? this.#database, response.collation, ok),
    );
  }

  #finishIfKnown(): void {
    const state = this.#check?.state;
    const response = this.#response;
    const greeting = this.#greeting;
    if (state === undefined || this.#ok === undefined) return;
    if (response === undefined || greeting === undefined)
      throw new Error('signed in before the response');
    this.#client.relay(this.#ok);
    this.#out.note({ kind: 'signed-in', user: this.#user, database: state.database ?? '' });
    this.done = {
      inspection: this.#inspection,
      user: this.#user,
      capabilities: this.#agreed(response),
      server: identityOf(greeting),
      charset: response.collation,
      state,
      isSecure: this.#client.isSecure,
      greeting,
      clientRest: this.#client.takeRest(),
      serverRest: this.#upstream?.takeRest() ?? Buffer.alloc(0),
    };
  }

  #agreed(response: HandshakeResponse): bigint {
    return agreeOn(this.#allowed, response.capabilities);
  }
}

/** What the gateway asks for first: the server's own choice, as far as it is one of the gateway's (MY-7). */
function gatewayPlugin({ plugin, capabilities }: Greeting): string {
  if (plugin === NATIVE_PASSWORD || plugin === CACHING_SHA2) return plugin;
  return has(capabilities, CAPABILITY.mysql) ? CACHING_SHA2 : NATIVE_PASSWORD;
}

function withDatabase(capabilities: bigint, database: Buffer): bigint {
  return database.length > 0
    ? capabilities | CAPABILITY.connectWithDb
    : capabilities & ~CAPABILITY.connectWithDb;
}
