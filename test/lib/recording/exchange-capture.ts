/** What a recording of HTTP and gRPC holds, made by hand: exchanges as steps of a session. */

import type { HeaderList, Side } from '../../../protocols/contract.ts';
import {
  encodeAnswerHead,
  encodeBodyHead,
  encodeEnd,
  encodeRequestHead,
} from '../../../protocols/wire/exchange-record.ts';
import { encodeBytes, encodeString, encodeVarint } from '../../../protocols/wire/protobuf.ts';
import { frameMessage } from '../../../protocols/wire/grpc.ts';
import type { RecordedNote } from '../../../lib/recording/recording.ts';
import type { Step } from './session-fixture.ts';

const SECRETS = new Set(['api-key']);
export const JSON_HEADERS: HeaderList = [['content-type', 'application/json']];
export const GRPC_HEADERS: HeaderList = [['content-type', 'application/grpc']];

export interface Capture {
  readonly exchange: number;
  readonly line: string;
  readonly headers?: HeaderList;
  readonly body?: Buffer | string;
  readonly note?: Partial<Extract<RecordedNote, { kind: 'decision' }>>;
  readonly status?: number;
  readonly answerHeaders?: HeaderList;
  readonly answer?: Buffer | string;
  readonly trailers?: HeaderList;
  readonly by?: 'gateway';
}

/** The steps of one exchange; each takes a millisecond. */
export function exchangeSteps(capture: Capture, start = 0): Step[] {
  const { exchange, line, headers = JSON_HEADERS, body, note, answer, by } = capture;
  const { status = 200, answerHeaders = JSON_HEADERS, trailers = [] } = capture;
  const [method = '', target = ''] = line.split(' ');
  const head = { version: '1.1', method, target, authority: 'x', headers, isWhole: false } as const;
  const asked: Step[] = [
    step('client', encodeRequestHead(exchange, head, SECRETS)),
    ...bodySteps(exchange, 'client', body),
    step('client', encodeEnd(exchange, [], SECRETS)),
  ];
  const decided: Step[] =
    note === undefined
      ? []
      : [
          {
            at: 0,
            note: { kind: 'decision', operation: 'request', outcome: 'allow', exchange, ...note },
          },
        ];
  const answered: Step[] = [
    step('server', encodeAnswerHead(exchange, { status, headers: answerHeaders }, SECRETS), by),
    ...bodySteps(exchange, 'server', answer, by),
    step('server', encodeEnd(exchange, trailers, SECRETS), by),
  ];
  return [...asked, ...decided, ...answered].map((one, index) => ({
    ...one,
    at: start + index * 1000,
  }));
}

function bodySteps(
  exchange: number,
  from: Side,
  body: Buffer | string | undefined,
  by?: 'gateway',
): Step[] {
  if (body === undefined) return [];
  const bytes = Buffer.from(body);
  return [step(from, encodeBodyHead(exchange, bytes.length), by), step(from, bytes, by)];
}

function step(from: Side, bytes: Buffer, by?: 'gateway'): Step {
  return by === undefined ? { at: 0, from, bytes } : { at: 0, from, bytes, by };
}

/** QueryResponse { 1 result: ScoredPoint { 1 id: PointId { 1 num, 2 uuid }, 2 payload, 3 score } } of Qdrant. */
export function qdrantAnswer(ids: readonly (number | string)[]): Buffer {
  const points = ids.map((id) => {
    const pointId = typeof id === 'number' ? encodeVarint(1, id) : encodeString(2, id);
    const value = encodeString(4, '***');
    const entry = Buffer.concat([encodeString(1, 'email'), encodeBytes(2, value)]);
    return encodeBytes(1, Buffer.concat([encodeBytes(1, pointId), encodeBytes(2, entry)]));
  });
  return frameMessage(Buffer.concat(points));
}

/** QueryPoints { 1 collection_name, 3 query { ... packed floats } }, near enough. */
export function qdrantQuery(collection: string, vector: readonly number[]): Buffer {
  const floats = Buffer.alloc(4 * vector.length);
  for (const [index, value] of vector.entries()) floats.writeFloatLE(value, 4 * index);
  return frameMessage(
    Buffer.concat([encodeString(1, collection), encodeBytes(3, encodeBytes(1, floats))]),
  );
}
