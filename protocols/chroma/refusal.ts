/**
 * Refusals as Chroma's own errors: `{"error", "message"}`. The JavaScript client shows a text of its own
 * for 401, 403, 404, 409 and 429 and the message for 422 only; the Python client shows the message for any
 * status and picks its exception by `error`. So a rule's no is a 422 with `AuthorizationError`.
 */

import type { RequestHead } from '../contract.ts';
import type { StoreRefusal } from '../store.ts';
import type { WholeAnswer } from '../wire/store-product.ts';
import { splitTarget } from './path.ts';

interface Shape {
  readonly status: number;
  /** Of the names that the Python client knows. */
  readonly error: string;
}

const SHAPES: Readonly<Record<StoreRefusal['kind'], Shape>> = {
  unauthenticated: { status: 401, error: 'AuthError' },
  forbidden: { status: 422, error: 'AuthorizationError' },
  unreadable: { status: 422, error: 'InvalidArgumentError' },
  'too-large': { status: 413, error: 'ChromaError' },
  'too-many': { status: 422, error: 'QuotaError' },
  // Not 503, which clients and proxies take as a call to try again at once.
  unavailable: { status: 500, error: 'InternalError' },
};

/** What the server itself says to whoever still speaks v1; the text is its own. */
const V1_GONE = {
  error: 'Unimplemented',
  message: 'The v1 API is deprecated. Please use /v2 apis',
} as const;

export function refuse(refusal: StoreRefusal, head: RequestHead): WholeAnswer {
  if (refusal.kind === 'forbidden' && isV1(head)) return answer(410, V1_GONE);
  const { status, error } = SHAPES[refusal.kind];
  return answer(status, { error, message: refusal.message });
}

function isV1(head: RequestHead): boolean {
  const segments = splitTarget(head.target)?.segments ?? [];
  return segments.length > 2 && segments[0] === 'api' && segments[1] === 'v1';
}

function answer(status: number, content: object): WholeAnswer {
  const body = Buffer.from(JSON.stringify(content));
  const headers = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
  ] as const;
  return { head: { status, headers }, body };
}
