/**
 * COM_CHANGE_USER: a new sign-in within the session, with the same proof as at its beginning. It is for
 * the time between two commands: nothing else may be under way. In gateway auth the upstream gets the
 * gateway's own login anew. Whoever fails is told why and disconnected, because servers have reset the
 * session by then and do not agree on who is signed in afterwards.
 *
 *   0x11 | user NUL | 1 length, authentication | database NUL | 2 collation | [plugin NUL] | [attributes]
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
 */

import type { Decision, SessionOptions } from '../contract.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { decodeName, refusalOfCharset } from './collations.ts';
import { FieldReader, lenencBytes, nulBytes, u16, u8 } from './fields.ts';
import { readAttributes, readLast } from './handshake-response.ts';
import { schemaOf, signedInOk } from './ok-packet.ts';
import type { Outbox } from './outbox.ts';
import { refusalOf } from './refusal.ts';
import { StateCheck, assumedState } from './server-state.ts';
import { SignInClient } from './sign-in-client.ts';
import { type OwnLogin, SignInExchange } from './sign-in-exchange.ts';
import { SignInUpstream } from './sign-in-upstream.ts';
import type { SignedIn } from './sign-in.ts';

const COMMAND = 0x11;
const BLANK = 0x2a; // '*'
const EMPTY = Buffer.alloc(0);

interface Request {
  readonly user: Buffer;
  readonly authResponse: Buffer;
  readonly database: Buffer;
  /** Undefined: it stays. */
  readonly collation: number | undefined;
  readonly plugin: string | undefined;
  readonly attributes: Buffer | undefined;
}

export class ChangeUser {
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #before: SignedIn;
  readonly #client: SignInClient;
  readonly #upstream: SignInUpstream;
  #request: Request | undefined;
  #user = '';
  #database = '';
  #inspection: SignedIn['inspection'];
  #decisionId: number | undefined;
  #exchange: SignInExchange | undefined;
  /** The server's OK, for the client once the state is known. */
  #ok: Buffer | undefined;
  #check: StateCheck | undefined;
  /** Set once the new user is signed in; what was known of the session is void then. */
  done: SignedIn | undefined;

  /** The client's bytes from the header of the command on come by `onClientBytes`. */
  constructor(out: Outbox, options: SessionOptions, before: SignedIn) {
    this.#out = out;
    this.#options = options;
    this.#before = before;
    this.#inspection = before.inspection;
    this.#client = new SignInClient(out, options, before.isSecure);
    this.#upstream = new SignInUpstream(out, options.upstreamTls);
    out.sequence = 0;
  }

  onClientBytes(bytes: Buffer): void {
    this.#client.push(bytes);
    this.#stepClient();
  }

