/**
 * One exchange: a request, the decision on it, and its answer, in whatever order their parts come. Nothing
 * of the request reaches the store before its decision; a refusal ends this exchange only. The answer's
 * half is in `exchange-answer.ts`.
 */

import type {
  Decision,
  HeaderList,
  RequestHead,
  ResponseHead,
  StoreAllowance,
} from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { StoreRefusal } from '../store.ts';
import { AnswerRelay, isAnswerRead } from './exchange-answer.ts';
import { forwardedHead, forwardedTrailers } from './exchange-headers.ts';
import { type CancelFacts, encodeCancel, encodeEnd, encodeRequestHead } from './exchange-record.ts';
import {
  checkGrpcCoding,
  checkHead,
  describeUnknown,
  OPEN_BODY_MAX,
  plainBody,
  refusalOf,
  tooLarge,
} from './exchange-request.ts';
import {
  ClientTalk,
  codeOf,
  type ExchangeScope,
  kindOf,
  recordsOfBody,
  recordOf,
} from './exchange-scope.ts';
import { frameMessage } from './grpc.ts';
import type { ReadRequest, RestrictedRequest, Route } from './store-product.ts';

/** RST_STREAM codes (RFC 9113 section 7). */
const INTERNAL_ERROR = 2;
const CANCEL = 8;
const NO_ERROR = 0;
const PLAIN: StoreAllowance = { restrictions: undefined, masks: undefined, login: undefined };

/**
 * `gathering`: the body is collected. `deciding`: nobody knows yet. `streaming`: what comes goes up.
 * `sent`: everything went up. `refused`: nothing goes up any more.
 */
type Phase = 'gathering' | 'deciding' | 'streaming' | 'sent' | 'refused';

export class Exchange {
  readonly number: number;
  readonly #scope: ExchangeScope;
  readonly #head: RequestHead;
  readonly #talk: ClientTalk;
  #route: Route | undefined;
  #read: ReadRequest | undefined;
  #answer: AnswerRelay | undefined;
  #phase: Phase = 'gathering';
  #pieces: Buffer[] = [];
  /** Of bytes, inflated ones too, that count against what the session may hold. */
  #held = 0;
  #passed = 0;
  #clientTrailers: HeaderList | undefined;
  #isAsked = false;
  #isServerOver = false;
  #isGone = false;

  constructor(scope: ExchangeScope, number: number, head: RequestHead) {
    this.number = number;
    this.#scope = scope;
    this.#head = head;
    this.#talk = new ClientTalk(scope, number, head);
  }

  /** Nothing more can come of it; what the client still sends is of no use to anybody. */
  get isOver(): boolean {
    return this.#isGone || (this.#talk.isOver && !this.isOwed);
  }

  /** The store owes an answer. */
  get isOwed(): boolean {
    return this.#isAsked && !this.#isServerOver;
  }

