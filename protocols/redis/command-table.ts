/**
 * Every command that Weir knows, by hand: what it does to which keys, what comes back, what is special about
 * it. A command that is not here is refused. A line of the table is `name | accesses | answer | marks`; an access
 * is `effect:where`:
 *
 *   1, 2      the argument of that number is a key     1..      that and all behind it; `1..-2`: but the last
 *   1../2     every second argument from there         n1       argument 1 says how many keys follow (n1x2: pairs)
 *   i1        the argument is an index                 c1, db1  a channel, a database
 *   streams   the keys behind STREAMS                  *        the store as a whole
 *   migrate   the keys of MIGRATE
 */

import { isUtf8 } from 'node:buffer';
import { STORE_EFFECTS, type StoreAccess, type StoreEffect, type StoreName } from '../store.ts';
import { MODULE_COMMANDS } from './commands-modules.ts';
import { KEY_COMMANDS, SORTED_AND_STREAMS } from './commands-keys.ts';
import { SERVER_COMMANDS } from './commands-servers.ts';
import { SKETCH_COMMANDS } from './commands-sketches.ts';

export interface CommandSpec {
  /** `get`, `config set`. */
  readonly name: string;
  readonly accesses: readonly { readonly effect: StoreEffect; readonly where: string }[];
  readonly answer: string;
  readonly marks: ReadonlySet<string>;
}

/** As of effects in one SQL text: each is judged by itself. */
export const ACCESS_COUNT_MAX = 20_000;

const TABLE: ReadonlyMap<string, CommandSpec> = new Map(
  [KEY_COMMANDS, SORTED_AND_STREAMS, SERVER_COMMANDS, MODULE_COMMANDS, SKETCH_COMMANDS]
    .join('\n')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const spec = parseLine(line);
      return [spec.name, spec];
    }),
);

const CONTAINERS: ReadonlySet<string> = new Set(
  [...TABLE.keys()].filter((name) => name.includes(' ')).map((name) => name.replace(/ .*/, '')),
);

export function commandNames(): readonly string[] {
  return [...TABLE.keys()];
}

/** Undefined: the table does not name it. Names are compared as the server does, ASCII letters in any case. */
export function findCommand(name: Buffer, second: Buffer): CommandSpec | undefined {
  const base = lower(name);
  if (!CONTAINERS.has(base)) return TABLE.get(base);
  const sub = lower(second);
  // COMMAND is one by itself, too.
  return TABLE.get(sub === '' ? base : `${base} ${sub}`);
}

export function lower(bytes: Buffer): string {
  return bytes.length > 64
    ? ''
    : bytes.toString('latin1').replaceAll(/[A-Z]+/g, (found) => found.toLowerCase());
}

/**
 * Names are bytes. Those that are no UTF-8 keep what is, and each byte that is not becomes a lone surrogate: so
 * no two names have one text, and a rule on the beginning of a name holds whatever follows.
 */
export function nameText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : lenientText(bytes);
}

const LONE_SURROGATES = 0xdc00;

function lenientText(bytes: Buffer): string {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    if (length === 1 || (length > 1 && isUtf8(bytes.subarray(at, at + length)))) {
      at += length;
      continue;
    }
    const wrong = String.fromCharCode(LONE_SURROGATES + (bytes[at] ?? 0));
    parts.push(bytes.toString('utf8', start, at), wrong);
    at += 1;
    start = at;
  }
  parts.push(bytes.toString('utf8', start));
  return parts.join('');
}

/** As the first byte of a UTF-8 sequence says; 0: it is none. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** A request whose keys cannot be told; in one sentence why. */
export class UnreadableCommand extends Error {
  override readonly name = 'UnreadableCommand';
}

export function accessesOf(spec: CommandSpec, args: readonly Buffer[]): StoreAccess[] {
  return spec.accesses.flatMap(({ effect, where }) => {
    const targets = targetsOf(where, args);
    if (targets.length > ACCESS_COUNT_MAX) {
      throw new UnreadableCommand(`it names more than ${ACCESS_COUNT_MAX} keys`);
    }
    return targets.map((target) => ({ effect, target }));
  });
}

