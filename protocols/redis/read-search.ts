/**
 * FT.SEARCH, FT.AGGREGATE, FT.TAGVALS and FT.CURSOR as requests to a store: what steers them, how they are cut
 * down, how their answers are masked. What an index is made of comes from its FT.INFO.
 */

import { isUtf8 } from 'node:buffer';
import type { FieldMasks, FieldPath, Restrictions, StoreRequest } from '../store.ts';
import { type AggregateArguments, readAggregateArguments } from './aggregate-arguments.ts';
import type { MaskAnswer } from './answers.ts';
import { type CommandSpec, lower, nameText, UnreadableCommand } from './command-table.ts';
import { pathKey } from './masking.ts';
import type { Allowance, Applied, ReadCommand } from './read-command.ts';
import { findAttribute, type Schema, vectorPaths } from './schema.ts';
import { readSearchArguments, type SearchArguments } from './search-arguments.ts';
import { aggregateAnswer, originOf, searchAnswer, tagsAnswer } from './search-answers.ts';
import { QUERY_LENGTH_MAX, readQuery, withFilter } from './search-query.ts';

const EMPTY = Buffer.alloc(0);
/** LIMIT of FT.SEARCH where none is given. */
const LIMIT_DEFAULT = 10;
export const NO_VECTORS_KNOWN =
  'the rule withholds vectors, and the index does not say which fields are vectors';

/** What a session knows of the cursors that it opened. */
export interface KnownCursor {
  readonly index: string;
  readonly answer: MaskAnswer;
  /** Undefined: any field may be a stored vector. */
  readonly vectorPaths: readonly FieldPath[] | undefined;
  /** Under which it was opened: its rows stay those of then, whatever the name of its index means now. */
  readonly masks: FieldMasks | undefined;
  readonly hidesVectors: boolean;
}

type Base = Pick<StoreRequest, 'route' | 'accesses'>;

export function readSearch(
  spec: CommandSpec,
  args: readonly Buffer[],
  base: Base,
  schema: Schema | undefined,
): ReadCommand {
  const found = readSearchArguments(args);
  const steering = new Steering(schema);
  readSteeringQuery(args, steering, found.inFields);
  for (const name of found.steering) steering.add(name);
  for (const { field } of found.returns ?? []) steering.addPath(field);
  const request: StoreRequest = {
    ...base,
    ...steering.found,
    limit: found.limit?.count ?? LIMIT_DEFAULT,
    ...(searchWantsVectors(found, schema) && { wantsVectors: true }),
  };
  return {
    spec,
    request,
    apply: (allowance) =>
      applySearch(args, schema, allowance, {
        limit: found.limit,
        answer: searchAnswer(found, schema),
        refusal: whyUnmaskable(found),
        hasCursor: false,
      }),
  };
}

export function readAggregate(
  spec: CommandSpec,
  args: readonly Buffer[],
  base: Base,
  schema: Schema | undefined,
): ReadCommand {
  const found = readAggregateArguments(args);
  const steering = new Steering(schema);
  readSteeringQuery(args, steering, undefined);
  for (const name of found.steering) steering.add(name);
  for (const { sources } of found.names.values())
    for (const name of sources) steering.addPath(name);
  const request: StoreRequest = {
    ...base,
    ...steering.found,
    ...(found.limit !== undefined && { limit: found.limit.count }),
    ...(aggregateWantsVectors(found, schema) && { wantsVectors: true }),
  };
  const format = found.options.get('format')?.toLowerCase();
  return {
    spec,
    request,
    apply: (allowance) =>
      applySearch(args, schema, allowance, {
        limit: found.limit,
        answer: aggregateAnswer(found, schema),
        refusal: format === 'expand' ? EXPANDED : undefined,
        hasCursor: found.hasCursor,
      }),
  };
}

export function readTags(
  spec: CommandSpec,
  args: readonly Buffer[],
  base: Base,
  schema: Schema | undefined,
): ReadCommand {
  const name = nameText(args[2] ?? EMPTY);
  const steering = new Steering(schema);
  steering.add(name);
  return {
    spec,
    request: { ...base, ...steering.found },
    apply: ({ restrictions, masks }) => {
      if ((restrictions?.filter.length ?? 0) > 0)
        return 'a filter is in force, and FT.TAGVALS cannot carry one';
      if (restrictions?.limitMax !== undefined)
        return 'a limit is in force, and FT.TAGVALS has none';
      return { masks, answer: masks && tagsAnswer(name, schema) };
    },
  };
}

