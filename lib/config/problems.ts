/** Words what zod found for people: where it is, what was expected, what came, how to mend it. */
import type { z } from 'zod';
import type { ConfigProblem } from './errors.ts';
import { type Hint, HINTS, NOT_YET, type Section, VALUE_NOT_YET } from './hints.ts';
import type { FindLine, KeyPath } from './key-lines.ts';

/** Values are shown up to this many characters. */
const SHOWN_LENGTH_MAX = 60;
/** Key names further apart than this are not what was meant. */
const TYPO_DISTANCE_MAX = 2;

/** One table of the file, for messages about what is inside it. */
export interface Place {
  readonly section: Section;
  /** Where it is in the file: `[]` or `['connection', 0]`. */
  readonly path: KeyPath;
  /** As people call it: `connection "shop"`, `rule #2`; empty for the top level. */
  readonly title: string;
  /** The table as it was read. */
  readonly raw: unknown;
}

export function describePlace(section: Section, index: number, raw: unknown): Place {
  const name = readKey(raw, 'name');
  const title =
    typeof name === 'string' && name !== ''
      ? `${section} ${show(name)}`
      : `${section} #${index + 1}`;
  return { section, path: [section, index], title, raw };
}

/** `key` may be a path with dots into inline tables; the empty one is the table itself. */
export function problemAt(
  place: Place,
  findLine: FindLine,
  key: string,
  text: string,
): ConfigProblem {
  const path = key === '' ? place.path : [...place.path, ...key.split('.')];
  const where = [place.title, key].filter((part) => part !== '').join(': ');
  return { line: findLine(path), text: where === '' ? text : `${where}: ${text}` };
}

export function problemsOf(
  place: Place,
  findLine: FindLine,
  issues: readonly z.core.$ZodIssue[],
): ConfigProblem[] {
  const problems = issues.flatMap((issue) => {
    const path = pathWithHint(place.section, issue);
    const key = keyOf(path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((unknown) => {
        const full = key === '' ? unknown : `${key}.${unknown}`;
        return problemAt(place, findLine, full, describeUnknownKey(place.section, key, unknown));
      });
    }
    const value = readPath(place.raw, path);
    const text = describeValue(place, key, value, issue);
    const where = problemAt(place, findLine, key, text);
    // In a list, the line of the very item.
    return [{ ...where, line: findLine([...place.path, ...path]) }];
  });
  // A value that breaks two of our conditions is one problem to whoever wrote it.
  return problems.filter(({ line, text }, index) => {
    return problems.findIndex((other) => other.line === line && other.text === text) === index;
  });
}

function keyOf(path: KeyPath): string {
  return path.filter((part) => typeof part === 'string').join('.');
}

/** Cut to what has a hint: a list inside the table of a secret is told as that secret. */
function pathWithHint(section: Section, issue: z.core.$ZodIssue): KeyPath {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') return path;
  while (path.length > 0 && readKey(HINTS[section], keyOf(path)) === undefined) path.pop();
  return path;
}

function describeValue(
  { section, raw }: Place,
  key: string,
  value: unknown,
  issue: z.core.$ZodIssue,
): string {
  const hint = HINTS[section][key];
  if (hint === undefined) {
    // Only a whole [[table]] that is none has no key of its own.
    return `expected a table, found ${show(value)}. Write [[${section}]] with its keys below.`;
  }
  const notYet = typeof value === 'string' ? readKey(VALUE_NOT_YET[key], value) : undefined;
  if (typeof notYet === 'string') return notYet;
  const protocol = readKey(raw, 'protocol');
  const own = typeof protocol === 'string' ? readKey(hint.writeFor, protocol) : undefined;
  const write = typeof own === 'string' ? own : hint.write;
  if (value === undefined) return `missing: expected ${hint.expected}. Write ${write}.`;
  const found = hint.isSecret === true ? showKind(value) : show(value);
  const reason = issue.code === 'custom' ? readKey(issue.params, 'reason') : undefined;
  const why = typeof reason === 'string' ? ` (${reason})` : '';
  return `expected ${hint.expected}, found ${found}${why}. Write ${write}${describeMend(hint, why)}.`;
}

function describeMend(hint: Hint, why: string): string {
  if (!why.includes('password')) return '';
  const key = hint.write.startsWith('catalog') ? 'catalog_password' : 'password';
  return ` and ${key} = { env = "NAME" }`;
}

function describeUnknownKey(section: Section, table: string, key: string): string {
  const notYet = table === '' ? readKey(NOT_YET[section], key) : undefined;
  if (typeof notYet === 'string') return notYet;
  const known = knownKeys(section, table);
  const meant = findMeant(key, known);
  if (meant !== undefined) return `unknown key. Did you mean ${meant}?`;
  return known.length === 0 ? 'unknown key.' : `unknown key. Known here: ${known.join(', ')}.`;
}

function knownKeys(section: Section, table: string): string[] {
  const prefix = table === '' ? '' : `${table}.`;
  return Object.keys(HINTS[section])
    .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('.'))
    .map((key) => key.slice(prefix.length));
}

function findMeant(written: string, known: readonly string[]): string | undefined {
  // dataDir, data-dir and connections are data_dir and connection in other people's conventions.
  const folded = foldName(written);
  const same = known.find((key) => foldName(key) === folded);
  if (same !== undefined) return same;
  const near = known
    .map((key) => ({ key, distance: editDistance(folded, foldName(key)) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (near === undefined) return undefined;
  // In a short name two changed letters leave nothing of it.
  const allowed = Math.min(TYPO_DISTANCE_MAX, Math.floor(near.key.length / 3));
  return near.distance <= allowed ? near.key : undefined;
}

function foldName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '').replace(/s$/, '');
}

/** Levenshtein; the written name is cut, so the work is bounded. */
function editDistance(written: string, known: string): number {
  const a = written.slice(0, SHOWN_LENGTH_MAX);
  let row = Array.from({ length: known.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(known).entries()) {
      const substituted = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** A value as it can be printed: short, on one line, without the password of a URL. */
export function show(value: unknown): string {
  if (typeof value !== 'string') return showKind(value);
  const safe = value.replace(/(\/\/[^:/@\s]*:).*@/, '$1***@');
  const short = safe.length > SHOWN_LENGTH_MAX ? `${safe.slice(0, SHOWN_LENGTH_MAX)}...` : safe;
  return JSON.stringify(short);
}

function showKind(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return value instanceof Date ? 'a date' : 'a table';
}

function readPath(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => readKey(value, key), raw);
}

/** Own keys only: a file may well hold a key called `constructor`. */
function readKey(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
