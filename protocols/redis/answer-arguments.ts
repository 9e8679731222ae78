/**
 * Arguments that say what an answer is made of, each read at its place: a key, a pattern or an element that is
 * spelled like an option is none. What is not known here makes the command unreadable.
 */

import { lower, nameText, UnreadableCommand } from './command-table.ts';

const EMPTY = Buffer.alloc(0);

/** A word and how many arguments follow it. */
type Options = Readonly<Record<string, number>>;

/** Every option from `from` on with the place of what follows it; the last of one name counts. */
function readOptions(
  args: readonly Buffer[],
  from: number,
  known: Options,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (let at = from; at < args.length; ) {
    const word = lower(args[at] ?? EMPTY);
    const width = known[word];
    if (width === undefined || at + width >= args.length) {
      throw new UnreadableCommand(
        `Weir does not know its option ${nameText((args[at] ?? EMPTY).subarray(0, 64))}`,
      );
    }
    found.set(word, at + 1);
    at += 1 + width;
  }
  return found;
}

const SIMILAR: Options = {
  withscores: 0,
  withattribs: 0,
  truth: 0,
  nothread: 0,
  count: 1,
  epsilon: 1,
  ef: 1,
  filter: 1,
  'filter-ef': 1,
};

/** VSIM key (ELE element | FP32 blob | VALUES n ...) and its options, by the place of their values. */
export function readSimilar(args: readonly Buffer[]): ReadonlyMap<string, number> {
  const kind = lower(args[2] ?? EMPTY);
  if (kind === 'ele' || kind === 'fp32') return readOptions(args, 4, SIMILAR);
  const count = (args[3] ?? EMPTY).toString('latin1');
  if (kind !== 'values' || !/^[1-9]\d{0,6}$/.test(count)) {
    throw new UnreadableCommand('it does not say what to look for');
  }
  return readOptions(args, 4 + Number(count), SIMILAR);
}

/** HSCAN key cursor [MATCH pattern] [COUNT n] [NOVALUES]. */
export function hasNoValues(args: readonly Buffer[]): boolean {
  return readOptions(args, 3, { match: 1, count: 1, novalues: 0 }).has('novalues');
}

const EXPIRIES: Options = { ex: 1, px: 1, exat: 1, pxat: 1, persist: 0 };

/** HGETEX key [EX n ...] FIELDS n field ..., HGETDEL key FIELDS n field ... */
export function fieldsAfter(args: readonly Buffer[]): readonly Buffer[] {
  let at = 2;
  while (at < args.length) {
    const word = lower(args[at] ?? EMPTY);
    if (word === 'fields') return args.slice(at + 2);
    const width = EXPIRIES[word];
    if (width === undefined) break;
    at += 1 + width;
  }
  throw new UnreadableCommand('it does not say which fields it asks for');
}

/** ZDIFF, ZINTER, ZUNION: behind the keys. */
export function unionHasScores(args: readonly Buffer[]): boolean {
  const count = Number((args[1] ?? EMPTY).toString('latin1'));
  return args.slice(2 + count).some((one) => lower(one) === 'withscores');
}

export interface JsonGetArguments {
  readonly paths: readonly string[];
  /** It is not JSON that comes back: lists and maps, or what INDENT, NEWLINE and SPACE make of it. */
  readonly isForeign: boolean;
}

export function readJsonGet(args: readonly Buffer[]): JsonGetArguments {
  const paths: string[] = [];
  let isForeign = false;
  for (let at = 2; at < args.length; at += 1) {
    const word = lower(args[at] ?? EMPTY);
    if (word === 'format') {
      at += 1;
      isForeign ||= lower(args[at] ?? EMPTY) !== 'string';
    } else if (word === 'indent' || word === 'newline' || word === 'space') {
      at += 1;
      // Written between the tokens as they are: `0,"x":` as SPACE gives every value another name.
      isForeign ||= !/^[ \t\r\n]*$/.test((args[at] ?? EMPTY).toString('latin1'));
    } else if (word !== 'noescape') paths.push(nameText(args[at] ?? EMPTY));
  }
  return { paths, isForeign };
}
