/**
 * One command as a request to a store: what it reads and changes, and what becomes of it under the rules that
 * allow it. Pure; what to do with the outcome is the session's part.
 */

import type { FieldMasks, FieldPath, Restrictions, StoreAccess, StoreRequest } from '../store.ts';
import { readSimilar } from './answer-arguments.ts';
import { answerOf, type MaskAnswer } from './answers.ts';
import {
  accessesOf,
  type CommandSpec,
  lower,
  nameText,
  UnreadableCommand,
} from './command-table.ts';
import { fieldPathOf } from './json-path.ts';
import { VALUE } from './masking.ts';
import {
  type KnownCursor,
  readAggregate,
  readCursor,
  readSearch,
  readTags,
} from './read-search.ts';
import type { Schema } from './schema.ts';

export interface Allowance {
  readonly restrictions: Restrictions | undefined;
  readonly masks: FieldMasks | undefined;
}

/** How an allowed command goes on. */
export interface Applied {
  /** In place of the arguments that came. */
  readonly args?: readonly Buffer[] | undefined;
  /** Undefined: the answer streams through. */
  readonly answer?: MaskAnswer | undefined;
  readonly masks?: FieldMasks | undefined;
  /** Fields that are withheld: stored vectors. */
  readonly hidden?: readonly FieldPath[] | undefined;
  readonly vectors?: ReadonlySet<string>;
  /** The second item of the answer is a cursor whose rows are like these, whether or not they are masked. */
  readonly opensCursor?: KnownCursor;
}

export interface ReadCommand {
  readonly spec: CommandSpec;
  readonly request: StoreRequest;
  /** In one sentence why it cannot be done under that allowance: then it is refused. */
  apply(allowance: Allowance): Applied | string;
}

/** What a session knows that a command alone does not say. */
export interface CommandSurroundings {
  /** Of the index that the command names. */
  readonly schema: Schema | undefined;
  readonly cursor: KnownCursor | undefined;
}

const EMPTY = Buffer.alloc(0);
/** VSIM without COUNT. */
const SIMILAR_DEFAULT = 10;
/** Answers in which a stored vector could be any of the values. */
const MAY_HOLD_VECTORS = /^(?:fields|named|scanFields|whole|part|json|documents|streams)/;

export function needsSchema({ answer }: CommandSpec): boolean {
  return answer === 'search' || answer === 'aggregate' || answer === 'tagvals';
}

/** Throws UnreadableCommand. */
export function readCommand(
  spec: CommandSpec,
  args: readonly Buffer[],
  { schema, cursor }: CommandSurroundings,
): ReadCommand {
  const base = { route: spec.name.toUpperCase(), accesses: accessesOf(spec, args) };
  if (spec.answer === 'search') return readSearch(spec, args, base, schema);
  if (spec.answer === 'aggregate') return readAggregate(spec, args, base, schema);
  if (spec.answer === 'tagvals') return readTags(spec, args, base, schema);
  if (spec.answer === 'cursor') return readCursor(spec, args, base, cursor);
  const marks = new Set(spec.marks);
  const draft: Draft = { accesses: base.accesses, marks, answer: spec.answer };
  readSpecial(args, draft);
  const answer = answerOf(draft.answer, args);
  const request = requestOf(base.route, args, draft);
  return {
    spec,
    request,
    apply: (allowance) => apply(args, { draft, request, answer }, allowance),
  };
}

interface Draft {
  accesses: StoreAccess[];
  readonly marks: Set<string>;
  answer: string;
}

/** Options that make another command of it. */
function readSpecial(args: readonly Buffer[], draft: Draft): void {
  const words = args.map(lower);
  const { marks, accesses } = draft;
  const target = accesses[0]?.target;
  if (marks.has('set')) readSet(words, draft);
  if (marks.has('sort')) readSort(args, words, draft);
  if (marks.has('geo')) readStore(args, words, draft, 5);
  if (marks.has('schema') && words.includes('dd')) accesses.push({ effect: 'delete', target });
  if (marks.has('tracking')) readTracking(words, draft);
  const steers =
    (marks.has('steersMatch') && words.includes('match')) ||
    (marks.has('steersByLex') && words.includes('bylex'));
  if (steers) marks.add('steers');
}

