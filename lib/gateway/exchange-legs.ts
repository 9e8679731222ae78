/**
 * The exchanges of one client that are under way, with the halves that they are spoken on. It carries out what
 * concerns one exchange, tells what its two peers say, and reads no faster than the other side takes (GW-12).
 */

import type {
  ExchangeCommand,
  ExchangeEvent,
  HeaderList,
  RequestHead,
  Side,
} from '../../protocols/contract.ts';
import type { ClientHalf, ClientHalfEvents, ServerHalfEvents } from '../net/http/half.ts';
import { type ExchangePause, ExchangeState } from './exchange-state.ts';
import type { ExchangeUpstreams } from './exchange-upstreams.ts';

/** RST_STREAM codes (RFC 9113, 7). */
const INTERNAL_ERROR = 2;
const CANCEL = 8;

export type ToClient = Exclude<ExchangeCommand, { kind: 'ask' }>;
export type ToServer = Exclude<ExchangeCommand, { kind: 'answer' }>;

export interface ExchangeLegsParts {
  readonly upstreams: ExchangeUpstreams;
  /**
   * Bytes on their way to one of the two, over all exchanges, at which the other is not read any more. A body
   * that was held is given away in one piece, so that what each exchange may have on its way says nothing.
   */
  readonly outflowMax: number;
  readonly dispatch: (event: ExchangeEvent) => void;
  /** The last exchange that was under way is over. */
  readonly onIdle: () => void;
}

export class ExchangeLegs {
  readonly #parts: ExchangeLegsParts;
  readonly #exchanges = new Map<number, ExchangeState>();
  /** Why nobody is read on a side, for exchanges to come as well. */
  readonly #pauses = { client: new Set<ExchangePause>(), server: new Set<ExchangePause>() };
  #lastId = 0;
  #isStopped = false;

  constructor(parts: ExchangeLegsParts) {
    this.#parts = parts;
  }

  get openCount(): number {
    return this.#exchanges.size;
  }

  /** Numbers are given from 1. */
  get requestCount(): number {
    return this.#lastId;
  }

