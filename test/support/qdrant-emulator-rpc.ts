/**
 * gRPC of the emulated Qdrant, with the descriptors of the official client: messages become protobuf's
 * JSON form, that becomes a REST request, and the answer goes the same way back.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { DescMessage, DescMethod, DescService, JsonValue } from '@bufbuild/protobuf';
import { fromBinary, fromJson, toBinary, toJson } from '@bufbuild/protobuf';

import type { Hit, QdrantEngine } from './qdrant-emulator-engine.ts';
import { EmulatedError } from './qdrant-emulator-engine.ts';
import type { EmulatedPoint, Json, JsonObject } from './qdrant-emulator-filter.ts';
import { asText, isObject, listOf } from './qdrant-emulator-filter.ts';
import { manage } from './qdrant-emulator-management.ts';
import { selected } from './qdrant-emulator-rest.ts';

/** By path: `/qdrant.Points/Query`. */
export type RpcMethods = ReadonlyMap<string, DescMethod>;

const SERVICE_FILES = [
  'collections_service_pb',
  'points_service_pb',
  'snapshots_service_pb',
  'qdrant_pb',
];

/** The package exports no service descriptors, so their files are found beside its main one. */
export async function loadQdrantServices(): Promise<readonly DescService[]> {
  const main = createRequire(import.meta.url).resolve('@qdrant/js-client-grpc');
  const folder = join(dirname(main), '..', 'esm', 'proto');
  const services: DescService[] = [];
  for (const file of SERVICE_FILES) {
    const module: unknown = await import(pathToFileURL(join(folder, `${file}.js`)).href);
    services.push(...Object.values(Object(module)).filter(isService));
  }
  return services;
}

function isService(value: unknown): value is DescService {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}

export function methodsOf(services: readonly DescService[]): RpcMethods {
  return new Map(
    services.flatMap((service) =>
      service.methods.map((method) => [`/${service.typeName}/${method.name}`, method] as const),
    ),
  );
}

/** Throws EmulatedError. */
export function answerRpc(
  engine: QdrantEngine,
  methods: RpcMethods,
  path: string,
  message: Buffer,
): Buffer {
  const method = methods.get(path);
  if (method === undefined) throw new EmulatedError(501, 'unimplemented');
  const request = readMessage(method.input, message);
  const name = asText(request['collectionName'] ?? '');
  const answer =
    manage(engine, path.slice(1), name, request) ?? respond(engine, method.name, name, request);
  return Buffer.from(toBinary(method.output, fromJson(method.output, asJsonValue(answer))));
}

export function readMessage(schema: DescMessage, message: Buffer): JsonObject {
  const json: Json = JSON.parse(JSON.stringify(toJson(schema, fromBinary(schema, message))));
  return isObject(json) ? json : {};
}

export function asJsonValue(value: Json): JsonValue {
  const copy: JsonValue = JSON.parse(JSON.stringify(value));
  return copy;
}

const SEARCHES = new Set(['Query', 'Search', 'Recommend', 'Discover']);
const WRITES: Readonly<Record<string, string>> = {
  Upsert: 'upsert',
  Delete: 'delete',
  UpdateVectors: 'update_vectors',
  SetPayload: 'set_payload',
  OverwritePayload: 'overwrite_payload',
  DeletePayload: 'delete_payload',
  ClearPayload: 'clear_payload',
};

function respond(engine: QdrantEngine, rpc: string, name: string, request: JsonObject): JsonObject {
  const write = WRITES[rpc];
  if (write !== undefined) {
    engine.write(name, write, writeBody(request));
    return { result: { operationId: '1', status: 'Completed' }, time: 0.001 };
  }
  if (rpc === 'UpdateBatch') return updateBatch(engine, name, request);
  if (SEARCHES.has(rpc)) return { result: search(engine, name, request), time: 0.001 };
  if (rpc.endsWith('Batch')) {
    const requests = Object.values(request).find(Array.isArray);
    const results = listOf(requests).filter(isObject);
    return { result: results.map((one) => ({ result: search(engine, name, one) })), time: 0 };
  }
  return respondOther(engine, rpc, name, request);
}

/** What an operation of a batch is called, where it is not as the RPC. */
const BATCHED: Readonly<Record<string, string>> = {
  upsert: 'upsert',
  deletePoints: 'delete',
  updateVectors: 'update_vectors',
  setPayload: 'set_payload',
  overwritePayload: 'overwrite_payload',
  deletePayload: 'delete_payload',
  clearPayload: 'clear_payload',
};

function updateBatch(engine: QdrantEngine, name: string, request: JsonObject): JsonObject {
  const operations = listOf(request['operations']).filter(isObject);
  for (const [kind, body] of operations.flatMap((one) => Object.entries(one))) {
    const write = BATCHED[kind];
    if (write === undefined || !isObject(body))
      throw new EmulatedError(501, `unimplemented: ${kind}`);
    engine.write(name, write, writeBody(body));
  }
  const result = operations.map(() => ({ operationId: '1', status: 'Completed' }));
  return { result, time: 0.001 };
}

