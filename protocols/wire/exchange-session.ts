/**
 * The session of every product behind HTTP and gRPC: a state machine over heads, pieces of bodies and
 * trailers. What is special to a product is in its tables (`store-product.ts`); what one exchange does is in
 * `exchange.ts`; here is what they share: numbers, limits, and how the session ends.
 */

import type {
  Decision,
  ExchangeEvent,
  ProtocolSession,
  RequestHead,
  SessionCommand,
  SessionEvent,
  SessionOptions,
  Side,
} from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { StoreCredential, StoreRefusal, StoreRequest } from '../store.ts';
import { Exchange } from './exchange.ts';
import { refusalOf } from './exchange-request.ts';
import { type ExchangeScope, kindOf, scopeOfStrangers } from './exchange-scope.ts';
import type { StoreProduct } from './store-product.ts';

/**
 * Exchanges of one connection at once. Servers of gRPC allow about as many streams (vector.md section 4), and
 * each may hold a request: what they hold together has a limit of its own.
 */
export const EXCHANGES_MAX = 1000;
/** What a session holds at most: two requests or answers of the largest size, or many small ones. */
const HELD_FACTOR = 2;

export function createExchangeSession(
  product: StoreProduct,
  options: SessionOptions,
): ProtocolSession {
  return new ExchangeSession(product, options);
}

class ExchangeSession implements ProtocolSession, ExchangeScope {
  readonly product: StoreProduct;
  readonly options: SessionOptions;
  readonly #exchanges = new Map<number, Exchange>();
  /** By the number of the operation that is asked about. */
  readonly #waiting = new Map<number, Exchange>();
  readonly #heldMax: number;
  #commands: SessionCommand[] = [];
  #isSecure = false;
  #held = 0;
  #operations = 0;
  #hasCalled = false;
  #lastKnown: StoreCredential | undefined;
  #strangers: ExchangeScope | undefined;
  #isClosed = false;

  constructor(product: StoreProduct, options: SessionOptions) {
    this.product = product;
    this.options = options;
    this.#heldMax = HELD_FACTOR * Math.max(options.statementSizeMax, options.rowSizeMax);
  }

  get isSecure(): boolean {
    return this.#isSecure;
  }