function targetsOf(where: string, args: readonly Buffer[]): (StoreName | undefined)[] {
  if (where === '*') return [undefined];
  if (where === 'streams') return keysOfStreams(args).map(keyName);
  if (where === 'migrate') return keysOfMigrate(args).map(keyName);
  const counted = /^n(\d)(?:x(\d))?$/.exec(where);
  if (counted !== null) {
    return countedKeys(args, Number(counted[1]), Number(counted[2] ?? 1)).map(keyName);
  }
  const found = /^(i|c|db)?(\d)(\.\.)?(\d|-2)?(?:\/(\d))?$/.exec(where);
  if (found === null) throw new Error(`not a place of keys: ${where}`);
  const [, kind, first, range, last, step] = found;
  const from = Number(first);
  let to = from;
  if (range !== undefined) to = args.length - 1;
  if (last === '-2') to = args.length - 2;
  else if (last !== undefined) to = Number(last);
  const chosen = args.filter(
    (_, index) => index >= from && index <= to && (index - from) % Number(step ?? 1) === 0,
  );
  return chosen.map(namers[kind ?? 'key'] ?? keyName);
}

function keyName(bytes: Buffer): StoreName {
  return { kind: 'key', path: [nameText(bytes)] };
}

const namers: Readonly<Record<string, (bytes: Buffer) => StoreName | undefined>> = {
  i: (bytes) => {
    // What an index stands for is asked by its name as text.
    if (!isUtf8(bytes)) throw new UnreadableCommand('the name of its index is no UTF-8');
    return { kind: 'index', path: [nameText(bytes)] };
  },
  // Channels have names of their own, but rules that speak of the name hold for them as well.
  c: (bytes) =>
    bytes.toString('latin1').startsWith('__')
      ? // Key space notifications and invalidations tell of all keys.
        undefined
      : { kind: 'key', path: ['#channel', nameText(bytes)] },
  db: (bytes) => ({ kind: 'container', path: [nameText(bytes)] }),
};

function countedKeys(args: readonly Buffer[], at: number, width: number): Buffer[] {
  const count = args[at]?.toString('latin1') ?? '';
  // string2ll of Redis takes no sign and no zero in front.
  if (!/^[1-9]\d{0,6}$/.test(count)) throw new UnreadableCommand('its number of keys is no number');
  const end = at + 1 + Number(count) * width;
  if (end > args.length) throw new UnreadableCommand('it has fewer keys than it says');
  return args.slice(at + 1, end).filter((_, index) => index % width === 0);
}

/** XREAD and XREADGROUP: options, then STREAMS, then keys, then as many ids. */
function keysOfStreams(args: readonly Buffer[]): Buffer[] {
  let at = 1;
  for (; at < args.length; at += 1) {
    const option = lower(args[at] ?? Buffer.alloc(0));
    if (option === 'streams') break;
    if (option === 'group') at += 2;
    else if (option === 'count' || option === 'block' || option === 'claim') at += 1;
    else if (option !== 'noack')
      throw new UnreadableCommand(
        `Weir does not know its option ${nameText(args[at] ?? Buffer.alloc(0))}`,
      );
  }
  const rest = args.slice(at + 1);
  if (rest.length === 0 || rest.length % 2 !== 0) {
    throw new UnreadableCommand('its streams and ids are not as many');
  }
  return rest.slice(0, rest.length / 2);
}

function keysOfMigrate(args: readonly Buffer[]): Buffer[] {
  const at = args.findIndex((bytes, index) => index > 5 && lower(bytes) === 'keys');
  return at < 0 ? [] : args.slice(at + 1);
}

function parseLine(line: string): CommandSpec {
  const [name = '', accesses = '', answer = '', marks = ''] = line.split(' | ');
  return {
    name,
    accesses: accesses === '-' ? [] : accesses.split(' ').map(parseAccess),
    answer,
    marks: new Set(marks.split(' ').filter((mark) => mark !== '')),
  };
}

function parseAccess(text: string): { effect: StoreEffect; where: string } {
  const [word, where = ''] = text.split(':');
  const effect = STORE_EFFECTS.find((one) => one === word);
  if (effect === undefined) throw new Error(`no effect: ${text}`);
  return { effect, where };
}