function respondOther(
  engine: QdrantEngine,
  rpc: string,
  name: string,
  request: JsonObject,
): JsonObject {
  switch (rpc) {
    case 'HealthCheck':
      return { title: 'qdrant - vector search engine', version: engine.version };
    case 'List':
      return { collections: [...engine.collections.keys()].map((one) => ({ name: one })) };
    case 'ListAliases':
      return {
        aliases: [...engine.aliases].map(([aliasName, collectionName]) => ({
          aliasName,
          collectionName,
        })),
      };
    case 'CollectionExists':
      return { result: { exists: engine.collections.has(engine.aliases.get(name) ?? name) } };
    case 'Get':
      if (request['ids'] === undefined) {
        engine.collection(name);
        return { result: { status: 'Green' } };
      }
      return {
        result: engine
          .retrieve(name, listOf(request['ids']).map(idOf))
          .map((point) => record(point, request)),
      };
    case 'Scroll':
      return scroll(engine, name, request);
    case 'Count':
      return { result: { count: engine.points(name, filterOf(request['filter'])).length } };
    case 'Facet':
      return { hits: facet(engine, name, request) };
    case 'QueryGroups':
    case 'SearchGroups':
      return { result: { groups: groups(engine, name, request) } };
    default:
      throw new EmulatedError(501, `unimplemented: ${rpc}`);
  }
}

function scroll(engine: QdrantEngine, name: string, request: JsonObject): JsonObject {
  const limit = Number(request['limit'] ?? 10);
  const all = engine.query(name, { ...readBody(request), limit: Number.MAX_SAFE_INTEGER });
  const from = request['offset'] === undefined ? undefined : idOf(request['offset']);
  const start = from === undefined ? 0 : all.findIndex(({ point }) => point.id === from);
  const hits = start < 0 ? [] : all.slice(start, start + limit);
  const next = start < 0 ? undefined : all[start + limit]?.point.id;
  return {
    result: hits.map(({ point, order }) => ({ ...record(point, request), ...ordered(order) })),
    ...(next === undefined ? {} : { nextPageOffset: toId(next) }),
  };
}

function toId(id: number | string): JsonObject {
  return typeof id === 'number' ? { num: asText(id) } : { uuid: id };
}

function facet(engine: QdrantEngine, name: string, request: JsonObject): Json {
  const body = { ...readBody(request), key: asText(request['key']) };
  return engine.facet(name, body).map(({ value, count }) => ({
    value: typeof value === 'string' ? { stringValue: value } : { integerValue: Number(value) },
    count,
  }));
}

function groups(engine: QdrantEngine, name: string, request: JsonObject): Json {
  const body = {
    ...readBody(request),
    group_by: asText(request['groupBy']),
    group_size: Number(request['groupSize'] ?? 3),
  };
  return engine.groups(name, body).map(({ id, hits }) => ({
    id: typeof id === 'string' ? { stringValue: id } : { integerValue: id },
    hits: hits.map((hit) => scored(hit, request)),
  }));
}

function search(engine: QdrantEngine, name: string, request: JsonObject): Json {
  return engine.query(name, readBody(request)).map((hit) => scored(hit, request));
}

