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
import { ATTRIBUTES, ELEMENT, VALUE } from './masking.ts';
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
/** The path of a JSON command that names none. */
const ROOT = Buffer.from('.');
/** VSIM without COUNT. */
const SIMILAR_DEFAULT = 10;
/** Answers in which a stored vector could be any of the values. */
const MAY_HOLD_VECTORS = /^(?:fields|named|scanFields|whole|piece$|json|documents|streams)/;

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
  if (marks.has('set')) readSet(words, draft);
  if (marks.has('sort')) readSort(args, words, draft);
  if (marks.has('geo')) readStore(args, words, draft, 5);
  if (marks.has('tracking')) readTracking(words, draft);
  if (deletes(args, words, marks)) {
    accesses.push({ effect: 'delete', target: accesses[0]?.target });
  }
  const steers =
    (marks.has('steersMatch') && words.includes('match')) ||
    (marks.has('steersByLex') && words.includes('bylex')) ||
    (marks.has('steersMember') && words.includes('frommember'));
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

/** FT.DROPINDEX ... DD, XADD ... MAXLEN; in a document that is merged null takes the field away. */
function deletes(
  args: readonly Buffer[],
  words: readonly string[],
  marks: ReadonlySet<string>,
): boolean {
  if (marks.has('schema')) return words.includes('dd');
  if (marks.has('trims')) return trims(words);
  return marks.has('merges') && args.at(-1)?.includes('null') === true;
}

/** XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [MAXLEN | MINID ...] id: old entries go. */
function trims(words: readonly string[]): boolean {
  const flags = new Set(['nomkstream', 'keepref', 'delref', 'acked']);
  const first = words.find((word, index) => index > 1 && !flags.has(word));
  return first === 'maxlen' || first === 'minid';
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
  const path = marks.has('path2') ? fieldPathOf(nameText(args[2] ?? ROOT)) : [];
  const [filtering] = jsonFilters(args, route);
  let steersAny = whySteersAny(marks);
  if (path === undefined) steersAny ??= 'its path may lead to any field';
  if (filtering !== undefined) steersAny ??= `its path ${filtering} filters by any field`;
  const steering = steeringOf(args, marks, answer);
  if (marks.has('path2') && path !== undefined) steering.push(path);
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

/** Fields and values that the answer goes by. */
function steeringOf(
  args: readonly Buffer[],
  marks: ReadonlySet<string>,
  answer: string,
): FieldPath[] {
  const steering: FieldPath[] = [];
  if (marks.has('steers')) steering.push(VALUE);
  if (marks.has('steersField')) steering.push([nameText(args[2] ?? EMPTY)]);
  if (marks.has('steersElement')) steering.push(ELEMENT);
  if (answer === 'vsim') {
    steering.push(...filterPaths(args));
    if (lower(args[2] ?? EMPTY) === 'ele') steering.push(ELEMENT);
  }
  return steering;
}

function whySteersAny(marks: ReadonlySet<string>): string | undefined {
  if (marks.has('code')) return 'what it does is up to code that Weir does not read';
  if (marks.has('opaque')) return 'its answer does not say which field a value is of';
  return marks.has('query2') ? 'it gives back how a query is understood' : undefined;
}

/** Paths that look at values on their way, in every command that takes one: even JSON.TYPE tells whether one is found. */
function jsonFilters(args: readonly Buffer[], route: string): readonly string[] {
  if (!route.startsWith('JSON.')) return [];
  return pathsOf(args, route)
    .map(nameText)
    .filter((path) => path.includes('?'));
}

function pathsOf(args: readonly Buffer[], route: string): readonly Buffer[] {
  switch (route) {
    case 'JSON.GET':
      return args.slice(2);
    case 'JSON.MGET':
      return args.slice(-1);
    case 'JSON.MSET':
      return args.filter((_, index) => index % 3 === 2);
    case 'JSON.DEBUG':
      return args.slice(3);
    default:
      return args.slice(2, 3);
  }
}

/** Selectors in an expression of VSIM FILTER: `.year > 1980`. Strings in it would only name too much. */
function filterPaths(args: readonly Buffer[]): FieldPath[] {
  const at = readSimilar(args).get('filter');
  const expression = nameText(args[at ?? 0] ?? EMPTY);
  const found =
    at === undefined
      ? []
      : [...expression.matchAll(/\.([A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*)/g)];
  return at === undefined ? [] : [ATTRIBUTES, ...found.map(([, name = '']) => [name])];
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
  if (masks?.mayMaskBelow([]) === true && draft.marks.has('cuts')) {
    return 'values are masked by name here, also in JSON, and a change within a text could make it unreadable';
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
