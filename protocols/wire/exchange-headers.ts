/**
 * Header lists of exchanges: what goes up to the store in place of what the client sent, and down to the
 * client in place of what the store sent. Framing and what concerns one hop only are the driver's.
 */

import type { HeaderList, RequestHead, ResponseHead } from '../contract.ts';
import type { StoreLogin } from '../store.ts';
import { acceptsGzip } from './content-coding.ts';
import type { RestrictedRequest, Route, StoreProduct } from './store-product.ts';

/** They speak of the bytes of a body, which are others after a change. */
const BODY_FACTS: readonly string[] = [
  'content-length',
  'content-encoding',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
];
/** They tell, or let a client ask, whether the store's own bytes are still the same ones (an oracle on masked values). */
const VALIDATORS: readonly string[] = ['etag', 'last-modified', 'accept-ranges', 'content-range'];
/** A part of an answer cannot be masked, and a "not modified" speaks of the unmasked one. */
const PARTIAL: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'if-none-match',
  'if-modified-since',
]);
const REWRITTEN_REQUEST: ReadonlySet<string> = new Set(BODY_FACTS);
const REWRITTEN_ANSWER: ReadonlySet<string> = new Set([...BODY_FACTS, ...VALIDATORS]);
/** Callers' credentials that no store gets from the gateway, beside those that the product names. */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization']);
const ACCEPTED: ReadonlySet<string> = new Set(['accept-encoding', 'grpc-accept-encoding']);

export interface Forwarding {
  readonly product: StoreProduct;
  readonly route: Route;
  readonly isPassthrough: boolean;
  readonly login: StoreLogin | undefined;
  /** The answer is read here before the client gets it. */
  readonly isAnswerRead: boolean;
}

/** `body`: what goes up in place of the client's; undefined: the client's own. */
export function forwardedHead(
  head: RequestHead,
  cut: RestrictedRequest,
  body: Buffer | undefined,
  forwarding: Forwarding,
): RequestHead {
  return {
    ...head,
    target: cut.target ?? head.target,
    headers: forwardedHeaders(cut.headers ?? head.headers, body?.length, forwarding),
    isWhole: body === undefined ? head.isWhole : body.length === 0,
  };
}

function forwardedHeaders(
  base: HeaderList,
  newSize: number | undefined,
  forwarding: Forwarding,
): HeaderList {
  const { route, isAnswerRead } = forwarding;
  const dropped = (name: string): boolean =>
    ACCEPTED.has(name) ||
    (isAnswerRead && PARTIAL.has(name)) ||
    (newSize !== undefined && REWRITTEN_REQUEST.has(name));
  const headers = withLogin(base, forwarding).filter(([name]) => !dropped(name));
  const accepted: HeaderList[number] =
    route.transport === 'grpc'
      ? ['grpc-accept-encoding', 'identity']
      : ['accept-encoding', !isAnswerRead && acceptsGzip(base) ? 'gzip' : 'identity'];
  // The length of a gRPC body is said by its messages; where the client told it all the same, it is told anew.
  const isSized =
    newSize !== undefined &&
    (route.transport === 'rest' || base.some(([name]) => name === 'content-length'));
  return isSized
    ? [...headers, accepted, ['content-length', String(newSize)]]
    : [...headers, accepted];
}

function withLogin(headers: HeaderList, { product, login, isPassthrough }: Forwarding): HeaderList {
  if (login !== undefined) return product.withLogin(headers, login);
  if (isPassthrough) return headers;
  return headers.filter(([name]) => !product.secretHeaders.has(name) && !CREDENTIALS.has(name));
}

/** Trailers must not bring what the headers may not. */
export function forwardedTrailers(trailers: HeaderList, secrets: ReadonlySet<string>): HeaderList {
  return trailers.filter(
    ([name]) => !secrets.has(name) && !CREDENTIALS.has(name) && !REWRITTEN_REQUEST.has(name),
  );
}

/** `size` undefined: no length is told (no body, or messages one by one). */
export function rewrittenAnswer(head: ResponseHead, size: number | undefined): ResponseHead {
  const headers = head.headers.filter(([name]) => !REWRITTEN_ANSWER.has(name));
  if (size === undefined) return { ...head, headers };
  return { ...head, headers: [...headers, ['content-length', String(size)]] };
}

export function rewrittenTrailers(trailers: HeaderList): HeaderList {
  return trailers.filter(([name]) => !REWRITTEN_ANSWER.has(name));
}

/** What we made ourselves may quote names that a client chose: no line of it may end a header. */
export function cleanHead(head: ResponseHead, size: number | undefined): ResponseHead {
  const headers = cleanHeaders(head.headers);
  const isSized = size === undefined || headers.some(([name]) => name === 'content-length');
  const all: HeaderList = isSized ? headers : [...headers, ['content-length', String(size)]];
  const { status, reason } = head;
  return reason === undefined
    ? { status, headers: all }
    : { status, reason: cleanValue(reason), headers: all };
}

export function cleanHeaders(headers: HeaderList): HeaderList {
  return headers.map(([name, value]) => [name, cleanValue(value)] as const);
}

/** Longer ones are refused by clients (16 kB for a whole head in Node). */
const VALUE_LENGTH_MAX = 4096;

function cleanValue(value: string): string {
  return value.slice(0, VALUE_LENGTH_MAX).replaceAll(/[^\t\x20-\x7e]/g, '?');
}

/** The length that a head announces; undefined: none, or none that can be believed. */
export function announcedSize(head: RequestHead): number | 'unclear' | undefined {
  const values = head.headers.filter(([name]) => name === 'content-length');
  const [first] = values;
  if (first === undefined) return undefined;
  const isClear = values.length === 1 && /^\d{1,15}$/.test(first[1]);
  return isClear ? Number(first[1]) : 'unclear';
}
