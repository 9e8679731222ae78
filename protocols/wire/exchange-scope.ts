/** What the parts of an exchange session share: the session as they see it, and the way to the client. */

import type { HeaderList, RequestHead, ResponseHead, SessionCommand, Side } from '../contract.ts';
import type { StoreCredential, StoreRefusal, StoreRequest } from '../store.ts';
import { cleanHead, cleanHeaders } from './exchange-headers.ts';
import { encodeAnswerHead, encodeBodyHead, encodeCancel, encodeEnd } from './exchange-record.ts';
import { limitsOfStranger, type RequestLimits, STRANGER_HELD_MAX } from './exchange-request.ts';
import type { StoreProduct, WholeAnswer } from './store-product.ts';

/** Up to this size the head of a record and its piece are put into one append. */
const JOINED_SIZE_MAX = 4096;

export interface ExchangeScope {
  readonly product: StoreProduct;
  readonly options: RequestLimits;
  readonly isSecure: boolean;
  emit(command: SessionCommand): void;
  /** The decision comes to the exchange. */
  decide(exchange: number, request: StoreRequest, credential: StoreCredential | undefined): void;
  /** More bytes to be held in memory; false: this session holds too much already. */
  hold(size: number): boolean;
  release(size: number): void;
  /** The same for requests that nobody has decided on yet. */
  holdRequest(size: number): boolean;
  releaseRequest(size: number): void;
  /** A caller was let through. */
  onAllowed(exchange: number): void;
}

/**
 * The same session for whoever is not known yet. All undecided requests of strangers share one small budget: with
 * a limit for each request alone, a connection of many streams would hold as much as that of a known caller.
 */
export function scopeOfStrangers(scope: ExchangeScope): ExchangeScope {
  let held = 0;
  return {
    product: scope.product,
    options: limitsOfStranger(scope.options),
    get isSecure() {
      return scope.isSecure;
    },
    emit: (command) => scope.emit(command),
    decide: (exchange, request, credential) => scope.decide(exchange, request, credential),
    hold: (size) => scope.hold(size),
    release: (size) => scope.release(size),
    holdRequest: (size) => {
      if (held + size > STRANGER_HELD_MAX || !scope.holdRequest(size)) return false;
      held += size;
      return true;
    },
    releaseRequest: (size) => {
      held -= size;
      scope.releaseRequest(size);
    },
    onAllowed: (exchange) => scope.onAllowed(exchange),
  };
}

/** Codes that a refusal is known by outside the session, as in the SQL protocols. */
export function codeOf(kind: StoreRefusal['kind']): string {
  return CODES[kind];
}

const CODES: Record<StoreRefusal['kind'], string> = {
  unauthenticated: '28000',
  forbidden: '42501',
  unreadable: '22P02',
  'too-large': '54000',
  'too-many': '53300',
  unavailable: '58030',
};

/** SQLSTATEs of decisions; one that is not here is a rule's or Weir's "no". */
const KINDS: ReadonlyMap<string, StoreRefusal['kind']> = new Map([
  ['28P01', 'unauthenticated'],
  ['28000', 'unauthenticated'],
  ['42501', 'forbidden'],
  ['0A000', 'forbidden'],
  ['53300', 'too-many'],
  ['53400', 'too-many'],
  ['54000', 'too-large'],
  ['54001', 'too-large'],
  ['22P02', 'unreadable'],
  ['42601', 'unreadable'],
  ['58030', 'unavailable'],
  ['57P01', 'unavailable'],
  ['57014', 'unavailable'],
  ['08006', 'unavailable'],
  ['08001', 'unavailable'],
]);

export function kindOf(code: string): StoreRefusal['kind'] {
  return KINDS.get(code) ?? 'forbidden';
}

/** Records a piece of a body as `from` said it, or saw it said. */
export function recordsOfBody(
  exchange: number,
  from: Side,
  bytes: Buffer,
  by?: 'gateway',
): readonly SessionCommand[] {
  const head = encodeBodyHead(exchange, bytes.length);
  if (bytes.length > JOINED_SIZE_MAX) return [recordOf(from, head, by), recordOf(from, bytes, by)];
  return [recordOf(from, Buffer.concat([head, bytes]), by)];
}

export function recordOf(from: Side, bytes: Buffer, by?: 'gateway'): SessionCommand {
  return by === undefined ? { kind: 'record', from, bytes } : { kind: 'record', from, bytes, by };
}

/** The client's half of an answer: what goes there is recorded first, and nothing follows its end. */
export class ClientTalk {
  readonly #scope: ExchangeScope;
  readonly #exchange: number;
  readonly #head: RequestHead;
  #hasStarted = false;
  #isOver = false;

  constructor(scope: ExchangeScope, exchange: number, head: RequestHead) {
    this.#scope = scope;
    this.#exchange = exchange;
    this.#head = head;
  }

  /** The client has got a head. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** The client has got everything, or was told that there is no more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  answer(head: ResponseHead, by?: 'gateway'): void {
    if (this.#hasStarted || this.#isOver) return;
    this.#hasStarted = true;
    const record = encodeAnswerHead(this.#exchange, head, this.#scope.product.secretHeaders);
    this.#scope.emit(recordOf('server', record, by));
    this.#scope.emit({ kind: 'answer', exchange: this.#exchange, head });
  }

  body(bytes: Buffer, by?: 'gateway'): void {
    if (this.#isOver || bytes.length === 0) return;
    for (const one of recordsOfBody(this.#exchange, 'server', bytes, by)) this.#scope.emit(one);
    this.#scope.emit({ kind: 'body', exchange: this.#exchange, to: 'client', bytes });
  }

  end(trailers: HeaderList, by?: 'gateway'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const record = encodeEnd(this.#exchange, trailers, this.#scope.product.secretHeaders);
    this.#scope.emit(recordOf('server', record, by));
    this.#scope.emit({ kind: 'end', exchange: this.#exchange, to: 'client', trailers });
  }

  /** An answer of our own. One of gRPC may still come as trailers, when the head is out. */
  say({ head, body, trailers = [] }: WholeAnswer): void {
    const hasBody = this.#head.method !== 'HEAD';
    const isSized = trailers.length === 0;
    if (!this.#hasStarted)
      this.answer(cleanHead(head, isSized ? body.length : undefined), 'gateway');
    if (hasBody) this.body(body, 'gateway');
    this.end(cleanHeaders(trailers), 'gateway');
  }

  abandon(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const record = encodeCancel(this.#exchange, { code, reason });
    this.#scope.emit(recordOf('server', record));
    this.#scope.emit({ kind: 'abandon', exchange: this.#exchange, to: 'client', code });
  }
}
