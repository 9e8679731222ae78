/**
 * Scripts for the conformance suite of sessions over HTTP: what happens to one session, without its
 * decisions, and what must never come out of it.
 */

import { gzipSync } from 'node:zlib';
import type { Decision, Operation, Protocol, SessionEvent } from '../../protocols/contract.ts';
import { frameMessage } from '../../protocols/wire/grpc.ts';
import {
  answers,
  asks,
  GRPC_ANSWER,
  GRPC_HEADERS,
  MASKED,
  piece,
  requestHead,
} from '../support/exchanges.ts';
import { toyStore } from '../support/toy-store.ts';

export interface ExchangeScript {
  readonly name: string;
  readonly protocol: Protocol;
  readonly events: readonly SessionEvent[];
  readonly decide: (operation: Operation) => Decision;
  /** Neither the client nor the recording may see them, nor the store, if they are the client's key. */
  readonly secrets: readonly string[];
}

const KEY: readonly [string, string] = ['api-key', 'secret-of-ann'];
const SEARCH = '{"limit":2}';
const FOUND = '{"records":[{"id":1,"email":"bob@example.com"},{"id":2,"email":"cyd@example.com"}]}';
const SECRETS = ['secret-of-ann', 'bob@example.com', 'cyd@example.com'];
const GRPC = { version: '2', headers: [...GRPC_HEADERS, KEY] } as const;

const opened: SessionEvent = { kind: 'opened', side: 'client' };

const rest: readonly SessionEvent[] = [
  opened,
  ...asks(1, 'GET /health'),
  ...answers(1, 200, 'ok'),
  ...asks(2, 'POST /c/people/search', SEARCH, { headers: [KEY] }),
  ...answers(2, 200, FOUND, [['etag', '"1"']]),
  ...asks(3, 'PUT /c/people', 'a long upload that is not read', { headers: [KEY] }),
  ...answers(3, 201),
  ...asks(4, 'POST /c/people/search', gzipSync(SEARCH), {
    headers: [KEY, ['content-encoding', 'gzip']],
  }),
  ...answers(4, 200, gzipSync(FOUND), [['content-encoding', 'gzip']]),
  ...asks(5, 'DELETE /c/people', undefined, { headers: [KEY] }),
  ...answers(5, 204),
  ...asks(6, 'GET /nobody/knows', undefined, { headers: [KEY] }),
  ...asks(7, 'HEAD /c/people', undefined, { headers: [KEY] }),
  ...answers(7, 200, undefined, [['content-length', '77']]),
];

function grpcMessages(): Buffer {
  const messages = ['bob@example.com likes it', 'nothing here', 'cyd@example.com too'];
  return Buffer.concat(messages.map((one) => frameMessage(Buffer.from(one))));
}

const grpc: readonly SessionEvent[] = [
  opened,
  ...asks(1, 'POST /toy.Store/Search', frameMessage(Buffer.from('who')), GRPC),
  // The stream of another call comes between.
  { kind: 'request', exchange: 2, head: requestHead('POST /toy.Store/Watch', GRPC) },
  ...piece(2, 'client', frameMessage(Buffer.from('first'))),
  ...answers(1, 200, grpcMessages(), GRPC_ANSWER, [['grpc-status', '0']]),
  { kind: 'response', exchange: 2, head: { status: 200, headers: GRPC_ANSWER } },
  ...piece(2, 'server', grpcMessages()),
  ...piece(2, 'client', frameMessage(Buffer.from('second'))),
  ...piece(2, 'server', grpcMessages()),
  { kind: 'ended', exchange: 2, from: 'client', trailers: [] },
  {
    kind: 'ended',
    exchange: 2,
    from: 'server',
    trailers: [
      ['grpc-status', '3'],
      ['grpc-message', 'no bob@example.com'],
    ],
  },
  // Trailers only.
  ...asks(3, 'POST /toy.Store/Search', frameMessage(Buffer.from('who')), GRPC),
  ...answers(3, 200, undefined, [...GRPC_ANSWER, ['grpc-status', '5']]),
];

const interleaved: readonly SessionEvent[] = interleave(
  Array.from({ length: 6 }, (_, index) => [
    ...asks(index + 1, 'POST /c/people/search', SEARCH, { version: '2', headers: [KEY] }),
    ...answers(index + 1, 200, FOUND),
  ]),
);

/** One event of each in turn. */
function interleave(lists: readonly SessionEvent[][]): SessionEvent[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  const rounds = Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  );
  return [opened, ...rounds.flat()];
}

const masked = (): Decision => MASKED;

export const toyScripts: readonly ExchangeScript[] = [
  { name: 'rest', protocol: toyStore, events: rest, decide: masked, secrets: SECRETS },
  { name: 'grpc', protocol: toyStore, events: grpc, decide: masked, secrets: SECRETS },
  {
    name: 'many at once',
    protocol: toyStore,
    events: interleaved,
    decide: masked,
    secrets: SECRETS,
  },
];