/** The REST form of what reads. */
function readBody(request: JsonObject): JsonObject {
  const { filter, query, limit, vector, lookupFrom, positive, orderBy } = request;
  return {
    ...(filter === undefined ? {} : { filter: filterOf(filter) }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(vector === undefined ? {} : { vector }),
    ...(positive === undefined ? {} : { positive: listOf(positive).map(idOf) }),
    ...(isObject(query) ? { query: queryOf(query) } : {}),
    ...(isObject(orderBy) ? { order_by: orderBy } : {}),
    ...(isObject(lookupFrom)
      ? { lookup_from: { collection: lookupFrom['collectionName'] ?? '' } }
      : {}),
    prefetch: listOf(request['prefetch']).filter(isObject).map(readBody),
  };
}

function queryOf(query: JsonObject): JsonObject {
  const { nearest, orderBy, formula } = query;
  if (isObject(nearest)) {
    const { dense, id } = nearest;
    return { nearest: isObject(dense) ? (dense['data'] ?? null) : idOf(id ?? null) };
  }
  if (isObject(orderBy)) return { order_by: orderBy };
  if (isObject(formula) && isObject(formula['expression'])) {
    return { formula: formula['expression']['variable'] ?? '' };
  }
  return { fusion: 'rrf' };
}

function writeBody(request: JsonObject): JsonObject {
  const selector = isObject(request['points']) ? request['points'] : request['pointsSelector'];
  const { points, filter } = isObject(selector) ? selector : {};
  const ids = isObject(points) ? { points: listOf(points['ids']).map(idOf) } : {};
  const { payload, updateFilter, key, keys } = request;
  return {
    ...(Array.isArray(request['points'])
      ? { points: listOf(request['points']).map(pointOf) }
      : ids),
    ...(filter === undefined ? {} : { filter: filterOf(filter) }),
    ...(isObject(payload) ? { payload: payloadOf(payload) } : {}),
    ...(updateFilter === undefined ? {} : { update_filter: filterOf(updateFilter) }),
    ...(key === undefined ? {} : { key }),
    ...(keys === undefined ? {} : { keys }),
  };
}

function pointOf(point: Json): JsonObject {
  const { id = null, payload, vectors } = isObject(point) ? point : {};
  const vector = isObject(vectors) ? vectors['vector'] : undefined;
  const dense = isObject(vector) ? (vector['dense'] ?? vector) : undefined;
  return {
    id: idOf(id),
    vector: isObject(dense) ? (dense['data'] ?? []) : [],
    payload: isObject(payload) ? payloadOf(payload) : {},
  };
}

function idOf(id: Json): Json {
  if (!isObject(id)) throw new EmulatedError(400, 'no id');
  return id['uuid'] ?? Number(id['num']);
}

function filterOf(filter: Json | undefined): JsonObject {
  const source = isObject(filter) ? filter : {};
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => {
      if (!isObject(value)) return [clauseName(name), listOf(value).map(conditionOf)];
      const conditions = listOf(value['conditions']).map(conditionOf);
      return ['min_should', { conditions, min_count: Number(value['minCount'] ?? 0) }];
    }),
  );
}

function clauseName(name: string): string {
  return name === 'mustNot' ? 'must_not' : name;
}

function conditionOf(condition: Json): JsonObject {
  const { field, hasId, filter, nested, isEmpty, isNull } = isObject(condition) ? condition : {};
  if (isObject(hasId)) return { has_id: listOf(hasId['hasId']).map(idOf) };
  if (filter !== undefined) return filterOf(filter);
  if (isObject(nested)) {
    return { nested: { key: nested['key'] ?? '', filter: filterOf(nested['filter']) } };
  }
  if (isEmpty !== undefined) return { is_empty: isEmpty };
  if (isNull !== undefined) return { is_null: isNull };
  if (!isObject(field)) throw new EmulatedError(400, 'no such condition');
  return { ...field, ...(isObject(field['match']) ? { match: matchOf(field['match']) } : {}) };
}

function matchOf({ keyword, integer, boolean, text, keywords }: JsonObject): JsonObject {
  if (keyword !== undefined) return { value: keyword };
  if (integer !== undefined) return { value: Number(integer) };
  if (boolean !== undefined) return { value: boolean };
  if (isObject(keywords)) return { any: keywords['strings'] ?? [] };
  return { text: text ?? '' };
}

function valueOf(value: Json): Json {
  if (!isObject(value)) return null;
  const { structValue, listValue, integerValue } = value;
  if (isObject(structValue)) {
    return isObject(structValue['fields']) ? payloadOf(structValue['fields']) : {};
  }
  if (isObject(listValue)) return listOf(listValue['values']).map(valueOf);
  if (integerValue !== undefined) return Number(integerValue);
  return value['stringValue'] ?? value['doubleValue'] ?? value['boolValue'] ?? null;
}

function payloadOf(payload: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, valueOf(value ?? null)]),
  );
}

export function toValue(value: Json): JsonObject {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { integerValue: asText(value) } : { doubleValue: value };
  }
  if (isObject(value)) return { structValue: { fields: toPayload(value) } };
  if (value === null) return { nullValue: 'NULL_VALUE' };
  return { listValue: { values: listOf(value).map(toValue) } };
}

export function toPayload(payload: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, toValue(value ?? null)]),
  );
}

function record(point: EmulatedPoint, request: JsonObject, isAll = true): JsonObject {
  const { withPayload, withVectors } = request;
  const selector = isObject(withPayload) ? selectorOf(withPayload) : isAll;
  const payload = selected(point.payload, selector);
  const hasVectors = isObject(withVectors) && withVectors['enable'] !== false;
  return {
    id: toId(point.id),
    ...(payload === undefined ? {} : { payload: toPayload(payload) }),
    ...(hasVectors ? { vectors: { vector: { dense: { data: point.vector } } } } : {}),
  };
}

function selectorOf({ enable, include, exclude }: JsonObject): Json {
  if (isObject(include)) return { include: include['fields'] ?? [] };
  if (isObject(exclude)) return { exclude: exclude['fields'] ?? [] };
  return enable === true;
}

function scored({ point, score, order }: Hit, request: JsonObject): JsonObject {
  return { ...record(point, request, false), version: '1', score, ...ordered(order) };
}

function ordered(order: Json | undefined): JsonObject {
  return order === undefined ? {} : { orderValue: { int: asText(order) } };
}
