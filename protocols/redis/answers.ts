/**
 * Where values stand in the answers of commands on keys, in RESP2 and in RESP3. Each shape of
 * `command-table.ts` is one function here; those of search are in `search-answers.ts`.
 */

import type { RespNode } from '../wire/resp-value.ts';
import {
  fieldsAfter,
  hasNoValues,
  readJsonGet,
  readSimilar,
  unionHasScores,
} from './answer-arguments.ts';
import { lower, nameText } from './command-table.ts';
import { maskedPathOf } from './json-path.ts';
import { ATTRIBUTES, ELEMENT, type ReplyMasker, VALUE } from './masking.ts';

export type MaskAnswer = (reply: RespNode, masker: ReplyMasker) => void;
type Shape = (args: readonly Buffer[]) => MaskAnswer | undefined;

const EMPTY = Buffer.alloc(0);

/** Undefined: there is no such shape. `none` has no function: nothing stored comes back. */
export function answerOf(shape: string, args: readonly Buffer[]): MaskAnswer | undefined {
  const make = SHAPES[shape];
  if (make === undefined) throw new Error(`no shape of answers: ${shape}`);
  return make(args);
}

const values: MaskAnswer = (reply, masker) => masker.value(reply, VALUE, []);

/** The first item is a key, all behind it are values. */
const keyed: MaskAnswer = (reply, masker) => {
  for (const item of itemsOf(reply).slice(1)) values(item, masker);
};

/** Members and scores in turn, or in pairs (RESP3). */
const scored: MaskAnswer = (reply, masker) => {
  const items = itemsOf(reply);
  const isPaired = items.some(({ kind }) => kind === 'list');
  for (const [index, item] of items.entries()) {
    if (isPaired) scored(item, masker);
    else if (index % 2 === 0 || !isScore(item)) values(item, masker);
  }
};

function isScore(item: RespNode): boolean {
  return item.kind !== 'text' || /^[-+]?(?:inf|nan|[\d.]+(?:e[-+]?\d+)?)$/i.test(textOf(item));
}

/** TS.GET and TS.RANGE: a time, and a number that comes as a status. */
const samples: MaskAnswer = (reply, masker) => {
  const items = itemsOf(reply);
  const isSample = items.length === 2 && items[0]?.kind !== 'list';
  if (!isSample) for (const item of items) samples(item, masker);
  else if (items[1] !== undefined) masker.part(items[1], VALUE);
};

/** Names and values in turn, as a map, or in pairs. */
export const fields: MaskAnswer = (reply, masker) => {
  const items = itemsOf(reply);
  if (items.some(({ kind }) => kind === 'list')) {
    for (const item of items) fields(item, masker);
    return;
  }
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1];
    if (value !== undefined) masker.value(value, [textOf(items[index])]);
  }
};

/** The answer has one item for each of `names`; a single one where there is one name. */
function named(names: readonly Buffer[]): MaskAnswer {
  return (reply, masker) => {
    const items = reply.kind === 'list' ? reply.items : [reply];
    for (const [index, item] of items.entries()) {
      masker.value(item, [nameText(names[index] ?? EMPTY)]);
    }
  };
}

/** Cursor, then `items`. */
function scanned(items: MaskAnswer): MaskAnswer {
  return (reply, masker) => {
    const [, found] = itemsOf(reply);
    if (found !== undefined) items(found, masker);
  };
}

/** Entries `[id, [field, value, ...]]` at any level; ids and names of streams pass. */
const streams: MaskAnswer = (reply, masker) => {
  const items = itemsOf(reply);
  const [id, found] = items;
  const isEntry =
    items.length >= 2 && id?.kind === 'text' && found?.kind === 'list' && areTexts(found.items);
  if (isEntry) fields(found, masker);
  else for (const item of items) streams(item, masker);
};

/** What stands between a document's braces has names of its own: the paths that were asked for. */
function jsonGet(args: readonly Buffer[]): MaskAnswer {
  const { paths, isForeign } = readJsonGet(args);
  if (isForeign) return (reply, masker) => masker.whole(reply);
  const [first = '.'] = paths;
  if (paths.length <= 1) return jsonAt(first);
  return (reply, masker) => {
    const found = paths.map((path) => maskedPathOf(path, masker.masks));
    const isRoot = found.some((path) => path === undefined || path.length === 0);
    // One object with the paths as keys: each names its field whole, if it is as plain as that.
    if (isRoot && masker.hasNames) masker.json(reply, undefined);
    else masker.jsonByKeys(reply, new Map(paths.map((path, index) => [path, found[index] ?? []])));
  };
}

function jsonAt(path: string): MaskAnswer {
  return (reply, masker) => masker.json(reply, maskedPathOf(path, masker.masks));
}

