/** Schemas of the gRPC messages that tests build, under short names, and the ones of services' answers. */

import {
  CountPointsSchema,
  DeletePointsSchema,
  FacetCountsSchema,
  GetPointsSchema,
  QueryBatchPointsSchema,
  QueryPointGroupsSchema,
  QueryPointsSchema,
  RecommendPointsSchema,
  ScrollPointsSchema,
  SearchPointsSchema,
  SetPayloadPointsSchema,
  UpdateBatchPointsSchema,
  UpsertPointsSchema,
} from '@qdrant/js-client-grpc';
import type { DescMessage, JsonValue } from '@bufbuild/protobuf';
import { fromJson, toBinary } from '@bufbuild/protobuf';

import { QdrantEngine } from './qdrant-emulator-engine.ts';
import type { Json, JsonObject } from './qdrant-emulator-filter.ts';
import { asJsonValue, loadQdrantServices, methodsOf, readMessage } from './qdrant-emulator-rpc.ts';
import type { PipeRules } from './qdrant-pipe.ts';
import { fillCustomers, pipeRpc } from './qdrant-pipe.ts';

const SCHEMAS: Readonly<Record<string, DescMessage>> = {
  Count: CountPointsSchema,
  Delete: DeletePointsSchema,
  Facet: FacetCountsSchema,
  Get: GetPointsSchema,
  Query: QueryPointsSchema,
  QueryBatch: QueryBatchPointsSchema,
  QueryGroups: QueryPointGroupsSchema,
  Recommend: RecommendPointsSchema,
  Scroll: ScrollPointsSchema,
  Search: SearchPointsSchema,
  SetPayload: SetPayloadPointsSchema,
  OverwritePayload: SetPayloadPointsSchema,
  UpdateBatch: UpdateBatchPointsSchema,
  Upsert: UpsertPointsSchema,
};

export const qdrantMethods = methodsOf(await loadQdrantServices());

/** `json` in protobuf's JSON form, to `customers` unless it says otherwise. */
export function encodeRpc(rpc: string, json: JsonObject): Uint8Array {
  const method = qdrantMethods.get(`/qdrant.Points/${rpc}`);
  const schema = SCHEMAS[rpc] ?? method?.input;
  if (schema === undefined) throw new Error(`no such RPC: ${rpc}`);
  const value: JsonValue = asJsonValue({ collectionName: 'customers', ...json });
  return toBinary(schema, fromJson(schema, value));
}

export interface RpcOutcome {
  readonly refused: string | undefined;
  /** In protobuf's JSON form. */
  readonly answer: JsonObject;
  readonly text: string;
}

export function askRpc(
  rpc: string,
  json: JsonObject,
  rules: PipeRules = {},
  engine: QdrantEngine = filledEngine(),
): RpcOutcome {
  const name = `qdrant.Points/${rpc}`;
  const piped = pipeRpc({ engine, methods: qdrantMethods }, name, encodeRpc(rpc, json), rules);
  const output = qdrantMethods.get(`/${name}`)?.output;
  if (piped.kind === 'refused' || output === undefined) {
    const refused = piped.kind === 'refused' ? piped.why : 'no such RPC';
    return { refused, answer: {}, text: refused };
  }
  const answer = readMessage(output, piped.answer);
  return { refused: undefined, answer, text: JSON.stringify(answer) };
}

export function filledEngine(): QdrantEngine {
  const engine = new QdrantEngine();
  fillCustomers(engine);
  return engine;
}

export const dense = (...data: number[]): Json => ({ nearest: { dense: { data } } });
export const keyword = (key: string, value: string): Json => ({
  field: { key, match: { keyword: value } },
});
