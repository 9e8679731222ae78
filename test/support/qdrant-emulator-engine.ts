/**
 * The data behind the emulated Qdrant: collections, aliases, points in memory. Requests are those of REST
 * (gRPC is translated); dumb where rules and masks do not look (indexes, shards, consistency).
 */

import type { EmulatedPoint, Json, JsonObject } from './qdrant-emulator-filter.ts';
import { asText, isObject, listOf, matches, valuesAt } from './qdrant-emulator-filter.ts';

export class EmulatedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Hit {
  readonly point: EmulatedPoint;
  readonly score: number;
  readonly order?: Json;
}

export interface Group {
  readonly id: string | number;
  readonly hits: readonly Hit[];
}

interface Collection {
  config: JsonObject;
  readonly points: Map<number | string, EmulatedPoint>;
}

const LIMIT = 10;

export class QdrantEngine {
  readonly collections = new Map<string, Collection>();
  readonly aliases = new Map<string, string>();
  /** What it says it is; before 1.16 `update_filter` is left out without a word. */
  version = '1.19.0';

  collection(name: string): Collection {
    const collection = this.collections.get(this.aliases.get(name) ?? name);
    if (collection === undefined) {
      throw new EmulatedError(404, `Not found: Collection \`${name}\` doesn't exist!`);
    }
    return collection;
  }

  create(name: string, config: JsonObject): void {
    if (this.collections.has(name)) throw new EmulatedError(409, 'Wrong input: it exists already');
    this.collections.set(name, { config, points: new Map() });
  }

  points(name: string, filter?: Json): EmulatedPoint[] {
    const all = [...this.collection(name).points.values()];
    return all.filter((point) => matches(filter, point));
  }

  retrieve(name: string, ids: Json | undefined): EmulatedPoint[] {
    const { points } = this.collection(name);
    return listOf(ids).flatMap((id) => points.get(asId(id)) ?? []);
  }

  /** The newest API: everything that searches comes down to it. */
  query(name: string, request: JsonObject, isInner = false): Hit[] {
    const prefetch = listOf(request['prefetch']).filter(isObject);
    const fetched = prefetch.flatMap((inner) => this.query(name, inner, true));
    const candidates =
      prefetch.length === 0
        ? this.points(name, request['filter'])
        : [...new Set(fetched.map(({ point }) => point))].filter((point) =>
            matches(request['filter'], point),
          );
    const ranked = this.#rank(name, request, candidates);
    const offset = isInner ? 0 : Number(request['offset'] ?? 0);
    const limit = Number(request['limit'] ?? request['top'] ?? LIMIT);
    return ranked.slice(offset, offset + limit);
  }