function readSet(words: readonly string[], draft: Draft): void {
  const options = words.slice(3);
  if (options.includes('get')) {
    draft.accesses.push({ effect: 'read', target: draft.accesses[0]?.target });
    draft.answer = 'values';
  }
  if (options.some((one) => /^if(?:eq|ne|deq|dne)$/.test(one))) draft.marks.add('steers');
}

function readTracking(words: readonly string[], { accesses }: Draft): void {
  if (words.includes('bcast')) accesses.push({ effect: 'export', target: undefined });
  if (words.includes('redirect')) accesses.push({ effect: 'admin', target: undefined });
}

/** BY and GET read keys that patterns make of the elements. */
function readSort(args: readonly Buffer[], words: readonly string[], draft: Draft): void {
  for (let index = 2; index < words.length; index += 1) {
    const word = words[index];
    if (word === 'by' || word === 'get') {
      const pattern = nameText(args[index + 1] ?? EMPTY);
      index += 1;
      if (!pattern.includes('*') && !(word === 'get' && pattern === '#')) continue;
      if (pattern !== '#') {
        draft.accesses.push({ effect: 'read', target: undefined });
        draft.marks.add('opaque');
        draft.answer = 'whole';
      }
    } else if (word === 'limit') index += 2;
    else if (word === 'store') {
      addStore(args[index + 1], draft);
      index += 1;
    }
  }
  draft.marks.add('steers');
  // Values of hashes would lie in a list then, under no name.
  if (draft.marks.has('opaque') && draft.marks.has('moves')) draft.marks.add('remakes');
}

function readStore(
  args: readonly Buffer[],
  words: readonly string[],
  draft: Draft,
  from: number,
): void {
  for (let index = from; index < words.length; index += 1) {
    const word = words[index];
    if (word === 'count') index += 1;
    else if (word === 'store' || word === 'storedist') {
      addStore(args[index + 1], draft);
      index += 1;
    }
  }
}

function addStore(key: Buffer | undefined, draft: Draft): void {
  if (key === undefined) throw new UnreadableCommand('its STORE names no key');
  draft.accesses.push({ effect: 'upsert', target: { kind: 'key', path: [nameText(key)] } });
  draft.marks.add('moves');
}

function requestOf(
  route: string,
  args: readonly Buffer[],
  { accesses, marks, answer }: Draft,
): StoreRequest {
  const steering: FieldPath[] = [];
  let steersAny = whySteersAny(marks);
  if (marks.has('steers')) steering.push(VALUE);
  if (marks.has('steersField')) steering.push([nameText(args[2] ?? EMPTY)]);
  if (marks.has('path2')) {
    const path = fieldPathOf(nameText(args[2] ?? Buffer.from('.')));
    if (path === undefined) steersAny ??= 'its path may lead to any field';
    else steering.push(path);
  }
  for (const path of jsonFilters(args, answer))
    steersAny ??= `its path ${path} filters by any field`;
  if (answer === 'vsim') steering.push(...filterPaths(args));
  const limit = limitOf(args, accesses, marks, answer);
  return {
    route,
    accesses,
    steering,
    ...(steersAny !== undefined && { steersAny }),
    ...(limit !== undefined && { limit }),
    ...(marks.has('vectors') && { wantsVectors: true }),
    ...(marks.has('moves') && { carries: 'it copies values to another key' }),
  };
}

function whySteersAny(marks: ReadonlySet<string>): string | undefined {
  if (marks.has('code')) return 'what it does is up to code that Weir does not read';
  if (marks.has('opaque')) return 'its answer does not say which field a value is of';
  return marks.has('query2') ? 'it gives back how a query is understood' : undefined;
}

function jsonFilters(args: readonly Buffer[], answer: string): readonly string[] {
  if (!answer.startsWith('json')) return [];
  return args
    .slice(2)
    .map(nameText)
    .filter((path) => path.includes('?'));
}