/**
 * A cursor gives the rows of the aggregation that opened it, under the filter that it was opened with. The server
 * looks at its number only, and at one letter of READ, DEL and GC (measured on RediSearch 1.2 and 2.10): so one that
 * this session did not open may belong to any index.
 */
export function readCursor(
  spec: CommandSpec,
  args: readonly Buffer[],
  base: Base,
  cursor: KnownCursor | undefined,
): ReadCommand {
  const word = lower(args[1] ?? EMPTY);
  if (word !== 'read' && word !== 'del') {
    throw new UnreadableCommand('only READ and DEL of it are known');
  }
  const isForeign = cursor === undefined || cursor.index !== nameText(args[2] ?? EMPTY);
  const anywhere = { effect: word === 'read' ? 'search' : 'delete', target: undefined } as const;
  const accesses = isForeign ? [...base.accesses, anywhere] : base.accesses;
  return {
    spec,
    request: { ...base, accesses, steering: [] },
    apply: ({ restrictions, masks }) => {
      const isRestricted = restrictions !== undefined || masks !== undefined;
      if (word === 'del' || (isForeign && !isRestricted)) return {};
      if (isForeign) {
        return 'this cursor was not opened in this session for this index, so Weir cannot tell what its rows hold';
      }
      return applyCursor(cursor, { restrictions, masks });
    },
  };
}

function applyCursor(cursor: KnownCursor, now: Allowance): Applied | string {
  const masks = bothMasks(cursor.masks, now.masks);
  const isHiding = cursor.hidesVectors || now.restrictions?.hidesVectors === true;
  if (isHiding && cursor.vectorPaths === undefined) return NO_VECTORS_KNOWN;
  const isWatched = masks !== undefined || isHiding;
  return {
    masks,
    hidden: isHiding ? cursor.vectorPaths : undefined,
    answer: isWatched ? cursor.answer : undefined,
    vectors: keysOf(cursor.vectorPaths),
    opensCursor: cursor,
  };
}

function bothMasks(
  one: FieldMasks | undefined,
  other: FieldMasks | undefined,
): FieldMasks | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other;
  const { detect: first = same } = one;
  const { detect: second = same } = other;
  return {
    maskOf: (path) => one.maskOf(path) ?? other.maskOf(path),
    mayMaskBelow: (path) => one.mayMaskBelow(path) || other.mayMaskBelow(path),
    detect: first === same && second === same ? undefined : (text) => second(first(text)),
  };
}

function same(text: string): string {
  return text;
}

const EXPANDED = 'answers in FORMAT EXPAND cannot be masked';

function whyUnmaskable({ options, changesText }: SearchArguments): string | undefined {
  if (options.get('format')?.toLowerCase() === 'expand') return EXPANDED;
  return changesText
    ? 'HIGHLIGHT and SUMMARIZE take text apart, so that it cannot be masked'
    : undefined;
}

/** Fields that a request filters, orders and groups by, as paths. */
class Steering {
  readonly #schema: Schema | undefined;
  readonly #paths = new Map<string, FieldPath>();
  #any: string | undefined;

  constructor(schema: Schema | undefined) {
    this.#schema = schema;
  }

