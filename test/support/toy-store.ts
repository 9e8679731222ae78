/**
 * A small product of our own, so that the exchange session can be tested without any real one: REST with
 * JSON and gRPC with plain text as messages. Records are `{"id": 1, "email": "..."}`.
 */

import type { HeaderList, Protocol, RequestHead } from '../../protocols/contract.ts';
import { ProtocolError } from '../../protocols/errors.ts';
import type { FieldMasks, Restrictions, StoreEffect } from '../../protocols/store.ts';
import { createExchangeSession } from '../../protocols/wire/exchange-session.ts';
import { grpcRefusal, grpcStatusOf } from '../../protocols/wire/grpc.ts';
import type { ReadRequest, Route, StoreProduct } from '../../protocols/wire/store-product.ts';

const STATUS = {
  unauthenticated: 401,
  forbidden: 403,
  unreadable: 400,
  'too-large': 413,
  'too-many': 429,
  unavailable: 503,
} as const;

interface Row {
  readonly pattern: RegExp;
  readonly name: string;
  readonly effect: StoreEffect | undefined;
  readonly needs: Route['needs'];
  readonly isMasked?: boolean;
  readonly isChecked?: boolean;
  readonly changesNames?: boolean;
}

const REST: readonly Row[] = [
  { pattern: /^GET \/health$/, name: 'GET /health', effect: undefined, needs: 'head' },
  {
    pattern: /^POST \/c\/(\w+)\/search$/,
    name: 'POST /c/{c}/search',
    effect: 'search',
    needs: 'body',
    isMasked: true,
    isChecked: true,
  },
  { pattern: /^PUT \/c\/(\w+)$/, name: 'PUT /c/{c}', effect: 'upsert', needs: 'head' },
  {
    pattern: /^(?:GET|HEAD) \/c\/(\w+)$/,
    name: 'GET /c/{c}',
    effect: 'export',
    needs: 'head',
    isMasked: true,
  },
  {
    pattern: /^DELETE \/c\/(\w+)$/,
    name: 'DELETE /c/{c}',
    effect: 'drop',
    needs: 'head',
    changesNames: true,
  },
];

const GRPC: readonly Row[] = [
  {
    pattern: /^POST \/toy\.Store\/Search$/,
    name: 'toy.Store/Search',
    effect: 'search',
    needs: 'body',
    isMasked: true,
    isChecked: true,
  },
  {
    pattern: /^POST \/toy\.Store\/Watch$/,
    name: 'toy.Store/Watch',
    effect: 'read',
    needs: 'head',
    isMasked: true,
  },
];

const EMAIL = /[\w.]+@[\w.]+/g;

function maskText(body: Buffer, masks: FieldMasks): Buffer {
  const text = body.toString();
  if (text.includes('unreadable')) throw new ProtocolError('TOY_SYNTAX', 'server', 'not read');
  const mask = masks.maskOf(['email']);
  const masked = mask === undefined ? text : text.replaceAll(EMAIL, (one) => mask(one) ?? '');
  return masked === text ? body : Buffer.from(masked);
}

function readRow(row: Row, head: RequestHead, body: Buffer): ReadRequest {
  const isGrpc = row.name.startsWith('toy.');
  const text = body.toString();
  if (!isGrpc && row.needs === 'body' && !text.startsWith('{')) {
    throw new ProtocolError('TOY_SYNTAX', 'client', 'this is no object');
  }
  const path = isGrpc ? 'people' : (row.pattern.exec(`${head.method} ${head.target}`)?.[1] ?? '');
  return {
    route: row.name,
    accesses:
      row.effect === undefined
        ? []
        : [{ effect: row.effect, target: { kind: 'collection', path: [path] } }],
    steering: [],
    restrict: ({ filter }: Restrictions) => {
      if (row.needs === 'head') return filter.length === 0 ? {} : 'this request takes no filter';
      const values = filter.map(({ field, value }) => `${field}=${value}`).join();
      return isGrpc
        ? { body: Buffer.from(`${text};${values}`) }
        : { body: Buffer.from(text.replace(/\}$/, `,"only":"${values}"}`)) };
    },
    maskAnswer: row.isMasked === true ? maskText : undefined,
    ...(row.isChecked === true && {
      checkAnswer: (answer: Buffer) =>
        answer.includes('foreign')
          ? { kind: 'forbidden' as const, rule: undefined, message: 'a record of somebody else' }
          : answer,
    }),
    ...(row.changesNames === true && { changesNames: true }),
  };
}

function routeOf(row: Row, transport: Route['transport']): Route {
  return {
    name: row.name,
    transport,
    needs: row.needs,
    read: (head, body) => readRow(row, head, body),
    ...(row.effect === undefined && { isOpen: true }),
  };
}

export const toyProduct: StoreProduct = {
  findRoute: (head) => {
    const line = `${head.method} ${head.target}`;
    const rest = REST.find(({ pattern }) => pattern.test(line));
    if (rest !== undefined) return routeOf(rest, 'rest');
    const grpc = GRPC.find(({ pattern }) => pattern.test(line));
    return grpc && routeOf(grpc, 'grpc');
  },
  readCredential: (head) => {
    const secret = head.headers.find(([name]) => name === 'api-key')?.[1];
    return secret === undefined ? undefined : { user: undefined, secret };
  },
  withLogin: (headers, { secret }): HeaderList => [
    ...headers.filter(([name]) => name !== 'api-key'),
    ['api-key', secret],
  ],
  secretHeaders: new Set(['api-key']),
  refuse: ({ kind, message }, _head, route) => {
    if (route?.transport === 'grpc') return grpcRefusal(grpcStatusOf(kind), message);
    const body = Buffer.from(JSON.stringify({ error: message }));
    const headers: HeaderList = [['content-type', 'application/json']];
    return { head: { status: STATUS[kind], reason: `No - ${message}`, headers }, body };
  },
};

export const toyStore: Protocol = {
  name: 'toy',
  defaultPort: 1,
  transport: 'http',
  createSession: (options) => createExchangeSession(toyProduct, options),
};
