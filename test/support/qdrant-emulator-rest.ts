/** REST of the emulated Qdrant: routes and the form of its answers (OpenAPI 1.19). */

import type { Hit, QdrantEngine } from './qdrant-emulator-engine.ts';
import { EmulatedError, asId } from './qdrant-emulator-engine.ts';
import type { EmulatedPoint, Json, JsonObject } from './qdrant-emulator-filter.ts';
import { asText, isObject, listOf } from './qdrant-emulator-filter.ts';

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
}

export function answerRest(
  engine: QdrantEngine,
  method: string,
  target: string,
  body: Buffer,
): RestAnswer {
  try {
    const path = (target.split('?')[0] ?? '').split('/').filter((part) => part !== '');
    const result = route(engine, method, path.map(decodeURIComponent), parse(body));
    const isPlain = path.length === 0;
    return { status: 200, body: JSON.stringify(isPlain ? result : wrapped(result)) };
  } catch (error) {
    const status = error instanceof EmulatedError ? error.status : 400;
    const message = error instanceof Error ? error.message : asText(error);
    return { status, body: JSON.stringify({ status: { error: message }, time: 0 }) };
  }
}

function wrapped(result: Json): JsonObject {
  return { result, status: 'ok', time: 0.001 };
}

function parse(body: Buffer): JsonObject {
  if (body.length === 0) return {};
  const value: Json = JSON.parse(body.toString('utf8'));
  if (!isObject(value)) throw new EmulatedError(400, 'Format error in JSON body');
  return value;
}

function route(engine: QdrantEngine, method: string, path: string[], body: JsonObject): Json {
  const [first, name = '', ...rest] = path;
  if (first === undefined)
    return { title: 'qdrant - vector search engine', version: engine.version };
  if (first === 'aliases') return { aliases: aliasList(engine) };
  if (first === 'telemetry') return { requests: { note: 'ann@example.com' } };
  if (first !== 'collections') throw new EmulatedError(404, 'Not found');
  if (path.length === 1) {
    return { collections: [...engine.collections.keys()].map((one) => ({ name: one })) };
  }
  if (name === 'aliases' && method === 'POST') return changeAliases(engine, body);
  if (rest.length === 0) return collectionRoute(engine, method, name, body);
  return pointsRoute(engine, name, `${method} ${rest.join('/')}`, body);
}

function aliasList(engine: QdrantEngine): Json {
  return [...engine.aliases].map(([alias, collection]) => ({
    alias_name: alias,
    collection_name: collection,
  }));
}

function changeAliases(engine: QdrantEngine, body: JsonObject): Json {
  for (const action of listOf(body['actions']).filter(isObject)) {
    const { create_alias: created, delete_alias: deleted } = action;
    if (isObject(created)) {
      engine.aliases.set(asText(created['alias_name']), asText(created['collection_name']));
    }
    if (isObject(deleted)) engine.aliases.delete(asText(deleted['alias_name']));
  }
  return true;
}

function collectionRoute(
  engine: QdrantEngine,
  method: string,
  name: string,
  body: JsonObject,
): Json {
  switch (method) {
    case 'PUT':
      engine.create(name, body);
      return true;
    case 'DELETE':
      return engine.collections.delete(name);
    case 'GET': {
      const { config, points } = engine.collection(name);
      return {
        status: 'green',
        points_count: points.size,
        config: { ...config },
        payload_schema: {},
      };
    }
    default:
      engine.collection(name).config = body;
      return true;
  }
}

const WRITES: Readonly<Record<string, string>> = {
  'PUT points': 'upsert',
  'POST points/delete': 'delete',
  'PUT points/vectors': 'update_vectors',
  'POST points/payload': 'set_payload',
  'PUT points/payload': 'overwrite_payload',
  'POST points/payload/delete': 'delete_payload',
  'POST points/payload/clear': 'clear_payload',
};

function pointsRoute(engine: QdrantEngine, name: string, line: string, body: JsonObject): Json {
  const write = WRITES[line];
  if (write !== undefined) {
    engine.write(name, write, body);
    return { operation_id: 1, status: 'completed' };
  }
  if (line === 'POST points/batch') {
    return listOf(body['operations'])
      .filter(isObject)
      .map((operation) => {
        for (const [kind, value] of Object.entries(operation)) {
          if (isObject(value)) engine.write(name, kind, value);
        }
        return { operation_id: 1, status: 'completed' };
      });
  }
  return readRoute(engine, name, line, body);
}

