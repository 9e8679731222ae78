/**
 * Refusals as Qdrant's own clients show them (vector.md 2.1 and 2.10). The JavaScript client for REST shows
 * the reason phrase and nothing else, so the sentence is in it as well as in the body.
 */

import type { RequestHead } from '../contract.ts';
import type { StoreRefusal } from '../store.ts';
import { grpcRefusal, grpcStatusOf, headerOf, isGrpcContentType } from '../wire/grpc.ts';
import type { Route, WholeAnswer } from '../wire/store-product.ts';

interface RestStatus {
  readonly status: number;
  readonly word: string;
}

const REST_STATUS: Readonly<Record<StoreRefusal['kind'], RestStatus>> = {
  unauthenticated: { status: 401, word: 'Unauthorized' },
  forbidden: { status: 403, word: 'Forbidden' },
  unreadable: { status: 400, word: 'Bad Request' },
  'too-large': { status: 413, word: 'Payload Too Large' },
  'too-many': { status: 429, word: 'Too Many Requests' },
  // No 503: clients and proxies ask again by themselves then.
  unavailable: { status: 500, word: 'Service Error' },
};

/** Reason phrases are one header line; clients refuse long ones. */
const REASON_SIZE_MAX = 512;
/** With a 429 the client wants to know when (vector.md 2.1). */
const RETRY_AFTER = '1';

export function refuse(
  refusal: StoreRefusal,
  head: RequestHead,
  route: Route | undefined,
): WholeAnswer {
  const isGrpc =
    route?.transport === 'grpc' || isGrpcContentType(headerOf(head.headers, 'content-type'));
  return isGrpc
    ? grpcRefusal(grpcStatusOf(refusal.kind), refusal.message, later(refusal))
    : rest(refusal);
}

function later({ kind }: StoreRefusal): [string, string][] {
  return kind === 'too-many' ? [['retry-after', RETRY_AFTER]] : [];
}

function rest(refusal: StoreRefusal): WholeAnswer {
  const { status, word } = REST_STATUS[refusal.kind];
  const error = `${word}: ${refusal.message}`;
  const body = Buffer.from(JSON.stringify({ status: { error }, time: 0, result: null }), 'utf8');
  return {
    head: {
      status,
      reason: reasonOf(`${word} - ${refusal.message}`),
      headers: [['content-type', 'application/json'], ...later(refusal)],
    },
    body,
  };
}

/** Printable ASCII: what else stands in a reason phrase is refused or garbled on the way. */
function reasonOf(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e]/g, '?').slice(0, REASON_SIZE_MAX);
}
