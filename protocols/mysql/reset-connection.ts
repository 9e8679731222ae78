/**
 * COM_RESET_CONNECTION under inspection. The server forgets statements and variables, and what its charset
 * and sql_mode are then differs between servers: MariaDB goes back to what the client asked for at
 * sign-in, MySQL to its own settings. So it is asked before the client gets its OK (MY-56). It is for the
 * time between two commands, as COM_CHANGE_USER is.
 */

import type { SessionOptions } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { withoutRedirect, parseOk } from './ok-packet.ts';
import type { Outbox } from './outbox.ts';
import { ERR_HEADER } from './refusal.ts';
import { StateCheck, assumedState } from './server-state.ts';
import { SignInClient } from './sign-in-client.ts';
import { SignInUpstream } from './sign-in-upstream.ts';
import type { SignedIn } from './sign-in.ts';

const OK_HEADER = 0x00;

export class ResetConnection {
  readonly #out: Outbox;
  readonly #before: SignedIn;
  readonly #client: SignInClient;
  readonly #upstream: SignInUpstream;
  #isSent = false;
  /** The server's OK, for the client once the state is known. */
  #ok: Buffer | undefined;
  #check: StateCheck | undefined;
  /** Set once the session is as new. */
  done: SignedIn | undefined;
  /** The server said no: everything is as before, and this came behind the command. */
  unchangedRest: Buffer | undefined;

  /** The client's bytes from the header of the command on come by `onClientBytes`. */
  constructor(out: Outbox, options: SessionOptions, before: SignedIn) {
    this.#out = out;
    this.#before = before;
    this.#client = new SignInClient(out, options, before.isSecure);
    this.#upstream = new SignInUpstream(out, options.upstreamTls);
    out.sequence = 0;
  }

  onClientBytes(bytes: Buffer): void {
    this.#client.push(bytes);
    if (this.#isSent) return;
    const payload = this.#client.readShown((whole) => ({ value: whole, shown: whole }));
    if (payload === undefined) return;
    this.#isSent = true;
    this.#upstream.sendCommand(payload);
    this.#setPaused(true);
  }

  onServerBytes(bytes: Buffer): void {
    this.#upstream.push(bytes);
    while (!this.#isOver) {
      const payload = this.#upstream.read();
      if (payload === undefined) return;
      if (this.#check === undefined) this.#onAnswer(payload);
      else this.#check.onServer(payload);
      this.#finishIfKnown();
    }
  }

  /** Nothing is decided here. */
  onDecided(id: number): void {
    throw new Error(`decision ${id} answers no held operation`);
  }

  get #isOver(): boolean {
    return this.#out.isClosing || this.done !== undefined || this.unchangedRest !== undefined;
  }

  #onAnswer(payload: Buffer): void {
    if (payload[0] === ERR_HEADER) {
      this.#client.relay(payload);
      this.#setPaused(false);
      this.unchangedRest = this.#client.takeRest();
      return;
    }
    if (!this.#isSent || payload[0] !== OK_HEADER) {
      const what = 'a packet came that answers no COM_RESET_CONNECTION';
      throw new ProtocolError('MYSQL_UNEXPECTED_PACKET', 'server', what);
    }
    const { capabilities, inspection, charset, state } = this.#before;
    this.#ok = withoutRedirect(payload, capabilities);
    const parts = { out: this.#out, client: this.#client, upstream: this.#upstream };
    this.#check = new StateCheck(
      { ...parts, inspection, capabilities, user: undefined },
      assumedState(state.database ?? '', charset, parseOk(payload, capabilities)),
    );
  }

  /** What the client sends ahead waits in its socket (GW-12). */
  #setPaused(isPaused: boolean): void {
    this.#out.push({ kind: 'reading', side: 'client', isPaused });
  }

  #finishIfKnown(): void {
    const state = this.#check?.state;
    if (state === undefined || this.#ok === undefined) return;
    this.#client.relay(this.#ok);
    this.done = {
      ...this.#before,
      state,
      clientRest: this.#client.takeRest(),
      serverRest: this.#upstream.takeRest(),
    };
  }
}