function readRoute(engine: QdrantEngine, name: string, line: string, body: JsonObject): Json {
  switch (line) {
    case 'GET exists':
      return { exists: engine.collections.has(engine.aliases.get(name) ?? name) };
    case 'PUT index':
      return { operation_id: 1, status: 'completed' };
    case 'POST points':
      return engine.retrieve(name, body['ids']).map((point) => record(point, body, true));
    case 'POST points/count':
      return { count: engine.points(name, body['filter']).length };
    case 'POST facet':
      return { hits: engine.facet(name, body) };
    case 'POST points/scroll':
      return scroll(engine, name, body);
    default:
      return searchRoute(engine, name, line, body);
  }
}

function searchRoute(engine: QdrantEngine, name: string, line: string, body: JsonObject): Json {
  const searches = listOf(body['searches']).filter(isObject);
  const show = (request: JsonObject): Json =>
    engine.query(name, request).map((hit) => scored(hit, request));
  switch (line) {
    case 'POST points/query':
      return { points: show(body) };
    case 'POST points/query/batch':
      return searches.map((request) => ({ points: show(request) }));
    case 'POST points/search':
    case 'POST points/recommend':
    case 'POST points/discover':
      return show(body);
    case 'POST points/search/batch':
    case 'POST points/recommend/batch':
      return searches.map(show);
    case 'POST points/query/groups':
    case 'POST points/search/groups':
      return { groups: groups(engine, name, body) };
    default:
      return oneRecord(engine, name, line);
  }
}

function oneRecord(engine: QdrantEngine, name: string, line: string): Json {
  const id = /^GET points\/([^/]+)$/.exec(line)?.[1];
  if (id === undefined) throw new EmulatedError(404, '');
  const [point] = engine.retrieve(name, [/^\d+$/.test(id) ? Number(id) : id]);
  if (point === undefined) {
    throw new EmulatedError(404, `Not found: Point with id ${id} does not exists!`);
  }
  return { id: point.id, payload: point.payload, vector: point.vector };
}

function scroll(engine: QdrantEngine, name: string, body: JsonObject): Json {
  const all = engine.query(name, { ...body, offset: 0, limit: Number.MAX_SAFE_INTEGER });
  const offset = body['offset'] ?? null;
  const start = offset === null ? 0 : all.findIndex(({ point }) => point.id === offset);
  const limit = Number(body['limit'] ?? 10);
  const page = start < 0 ? [] : all.slice(start, start + limit);
  const next = start < 0 ? undefined : all[start + limit];
  return {
    points: page.map(({ point, order }) => ({
      ...record(point, body, true),
      ...(order === undefined ? {} : { order_value: order }),
    })),
    next_page_offset: next?.point.id ?? null,
  };
}

function groups(engine: QdrantEngine, name: string, body: JsonObject): Json {
  const lookup = body['with_lookup'];
  const from = isObject(lookup) ? asText(lookup['collection']) : lookup;
  return engine.groups(name, body).map(({ id, hits }) => {
    const [found] = typeof from === 'string' ? engine.retrieve(from, [id]) : [];
    return {
      id,
      hits: hits.map((hit) => scored(hit, body)),
      ...(found === undefined ? {} : { lookup: record(found, {}, true) }),
    };
  });
}

function scored({ point, score, order }: Hit, request: JsonObject): JsonObject {
  return {
    ...record(point, request, false),
    version: 1,
    score,
    ...(order === undefined ? {} : { order_value: order }),
  };
}

function record(point: EmulatedPoint, request: JsonObject, isAll: boolean): JsonObject {
  const payload = selected(point.payload, request['with_payload'] ?? isAll);
  const vectors = request['with_vector'] ?? request['with_vectors'] ?? false;
  return {
    id: asId(point.id),
    ...(payload === undefined ? {} : { payload }),
    ...(vectors === false ? {} : { vector: point.vector }),
  };
}

export function selected(payload: JsonObject, selector: Json): JsonObject | undefined {
  if (selector === true) return payload;
  if (selector === false || selector === null) return undefined;
  const include = isObject(selector) ? selector['include'] : selector;
  const names = new Set(listOf(include ?? (isObject(selector) ? selector['exclude'] : null)));
  const keeps = include !== undefined;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => names.has(name) === keeps));
}
