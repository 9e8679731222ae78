/**
 * node-sql-parser as a second, independent reader of MySQL and MariaDB. Where it reads a text, what it
 * sees and we do not is added, so it can only make a statement more dangerous, and the disagreement is
 * counted. It reads 70 % of what the servers do and is wrong on some of that, so where it fails nothing
 * follows, and nothing is ever allowed because of it.
 */

import { createRequire } from 'node:module';
import type { Reading } from '../../../protocols/contract.ts';
import type { Effect, ObjectEffect } from '../analysis.ts';
import type { Node, Statement } from './ast.ts';
import { forEachChild } from './walk.ts';

/**
 * Largest text that it is given, characters. Its time grows with the square of a list's length: 8 KB of
 * ANDs took it 0.7 s, which on a busy machine would cost the thread its deadline.
 */
const SECOND_SIZE_MAX = 2048;

/** Statements that both readers mean alike; an EXPLAIN or a body would only look like a disagreement. */
const COMPARED: ReadonlySet<Statement['kind']> = new Set([
  'select-statement',
  'insert',
  'update',
  'delete',
  'truncate',
  'create-table',
  'alter-table',
  'definition',
  'call-statement',
]);

/** Its words for what is done to a table, or for a statement. */
const EFFECTS: ReadonlyMap<string, readonly Effect[]> = new Map<string, readonly Effect[]>([
  ['select', ['read']],
  ['insert', ['insert']],
  ['replace', ['insert']],
  ['update', ['update']],
  ['delete', ['delete']],
  ['truncate', ['truncate']],
  ['drop', ['drop']],
  ['alter', ['alter']],
  ['create', ['create']],
  ['grant', ['grant']],
  ['revoke', ['grant']],
  ['call', ['call']],
  ['load_data', ['copy-in']],
  ['lock', ['lock']],
  ['unlock', ['session']],
]);

export interface SecondOpinion {
  readonly effects: readonly ObjectEffect[];
  readonly disagreements: number;
}

/** `readings`: the statements in each way in which we read the text. */
export function addSecondOpinion(
  text: string,
  readings: readonly (readonly Statement[])[],
  effects: readonly ObjectEffect[],
  reading: Reading,
): SecondOpinion {
  const same = { effects, disagreements: 0 };
  if (text.length > SECOND_SIZE_MAX || readings.length !== 1) return same;
  const [statements = []] = readings;
  if (statements.length === 0 || !statements.every(isCompared)) return same;
  const seen = readSecond(text, reading.server.flavor);
  if (seen === undefined) return same;
  const local = localNames(statements);
  const more = seen.filter((one) => !isKnown(one, effects, local));
  if (more.length === 0) return same;
  const added = more.map(({ effect, schema, name }): ObjectEffect => {
    const database = schema ?? reading.database;
    const object =
      name === undefined ? undefined : ({ kind: 'relation', schema: database, name } as const);
    return { effect, object, via: 'the second reader' };
  });
  return { effects: [...effects, ...added], disagreements: more.length };
}

function isCompared(statement: Statement): boolean {
  if (!COMPARED.has(statement.kind)) return false;
  // Temporary tables are the session's own business, which the other reader does not tell.
  return !(statement.kind === 'definition' && statement.isTemporary);
}

interface Seen {
  readonly effect: Effect;
  readonly schema: string | undefined;
  /** Undefined: the statement as a whole. */
  readonly name: string | undefined;
}

function isKnown(
  seen: Seen,
  effects: readonly ObjectEffect[],
  local: ReadonlySet<string>,
): boolean {
  const name = seen.name?.toLowerCase();
  if (name !== undefined && (local.has(name) || MODIFIERS.has(name))) return true;
  const has = (effect: Effect, wanted: string | undefined): boolean =>
    effects.some(
      (entry) =>
        entry.effect === effect &&
        (wanted === undefined || entry.object?.name.toLowerCase() === wanted),
    );
  if (has(seen.effect, name)) return true;
  // Of UPDATE a, b and DELETE a FROM b it takes tables that are only read for those that are changed.
  const isChange = seen.effect === 'update' || seen.effect === 'delete';
  return isChange && has(seen.effect, undefined) && has('read', name);
}

/** It takes the first word of UPDATE IGNORE t for the table. */
const MODIFIERS: ReadonlySet<string> = new Set(['ignore', 'low_priority']);

/** Aliases and common tables, in lower case: no relations, whatever the other reader takes them for. */
function localNames(statements: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === 'common-table') names.add(node.name.toLowerCase());
    const isAliased =
      node.kind === 'table' || node.kind === 'derived' || node.kind === 'json-table';
    if (isAliased && node.alias !== undefined) names.add(node.alias.toLowerCase());
    forEachChild(node, visit);
  };
  for (const statement of statements) visit(statement);
  return names;
}

// --- The other reader

interface OtherParser {
  parse(text: string): unknown;
}

const require = createRequire(import.meta.url);
const parsers = new Map<Reading['server']['flavor'], OtherParser>();

/** Loads it, which takes longer than any text may: for the start of a thread. */
export function loadSecondReader(flavor: Reading['server']['flavor']): OtherParser {
  const known = parsers.get(flavor);
  if (known !== undefined) return known;
  const loaded: unknown = require(`node-sql-parser/build/${flavor}.js`);
  const Parser = field(loaded, 'Parser');
  if (typeof Parser !== 'function') throw new Error('node-sql-parser is not what it was');
  const parser: unknown = Reflect.construct(Parser, []);
  if (!isParser(parser)) throw new Error('node-sql-parser has no parse()');
  parsers.set(flavor, parser);
  return parser;
}

function isParser(value: unknown): value is OtherParser {
  return typeof field(value, 'parse') === 'function';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Undefined: it cannot read the text. */
function readSecond(text: string, flavor: Reading['server']['flavor']): Seen[] | undefined {
  let answer: unknown;
  try {
    answer = loadSecondReader(flavor).parse(text);
  } catch (error) {
    // It throws errors of its own, and RangeError where a text is nested deeply; it keeps no state.
    if (error instanceof Error) return undefined;
    // Its syntax errors are plain objects in some releases.
    if (field(error, 'message') !== undefined) return undefined;
    throw error;
  }
  return [...seenTables(field(answer, 'tableList')), ...seenStatements(field(answer, 'ast'))];
}

/** Entries of the form `delete::db::table`, with `null` for what is not given. */
function seenTables(list: unknown): Seen[] {
  const seen: Seen[] = [];
  for (const entry of Array.isArray(list) ? list : []) {
    if (typeof entry !== 'string') continue;
    const [action = '', schema, name] = entry.split('::');
    if (name === undefined || name === 'null') continue;
    for (const effect of EFFECTS.get(action.toLowerCase()) ?? [])
      seen.push({
        effect,
        schema: schema === 'null' ? undefined : schema,
        // It leaves doubled backticks in names.
        name: name.replaceAll('``', '`'),
      });
  }
  return seen;
}

function seenStatements(ast: unknown): Seen[] {
  const statements: readonly unknown[] = Array.isArray(ast) ? ast : [ast];
  return statements.flatMap((statement) => {
    const type = field(statement, 'type');
    // SELECT 1 reads no table, and the tables of others are in the list.
    if (type === 'select') return [];
    const effects = typeof type === 'string' ? EFFECTS.get(type.toLowerCase()) : undefined;
    return (effects ?? []).map((effect) => ({ effect, schema: undefined, name: undefined }));
  });
}
