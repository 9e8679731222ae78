/**
 * The connection to the server: opened for the first one who signs in, in TLS where that is wanted, and signed in
 * to with the gateway's own credential. Redis has no STARTTLS: TLS begins with the first byte.
 */

import type { SessionOptions, UpstreamLogin } from '../contract.ts';
import { encodeRequest } from '../wire/resp-request.ts';
import type { RespNode } from '../wire/resp-value.ts';
import type { SignInRequest } from './hello.ts';
import type { Outbox } from './outbox.ts';
import type { RelayState } from './relay-state.ts';

export class Upstream {
  readonly #out: Outbox;
  readonly #options: SessionOptions;
  readonly #state: RelayState;
  #isAsked = false;
  isOpen = false;
  #onOpen: (() => void) | undefined;

  constructor(out: Outbox, options: SessionOptions, state: RelayState) {
    this.#out = out;
    this.#options = options;
    this.#state = state;
  }

  /** At once where it is open already. */
  open(onOpen: () => void): void {
    if (this.isOpen) {
      onOpen();
      return;
    }
    this.#onOpen = onOpen;
    if (!this.#isAsked) this.#out.push({ kind: 'open', side: 'server' });
    this.#isAsked = true;
  }

  onOpened(): void {
    if (!this.#isAsked || this.isOpen) return;
    if (this.#options.upstreamTls) {
      this.#out.push({ kind: 'secure', side: 'server', bytes: Buffer.alloc(0) });
    } else {
      this.#opened();
    }
  }

  onSecured(): void {
    if (this.#isAsked && !this.isOpen) this.#opened();
  }

  #opened(): void {
    this.isOpen = true;
    const next = this.#onOpen;
    this.#onOpen = undefined;
    next?.();
  }

  /** A question of Weir's own; `onReply` gets undefined where the answer is too long to be read. */
  ask(
    parts: readonly (Buffer | string)[],
    onReply: (reply: RespNode | undefined, bytes: Buffer) => void,
  ): void {
    this.#state.pending.push({ kind: 'own', onReply });
    this.#out.toServer(encodeRequest(parts));
  }

  /** With the gateway's credential, in the protocol version that the client asked for. */
  signIn(
    login: UpstreamLogin,
    request: SignInRequest,
    onReply: (reply: RespNode | undefined, bytes: Buffer) => void,
  ): void {
    const parts = signInParts(login, request);
    if (parts !== undefined) this.ask(parts, onReply);
    else onReply({ kind: 'text', isStatus: true, bytes: OK_TEXT, start: 0, end: 5 }, OK);
  }
}

export const OK = Buffer.from('+OK\r\n');
const OK_TEXT = Buffer.from('OK');

/** Undefined: the store asks for no password, and nothing has to be said. */
function signInParts(
  { user, password }: UpstreamLogin,
  { name, version, clientName }: SignInRequest,
): (Buffer | string)[] | undefined {
  if (name === 'auth') {
    if (password === undefined) return undefined;
    return user === '' ? ['AUTH', password] : ['AUTH', user, password];
  }
  const parts: (Buffer | string)[] = ['HELLO'];
  // AUTH is an option of HELLO behind a version only.
  if (version !== undefined || password !== undefined) parts.push(String(version ?? 2));
  if (password !== undefined) parts.push('AUTH', user === '' ? 'default' : user, password);
  if (clientName !== undefined) parts.push('SETNAME', clientName);
  return parts;
}