/** Selectors in an expression of VSIM FILTER: `.year > 1980`. Strings in it would only name too much. */
function filterPaths(args: readonly Buffer[]): FieldPath[] {
  const at = readSimilar(args).get('filter');
  const expression = nameText(args[at ?? 0] ?? EMPTY);
  const found =
    at === undefined
      ? []
      : [...expression.matchAll(/\.([A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*)/g)];
  return found.map(([, name = '']) => [name]);
}

function limitOf(
  args: readonly Buffer[],
  accesses: readonly StoreAccess[],
  marks: ReadonlySet<string>,
  answer: string,
): number | undefined {
  if (answer === 'vsim') return countAfter(args, answer)?.count ?? SIMILAR_DEFAULT;
  const at = countPlace(marks);
  if (at !== undefined) {
    const count = Number(args[at] ?? 1);
    return Number.isInteger(count) && count >= 0 ? count : undefined;
  }
  if (marks.has('unlimited') || marks.has('scan2')) return undefined;
  const keys = accesses.filter(({ effect, target }) => effect === 'read' && target?.kind === 'key');
  return keys.length > 0 ? keys.length : undefined;
}

function countPlace(marks: ReadonlySet<string>): number | undefined {
  if (marks.has('count2')) return 2;
  return marks.has('count4') ? 4 : undefined;
}

/** COUNT of VSIM, or of SCAN, whose options all have one value. */
function countAfter(
  args: readonly Buffer[],
  answer: string,
): { at: number; count: number } | undefined {
  const found = args.findLastIndex(
    (bytes, index) => index > 1 && index % 2 === 0 && lower(bytes) === 'count',
  );
  const at = answer === 'vsim' ? readSimilar(args).get('count') : found + 1;
  if (at === undefined || at === 0) return undefined;
  const count = Number((args[at] ?? EMPTY).toString('latin1'));
  return Number.isInteger(count) && count > 0 ? { at, count } : { at, count: Infinity };
}

interface Parts {
  readonly draft: Draft;
  readonly request: StoreRequest;
  readonly answer: MaskAnswer | undefined;
}

function apply(
  args: readonly Buffer[],
  parts: Parts,
  { restrictions, masks }: Allowance,
): Applied | string {
  const { draft, answer } = parts;
  if (masks !== undefined && draft.marks.has('remakes')) {
    return 'values are masked here, and it would make others of them that no mask tells';
  }
  if (masks?.detect !== undefined && draft.marks.has('alters')) {
    return 'values are masked by what they look like here, so no part of one can be changed';
  }
  if (masks !== undefined && draft.marks.has('code')) {
    return 'values are masked here, and what this command gives back cannot be told';
  }
  const cut = restrictions === undefined ? undefined : restrict(args, parts, restrictions);
  if (typeof cut === 'string') return cut;
  return { args: cut, masks, answer: masks === undefined ? undefined : answer };
}

function restrict(
  args: readonly Buffer[],
  { draft, request }: Parts,
  { filter, limitMax, hidesVectors }: Restrictions,
): readonly Buffer[] | string | undefined {
  const touchesData = draft.accesses.some(({ target }) => target?.kind !== 'container');
  if (filter.length > 0 && touchesData) {
    return 'a filter is in force: only FT.SEARCH and FT.AGGREGATE can carry it, keys cannot be read or changed by name';
  }
  if (hidesVectors && draft.marks.has('vectors')) return 'the rule withholds stored vectors';
  if (
    hidesVectors &&
    touchesData &&
    (MAY_HOLD_VECTORS.test(draft.answer) || draft.marks.has('code'))
  ) {
    return 'the rule withholds vectors, and among the values of a key they cannot be told; use FT.SEARCH';
  }
  return limitMax === undefined ? undefined : cutLimit(args, draft, request, limitMax);
}

function cutLimit(
  args: readonly Buffer[],
  { marks, answer }: Draft,
  { limit }: StoreRequest,
  max: number,
): readonly Buffer[] | string | undefined {
  if (marks.has('unlimited'))
    return `at most ${max} records may be asked for at once, and this has no limit`;
  const at = countPlace(marks);
  if (at !== undefined && args[at] !== undefined && (limit === undefined || limit > max)) {
    return args.with(at, Buffer.from(`${max}`));
  }
  if (at === 4 && args[at] === undefined) return [...args, Buffer.from(`${max}`)];
  if (answer === 'vsim' || marks.has('scan2')) return cutCount(args, answer, max);
  if (limit !== undefined && limit > max)
    return `at most ${max} records may be asked for at once, not ${limit}`;
  return undefined;
}

function cutCount(
  args: readonly Buffer[],
  answer: string,
  max: number,
): readonly Buffer[] | undefined {
  const found = countAfter(args, answer);
  if (found !== undefined && found.count > max) return args.with(found.at, Buffer.from(`${max}`));
  if (found !== undefined || max >= SIMILAR_DEFAULT) return undefined;
  return [...args, Buffer.from('COUNT'), Buffer.from(`${max}`)];
}
