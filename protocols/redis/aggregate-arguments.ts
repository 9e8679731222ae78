/**
 * The pipeline of FT.AGGREGATE, step by step: which field each name in its rows comes from, as it is or in
 * another form, and which fields group, order and filter. What is not known here is unreadable.
 */

import { UnreadableCommand } from './command-table.ts';
import { ArgumentCursor, readProjections } from './search-arguments.ts';
import { beginningsOf } from './search-query.ts';

/** Where the values under one name come from. */
export interface Lineage {
  /** Names of attributes or fields. */
  readonly sources: readonly string[];
  /** The value as it is stored; otherwise something made of it. */
  readonly isDirect: boolean;
}

export interface AggregateArguments {
  /** Names of the rows; those of fields that were loaded as they are may be missing. */
  readonly names: ReadonlyMap<string, Lineage>;
  readonly loadsAll: boolean;
  /** After GROUPBY a name that is not known is one that the server made up. */
  readonly hasGroups: boolean;
  readonly steering: readonly string[];
  /** The last LIMIT, where no later step could undo it. */
  readonly limit: { readonly at: number; readonly count: number } | undefined;
  readonly hasCursor: boolean;
  /** APPLY or FILTER: expressions, whose errors may quote values. */
  readonly computes: boolean;
  readonly options: ReadonlyMap<string, string>;
}

/** Measured on RediSearch 1.2 and 2.10. */
const COUNT_NAME = '__generated_aliascount';
/** Of RediSearch 1.2 to 2.10; the first argument of each is a field. What another one reads is not known. */
const REDUCERS = new Set(
  ['count', 'count_distinct', 'count_distinctish', 'sum', 'min', 'max', 'avg', 'stddev'].concat([
    'quantile',
    'tolist',
    'first_value',
    'random_sample',
    'hll',
    'hll_sum',
  ]),
);
const FLAGS = new Set([
  'verbatim',
  'addscores',
  'withcount',
  'withoutcount',
  'nosort',
  'nocontent',
]);
const VALUED = new Set(['timeout', 'dialect', 'scorer', 'format', 'language', 'expander', 'slop']);

interface Draft {
  names: Map<string, Lineage>;
  options: Map<string, string>;
  steering: Set<string>;
  loadsAll: boolean;
  hasGroups: boolean;
  hasCursor: boolean;
  computes: boolean;
  limit: { at: number; count: number } | undefined;
}

export function readAggregateArguments(args: readonly Buffer[]): AggregateArguments {
  const draft: Draft = {
    names: new Map(),
    options: new Map(),
    steering: new Set(),
    loadsAll: false,
    hasGroups: false,
    hasCursor: false,
    computes: false,
    limit: undefined,
  };
  const cursor = new ArgumentCursor(args, 3);
  while (!cursor.isAtEnd) {
    const word = cursor.peek();
    const shown = cursor.text();
    if (FLAGS.has(word)) draft.options.set(word, '');
    else if (VALUED.has(word)) draft.options.set(word, cursor.text());
    else if (!readStep(word, cursor, draft)) {
      throw new UnreadableCommand(`Weir does not know its option ${shown}`);
    }
  }
  return { ...draft, steering: [...draft.steering] };
}

function readStep(word: string, cursor: ArgumentCursor, draft: Draft): boolean {
  switch (word) {
    case 'load':
      readLoad(cursor, draft);
      return true;
    case 'groupby':
      readGroup(cursor, draft);
      return true;
    case 'sortby':
      readSort(cursor, draft);
      return true;
    case 'apply': {
      draft.computes = true;
      const sources = [...referencesOf(cursor.text())].flatMap((name) => sourcesOf(draft, name));
      if (!cursor.takes('as')) throw new UnreadableCommand('its APPLY has no AS');
      addName(draft.names, cursor.text(), { sources, isDirect: false });
      for (const name of sources) draft.steering.add(name);
      return true;
    }
    case 'filter':
      draft.computes = true;
      draft.limit = undefined;
      for (const name of referencesOf(cursor.text())) steer(draft, name);
      return true;
    case 'limit':
      cursor.text();
      draft.limit = { at: cursor.at, count: cursor.count() };
      return true;
    case 'params':
      cursor.counted();
      return true;
    case 'withcursor':
      draft.hasCursor = true;
      while (cursor.takes('count') || cursor.takes('maxidle')) cursor.text();
      return true;
    default:
      return false;
  }
}

function readLoad(cursor: ArgumentCursor, draft: Draft): void {
  if (cursor.takes('*')) {
    draft.loadsAll = true;
    return;
  }
  for (const { field, name } of readProjections(cursor.counted())) {
    const source = bare(field);
    addName(draft.names, bare(name), { sources: [source], isDirect: true });
  }
}

function readGroup(cursor: ArgumentCursor, draft: Draft): void {
  const before = new Map(draft.names);
  const keys = cursor.counted().map(bare);
  const names = new Map<string, Lineage>();
  for (const key of keys) {
    steer(draft, key);
    names.set(key, before.get(key) ?? { sources: [key], isDirect: true });
  }
  while (cursor.takes('reduce')) {
    const reducer = cursor.text().toLowerCase();
    if (!REDUCERS.has(reducer)) {
      throw new UnreadableCommand(`Weir does not know its reducer ${reducer.slice(0, 64)}`);
    }
    const words = reducedFields(cursor.counted());
    const sources = words.flatMap((one) => sourcesOf(draft, bare(one)));
    for (const name of sources) draft.steering.add(name);
    // Without AS the server makes up a name, which no field has: it is told by not being known, but for COUNT's.
    const isCount = reducer === 'count' && words.length === 0;
    const name = cursor.takes('as') ? cursor.text() : isCount ? COUNT_NAME : undefined;
    if (name !== undefined) addName(names, name, { sources, isDirect: false });
  }
  draft.names = names;
  draft.loadsAll = false;
  draft.hasGroups = true;
  draft.limit = undefined;
}

/** The first argument and what is behind BY are fields, with or without `@` (measured on RediSearch 1.2 and 2.10). */
function reducedFields(words: readonly string[]): readonly string[] {
  return words.filter(
    (word, index) =>
      index === 0 || word.startsWith('@') || words[index - 1]?.toLowerCase() === 'by',
  );
}

/** A name that is given twice may stand for either. */
function addName(names: Map<string, Lineage>, name: string, lineage: Lineage): void {
  const before = names.get(name) ?? { sources: [], isDirect: true };
  names.set(name, {
    sources: [...before.sources, ...lineage.sources],
    isDirect: before.isDirect && lineage.isDirect,
  });
}

function readSort(cursor: ArgumentCursor, draft: Draft): void {
  for (const word of cursor.counted()) {
    if (word.startsWith('@')) steer(draft, bare(word));
    else if (!/^(?:asc|desc)$/i.test(word)) steer(draft, word);
  }
  if (cursor.takes('max')) cursor.text();
  draft.limit = undefined;
}

function steer(draft: Draft, name: string): void {
  for (const source of sourcesOf(draft, name)) draft.steering.add(source);
}

function sourcesOf({ names }: Draft, name: string): readonly string[] {
  return names.get(name)?.sources ?? [name];
}

/** Every `@name` outside of a string; a string that is none would only name too much. */
function referencesOf(expression: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [, written = ''] of expression.matchAll(/@((?:\\.|[\w.$\u0080-\uffff-])+)/gs)) {
    for (const name of beginningsOf(written)) names.add(name);
  }
  return names;
}

function bare(field: string): string {
  return field.startsWith('@') ? field.slice(1) : field;
}
