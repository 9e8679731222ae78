/**
 * Which records came back in a recorded answer: the ids in JSON and in the messages of each product. Where
 * they lie is data; what cannot be read gives undefined, so that nobody takes it for "not seen".
 */

import { type JsonValue, parseJson, plainText } from './json-tree.ts';
import { type RawField, readRaw, readVarint } from './protobuf-raw.ts';

/** Field numbers from the top of a message; repeated fields are gone through. */
type Path = readonly number[];

/** `PointId { 1 num, 2 uuid }` in the answers of Qdrant (vector.md 2.1). */
const QDRANT: ReadonlyMap<string, readonly Path[]> = new Map(
  Object.entries({
    Search: [[1, 1]],
    Query: [[1, 1]],
    Recommend: [[1, 1]],
    Discover: [[1, 1]],
    Get: [[1, 1]],
    SearchBatch: [[1, 1, 1]],
    QueryBatch: [[1, 1, 1]],
    RecommendBatch: [[1, 1, 1]],
    DiscoverBatch: [[1, 1, 1]],
    Scroll: [[2, 1]],
    // The hits of each group, and the record that the group was looked up as.
    SearchGroups: [
      [1, 1, 2, 1],
      [1, 1, 3, 1],
    ],
    QueryGroups: [
      [1, 1, 2, 1],
      [1, 1, 3, 1],
    ],
    RecommendGroups: [
      [1, 1, 2, 1],
      [1, 1, 3, 1],
    ],
    SearchMatrixPairs: [
      [1, 1, 1],
      [1, 1, 2],
    ],
    SearchMatrixOffsets: [[1, 4]],
  }),
);
/** SearchResults { 2 results { 5 ids: IDs { 1 int_id { 1 data }, 2 str_id { 1 data } } } } (vector.md 2.2). */
const MILVUS_SEARCH_IDS: Path = [2, 5];
/** QueryResults { 2 fields_data, 6 primary_field_name }; FieldData { 2 field_name, 3 scalars }. */
const MILVUS_QUERY = { columns: 2, primaryName: 6, name: 2, scalars: 3 } as const;
/** ScalarField { 2 int_data, 3 long_data, 6 string_data }, each with `1 data`. */
const MILVUS_SCALARS: readonly number[] = [2, 3, 6];

/** `field`: the name under which ids come back, where it is none of the usual ones. */
export function idsInJson(text: string, field: string | undefined): string[] | undefined {
  const value = parseJson(text);
  if (value === undefined) return undefined;
  const names: ReadonlySet<string> = new Set([
    'id',
    'ids',
    ...(field === undefined ? [] : [field]),
  ]);
  const ids: string[] = [];
  collectJson(value, names, ids);
  return ids;
}

function collectJson(value: JsonValue, names: ReadonlySet<string>, ids: string[]): void {
  if (value.kind === 'list') for (const item of value.items) collectJson(item, names, ids);
  if (value.kind !== 'object') return;
  for (const [name, inner] of value.members) {
    if (names.has(plainText(name))) collectScalars(inner, ids);
    else collectJson(inner, names, ids);
  }
}

function collectScalars(value: JsonValue, ids: string[]): void {
  if (value.kind === 'scalar') ids.push(plainText(value.text));
  else if (value.kind === 'list') for (const item of value.items) collectScalars(item, ids);
}

/** `target`: `/package.Service/Method`. An answer that holds no records has no ids. */
export function idsInMessage(target: string, message: Buffer): string[] | undefined {
  const [, service = '', method = ''] = target.split('/');
  try {
    if (service.startsWith('qdrant.')) return qdrantIds(QDRANT.get(method) ?? [], message);
    return service.startsWith('milvus.') ? milvusIds(method, message) : [];
  } catch (error) {
    if (error instanceof UnreadableMessage) return undefined;
    throw error;
  }
}

class UnreadableMessage extends Error {}

function fieldsOf(bytes: Buffer): RawField[] {
  const fields = readRaw(bytes);
  if (fields === undefined) throw new UnreadableMessage();
  return fields;
}

/** Every message (or text) at the path. */
function valuesAt(bytes: Buffer, path: Path): Buffer[] {
  const [first, ...rest] = path;
  if (first === undefined) return [bytes];
  return fieldsOf(bytes).flatMap(({ number, value }) =>
    number === first && Buffer.isBuffer(value) ? valuesAt(value, rest) : [],
  );
}

function qdrantIds(paths: readonly Path[], message: Buffer): string[] {
  const points = paths.flatMap((path) => valuesAt(message, path));
  return points.flatMap((point) =>
    fieldsOf(point).flatMap(({ number, value }) => {
      if (number === 1 && typeof value === 'bigint') return [String(value)];
      return number === 2 && Buffer.isBuffer(value) ? [value.toString('utf8')] : [];
    }),
  );
}

function milvusIds(method: string, message: Buffer): string[] {
  if (method === 'Search' || method === 'HybridSearch') {
    return valuesAt(message, MILVUS_SEARCH_IDS).flatMap((ids) => [
      ...valuesAt(ids, [1]).flatMap(numbersIn),
      ...valuesAt(ids, [2, 1]).map((text) => text.toString('utf8')),
    ]);
  }
  if (method !== 'Query') return [];
  const { columns, primaryName, name, scalars } = MILVUS_QUERY;
  const [primary] = valuesAt(message, [primaryName]).map((text) => text.toString('utf8'));
  const own = valuesAt(message, [columns]).filter((column) =>
    valuesAt(column, [name]).some((text) => text.toString('utf8') === primary),
  );
  return own.flatMap((column) =>
    MILVUS_SCALARS.flatMap((scalar) => {
      if (scalar !== 6) return valuesAt(column, [scalars, scalar]).flatMap(numbersIn);
      return valuesAt(column, [scalars, scalar, 1]).map((text) => text.toString('utf8'));
    }),
  );
}

/** `{ repeated int64 data = 1 }`, packed or not; int64 as two's complement. */
function numbersIn(bytes: Buffer): string[] {
  return fieldsOf(bytes).flatMap(({ number, value }) => {
    if (number !== 1) return [];
    return Buffer.isBuffer(value) ? unpack(value) : [String(BigInt.asIntN(64, value))];
  });
}

function unpack(bytes: Buffer): string[] {
  const numbers: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const varint = readVarint(bytes, at);
    if (varint === undefined) throw new UnreadableMessage();
    numbers.push(String(BigInt.asIntN(64, varint.value)));
    at = varint.end;
  }
  return numbers;
}
