/**
 * The arguments of FT.SEARCH, each by its place: what steers the answer, what comes back under which name. An
 * argument that is not known here makes the whole request unreadable, since the next ones could then be others.
 */

import { lower, nameText, UnreadableCommand } from './command-table.ts';

/** A word and how many arguments follow it; `n`: the next one says how many, `n*`: that may be left out. */
const PLAIN: Readonly<Record<string, number>> = {
  nocontent: 0,
  verbatim: 0,
  nostopwords: 0,
  withscores: 0,
  withpayloads: 0,
  withsortkeys: 0,
  explainscore: 0,
  inorder: 0,
  withcount: 0,
  withoutcount: 0,
  addscores: 0,
  slop: 1,
  timeout: 1,
  language: 1,
  expander: 1,
  scorer: 1,
  payload: 1,
  format: 1,
  dialect: 1,
};

export interface Projection {
  /** As the index or the record names it. */
  readonly field: string;
  /** As the answer names it. */
  readonly name: string;
}

export interface SearchArguments {
  /** Words that were given, in lower case. */
  readonly words: ReadonlySet<string>;
  readonly options: ReadonlyMap<string, string>;
  /** Fields that FILTER, GEOFILTER, SORTBY and INFIELDS name. */
  readonly steering: readonly string[];
  readonly inFields: readonly string[] | undefined;
  readonly sortBy: string | undefined;
  /** Undefined: all of the record comes back. */
  readonly returns: readonly Projection[] | undefined;
  readonly changesText: boolean;
  /** Where LIMIT's count stands among the arguments, and what it is. */
  readonly limit: { readonly at: number; readonly count: number } | undefined;
}

/** Reads arguments in order. */
export class ArgumentCursor {
  readonly #args: readonly Buffer[];
  at: number;

  constructor(args: readonly Buffer[], at: number) {
    this.#args = args;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#args.length;
  }

  peek(): string {
    const bytes = this.#args[this.at];
    return bytes === undefined ? '' : lower(bytes);
  }

  text(): string {
    const bytes = this.#args[this.at];
    if (bytes === undefined) throw new UnreadableCommand('it ends in the middle of an option');
    this.at += 1;
    return nameText(bytes);
  }

  count(): number {
    const text = this.text();
    if (!/^\d{1,7}$/.test(text)) throw new UnreadableCommand(`${text} is no number of arguments`);
    return Number(text);
  }

  /** As many as the next argument says. */
  counted(): string[] {
    const count = this.count();
    if (this.at + count > this.#args.length)
      throw new UnreadableCommand('it has fewer arguments than it says');
    return Array.from({ length: count }, () => this.text());
  }

  takes(word: string): boolean {
    if (this.peek() !== word || this.isAtEnd) return false;
    this.at += 1;
    return true;
  }
}

interface Draft {
  words: Set<string>;
  options: Map<string, string>;
  steering: string[];
  inFields?: string[];
  sortBy?: string;
  returns?: Projection[];
  changesText: boolean;
  limit?: { at: number; count: number };
}

/** `args` from the command on: index and query are 1 and 2. */
export function readSearchArguments(args: readonly Buffer[]): SearchArguments {
  const draft: Draft = { words: new Set(), options: new Map(), steering: [], changesText: false };
  const cursor = new ArgumentCursor(args, 3);
  while (!cursor.isAtEnd) {
    const word = cursor.peek();
    const shown = cursor.text();
    const plain = PLAIN[word];
    draft.words.add(word);
    if (plain === 1) draft.options.set(word, cursor.text());
    else if (plain === undefined && !readOption(word, cursor, draft)) {
      throw new UnreadableCommand(`Weir does not know its option ${shown}`);
    }
  }
  const { inFields, sortBy, returns, limit, ...rest } = draft;
  return { ...rest, inFields, sortBy, returns, limit };
}

function readOption(word: string, cursor: ArgumentCursor, draft: Draft): boolean {
  switch (word) {
    case 'filter':
      draft.steering.push(cursor.text());
      cursor.text();
      cursor.text();
      return true;
    case 'geofilter':
      draft.steering.push(cursor.text());
      for (let left = 4; left > 0; left -= 1) cursor.text();
      return true;
    case 'inkeys':
    case 'params':
      cursor.counted();
      return true;
    case 'infields':
      draft.inFields = [...(draft.inFields ?? []), ...cursor.counted()];
      return true;
    case 'return':
      // Whether a second RETURN adds to the first or replaces it is up to the version.
      draft.returns = [...(draft.returns ?? []), ...readProjections(cursor.counted())];
      return true;
    case 'sortby':
      readSortBy(cursor, draft);
      return true;
    case 'limit':
      readLimit(cursor, draft);
      return true;
    case 'summarize':
    case 'highlight':
      readTextChange(cursor);
      draft.changesText = true;
      return true;
    default:
      return false;
  }
}

function readSortBy(cursor: ArgumentCursor, draft: Draft): void {
  if (draft.sortBy !== undefined) throw new UnreadableCommand('it has SORTBY twice');
  draft.sortBy = cursor.text();
  draft.steering.push(draft.sortBy);
  if (!cursor.takes('asc')) cursor.takes('desc');
}

function readLimit(cursor: ArgumentCursor, draft: Draft): void {
  if (draft.limit !== undefined) throw new UnreadableCommand('it has LIMIT twice');
  cursor.text();
  draft.limit = { at: cursor.at, count: cursor.count() };
}

function readTextChange(cursor: ArgumentCursor): void {
  for (;;) {
    if (cursor.takes('fields')) cursor.counted();
    else if (cursor.takes('frags') || cursor.takes('len') || cursor.takes('separator'))
      cursor.text();
    else if (cursor.takes('tags')) {
      cursor.text();
      cursor.text();
    } else return;
  }
}

/** `field [AS name]`, all of them counted. */
export function readProjections(words: readonly string[]): Projection[] {
  const found: Projection[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const field = words[index] ?? '';
    const isRenamed = words[index + 1]?.toLowerCase() === 'as' && words[index + 2] !== undefined;
    found.push({ field, name: isRenamed ? (words[index + 2] ?? '') : field });
    if (isRenamed) index += 2;
  }
  return found;
}