  /** Those whose client has more to say and is not kept from it. */
  get unfinished(): number[] {
    const all = [...this.#exchanges.values()];
    return all.filter((one) => !one.isRequestEnded && !one.isHeld).map(({ id }) => id);
  }

  add(client: ClientHalf, head: RequestHead): ClientHalfEvents {
    this.#lastId += 1;
    const id = this.#lastId;
    const exchange = new ExchangeState(id, head, client);
    this.#exchanges.set(id, exchange);
    for (const side of ['client', 'server'] as const) {
      for (const reason of this.#pauses[side]) exchange.setPaused(side, reason, true);
    }
    this.#tell({ kind: 'request', exchange: id, head });
    if (head.isWhole) this.#onRequestEnded(exchange, []);
    return {
      onBody: (bytes) => this.#tell({ kind: 'body', exchange: id, from: 'client', bytes }),
      // A request without a body has ended with its head.
      onEnded: (trailers) => {
        if (!exchange.isRequestEnded) this.#onRequestEnded(exchange, trailers);
      },
      onCancelled: (code, reason) =>
        this.#tell({ kind: 'cancelled', exchange: id, from: 'client', code, reason }),
      onDrain: () => this.#onDrain(exchange, 'client'),
      onDone: () => this.#remove(exchange),
    };
  }

  toClient(command: ToClient): void {
    const exchange = this.#exchanges.get(command.exchange);
    if (exchange === undefined) return;
    const { client } = exchange;
    switch (command.kind) {
      case 'answer':
        exchange.isAnswering = true;
        client.answer(command.head);
        break;
      case 'body':
        client.send(command.bytes);
        if (client.isFull) this.#onFull(exchange, 'client');
        break;
      case 'end':
        exchange.isAnswered = true;
        client.end(command.trailers);
        this.#settle(exchange);
        break;
      case 'abandon':
        exchange.isAnswered = true;
        client.abandon(command.code);
        this.#remove(exchange);
        break;
    }
  }

  toServer(command: ToServer): void {
    const exchange = this.#exchanges.get(command.exchange);
    if (exchange === undefined) return;
    switch (command.kind) {
      case 'ask':
        if (exchange.server !== undefined) throw new Error('an exchange was asked for twice');
        exchange.attachServer(
          this.#parts.upstreams.ask(command.head, this.#serverEvents(exchange)),
        );
        break;
      case 'body':
        if (exchange.isServerOver) return;
        exchange.server?.send(command.bytes);
        if (exchange.server?.isFull === true) this.#onFull(exchange, 'server');
        break;
      case 'end':
        if (exchange.isServerOver) return;
        exchange.isServerTold = true;
        exchange.server?.end(command.trailers);
        break;
      case 'abandon':
        exchange.dropServer(command.code);
        this.#onServerOver(exchange);
        break;
    }
  }

  setPaused(id: number, side: Side, reason: ExchangePause, isPaused: boolean): void {
    this.#exchanges.get(id)?.setPaused(side, reason, isPaused);
  }

  setAllPaused(side: Side, reason: ExchangePause, isPaused: boolean): void {
    if (isPaused) this.#pauses[side].add(reason);
    else this.#pauses[side].delete(reason);
    for (const exchange of this.#exchanges.values()) exchange.setPaused(side, reason, isPaused);
  }

  /** Numbers of those whose client has a part of an answer already. */
  get answering(): number[] {
    const all = [...this.#exchanges.values()];
    return all.filter((one) => one.isAnswering).map(({ id }) => id);
  }

  /** No event comes any more. What was answered in full is still sent; what was not is cut. */
  stop(): void {
    this.#isStopped = true;
    for (const exchange of this.#exchanges.values()) {
      exchange.dropServer(CANCEL);
      if (exchange.isAnswered) continue;
      exchange.client.abandon(INTERNAL_ERROR);
      this.#exchanges.delete(exchange.id);
    }
  }

  #tell(event: ExchangeEvent): void {
    if (!this.#isStopped && this.#exchanges.has(event.exchange)) this.#parts.dispatch(event);
  }

  #onRequestEnded(exchange: ExchangeState, trailers: HeaderList): void {
    exchange.isRequestEnded = true;
    this.#tell({ kind: 'ended', exchange: exchange.id, from: 'client', trailers });
  }

  #serverEvents(exchange: ExchangeState): ServerHalfEvents {
    const { id } = exchange;
    return {
      onResponse: (head) => this.#tell({ kind: 'response', exchange: id, head }),
      onBody: (bytes) => this.#tell({ kind: 'body', exchange: id, from: 'server', bytes }),
      onEnded: (trailers) => {
        exchange.isServerOver = true;
        this.#tell({ kind: 'ended', exchange: id, from: 'server', trailers });
        this.#onServerOver(exchange);
      },
      onCancelled: (code, reason) => {
        exchange.isServerOver = true;
        this.#tell({ kind: 'cancelled', exchange: id, from: 'server', code, reason });
        this.#onServerOver(exchange);
      },
      onDrain: () => this.#onDrain(exchange, 'server'),
    };
  }

  #onServerOver(exchange: ExchangeState): void {
    // It takes nothing any more, so nothing waits for it.
    this.#onDrain(exchange, 'server');
    this.#settle(exchange);
  }

  #onFull(exchange: ExchangeState, to: Side): void {
    const from = to === 'client' ? 'server' : 'client';
    exchange.setPaused(from, 'peer', true);
    if (this.#queuedFor(to) > this.#parts.outflowMax) this.setAllPaused(from, 'outflow', true);
  }

  #onDrain(exchange: ExchangeState, to: Side): void {
    exchange.setPaused(to === 'client' ? 'server' : 'client', 'peer', false);
    this.#relieve(to);
  }

  #relieve(to: Side): void {
    const from = to === 'client' ? 'server' : 'client';
    if (!this.#pauses[from].has('outflow')) return;
    if (this.#queuedFor(to) <= this.#parts.outflowMax) this.setAllPaused(from, 'outflow', false);
  }

  #queuedFor(to: Side): number {
    let sum = 0;
    for (const exchange of this.#exchanges.values()) sum += exchange.queuedFor(to);
    return sum;
  }

  /** Nobody is told the rest of a request whose answer is whole, unless the server still takes it. */
  #settle(exchange: ExchangeState): void {
    const isTaken = exchange.server !== undefined && !exchange.isServerOver;
    if (exchange.isAnswered && !exchange.isRequestEnded && !isTaken) exchange.client.ignoreRest();
  }

  #remove(exchange: ExchangeState): void {
    if (!this.#exchanges.delete(exchange.id)) return;
    exchange.dropServer(CANCEL);
    this.#relieve('client');
    this.#relieve('server');
    if (this.#exchanges.size === 0) this.#parts.onIdle();
  }
}
