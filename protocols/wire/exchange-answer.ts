/**
 * The answer of one exchange on its way to the client: streamed as it comes where nobody has to read it,
 * held whole (REST) or message by message (gRPC) where values are masked or checked. What cannot be read is
 * withheld, never let through (vector.md section 4).
 */

import type { HeaderList, RequestHead, ResponseHead } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { FieldMasks, Restrictions, StoreRefusal } from '../store.ts';
import { bodyCoding, messageCoding, readCoded } from './content-coding.ts';
import { rewrittenAnswer, rewrittenTrailers } from './exchange-headers.ts';
import type { ClientTalk, ExchangeScope } from './exchange-scope.ts';
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  frameMessage,
  GrpcFrames,
  type GrpcMessage,
  grpcRefusal,
  headerOf,
  httpGrpcCode,
  isGrpcAnswer,
} from './grpc.ts';
import type { ReadRequest, Route } from './store-product.ts';

/** gRPC: what ends an answer, although "trailers only" has it in the head. */
const STATUS_TRAILERS: readonly string[] = [
  'grpc-status',
  'grpc-message',
  'grpc-status-details-bin',
];

export interface AnswerTerms {
  readonly head: RequestHead;
  readonly route: Route;
  /** Undefined for an open route, which nothing is read of. */
  readonly read: ReadRequest | undefined;
  readonly masks: FieldMasks | undefined;
  readonly restrictions: Restrictions | undefined;
}

/** Values of records may come back in the answer, so it is read here. */
export function isAnswerRead({
  read,
  masks,
  restrictions,
}: Omit<AnswerTerms, 'head' | 'route'>): boolean {
  const isMasked = masks !== undefined && read?.maskAnswer !== undefined;
  return isMasked || (restrictions !== undefined && read?.checkAnswer !== undefined);
}

function isRedirection({ status, headers }: ResponseHead): boolean {
  return status >= 300 && status < 400 && headerOf(headers, 'location') !== undefined;
}

export class AnswerRelay {
  readonly #scope: ExchangeScope;
  readonly #talk: ClientTalk;
  readonly #terms: AnswerTerms;
  readonly #withhold: (refusal: StoreRefusal) => void;
  readonly #isRead: boolean;
  #head: ResponseHead | undefined;
  #pieces: Buffer[] = [];
  #held = 0;
  #frames: GrpcFrames | undefined;
  /** Of a "trailers only" answer. */
  #early: HeaderList = [];
  #isOk = false;

  /** `withhold` refuses the exchange in the place of its answer. */
  constructor(
    scope: ExchangeScope,
    talk: ClientTalk,
    terms: AnswerTerms,
    withhold: (refusal: StoreRefusal) => void,
  ) {
    this.#scope = scope;
    this.#talk = talk;
    this.#terms = terms;
    this.#withhold = withhold;
    this.#isRead = isAnswerRead(terms);
  }

  /** At the end: the store did what it was asked for. */
  get isOk(): boolean {
    return this.#isOk;
  }