  #rank(name: string, request: JsonObject, candidates: readonly EmulatedPoint[]): Hit[] {
    const query = request['query'] ?? null;
    const inner: JsonObject = isObject(query) ? query : { nearest: query };
    const order = request['order_by'] ?? inner['order_by'];
    if (order !== undefined && order !== null) return ordered(candidates, order);
    if (inner['formula'] !== undefined) return byFormula(candidates, inner['formula']);
    const vector = this.#vectorOf(name, request, inner);
    if (vector === undefined) return candidates.map((point) => ({ point, score: 1 }));
    return candidates
      .map((point) => ({ point, score: dot(point.vector, vector) }))
      .toSorted((one, other) => other.score - one.score);
  }

  #vectorOf(name: string, request: JsonObject, inner: JsonObject): readonly number[] | undefined {
    const recommend = inner['recommend'];
    const positive = isObject(recommend) ? recommend['positive'] : request['positive'];
    const target =
      inner['nearest'] ?? listOf(positive)[0] ?? request['target'] ?? request['vector'];
    const from = request['lookup_from'];
    const source = isObject(from) ? asText(from['collection']) : name;
    if (target === undefined || target === null) return undefined;
    if (Array.isArray(target)) return target.map(Number);
    if (isObject(target)) return listOf(target['vector']).map(Number);
    const [stored] = this.retrieve(source, [target]);
    if (stored === undefined) throw new EmulatedError(404, `Not found: no point ${asText(target)}`);
    return stored.vector;
  }

  groups(name: string, request: JsonObject): Group[] {
    const hits = this.query(name, { ...request, limit: Number.MAX_SAFE_INTEGER });
    const groups = new Map<string | number, Hit[]>();
    for (const hit of hits) {
      for (const value of valuesAt(hit.point.payload, asText(request['group_by']))) {
        if (typeof value !== 'string' && typeof value !== 'number') continue;
        const group = groups.get(value) ?? [];
        if (group.length < Number(request['group_size'] ?? 3)) group.push(hit);
        groups.set(value, group);
      }
    }
    const all = [...groups].map(([id, list]) => ({ id, hits: list }));
    return all.slice(0, Number(request['limit'] ?? LIMIT));
  }

  facet(name: string, request: JsonObject): { value: Json; count: number }[] {
    const counts = new Map<Json, number>();
    for (const point of this.points(name, request['filter'])) {
      for (const value of new Set(valuesAt(point.payload, asText(request['key'])))) {
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    return [...counts]
      .map(([value, count]) => ({ value, count }))
      .slice(0, Number(request['limit'] ?? LIMIT));
  }

  /** One of `upsert`, `delete`, `set_payload` ...: the names in a batch of operations. */
  write(name: string, kind: string, body: JsonObject): void {
    if (kind === 'upsert') {
      for (const point of pointsOf(body)) this.#upsert(name, point, this.#conditionOf(body));
      return;
    }
    if (kind === 'update_vectors') {
      for (const point of listOf(body['points']).filter(isObject)) {
        const [known] = this.retrieve(name, [point['id'] ?? null]);
        if (known !== undefined && matches(this.#conditionOf(body), known)) {
          known.vector = listOf(point['vector']).map(Number);
        }
      }
      return;
    }
    const { points } = this.collection(name);
    for (const point of this.#selected(name, body)) {
      if (kind === 'delete') points.delete(point.id);
      else point.payload = changedPayload(point.payload, kind, body);
    }
  }

  #conditionOf(body: JsonObject): Json | undefined {
    return Number(this.version.split('.')[1]) < 16 ? undefined : body['update_filter'];
  }

  /** The points win over the filter, as with the server. */
  #selected(name: string, body: JsonObject): EmulatedPoint[] {
    if (Array.isArray(body['points'])) return this.retrieve(name, body['points']);
    if (!isObject(body['filter'])) throw new EmulatedError(400, 'Wrong input: no selector');
    return this.points(name, body['filter']);
  }

  #upsert(name: string, point: JsonObject, filter: Json | undefined): void {
    const id = asId(point['id'] ?? null);
    const { points } = this.collection(name);
    const known = points.get(id);
    if (known !== undefined && !matches(filter, known)) return;
    const payload = isObject(point['payload']) ? point['payload'] : {};
    points.set(id, { id, vector: listOf(point['vector']).map(Number), payload });
  }
}

export function asId(id: Json): number | string {
  if (typeof id === 'number' || typeof id === 'string') return id;
  throw new EmulatedError(400, 'Wrong input: an id must be a number or a UUID');
}

function dot(one: readonly number[], other: readonly number[]): number {
  return one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
}

function ordered(points: readonly EmulatedPoint[], order: Json): Hit[] {
  const key = isObject(order) ? asText(order['key']) : asText(order);
  return points
    .flatMap((point): Hit[] => {
      const [value] = valuesAt(point.payload, key);
      return typeof value === 'number' ? [{ point, score: 0, order: value }] : [];
    })
    .toSorted((one, other) => Number(one.order) - Number(other.order));
}

function byFormula(points: readonly EmulatedPoint[], formula: Json): Hit[] {
  const distance = isObject(formula) ? formula['geo_distance'] : undefined;
  if (isObject(distance)) {
    const to = asText(distance['to']);
    const [value = null] = points.flatMap(({ payload }) => valuesAt(payload, to));
    // serde quotes what is no geo point, and the server passes that on (formula_scorer.rs).
    const why = `Expected geo point value for ${to} in the payload. Error: invalid type: string ${JSON.stringify(value)}`;
    if (!isObject(value)) throw new EmulatedError(400, why);
  }
  const field =
    typeof formula === 'string' ? formula : asText(listOf(Object.values(formula ?? {})[0])[0]);
  return points.map((point) => ({ point, score: Number(valuesAt(point.payload, field)[0] ?? 0) }));
}

function pointsOf(body: JsonObject): JsonObject[] {
  const { batch } = body;
  if (!isObject(batch)) return listOf(body['points']).filter(isObject);
  return listOf(batch['ids']).map((id, index) => ({
    id,
    vector: listOf(batch['vectors'])[index] ?? null,
    payload: listOf(batch['payloads'])[index] ?? null,
  }));
}

function changedPayload(payload: JsonObject, kind: string, body: JsonObject): JsonObject {
  const given = isObject(body['payload']) ? body['payload'] : {};
  switch (kind) {
    case 'set_payload': {
      const { key } = body;
      if (typeof key !== 'string') return { ...payload, ...given };
      const inner = payload[key];
      return { ...payload, [key]: { ...(isObject(inner) ? inner : {}), ...given } };
    }
    case 'overwrite_payload':
      return given;
    case 'delete_payload': {
      const keys = new Set(listOf(body['keys']).map(String));
      return Object.fromEntries(Object.entries(payload).filter(([name]) => !keys.has(name)));
    }
    case 'clear_payload':
      return {};
    default:
      return payload;
  }
}