/** Elements of vector sets are names; they are masked only where a rule says `#element`. */
const element = (node: RespNode, masker: ReplyMasker): void => {
  if (node.kind === 'text' && masker.masks.maskOf(ELEMENT) !== undefined)
    masker.value(node, ELEMENT);
};
/** The JSON text beside an element; what is none is hidden while a mask by name is in force. */
export function attributes(node: RespNode, masker: ReplyMasker): void {
  if (node.kind !== 'text') return;
  if (masker.masks.maskOf(ATTRIBUTES) !== undefined) masker.value(node, ATTRIBUTES);
  else masker.attributes(node);
}

const elements: MaskAnswer = (reply, masker) => {
  if (reply.kind === 'list') for (const item of reply.items) elements(item, masker);
  else if (reply.kind === 'map') everyOther(reply.items, 0, (item) => element(item, masker));
  else element(reply, masker);
};

/** RESP2: flat; RESP3: a map from the element to its score, its attributes or both (measured on Redis 8.2). */
function similar(args: readonly Buffer[]): MaskAnswer {
  const options = readSimilar(args);
  const hasScores = options.has('withscores');
  const hasAttributes = options.has('withattribs');
  return (reply, masker) => {
    const width = reply.kind === 'map' ? 2 : 1 + Number(hasScores) + Number(hasAttributes);
    for (const [index, item] of itemsOf(reply).entries()) {
      const place = index % width;
      if (place === 0) element(item, masker);
      else if (item.kind === 'list') attributes(item.items.at(-1) ?? item, masker);
      else if (hasAttributes && place === width - 1) attributes(item, masker);
    }
  };
}

/** FT.INFO: of the last record that could not be indexed it quotes the value (RediSearch 2.8 on). */
const indexInfo: MaskAnswer = (reply, masker) => {
  const items = itemsOf(reply);
  for (const [index, item] of items.entries()) {
    const isQuoting = /^last (?:indexing )?error$/i.test(textOf(items[index - 1]));
    if (isQuoting && textOf(item) !== 'N/A') masker.pieces(item);
    else indexInfo(item, masker);
  }
};

const SHAPES: Readonly<Record<string, Shape>> = {
  none: () => undefined,
  values: () => values,
  members: () => members,
  whole: () => (reply, masker) => masker.whole(reply),
  piece: () => (reply, masker) => masker.piece(reply),
  pieces: () => (reply, masker) => masker.pieces(reply),
  keyed: () => keyed,
  keyedScored: () => (reply, masker) => scanned(scored)(reply, masker),
  keyMemberScore: () => (reply, masker) => {
    const [, member] = itemsOf(reply);
    if (member !== undefined) values(member, masker);
  },
  scored: () => scored,
  withScores: (args) => (hasWord(args, 'withscores') ? scored : values),
  unionScores: (args) => (unionHasScores(args) ? scored : values),
  samples: () => samples,
  fields: () => fields,
  documents: () => (reply, masker) => {
    for (const item of itemsOf(reply)) fields(item, masker);
  },
  fieldsWithValues: (args) => (hasWord(args, 'withvalues') ? fields : undefined),
  named2: (args) => named(args.slice(2)),
  namedFields: (args) => named(fieldsAfter(args)),
  scanFields: (args) => (hasNoValues(args) ? undefined : scanned(fields)),
  scanValues: () => scanned(values),
  scanScored: () => scanned(scored),
  streams: () => streams,
  jsonGet: (args) => jsonGet(args),
  json2: (args) => jsonAt(nameText(args[2] ?? Buffer.from('.'))),
  jsonLast: (args) => jsonAt(nameText(args.at(-1) ?? EMPTY)),
  suggestions: () => values,
  attributes: () => attributes,
  elements: () => elements,
  vsim: similar,
  indexInfo: () => indexInfo,
};

/** Members, perhaps with distances, hashes and coordinates, which are made of scores. */
function members(reply: RespNode, masker: ReplyMasker): void {
  for (const item of itemsOf(reply)) {
    const member = item.kind === 'list' ? item.items[0] : item;
    if (member !== undefined) values(member, masker);
  }
}

function everyOther(
  items: readonly RespNode[],
  from: number,
  each: (item: RespNode) => void,
): void {
  for (const [index, item] of items.entries()) if (index % 2 === from) each(item);
}

function hasWord(args: readonly Buffer[], word: string): boolean {
  // The first three are never options: a key, or a border that may be spelled like one.
  return args.some((bytes, index) => index > 2 && lower(bytes) === word);
}

function areTexts(items: readonly RespNode[]): boolean {
  return items.every(({ kind }) => kind === 'text' || kind === 'null');
}

export function itemsOf(node: RespNode | undefined): readonly RespNode[] {
  return node?.kind === 'list' || node?.kind === 'map' ? node.items : [];
}

export function textOf(node: RespNode | undefined): string {
  return node?.kind === 'text' ? nameText(node.bytes) : '';
}