  onHead(head: ResponseHead): void {
    // Interim answers (100, 103) are a matter between neighbours; there is nothing to switch protocols to.
    if (head.status < 200 || this.#head !== undefined) return;
    this.#head = head;
    if (isRedirection(head)) {
      // It names the store's own address: a client that followed it would go past this gateway, key in hand.
      this.#refuse('unavailable', 'the store sent the client elsewhere, which Weir does not');
    } else if (this.#terms.route.transport === 'grpc') {
      this.#onGrpcHead(head);
    } else if (!this.#isRead) {
      this.#talk.answer(head);
    } else if (head.status === 206) {
      this.#refuse('unavailable', 'the store answered with a part, which cannot be masked');
    } else if (this.#hasNoBody(head)) {
      this.#talk.answer(rewrittenAnswer(head, undefined));
    }
  }

  onBody(bytes: Buffer): void {
    if (this.#head === undefined || this.#talk.isOver) return;
    if (!this.#isRead) this.#talk.body(bytes);
    else if (this.#frames !== undefined) this.#onFrames(this.#frames, bytes);
    // A body where none may be is no matter of the client.
    else if (!this.#hasNoBody(this.#head)) this.#keep(bytes);
  }

  onEnd(trailers: HeaderList): void {
    const head = this.#head;
    if (this.#talk.isOver) return;
    if (head === undefined) {
      this.#refuse('unavailable', 'the store ended its answer before it began');
    } else if (this.#terms.route.transport === 'grpc') {
      this.#endGrpc(trailers);
    } else {
      this.#isOk = head.status < 400;
      if (!this.#isRead) this.#talk.end(trailers);
      else if (this.#hasNoBody(head)) this.#talk.end(rewrittenTrailers(trailers));
      else this.#endWhole(head, trailers);
    }
  }

  /** It is over, wherever it stood. */
  drop(): void {
    this.#scope.release(this.#held);
    this.#held = 0;
    this.#pieces = [];
    this.#frames = undefined;
  }

  #hasNoBody({ status }: ResponseHead): boolean {
    return this.#terms.head.method === 'HEAD' || status === 204 || status === 304;
  }

  #keep(bytes: Buffer): void {
    const sizeMax = this.#scope.options.rowSizeMax;
    if (this.#held + bytes.length > sizeMax) {
      this.#refuse(
        'too-large',
        `the answer is larger than ${sizeMax} bytes, so it cannot be masked`,
      );
      return;
    }
    if (!this.#holds(bytes.length)) return;
    this.#pieces.push(bytes);
  }

  #holds(size: number): boolean {
    if (!this.#scope.hold(size)) {
      this.#refuse('too-many', 'too many answers that are to be masked are held at once');
      return false;
    }
    this.#held += size;
    return true;
  }

  #endWhole(head: ResponseHead, trailers: HeaderList): void {
    const body = Buffer.concat(this.#pieces);
    this.drop();
    if (body.length === 0) {
      this.#talk.answer(rewrittenAnswer(head, 0));
      this.#talk.end(rewrittenTrailers(trailers));
      return;
    }
    const coding = bodyCoding(head.headers);
    const { inflate, rowSizeMax } = this.#scope.options;
    const plain = coding && readCoded(coding, body, rowSizeMax, inflate);
    if (plain === undefined) {
      this.#refuse('unavailable', 'the store compressed its answer in a way that Weir cannot read');
      return;
    }
    const shown = this.#maskAll(plain, head);
    if (shown === undefined) return;
    this.#talk.answer(rewrittenAnswer(head, shown.length));
    this.#talk.body(shown);
    this.#talk.end(rewrittenTrailers(trailers));
  }

  /** Undefined: it was refused. */
  #maskAll(plain: Buffer, head: ResponseHead): Buffer | undefined {
    const { read, masks, restrictions } = this.#terms;
    try {
      const checked =
        restrictions !== undefined && read?.checkAnswer !== undefined
          ? read.checkAnswer(plain, restrictions, head)
          : plain;
      if (!Buffer.isBuffer(checked)) {
        this.#withhold(checked);
        return undefined;
      }
      return masks === undefined ? checked : (read?.maskAnswer?.(checked, masks, head) ?? checked);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse('unavailable', `the answer of the store cannot be read (${error.code})`);
      return undefined;
    }
  }

  #onGrpcHead(head: ResponseHead): void {
    if (this.#isRead && !isGrpcAnswer(head)) {
      const problem = `the store answered with HTTP ${head.status} and no gRPC`;
      this.#talk.say(grpcRefusal(httpGrpcCode(head.status), problem));
      this.#withhold({ kind: 'unavailable', rule: undefined, message: problem });
      return;
    }
    const isTrailersOnly = headerOf(head.headers, 'grpc-status') !== undefined;
    // Head and end are told apart, so that it does not depend on how the store wrote it: as one or as two.
    this.#early = isTrailersOnly
      ? head.headers.filter(([name]) => STATUS_TRAILERS.includes(name))
      : [];
    const headers = isTrailersOnly
      ? head.headers.filter(([name]) => !STATUS_TRAILERS.includes(name))
      : head.headers;
    if (!this.#isRead) {
      this.#talk.answer({ ...head, headers });
      return;
    }
    this.#frames = new GrpcFrames(this.#scope.options.rowSizeMax, 'server');
    this.#talk.answer({
      ...head,
      headers: headers.filter(([name]) => name !== 'content-length'),
    });
  }

  #onFrames(frames: GrpcFrames, bytes: Buffer): void {
    try {
      for (const message of frames.push(bytes)) {
        const shown = this.#showMessage(message);
        if (shown === undefined) return;
        this.#talk.body(shown);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const kind = error.code === 'GRPC_MESSAGE_SIZE' ? 'too-large' : 'unavailable';
      this.#refuse(kind, `the answer of the store cannot be read (${error.code})`);
      return;
    }
    this.#scope.release(this.#held);
    this.#held = 0;
    this.#holds(frames.heldSize);
  }

  #showMessage(message: GrpcMessage): Buffer | undefined {
    const head = this.#head ?? { status: 200, headers: [] };
    const { inflate, rowSizeMax } = this.#scope.options;
    const coding = message.isCompressed ? messageCoding(head.headers) : 'identity';
    const isOdd = message.isCompressed && coding === 'identity';
    const plain =
      coding === undefined || isOdd
        ? undefined
        : readCoded(coding, message.bytes, rowSizeMax, inflate);
    if (plain === undefined) {
      this.#refuse('unavailable', 'the store compressed its answer in a way that Weir cannot read');
      return undefined;
    }
    const shown = this.#maskAll(plain, head);
    if (shown === undefined) return undefined;
    return shown === message.bytes ? message.frame : frameMessage(shown);
  }

  #endGrpc(trailers: HeaderList): void {
    if ((this.#frames?.heldSize ?? 0) > 0) {
      this.#refuse('unavailable', 'the store ended its answer within a message');
      return;
    }
    const isLate = headerOf(trailers, 'grpc-status') !== undefined;
    const all = isLate ? trailers : [...this.#early, ...trailers];
    this.#isOk = headerOf(all, 'grpc-status') === '0';
    this.drop();
    this.#talk.end(this.#isRead ? this.#maskTrailers(all) : all);
  }

  /** Messages of errors quote values, and their details repeat them in a form of their own. */
  #maskTrailers(trailers: HeaderList): HeaderList {
    const detect = this.#terms.masks?.detect;
    return rewrittenTrailers(trailers)
      .filter(([name]) => name !== 'grpc-status-details-bin')
      .map(([name, value]) => {
        if (name !== 'grpc-message' || detect === undefined) return [name, value] as const;
        const text = decodeGrpcMessage(value);
        const masked = detect(text);
        return [name, masked === text ? value : encodeGrpcMessage(masked)] as const;
      });
  }

  #refuse(kind: StoreRefusal['kind'], message: string): void {
    this.#withhold({ kind, rule: undefined, message });
  }
}