  onServerBytes(bytes: Buffer): void {
    this.#upstream.push(bytes);
    while (!this.#out.isClosing && this.done === undefined && this.#exchange !== undefined) {
      const payload = this.#upstream.read();
      if (payload === undefined) return;
      if (this.#check !== undefined) this.#check.onServer(payload);
      else if (this.#exchange.onServer(payload)) this.#onOk(payload);
      this.#finishIfKnown();
      this.#stepClient();
    }
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
      if (this.#request === undefined) {
        const { capabilities } = this.#before;
        const request = this.#client.readShown((payload) => parseRequest(payload, capabilities));
        if (request === undefined) return;
        this.#onRequest(request);
      } else if (this.#exchange?.stepClient() !== true) {
        return;
      }
    }
  }

  #onRequest(request: Request): void {
    this.#request = request;
    const collation = this.#collation;
    const user = decodeName(request.user, collation);
    const database = decodeName(request.database, collation);
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
        isSecure: this.#before.isSecure,
        isReplication: false,
        settings: [],
      },
      'client',
    );
  }

  #startExchange(decision: Exclude<Decision, { kind: 'block' }>): void {
    const request = this.#request;
    if (request === undefined) throw new Error('a decision came before the request');
    this.#inspection = decision.inspection ?? this.#before.inspection;
    const refusal = refusalOfCharset(this.#inspection, this.#collation);
    if (refusal !== undefined) {
      this.#out.refuse(refusal);
      return;
    }
    const { greeting, capabilities } = this.#before;
    const exchange = new SignInExchange(
      { out: this.#out, options: this.#options, client: this.#client, upstream: this.#upstream },
      {
        user: this.#user,
        // What the client computed belongs to a nonce that it has used before: it gets a new one.
        toClient: { plugin: undefined, nonce: greeting.nonce },
        fromServer: greeting,
        canSwitch: has(capabilities, CAPABILITY.pluginAuth),
        plugin: request.plugin,
        authResponse: request.authResponse,
      },
      (own) => this.#upstream.send(encodeRequest(this.#upstreamRequest(request, own))),
    );
    this.#exchange = exchange;
    if (decision.kind === 'prove') exchange.prove(decision);
    else exchange.passThrough();
  }

  #upstreamRequest(request: Request, own: OwnLogin | undefined): UpstreamRequest {
    const { capabilities, greeting } = this.#before;
    const collation = this.#collation;
    if (own === undefined) return { ...request, collation, capabilities };
    const { login, plugin, response: authResponse } = own;
    this.#database = login.database ?? this.#database;
    return {
      user: Buffer.from(login.user),
      authResponse,
      database: login.database === undefined ? request.database : Buffer.from(login.database),
      collation,
      plugin,
      attributes: request.attributes,
      capabilities: capabilities | (greeting.capabilities & CAPABILITY.pluginAuth),
    };
  }

  /** As at the first sign-in: the server is asked before the client gets its OK (MY-56). */
  #onOk(payload: Buffer): void {
    const { capabilities } = this.#before;
    const isPassthrough = this.#exchange?.isPassthrough === true;
    const { bytes, ok } = signedInOk(payload, capabilities, isPassthrough);
    this.#ok = bytes;
    const parts = { out: this.#out, client: this.#client, upstream: this.#upstream, capabilities };
    this.#check = new StateCheck(
      { ...parts, inspection: this.#inspection, user: isPassthrough ? this.#user : undefined },
      assumedState(schemaOf(ok) ?? this.#database, this.#collation, ok),
    );
  }

  /** Sent upstream in any case, so that both sides read names by the same one. */
  get #collation(): number {
    return this.#request?.collation ?? this.#before.charset;
  }

  #finishIfKnown(): void {
    const state = this.#check?.state;
    if (state === undefined || this.#ok === undefined) return;
    this.#client.relay(this.#ok);
    this.#out.note({ kind: 'signed-in', user: this.#user, database: state.database ?? '' });
    this.done = {
      ...this.#before,
      inspection: this.#inspection,
      user: this.#user,
      charset: this.#collation,
      state,
      clientRest: this.#client.takeRest(),
      serverRest: this.#upstream.takeRest(),
    };
  }
}

interface UpstreamRequest extends Request {
  readonly collation: number;
  readonly capabilities: bigint;
}

/** `shown` is the payload with its secrets blanked (GW-16). */
function parseRequest(
  payload: Buffer,
  capabilities: bigint,
): { readonly value: Request; readonly shown: Buffer } {
  const reader = new FieldReader(payload, 'client');
  if (reader.u8() !== COMMAND) throw new Error('not a COM_CHANGE_USER');
  const user = reader.nulBytes();
  const authResponse = reader.bytes(reader.u8());
  const shown = Buffer.from(payload);
  shown.fill(BLANK, reader.offset - authResponse.length, reader.offset);
  const database = readLast(reader);
  const collation = reader.isAtEnd ? undefined : reader.u16();
  const hasPlugin = has(capabilities, CAPABILITY.pluginAuth) && !reader.isAtEnd;
  const plugin = hasPlugin ? readLast(reader).toString('latin1') : undefined;
  const attributes = readAttributes(reader, capabilities, shown);
  return { value: { user, authResponse, database, collation, plugin, attributes }, shown };
}

function encodeRequest(request: UpstreamRequest): Buffer {
  const { capabilities, authResponse, plugin, attributes } = request;
  const hasPlugin = has(capabilities, CAPABILITY.pluginAuth);
  return Buffer.concat([
    u8(COMMAND),
    nulBytes(request.user),
    u8(authResponse.length),
    authResponse,
    nulBytes(request.database),
    u16(request.collation),
    hasPlugin ? nulBytes(plugin ?? '') : EMPTY,
    has(capabilities, CAPABILITY.connectAttrs) && hasPlugin
      ? lenencBytes(attributes ?? EMPTY)
      : EMPTY,
  ]);
}
