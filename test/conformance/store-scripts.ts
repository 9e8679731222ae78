/** Scripts of the conformance suite for the products themselves: an ordinary talk with each. */

import { gzipSync } from 'node:zlib';
import type { Decision, HeaderList, SessionEvent } from '../../protocols/contract.ts';
import { chroma } from '../../protocols/chroma/index.ts';
import { milvus } from '../../protocols/milvus/index.ts';
import { qdrant } from '../../protocols/qdrant/index.ts';
import { frameMessage } from '../../protocols/wire/grpc.ts';
import { encodeBytes, encodeString, encodeVarint } from '../../protocols/wire/protobuf.ts';
import { answers, asks, GRPC_ANSWER, GRPC_HEADERS, MASKED } from '../support/exchanges.ts';
import type { ExchangeScript } from './exchange-scripts.ts';

const JSON_TYPE: HeaderList[number] = ['content-type', 'application/json'];
const EMAILS = ['bob@example.com', 'cyd@example.com'];
const opened: SessionEvent = { kind: 'opened', side: 'client' };
const decide = (): Decision => MASKED;

const COLLECTION =
  '/api/v2/tenants/default_tenant/databases/default_database/collections/0a1b2c3d-0000-4000-8000-000000000000';
const CHROMA_KEY: HeaderList = [['x-chroma-token', 'key-of-ann'], JSON_TYPE];

const chromaTalk: readonly SessionEvent[] = [
  opened,
  ...asks(1, 'GET /api/v2/heartbeat'),
  ...answers(1, 200, '{"nanosecond heartbeat":1}'),
  ...asks(2, `POST ${COLLECTION}/get`, '{"limit":2,"include":["metadatas"]}', {
    headers: CHROMA_KEY,
  }),
  ...answers(
    2,
    200,
    `{"ids":["a","b"],"metadatas":[{"email":"${EMAILS[0]}"},{"email":"${EMAILS[1]}"}],"documents":null,"embeddings":null,"uris":null,"include":["metadatas"]}`,
    [JSON_TYPE],
  ),
  ...asks(3, `POST ${COLLECTION}/add`, gzipSync('{"ids":["c"],"embeddings":[[0.5,-0.0]]}'), {
    headers: [...CHROMA_KEY, ['content-encoding', 'gzip']],
  }),
  ...answers(3, 201, '{}', [JSON_TYPE]),
  ...asks(4, 'GET /api/v2/not/there', undefined, { headers: CHROMA_KEY }),
];

const QDRANT_KEY: HeaderList = [['api-key', 'key-of-ann'], JSON_TYPE];
const QUERY = '/collections/people/points/query';

const qdrantTalk: readonly SessionEvent[] = [
  opened,
  ...asks(1, 'GET /', undefined, { headers: QDRANT_KEY }),
  ...answers(1, 200, '{"title":"qdrant","version":"1.19.0"}', [JSON_TYPE]),
  ...asks(2, `POST ${QUERY}`, '{"query":[0.5,-0.0],"limit":2,"with_payload":true}', {
    headers: QDRANT_KEY,
  }),
  ...answers(
    2,
    200,
    `{"result":{"points":[{"id":9007199254740993,"version":1,"score":-0.0,"payload":{"email":"${EMAILS[0]}"}}]},"status":"ok","time":0.1}`,
    [JSON_TYPE],
  ),
  ...asks(3, 'DELETE /collections/people', undefined, { headers: QDRANT_KEY }),
  ...answers(3, 200, '{"result":true,"status":"ok","time":0.1}', [JSON_TYPE]),
  ...asks(4, 'POST /profiler/slow_requests', '{}', { headers: QDRANT_KEY }),
];

function compressed(message: Buffer): Buffer {
  const frame = frameMessage(gzipSync(message));
  frame[0] = 1;
  return frame;
}

