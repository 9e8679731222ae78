/** Qdrant as a product: REST and gRPC routes, its credentials, its refusals. */

import type { HeaderList, RequestHead } from '../contract.ts';
import type { StoreCredential, StoreLogin } from '../store.ts';
import type { Route, StoreProduct } from '../wire/store-product.ts';
import { headerOf, isGrpcContentType } from '../wire/grpc.ts';
import { refuse } from './refusal.ts';
import { findRestRoute } from './rest.ts';
import { findRpcRoute } from './rpc.ts';

/** `api-key: K` and `Authorization: Bearer K`, in REST and in gRPC metadata (common/auth of qdrant 1.19). */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(['api-key', 'authorization']);

function findRoute(head: RequestHead): Route | undefined {
  return isGrpcContentType(headerOf(head.headers, 'content-type'))
    ? findRpcRoute(head)
    : findRestRoute(head);
}

/** The server looks at `api-key` first. A second credential that says something else is none. */
function readCredential(head: RequestHead): StoreCredential | undefined {
  const secrets = head.headers.flatMap(([name, value]) => {
    if (name === 'api-key') return [value];
    if (name !== 'authorization') return [];
    return [/^bearer +(.+)$/i.exec(value)?.[1] ?? ''];
  });
  const [secret] = secrets;
  const isOne = secret !== undefined && secret !== '' && secrets.every((one) => one === secret);
  return isOne ? { user: undefined, secret } : undefined;
}

function withLogin(headers: HeaderList, login: StoreLogin): HeaderList {
  return [
    ...headers.filter(([name]) => !CREDENTIAL_HEADERS.has(name)),
    ['api-key', login.secret] as const,
  ];
}

export const qdrantProduct: StoreProduct = {
  findRoute,
  readCredential,
  withLogin,
  secretHeaders: CREDENTIAL_HEADERS,
  refuse,
};