  get found(): Pick<StoreRequest, 'steering' | 'steersAny'> {
    const steering = [...this.#paths.values()];
    return this.#any === undefined ? { steering } : { steering, steersAny: this.#any };
  }

  add(written: string): void {
    const name = written.startsWith('@') ? written.slice(1) : written;
    const { paths, anywhere } = originOf(name, this.#schema);
    for (const path of [...paths, [name]]) this.#paths.set(pathKey(path), path);
    if (anywhere) this.any(`the index does not say which field ${name} is`);
  }

  /** What is asked for steers nothing, unless its path looks at values on its way. */
  addPath(written: string): void {
    if (written.includes('?')) this.any(`its path ${written.slice(0, 64)} filters by any field`);
  }

  /** All text that the index has. */
  addText(): void {
    if (this.#schema === undefined) {
      this.any('its words are looked for in all text of the index');
      return;
    }
    for (const { type, name } of this.#schema.attributes.values()) {
      if (type === 'TEXT') this.add(name);
    }
  }

  any(why: string): void {
    this.#any = why;
  }
}

function readSteeringQuery(
  args: readonly Buffer[],
  steering: Steering,
  inFields: readonly string[] | undefined,
): void {
  const bytes = args[2] ?? EMPTY;
  if (bytes.length > QUERY_LENGTH_MAX) {
    throw new UnreadableCommand(`its query is longer than ${QUERY_LENGTH_MAX} bytes`);
  }
  const { names, hasFreeText, isUnclear } = readQuery(nameText(bytes));
  for (const name of names) steering.add(name);
  if (isUnclear) steering.any('a name in its query cannot be read');
  if (!hasFreeText) return;
  // INFIELDS 0 means all of them, as none does (measured on RediSearch 2.10).
  if (inFields === undefined || inFields.length === 0) steering.addText();
  else for (const name of inFields) steering.add(name);
}

interface SearchParts {
  readonly limit: { readonly at: number; readonly count: number } | undefined;
  readonly answer: MaskAnswer;
  /** Why its answer cannot be masked. */
  readonly refusal: string | undefined;
  readonly hasCursor: boolean;
}

function applySearch(
  args: readonly Buffer[],
  schema: Schema | undefined,
  { restrictions, masks }: Allowance,
  { limit, answer, refusal, hasCursor }: SearchParts,
): Applied | string {
  const vectors = schema && vectorPaths(schema);
  const isHiding = restrictions?.hidesVectors === true;
  const isWatched = masks !== undefined || isHiding;
  if (isWatched && refusal !== undefined) return refusal;
  if (isHiding && vectors === undefined) return NO_VECTORS_KNOWN;
  const cut = restrictions && restrict(args, schema, restrictions, limit);
  if (typeof cut === 'string') return cut;
  const index = nameText(args[1] ?? EMPTY);
  return {
    masks,
    hidden: isHiding ? vectors : undefined,
    args: cut,
    vectors: keysOf(vectors),
    answer: isWatched ? answer : undefined,
    ...(hasCursor && {
      opensCursor: { index, answer, vectorPaths: vectors, masks, hidesVectors: isHiding },
    }),
  };
}

function keysOf(paths: readonly FieldPath[] | undefined): ReadonlySet<string> {
  return new Set((paths ?? []).map(pathKey));
}

/** The arguments under a filter and a limit; undefined: as they came. */
function restrict(
  args: readonly Buffer[],
  schema: Schema | undefined,
  { filter, limitMax }: Restrictions,
  limit: SearchParts['limit'],
): readonly Buffer[] | string | undefined {
  let changed: Buffer[] | undefined;
  if (filter.length > 0) {
    if (!isUtf8(args[2] ?? EMPTY)) return 'a filter is in force, and the query is no UTF-8';
    const held = withFilter(nameText(args[2] ?? EMPTY), filter, schema);
    if (typeof held === 'string') return held;
    changed = [...args];
    changed[2] = Buffer.from(held.query);
  }
  if (limitMax === undefined || (limit !== undefined && limit.count <= limitMax)) return changed;
  const name = (args[0] ?? EMPTY).toString('latin1').toLowerCase();
  if (limit === undefined && name === 'ft.search' && limitMax >= LIMIT_DEFAULT) return changed;
  changed ??= [...args];
  if (limit === undefined)
    changed.push(Buffer.from('LIMIT'), Buffer.from('0'), Buffer.from(`${limitMax}`));
  else changed[limit.at] = Buffer.from(`${limitMax}`);
  return changed;
}

function searchWantsVectors(found: SearchArguments, schema: Schema | undefined): boolean {
  if (schema === undefined || found.words.has('nocontent')) return false;
  const vectors = [...schema.attributes.values()].filter(({ type }) => type === 'VECTOR');
  if (vectors.length === 0 || found.returns === undefined) return vectors.length > 0;
  return found.returns.some(
    ({ field }) =>
      findAttribute(schema, field)?.type === 'VECTOR' ||
      vectors.some(({ identifier }) => identifier === field || field === '$'),
  );
}

function aggregateWantsVectors(found: AggregateArguments, schema: Schema | undefined): boolean {
  if (schema === undefined) return false;
  const hasVectors = [...schema.attributes.values()].some(({ type }) => type === 'VECTOR');
  if (found.loadsAll) return hasVectors;
  return [...found.names.values()].some(({ sources }) =>
    sources.some((source) => findAttribute(schema, source)?.type === 'VECTOR'),
  );
}