  get isBusy(): boolean {
    for (const exchange of this.#exchanges.values()) if (exchange.isOwed) return true;
    return false;
  }

  handle(event: SessionEvent): SessionCommand[] {
    if (this.#isClosed) return [];
    this.#commands = [];
    switch (event.kind) {
      case 'request':
        this.#begin(event.exchange, event.head);
        break;
      case 'decided':
        this.#decided(event.id, event.decision);
        break;
      case 'secured':
        if (event.side === 'client') this.#isSecure = true;
        break;
      case 'closed':
        this.#onClosed(event.side, event.reason ?? 'closed');
        break;
      case 'stopped':
        this.#stop(refusalOf(kindOf(event.code), event.reason));
        break;
      case 'received':
        throw new Error('a session over HTTP is given heads and bodies, not bytes');
      case 'opened':
      case 'woke':
        break;
      default:
        this.#pass(event);
    }
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  emit(command: SessionCommand): void {
    this.#commands.push(command);
  }

  decide(number: number, request: StoreRequest, credential: StoreCredential | undefined): void {
    const exchange = this.#exchanges.get(number);
    if (exchange === undefined) return;
    this.#operations += 1;
    const id = this.#operations;
    this.#waiting.set(id, exchange);
    const base = { kind: 'request', id, request, isSecure: this.#isSecure } as const;
    const operation =
      credential === undefined ? base : { ...base, credential: this.#asKnown(credential) };
    this.emit({ kind: 'decide', operation, holds: 'client', exchange: number });
  }

  hold(size: number): boolean {
    if (this.#held + size > this.#heldMax) return false;
    if (this.options.memory?.take(size) === false) return false;
    this.#held += size;
    return true;
  }

  release(size: number): void {
    this.#held -= size;
    this.options.memory?.give(size);
  }

  holdRequest(size: number): boolean {
    return this.hold(size);
  }

  releaseRequest(size: number): void {
    this.release(size);
  }

  onAllowed(exchange: number): void {
    if (this.#hasCalled) return;
    this.#hasCalled = true;
    this.emit({ kind: 'note', fact: { kind: 'called', exchange } });
  }

  #begin(number: number, head: RequestHead): void {
    if (this.#exchanges.has(number)) throw new Error(`the exchange ${number} is there already`);
    const scope = this.#isKnown(head) ? this : (this.#strangers ??= scopeOfStrangers(this));
    const exchange = new Exchange(scope, number, head);
    const refusal = this.#reasonAgainst();
    this.#exchanges.set(number, exchange);
    exchange.begin(refusal);
    this.#forget(exchange);
  }

  /** A connection is one caller's as a rule, so the last one is not looked up again. */
  #isKnown(head: RequestHead): boolean {
    const { knows } = this.options;
    if (knows === undefined) return true;
    const credential = this.#credentialOf(head);
    if (credential === undefined) return false;
    if (this.#asKnown(credential) !== credential) return true;
    if (!knows(credential)) return false;
    this.#lastKnown = credential;
    return true;
  }

  /** The same object for the same caller, so that whoever identifies it may know it by that. */
  #asKnown(credential: StoreCredential): StoreCredential {
    const last = this.#lastKnown;
    const isLast = last?.user === credential.user && last?.secret === credential.secret;
    return isLast ? last : credential;
  }

  /** One that cannot be read is refused with its request. */
  #credentialOf(head: RequestHead): StoreCredential | undefined {
    try {
      return this.product.readCredential(head);
    } catch (error) {
      if (error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  #reasonAgainst(): StoreRefusal | undefined {
    if (this.#exchanges.size >= EXCHANGES_MAX) {
      return refusalOf('too-many', `more than ${EXCHANGES_MAX} requests at once on one connection`);
    }
    if (this.options.clientTls === 'require' && !this.#isSecure) {
      return refusalOf('forbidden', 'this gateway is to be reached by TLS only');
    }
    return undefined;
  }

  #pass(event: Exclude<ExchangeEvent, { kind: 'request' }>): void {
    // What comes after an exchange is over is late: its other side was told to stop.
    const exchange = this.#exchanges.get(event.exchange);
    if (exchange === undefined) return;
    switch (event.kind) {
      case 'response':
        exchange.onAnswerHead(event.head);
        break;
      case 'body':
        if (event.from === 'client') exchange.onClientBody(event.bytes);
        else exchange.onAnswerBody(event.bytes);
        break;
      case 'ended':
        if (event.from === 'client') exchange.onClientEnd(event.trailers);
        else exchange.onAnswerEnd(event.trailers);
        break;
      case 'cancelled':
        if (event.from === 'client') exchange.onClientCancel(event);
        else exchange.onServerCancel(event);
    }
    this.#forget(exchange);
  }

  #decided(id: number, decision: Decision): void {
    const exchange = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (exchange === undefined) return;
    exchange.onDecided(decision);
    this.#forget(exchange);
  }

  #forget(exchange: Exchange): void {
    if (!exchange.isOver) return;
    this.#exchanges.delete(exchange.number);
    for (const [id, one] of this.#waiting) if (one === exchange) this.#waiting.delete(id);
  }

  #onClosed(side: Side, reason: string): void {
    for (const exchange of this.#exchanges.values()) {
      if (side === 'client') exchange.onClientCancel({ code: undefined, reason });
      else exchange.onServerCancel({ code: undefined, reason });
      this.#forget(exchange);
    }
    // The store's side may be opened again for the next request.
    if (side === 'client') this.#close();
  }

  #stop(refusal: StoreRefusal): void {
    for (const exchange of this.#exchanges.values()) exchange.stop(refusal);
    this.#close();
  }

  #close(): void {
    this.#exchanges.clear();
    this.#waiting.clear();
    this.#isClosed = true;
    this.emit({ kind: 'close' });
  }
}
