/**
 * Chroma's filters (`where`, `where_document`, the filter of a search): which fields steer by them, and
 * how one more condition comes into them so that the caller's own can only narrow it.
 */

import type { FieldPath, RecordFilter } from '../store.ts';
import type { JsonEdit } from '../wire/json.ts';
import { asObject, hasOthers, type JsonNode, type JsonObject, optional, wrong } from './body.ts';

/** What a request says about fields; `unclear` is why they cannot be told. */
export interface Steering {
  readonly fields: FieldPath[];
  unclear: string | undefined;
  /** It has a member that is not in our tables, so that it cannot be cut down either. */
  hasUnknown: boolean;
}

export function createSteering(): Steering {
  return { fields: [], unclear: undefined, hasUnknown: false };
}

/** `known`: the members that `object` may have. */
export function checkMembers(
  object: JsonObject,
  known: readonly string[],
  steering: Steering,
): void {
  if (!hasOthers(object, known)) return;
  steering.hasUnknown = true;
  steering.unclear = 'it has a member that Weir does not know';
}

/**
 * Under these keys the server keeps the text and the URI among the metadata of a record: it shows them there to
 * nobody, and yet takes them in a filter, as any other key (tried on a server).
 */
const KEPT_KEYS: ReadonlyMap<string, string> = new Map([
  ['chroma:document', '#document'],
  ['chroma:uri', '#uri'],
]);
/** What else it may keep under keys of its own. */
const OWN_PREFIX = 'chroma:';

/** The field that a key of metadata stands for. */
export function fieldOf(key: string): string {
  return KEPT_KEYS.get(key) ?? key;
}

/**
 * A key of metadata as a field. Chroma's metadata is flat, so `author.phone` is one key; rules write the
 * same as two names. Both count.
 */
export function addField(steering: Steering, key: string): void {
  const field = fieldOf(key);
  steering.fields.push([field]);
  if (field.includes('.')) steering.fields.push(field.split('.'));
  if (field.startsWith(OWN_PREFIX)) {
    steering.unclear = "it goes by a key that is the server's own and that Weir does not know";
  }
}

/** `$and` and `$or` hold more of the same, every other key is a field, `#document` the text. */
export function readWhere(where: JsonNode, steering: Steering): void {
  for (const [key, value] of asObject(where, 'a filter').members) {
    if (key === '$and' || key === '$or') {
      if (value.kind !== 'array' || value.isPacked)
        throw wrong(`${key} is not an array of filters`);
      for (const item of value.items) readWhere(item, steering);
    } else if (key.startsWith('$')) {
      steering.unclear = 'its filter has an operator that Weir does not know';
    } else {
      addField(steering, key);
    }
  }
}

/** Every condition of a document filter is about the text ($contains, $regex, and their opposites). */
export function readWhereDocument(object: JsonObject, steering: Steering): void {
  if (optional(object, 'where_document') !== undefined) addField(steering, '#document');
}

/** The conditions of a rule in Chroma's words. */
export function writeConditions(filter: RecordFilter): string[] {
  return filter.map(
    ({ field, value }) => `{${JSON.stringify(field)}:{"$eq":${JSON.stringify(value)}}}`,
  );
}

/** New values of members by their keys, as JSON. */
export type Members = Readonly<Record<string, string>>;

/**
 * What the member `key` becomes with the filter of a rule. The caller's own keeps its bytes as the first
 * operand of `$and`. In a search (`filter`) `{}` means none, in `where` it is an error of the caller's that
 * the server shall name.
 */
export function addFilter(
  object: JsonObject,
  key: 'where' | 'filter',
  filter: RecordFilter,
  bytes: Buffer,
): Members {
  if (filter.length === 0) return {};
  const own = optional(object, key);
  const isNone =
    own === undefined || (key === 'filter' && own.kind === 'object' && own.members.size === 0);
  const conditions = writeConditions(filter);
  if (!isNone) conditions.unshift(bytes.toString('utf8', own.start, own.end));
  const [only = ''] = conditions;
  return { [key]: conditions.length === 1 ? only : `{"$and":[${conditions.join(',')}]}` };
}

/** In place of what is there; new ones come first, all in one insert. */
export function setMembers(object: JsonObject, members: Members): JsonEdit[] {
  const edits: JsonEdit[] = [];
  const added: string[] = [];
  for (const [key, text] of Object.entries(members)) {
    const node = object.members.get(key);
    if (node === undefined) added.push(`${JSON.stringify(key)}:${text}`);
    else edits.push({ start: node.start, end: node.end, text });
  }
  if (added.length === 0) return edits;
  const at = object.start + 1;
  const comma = object.members.size === 0 ? '' : ',';
  return [{ start: at, end: at, text: `${added.join(',')}${comma}` }, ...edits];
}
