/** One exchange as its driver sees it: both halves, how far each has come, and why it is not read. */

import type { RequestHead, Side } from '../../protocols/contract.ts';
import type { ClientHalf, Half } from '../net/http/half.ts';
import type { PauseReason } from './leg.ts';

/** `outflow`: too much waits for the other peer, over all exchanges. */
export type ExchangePause = PauseReason | 'outflow';

const PAUSE_BITS: Readonly<Record<ExchangePause, number>> = {
  decision: 1,
  peer: 2,
  session: 4,
  sync: 8,
  outflow: 16,
};

export class ExchangeState {
  readonly id: number;
  readonly head: RequestHead;
  readonly client: ClientHalf;
  server: Half | undefined;
  /** The client has said everything. */
  isRequestEnded = false;
  /** The session has begun to answer. */
  isAnswering = false;
  /** The session has said the whole answer. */
  isAnswered = false;
  /** Nothing more comes from the server, or ever will. */
  isServerOver = false;
  /** The server was told the whole request, or that there is no more of it. */
  isServerTold = false;
  #clientPauses = 0;
  #serverPauses = 0;

  constructor(id: number, head: RequestHead, client: ClientHalf) {
    this.id = id;
    this.head = head;
    this.client = client;
  }

  /** It is not the client that keeps its request from going on. */
  get isHeld(): boolean {
    return this.#clientPauses !== 0;
  }

  setPaused(side: Side, reason: ExchangePause, isPaused: boolean): void {
    const before = side === 'client' ? this.#clientPauses : this.#serverPauses;
    const bit = PAUSE_BITS[reason];
    const after = isPaused ? before | bit : before & ~bit;
    if (side === 'client') this.#clientPauses = after;
    else this.#serverPauses = after;
    if ((before !== 0) === (after !== 0)) return;
    const half = side === 'client' ? this.client : this.server;
    half?.setPaused(after !== 0);
  }

  /** Bytes that are on their way to `to`. */
  queuedFor(to: Side): number {
    if (to === 'client') return this.client.queuedSize;
    return this.isServerOver ? 0 : (this.server?.queuedSize ?? 0);
  }

  /** A pause that came before there was a server half holds for it. */
  attachServer(half: Half): void {
    this.server = half;
    if (this.#serverPauses !== 0) half.setPaused(true);
  }

  /** Nobody waits for the server any more. */
  dropServer(code: number): void {
    // An answer may be whole before its request is: what has no end would keep the connection from the next one.
    if (this.isServerOver && this.isServerTold) return;
    this.isServerOver = true;
    this.isServerTold = true;
    this.server?.abandon(code);
  }
}
