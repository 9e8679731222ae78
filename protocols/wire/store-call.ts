/**
 * Reads a request to a product behind HTTP as people write it for `weir explain`, without sending anything:
 *
 *   POST /collections/customers/points/query {"limit": 3}
 *   qdrant.Points/Query hex:0a09637573746f6d657273
 */

import type { HeaderList, RequestHead } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { StoreCall } from '../store.ts';
import type { ReadRequest, Route, StoreProduct } from './store-product.ts';

const REST = /^\s*([A-Za-z]+)\s+(\/\S*)(?:\s+([^]*))?$/;
const GRPC = /^\s*\/?([\w.]+\/\w+)(?:\s+([^]*))?$/;
const HEX = /^hex:((?:[0-9a-fA-F]{2})*)$/;
const BASE64 = /^base64:([A-Za-z0-9+/]*={0,2})$/;

const EXPECTED =
  'expected METHOD /path {json}, or package.Service/Method hex:... (or base64:...) for gRPC';

/** `encode`: a gRPC message from JSON, where a product offers it; a text says why it cannot be. */
export type EncodeCall = (method: string, json: string) => Buffer | string;

export function readHttpCall(
  product: StoreProduct,
  text: string,
  encode?: EncodeCall,
): StoreCall | string {
  const rest = REST.exec(text);
  if (rest !== null) {
    const [, method = '', target = '', body = ''] = rest;
    return readRoute(product, restHead(method.toUpperCase(), target, body), Buffer.from(body));
  }
  const grpc = GRPC.exec(text);
  if (grpc === null) return EXPECTED;
  const [, method = '', written = ''] = grpc;
  const message = readMessage(method, written.trim(), encode);
  return typeof message === 'string' ? message : readRoute(product, grpcHead(method), message);
}

function readMessage(method: string, written: string, encode?: EncodeCall): Buffer | string {
  if (written === '') return Buffer.alloc(0);
  const hex = HEX.exec(written)?.[1];
  if (hex !== undefined) return Buffer.from(hex, 'hex');
  const base64 = BASE64.exec(written)?.[1];
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  if (encode !== undefined && written.startsWith('{')) return encode(method, written);
  return 'expected the message as hex:... or base64:...';
}

function restHead(method: string, target: string, body: string): RequestHead {
  const size = Buffer.byteLength(body);
  const headers: HeaderList =
    size === 0
      ? []
      : [
          ['content-type', 'application/json'],
          ['content-length', String(size)],
        ];
  return { version: '1.1', method, target, authority: 'weir', headers, isWhole: size === 0 };
}

function grpcHead(method: string): RequestHead {
  const headers: HeaderList = [
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
  return {
    version: '2',
    method: 'POST',
    target: `/${method}`,
    authority: 'weir',
    headers,
    isWhole: false,
  };
}

function readRoute(product: StoreProduct, head: RequestHead, body: Buffer): StoreCall | string {
  const route = product.findRoute(head);
  if (route === undefined) return `Weir does not know ${head.method} ${head.target}: it is refused`;
  try {
    return callOf(route, route.read(head, route.needs === 'body' ? body : Buffer.alloc(0)));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return `it cannot be read, so it is refused: ${error.message}`;
  }
}

function callOf({ name }: Route, read: ReadRequest): StoreCall {
  const { accesses, steering, steersAny, limit, wantsVectors, carries } = read;
  return {
    route: name,
    accesses,
    steering,
    ...(steersAny === undefined ? {} : { steersAny }),
    ...(carries === undefined ? {} : { carries }),
    ...(limit === undefined ? {} : { limit }),
    ...(wantsVectors === undefined ? {} : { wantsVectors }),
    whyNotRestricted: (restrictions) => {
      const restricted = read.restrict(restrictions);
      return typeof restricted === 'string' ? restricted : undefined;
    },
  };
}
