/**
 * Milvus as a product: gRPC and REST on one port, its credentials, its refusals (vector.md 2.2). gRPC has them
 * in base64 and bare, REST as a bearer; a user and a password, or a token.
 */

import type { HeaderList, RequestHead } from '../contract.ts';
import type { StoreCredential, StoreLogin, StoreRefusal } from '../store.ts';
import {
  GRPC_STATUS,
  grpcRefusal,
  grpcStatusOf,
  headerOf,
  isGrpcContentType,
} from '../wire/grpc.ts';
import type { Route, StoreProduct, WholeAnswer } from '../wire/store-product.ts';
import { findRestRoute } from './rest-routes.ts';
import { HEARTBEAT_PATH, findRpcRoute } from './rpc-routes.ts';

const AUTHORIZATION = 'authorization';
/** By this one members of a cluster know each other, and its value is in the server's source (`util.MemberCredID`). */
const MEMBER = 'sourceid';
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([AUTHORIZATION, MEMBER, 'token']);

/** What the server gives back in errors of REST that have no number of their own. */
const REST_CODE = 65_535;
const REST_STATUS: Readonly<Record<StoreRefusal['kind'], number>> = {
  unauthenticated: 401,
  forbidden: 403,
  unreadable: 400,
  'too-large': 413,
  'too-many': 429,
  // No 503: clients and proxies ask again by themselves then.
  unavailable: 500,
};

function isGrpc({ headers }: RequestHead): boolean {
  return isGrpcContentType(headerOf(headers, 'content-type'));
}

export function findRoute(head: RequestHead): Route | undefined {
  if (head.headers.some(([name]) => name === MEMBER)) return undefined;
  return isGrpc(head) ? findRpcRoute(head) : findRestRoute(head);
}

/** Two of them are none, as which one counts could be read in two ways. */
export function readCredential(head: RequestHead): StoreCredential | undefined {
  const values = head.headers.filter(([name]) => name === AUTHORIZATION);
  const [first, ...others] = values.map(([, value]) => value.trim());
  if (first === undefined || others.length > 0) return undefined;
  const text = isGrpc(head) ? fromBase64(first) : readRest(first);
  if (text === undefined || text === '') return undefined;
  const colon = text.indexOf(':');
  if (colon < 0) return { user: undefined, secret: text };
  return { user: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function readRest(value: string): string | undefined {
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) +(\S+)$/.exec(value) ?? [];
  if (scheme.toLowerCase() === 'basic') return fromBase64(rest);
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  return Buffer.from(rest, 'latin1').toString('utf8');
}

function fromBase64(value: string): string | undefined {
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(value) && value.length % 4 === 0;
  return isBase64 ? Buffer.from(value, 'base64').toString('utf8') : undefined;
}

/** An empty secret: the store asks for none. */
export function withLogin(headers: HeaderList, { user, secret }: StoreLogin): HeaderList {
  const others = headers.filter(([name]) => !CREDENTIAL_HEADERS.has(name));
  if (secret === '') return others;
  const text = user === undefined ? secret : `${user}:${secret}`;
  const bytes = Buffer.from(text, 'utf8');
  const value = isGrpcContentType(headerOf(headers, 'content-type'))
    ? bytes.toString('base64')
    : `Bearer ${bytes.toString('latin1')}`;
  return [...others, [AUTHORIZATION, value]];
}

export function refuse(
  refusal: StoreRefusal,
  head: RequestHead,
  route: Route | undefined,
): WholeAnswer {
  // HTTP/1.1 has no gRPC, whatever the content type says.
  if (route?.transport === 'grpc' || (isGrpc(head) && head.version === '2')) {
    if (head.target === HEARTBEAT_PATH) {
      return grpcRefusal(GRPC_STATUS.unimplemented, 'Weir takes no telemetry of clients');
    }
    return grpcRefusal(grpcStatusOf(refusal.kind), refusal.message);
  }
  const body = JSON.stringify({ code: REST_CODE, message: refusal.message });
  return {
    head: {
      status: REST_STATUS[refusal.kind],
      headers: [['content-type', 'application/json; charset=utf-8']],
    },
    body: Buffer.from(body, 'utf8'),
  };
}

export const milvusProduct: StoreProduct = {
  findRoute,
  readCredential,
  withLogin,
  secretHeaders: new Set([...CREDENTIAL_HEADERS, 'proxy-authorization', 'cookie', 'set-cookie']),
  refuse,
};
