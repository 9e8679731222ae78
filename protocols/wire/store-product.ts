/**
 * What makes one vector database different from another behind HTTP: its routes, where its requests
 * name things, how its answers are masked, how it refuses. A product is tables and pure functions;
 * the exchange itself (`exchange-session.ts`) is the same for all. Types only.
 */

import type { HeaderList, RequestHead, ResponseHead } from '../contract.ts';
import type {
  FieldMasks,
  Restrictions,
  StoreCredential,
  StoreLogin,
  StoreRefusal,
  StoreRequest,
} from '../store.ts';

export interface StoreProduct {
  /** Undefined: the table does not name it, so it is refused. */
  findRoute(head: RequestHead): Route | undefined;
  /** Of all the forms the product knows; undefined: none came. */
  readCredential(head: RequestHead): StoreCredential | undefined;
  /** All credential headers of callers out, the store's own in. */
  withLogin(headers: HeaderList, login: StoreLogin): HeaderList;
  /** Names of headers whose values never reach a recording; lower case. */
  readonly secretHeaders: ReadonlySet<string>;
  /** The refusal in the form that the official clients show; `route` undefined: unknown to the table. */
  refuse(refusal: StoreRefusal, head: RequestHead, route: Route | undefined): WholeAnswer;
}

/** Trailers make it a gRPC answer; an empty body with trailers is sent as "trailers only". */
export interface WholeAnswer {
  readonly head: ResponseHead;
  readonly body: Buffer;
  readonly trailers?: HeaderList;
}

export interface Route {
  /** As in the table: `POST /collections/{c}/points/query`, `qdrant.Points/Query`. */
  readonly name: string;
  /** `grpc`: bodies are length-prefixed messages; `read` and `mask` get one message, without its frame. */
  readonly transport: 'rest' | 'grpc';
  /** Passes without a credential: health checks. */
  readonly isOpen?: boolean;
  /**
   * `body`: the request is held until it is whole (limited), inflated and handed to `read`. `head`: the head
   * says everything, the body streams through; `read` gets an empty body.
   */
  readonly needs: 'head' | 'body';
  /**
   * Throws ProtocolError where the body cannot be read: refused as `unreadable`. Must be strict: what the
   * server could read in another way (duplicate keys, other encodings) is an error.
   */
  read(head: RequestHead, body: Buffer): ReadRequest;
}

/** A request as it was read, with how to cut it down and how to mask its answer. */
export interface ReadRequest extends StoreRequest {
  /**
   * The same request under `restrictions`, or in one sentence why that cannot be done: then it is refused.
   * Parts that are left out stay as they came, byte for byte.
   */
  restrict(restrictions: Restrictions): RestrictedRequest | string;
  /**
   * Masks an answer: the whole inflated body (REST, any status) or one message (gRPC). The same Buffer comes
   * back where nothing changed. Throws ProtocolError where the answer cannot be read: it is withheld then.
   * Undefined: no stored value comes back in it, so it streams through.
   */
  readonly maskAnswer:
    | ((body: Buffer, masks: FieldMasks, head: ResponseHead) => Buffer)
    | undefined;
  /**
   * Where a request cannot carry a filter (reads by id): what came back is checked, and what does not fit is
   * taken out or the whole is refused. Called before `maskAnswer`, only with restrictions; undefined: no need.
   */
  readonly checkAnswer?: (
    body: Buffer,
    restrictions: Restrictions,
    head: ResponseHead,
  ) => Buffer | StoreRefusal;
  /** Collections, aliases or ids may be others after it: what is known of names is read again. */
  readonly changesNames?: boolean;
}

export interface RestrictedRequest {
  readonly target?: string;
  readonly headers?: HeaderList;
  readonly body?: Buffer;
}