  /** `refusal`: the session itself has a reason against it. */
  begin(refusal: StoreRefusal | undefined): void {
    const { product, options } = this.#scope;
    const record = encodeRequestHead(this.number, this.#head, product.secretHeaders);
    this.#scope.emit(recordOf('client', record));
    const route = this.#attempt(() => product.findRoute(this.#head));
    if (this.#phase === 'refused') return;
    this.#route = route;
    if (refusal !== undefined) {
      this.refuse(refusal);
    } else if (route === undefined) {
      this.refuse(refusalOf('forbidden', describeUnknown(this.#head)));
    } else {
      const problem = checkHead(this.#head, route, options);
      const coded = checkGrpcCoding(this.#head, route);
      if (problem !== undefined) this.refuse(problem);
      else if (coded !== undefined) this.#refuseWith(coded, 'unreadable', 'unknown grpc-encoding');
      else this.#start(route);
    }
  }

  #start(route: Route): void {
    if (route.isOpen === true) {
      this.#phase = 'streaming';
      this.#ask(route, PLAIN, {});
    } else if (route.needs === 'head') {
      this.#readRequest(route, Buffer.alloc(0));
    }
  }

  onClientBody(bytes: Buffer): void {
    if (this.#clientTrailers !== undefined) return;
    switch (this.#phase) {
      case 'gathering':
      case 'deciding':
        this.#gather(bytes);
        break;
      case 'streaming':
        this.#forward(bytes);
        break;
      case 'sent':
      case 'refused':
    }
  }

  onClientEnd(trailers: HeaderList): void {
    if (this.#clientTrailers !== undefined) return;
    this.#clientTrailers = trailers;
    if (this.#phase === 'gathering') this.#finishGathering(trailers);
    else if (this.#phase === 'streaming') this.#endRequest(trailers);
  }

  onDecided(decision: Decision): void {
    const route = this.#route;
    if (this.#phase !== 'deciding' || route === undefined || this.#isGone) return;
    switch (decision.kind) {
      case 'prove':
        throw new Error('a request is not decided by a proof');
      case 'block': {
        const { rule, code, reason } = decision;
        this.#say({ kind: kindOf(code), rule, message: reason });
        break;
      }
      case 'allow': {
        const allowance = decision.store ?? PLAIN;
        const cut = this.#cutDown(allowance);
        if (cut === undefined) return;
        this.#scope.onAllowed(this.number);
        this.#ask(route, allowance, cut);
      }
    }
  }

  onAnswerHead(head: ResponseHead): void {
    if (!this.#isServerOver) this.#answer?.onHead(head);
  }

  onAnswerBody(bytes: Buffer): void {
    if (!this.#isServerOver) this.#answer?.onBody(bytes);
  }

  onAnswerEnd(trailers: HeaderList): void {
    if (this.#isServerOver) return;
    this.#isServerOver = true;
    this.#answer?.onEnd(trailers);
    if (this.#answer?.isOk === true) this.#noteChange();
    // The store may have said everything before it was asked everything.
    this.#leaveServer(NO_ERROR);
  }

  onClientCancel({ code, reason }: CancelFacts): void {
    if (this.#isGone) return;
    this.#scope.emit(recordOf('client', encodeCancel(this.number, { code, reason })));
    this.#leaveServer(code ?? CANCEL);
    this.#vanish();
  }

  onServerCancel({ code }: CancelFacts): void {
    if (this.#isServerOver || !this.#isAsked || this.#isGone) return;
    this.#isServerOver = true;
    this.#phase = 'sent';
    if (this.#talk.isOver) return;
    if (code === undefined && !this.#talk.hasStarted) {
      this.refuse(refusalOf('unavailable', 'Weir could not reach the store, or lost it'));
      return;
    }
    this.#talk.abandon(code ?? INTERNAL_ERROR, 'the store broke off its answer');
    this.#vanish();
  }

  /** The session ends: this is the last word on it. */
  stop(refusal: StoreRefusal): void {
    if (this.#isGone) return;
    if (!this.#talk.hasStarted) this.#say(refusal);
    else this.#talk.abandon(INTERNAL_ERROR, refusal.message);
    this.#leaveServer(CANCEL);
    this.#vanish();
  }

  /** By the session itself; a decision that says no is on record already. */
  refuse(refusal: StoreRefusal): void {
    this.#noteRefusal(refusal.kind, refusal.message);
    this.#say(refusal);
  }

  #refuseWith(
    answer: ReturnType<ExchangeScope['product']['refuse']>,
    kind: StoreRefusal['kind'],
    message: string,
  ): void {
    this.#noteRefusal(kind, message);
    this.#talk.say(answer);
    this.#enterRefused();
  }

  #noteRefusal(kind: StoreRefusal['kind'], reason: string): void {
    this.#scope.emit({ kind: 'note', fact: { kind: 'refused', code: codeOf(kind), reason } });
  }

  #say(refusal: StoreRefusal): void {
    this.#talk.say(this.#scope.product.refuse(refusal, this.#head, this.#route));
    this.#enterRefused();
  }

  #enterRefused(): void {
    this.#leaveServer(CANCEL);
    this.#phase = 'refused';
    this.#letGo();
    this.#answer?.drop();
  }

  /** What a product cannot read is refused; undefined then. */
  #attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse(refusalOf('unreadable', `Weir cannot read this request: ${error.message}`));
      return undefined;
    }
  }

  #gather(bytes: Buffer): void {
    const { options } = this.#scope;
    if (this.#held + bytes.length > options.statementSizeMax) {
      this.refuse(tooLarge(options));
      return;
    }
    if (this.#holds(bytes.length)) this.#pieces.push(bytes);
  }

  #holds(size: number): boolean {
    if (!this.#scope.holdRequest(size)) {
      this.refuse(refusalOf('too-many', 'too many large requests are held at once'));
      return false;
    }
    this.#held += size;
    return true;
  }

  #finishGathering(trailers: HeaderList): void {
    const route = this.#route;
    if (route === undefined) return;
    const body = Buffer.concat(this.#pieces);
    this.#pieces = body.length === 0 ? [] : [body];
    const plain = this.#attempt(() => plainBody(this.#head, route, body, this.#scope.options));
    if (plain === undefined) return;
    if (plain.buffer !== body.buffer && !this.#holds(plain.length)) return;
    this.#readRequest(route, plain, () => {
      if (body.length > 0) this.#recordBody(body);
      this.#recordEnd(trailers);
    });
  }

  #readRequest(route: Route, body: Buffer, record?: () => void): void {
    const { product } = this.#scope;
    const read = this.#attempt(() => route.read(this.#head, body));
    if (read === undefined) return;
    const credential = this.#attempt(() => ({ found: product.readCredential(this.#head) }));
    if (credential === undefined) return;
    this.#read = read;
    this.#phase = 'deciding';
    record?.();
    this.#scope.decide(this.number, read, credential.found);
  }

  /** The request under its restrictions; undefined: it was refused. */
  #cutDown({ restrictions }: StoreAllowance): RestrictedRequest | undefined {
    const read = this.#read;
    if (restrictions === undefined || read === undefined) return {};
    const cut = this.#attempt(() => read.restrict(restrictions));
    if (typeof cut !== 'string') return cut;
    this.refuse(refusalOf('forbidden', cut));
    return undefined;
  }

  #ask(route: Route, allowance: StoreAllowance, cut: RestrictedRequest): void {
    const { product, options } = this.#scope;
    const { masks, restrictions, login } = allowance;
    const terms = { head: this.#head, route, read: this.#read, masks, restrictions };
    const isWhole = route.needs === 'body' && route.isOpen !== true;
    if (cut.body !== undefined && !isWhole) {
      throw new Error(`${route.name}: a body that streams through cannot be rewritten`);
    }
    const body = cut.body && (route.transport === 'grpc' ? frameMessage(cut.body) : cut.body);
    const head = forwardedHead(this.#head, cut, body, {
      product,
      route,
      isPassthrough: options.auth === 'passthrough',
      login,
      isAnswerRead: isAnswerRead(terms),
    });
    this.#answer = new AnswerRelay(this.#scope, this.#talk, terms, (why) => this.refuse(why));
    this.#isAsked = true;
    this.#scope.emit({ kind: 'ask', exchange: this.number, head });
    this.#noteChange();
    const pieces = body === undefined ? this.#pieces : [body];
    this.#phase = 'streaming';
    this.#letGo();
    for (const piece of pieces) {
      if (isWhole) this.#send(piece);
      else this.#forward(piece);
    }
    const trailers = this.#clientTrailers;
    if (trailers === undefined) return;
    if (isWhole) this.#sendEnd(trailers);
    else this.#endRequest(trailers);
  }

  /** Names may be others from now on, and are again when the store has said yes. */
  #noteChange(): void {
    if (this.#read?.changesNames !== true) return;
    this.#scope.emit({ kind: 'note', fact: { kind: 'schema-changed' } });
  }

  #forward(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#passed += bytes.length;
    if (this.#route?.isOpen === true && this.#passed > OPEN_BODY_MAX)
      return this.refuse(
        refusalOf('too-large', 'a body too large for a route without a credential'),
      );
    this.#recordBody(bytes);
    this.#send(bytes);
  }

  #endRequest(trailers: HeaderList): void {
    this.#recordEnd(trailers);
    this.#sendEnd(trailers);
  }

  #recordBody(bytes: Buffer): void {
    for (const one of recordsOfBody(this.number, 'client', bytes)) this.#scope.emit(one);
  }

  #recordEnd(trailers: HeaderList): void {
    const { secretHeaders } = this.#scope.product;
    this.#scope.emit(recordOf('client', encodeEnd(this.number, trailers, secretHeaders)));
  }

  #send(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#scope.emit({ kind: 'body', exchange: this.number, to: 'server', bytes });
  }

  #sendEnd(trailers: HeaderList): void {
    this.#phase = 'sent';
    const kept = forwardedTrailers(trailers, this.#scope.product.secretHeaders);
    this.#scope.emit({ kind: 'end', exchange: this.number, to: 'server', trailers: kept });
  }

  /** The store is told to stop; with its answer complete, that the rest of the request does not come. */
  #leaveServer(code: number): void {
    const isUnfinished = this.#isAsked && this.#phase === 'streaming';
    if (!this.isOwed && !isUnfinished) return;
    const why = this.isOwed ? code : NO_ERROR;
    this.#isServerOver = true;
    this.#phase = 'sent';
    this.#scope.emit({ kind: 'abandon', exchange: this.number, to: 'server', code: why });
  }

  #letGo(): void {
    this.#pieces = [];
    this.#scope.releaseRequest(this.#held);
    this.#held = 0;
  }

  #vanish(): void {
    this.#letGo();
    this.#answer?.drop();
    this.#isGone = true;
  }
}