/** QueryResponse { 1 result: ScoredPoint { 1 id, 2 payload: map<string, Value { 4 string }>, 3 score } } */
function qdrantPoint(id: number, email: string): Buffer {
  const value = encodeBytes(2, encodeString(4, email));
  const entry = encodeBytes(2, Buffer.concat([encodeString(1, 'email'), value]));
  return encodeBytes(1, Buffer.concat([encodeBytes(1, encodeVarint(1, id)), entry]));
}

const GRPC_KEY: HeaderList = [
  ...GRPC_HEADERS,
  ['api-key', 'key-of-ann'],
  ['grpc-encoding', 'gzip'],
];
const OK: HeaderList = [['grpc-status', '0']];

const qdrantRpcTalk: readonly SessionEvent[] = [
  opened,
  ...asks(1, 'POST /qdrant.Qdrant/HealthCheck', frameMessage(Buffer.alloc(0)), {
    version: '2',
    headers: GRPC_KEY,
  }),
  ...answers(1, 200, frameMessage(encodeString(1, 'qdrant')), GRPC_ANSWER, OK),
  ...asks(2, 'POST /qdrant.Points/Query', compressed(encodeString(1, 'people')), {
    version: '2',
    headers: GRPC_KEY,
  }),
  ...answers(
    2,
    200,
    frameMessage(Buffer.concat(EMAILS.map((one, index) => qdrantPoint(index, one)))),
    GRPC_ANSWER,
    OK,
  ),
  ...asks(3, 'POST /qdrant.PointsInternal/Upsert', frameMessage(Buffer.alloc(0)), {
    version: '2',
    headers: GRPC_KEY,
  }),
];

/** QueryResults { 2 fields_data: FieldData { 1 type, 2 field_name, 3 scalars { 6 string_data { 1 data } } }, 6 primary_field_name } */
function milvusColumn(name: string, texts: readonly string[]): Buffer {
  const data = Buffer.concat(texts.map((one) => encodeString(1, one)));
  const scalars = encodeBytes(3, encodeBytes(6, data));
  return encodeBytes(2, Buffer.concat([encodeVarint(1, 21), encodeString(2, name), scalars]));
}

const MILVUS_KEY: HeaderList = [...GRPC_HEADERS, ['authorization', 'a2V5LW9mLWFubg==']];
const MILVUS = 'POST /milvus.proto.milvus.MilvusService';

const milvusTalk: readonly SessionEvent[] = [
  opened,
  ...asks(1, `${MILVUS}/DescribeCollection`, frameMessage(encodeString(3, 'people')), {
    version: '2',
    headers: MILVUS_KEY,
  }),
  ...answers(1, 200, frameMessage(encodeBytes(1, Buffer.alloc(0))), GRPC_ANSWER, OK),
  ...asks(
    2,
    `${MILVUS}/Query`,
    frameMessage(
      Buffer.concat([
        encodeString(3, 'people'),
        encodeString(4, 'id > 0'),
        encodeString(5, 'email'),
      ]),
    ),
    { version: '2', headers: MILVUS_KEY },
  ),
  ...answers(
    2,
    200,
    frameMessage(
      Buffer.concat([
        milvusColumn('id', ['x', 'y']),
        milvusColumn('email', EMAILS),
        encodeString(6, 'id'),
      ]),
    ),
    GRPC_ANSWER,
    OK,
  ),
  ...asks(3, `${MILVUS}/NotThere`, frameMessage(Buffer.alloc(0)), {
    version: '2',
    headers: MILVUS_KEY,
  }),
];

const secrets = ['key-of-ann', 'a2V5LW9mLWFubg==', ...EMAILS];

export const storeScripts: readonly ExchangeScript[] = [
  { name: 'REST', protocol: chroma, events: chromaTalk, decide, secrets },
  { name: 'REST', protocol: qdrant, events: qdrantTalk, decide, secrets },
  { name: 'gRPC', protocol: qdrant, events: qdrantRpcTalk, decide, secrets },
  { name: 'gRPC', protocol: milvus, events: milvusTalk, decide, secrets },
];
