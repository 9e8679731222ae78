/**
 * The bodies of functions, procedures and DO blocks: strings of SQL or PL/pgSQL in a statement.
 * Gives the statements inside, parsed; what is built at run time or written in another language
 * cannot be known (PG-61, PG-62).
 */

import type { ObjectName } from './analysis.ts';
import { fetchesFromElsewhere } from './postgres-cursors.ts';
import { qualified } from './postgres-names.ts';
import { ParserFaultError, parsePlpgsql, parseStatements } from './postgres-parse.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { as, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

export interface RoutineBody {
  readonly statements: readonly ParsedStatement[];
  /** Of declared variables: a value put into one is cast to its type. */
  readonly types: readonly ObjectName[];
  /** Why not everything that the body runs is in `statements`; undefined: it is. */
  readonly opaque: string | undefined;
  /** In a language that can do anything. */
  readonly isForeign: boolean;
  /** It fetches rows of cursors that were opened elsewhere. */
  readonly fetches?: true;
}

/** The body of a DO block or of a routine that is created; undefined: it is neither. */
export function bodyOf({ type, tree, text: sql }: ParsedStatement): RoutineBody | undefined {
  if (type === 'DoStmt') return readBody(list(tree['args']), sql, true);
  if (type === 'CreateFunctionStmt') return readBody(list(tree['options']), sql, false);
  return undefined;
}

/** Statements inside one body; more is refused as opaque. */
const BODY_STATEMENTS_MAX = 5000;

/** Of a DoStmt (`args`) or a CreateFunctionStmt (`options`), whose text is `sql`. */
export function readBody(options: readonly unknown[], sql: string, isDo: boolean): RoutineBody {
  const language = optionText(options, 'language');
  const source = bodySource(options);
  if (language === 'plpgsql' || (isDo && language === undefined))
    return readPlpgsql(sql, source ?? '');
  if (language === 'sql' || language === undefined) {
    // Without a string it is BEGIN ATOMIC or RETURN, which the tree holds already.
    if (source === undefined)
      return { statements: [], types: [], opaque: undefined, isForeign: false };
    return readSql(source);
  }
  // `internal` and C functions are compiled in: nothing to read, anything can happen.
  const opaque = `code in language ${shortName(language)}`;
  return { statements: [], types: [], opaque, isForeign: true };
}

function shortName(language: string): string {
  return /^[a-z0-9_]{1,40}$/i.test(language) ? language : '(unknown)';
}

function optionText(options: readonly unknown[], name: string): string | undefined {
  for (const entry of options) {
    const element = as(entry, 'DefElem');
    if (element?.['defname'] === name) return text(as(element['arg'], 'String')?.['sval']) ?? '';
  }
  return undefined;
}

function bodySource(options: readonly unknown[]): string | undefined {
  for (const entry of options) {
    const element = as(entry, 'DefElem');
    if (element?.['defname'] !== 'as') continue;
    const items = list(as(element['arg'], 'List')?.['items']);
    return text(as(items[0] ?? element['arg'], 'String')?.['sval']) ?? '';
  }
  return undefined;
}

function readSql(source: string): RoutineBody {
  try {
    return { statements: parseStatements(source), types: [], opaque: undefined, isForeign: false };
  } catch (error) {
    return unreadable(error);
  }
}

function unreadable(error: unknown): RoutineBody {
  if (error instanceof ParserFaultError) throw error;
  return { statements: [], types: [], opaque: 'a body that cannot be read', isForeign: false };
}

function readPlpgsql(sql: string, source: string): RoutineBody {
  const found: Found = { queries: [], typeNames: new Set(), opaque: undefined };
  try {
    const functions = parsePlpgsql(sql);
    if (functions.length === 0) found.opaque = 'a body that cannot be read';
    collect(functions, found, 0);
    if (functions.some((tree) => hasRecordDefault(tree, source)))
      found.opaque = 'a row variable that gets a value where it is declared';
    const statements = found.queries.flatMap((query) => parseStatements(query));
    const types = [...found.typeNames].flatMap((name) => declaredType(name) ?? []);
    const fetches = fetchesFromElsewhere(functions) ? ({ fetches: true } as const) : {};
    return { statements, types, opaque: found.opaque, isForeign: false, ...fetches };
  } catch (error) {
    return unreadable(error);
  }
}

/**
 * The parser leaves out the default of a variable of a row type (`r record := f()`), so its declaration
 * is looked for in the text, and whatever is not plainly without a default counts as one.
 */
function hasRecordDefault(tree: Tree, source: string): boolean {
  const lines = source.split('\n');
  const datums = list(tree['datums']);
  return datums.some((datum) => {
    const record = as(datum, 'PLpgSQL_rec');
    const line = record?.['lineno'];
    // NEW and OLD of a trigger are declared nowhere.
    if (record === undefined || typeof line !== 'number') return false;
    const name = text(record['refname']) ?? '';
    const rest = lines.slice(line - 1).join('\n');
    const lineEnd = lines[line - 1]?.length ?? 0;
    return !/^[a-z_][a-z0-9_]*$/.test(name) || isDefaultAfter(name, rest, lineEnd);
  });
}

/** In every declaration of that name on the line; with a comment there, wherever the name stands. */
function isDefaultAfter(name: string, rest: string, lineEnd: number): boolean {
  const hasComment = /--|\/\*/.test(rest.slice(0, lineEnd));
  const pattern = hasComment
    ? new RegExp(`\\b${name}\\b`, 'gi')
    : new RegExp(`(?:^|\\bdeclare|;|>>)\\s*${name}\\s+(?!:?=)`, 'gi');
  let isFound = false;
  for (const match of rest.matchAll(pattern)) {
    if (match.index > lineEnd) break;
    isFound = true;
    const [declaration = ''] = rest.slice(match.index + match[0].length).split(';');
    if (/[='"$\\]|--|\/\*|\bdefault\b/i.test(declaration)) return true;
  }
  return !isFound;
}

interface Found {
  readonly queries: string[];
  readonly typeNames: Set<string>;
  opaque: string | undefined;
}

/** PL/pgSQL nodes that run text made at run time, by the field that holds it. */
const DYNAMIC: Readonly<Record<string, string>> = {
  PLpgSQL_stmt_dynexecute: 'query',
  PLpgSQL_stmt_dynfors: 'query',
  PLpgSQL_stmt_open: 'dynquery',
  PLpgSQL_stmt_return_query: 'dynquery',
  PLpgSQL_stmt_forc: 'dynquery',
};

const PLPGSQL_DEPTH_MAX = 1000;

/** Takes every embedded query out of a PL/pgSQL tree, whatever the statement that holds it. */
function collect(value: unknown, found: Found, depth: number): void {
  if (depth > PLPGSQL_DEPTH_MAX || found.queries.length > BODY_STATEMENTS_MAX) {
    found.opaque = 'a body that is too large to be read';
    return;
  }
  if (Array.isArray(value)) {
    for (const entry of value) collect(entry, found, depth + 1);
    return;
  }
  if (!isTree(value)) return;
  const node = unwrap(value);
  if (node !== undefined) {
    const dynamic = DYNAMIC[node.type];
    if (dynamic !== undefined && node.tree[dynamic] !== undefined)
      found.opaque = 'EXECUTE of text made at run time';
    const typeName = node.type === 'PLpgSQL_type' ? text(node.tree['typname']) : undefined;
    if (typeName !== undefined) found.typeNames.add(typeName);
    if (node.type === 'PLpgSQL_expr') found.queries.push(statementOf(node.tree));
  }
  for (const field in value) collect(value[field], found, depth + 1);
}

/**
 * `public.t[]`, `varchar(10)`, `t%ROWTYPE`, `t.c%TYPE`; of the last only the table is known, whose row
 * type holds the column's. A type that cannot be parsed here fails on the server as well.
 */
function declaredType(declared: string): ObjectName | undefined {
  const isColumn = /%type\b/i.test(declared);
  const statement = parseStatements(`SELECT NULL::${declared.replace(/%(?:row)?type\b/gi, '')}`)[0];
  const target = as(list(statement?.tree['targetList'])[0], 'ResTarget');
  const type = as(target?.['val'], 'TypeCast')?.['typeName'];
  const parts = names(isTree(type) ? type['names'] : undefined);
  return qualified(isColumn && parts.length > 1 ? parts.slice(0, -1) : parts, 'other');
}

/**
 * An embedded query as a statement that can be parsed. Parse modes as in PostgreSQL's parser.h:
 * 0 a statement, 2 an expression, 3 to 5 an assignment with that many names on its left.
 */
function statementOf(expression: Tree): string {
  const query = text(expression['query']) ?? '';
  const mode = expression['parseMode'] ?? 0;
  if (mode === 0) return query;
  if (mode === 2) return `SELECT ${query}`;
  return `SELECT ${splitAssignment(query)}`;
}

/** `a[f(x)] := b` as `a[f(x)] , b`: both sides are evaluated. A wrong cut cannot parse, which is opaque. */
function splitAssignment(query: string): string {
  let depth = 0;
  for (let index = 0; index < query.length; index += 1) {
    const character = query[index];
    if (character === '[' || character === '(') depth += 1;
    else if (character === ']' || character === ')') depth -= 1;
    else if (character === '"' || character === "'") {
      const end = query.indexOf(character, index + 1);
      if (end < 0) return query;
      index = end;
    } else if (depth === 0 && character === '=') return cut(query, index, index + 1);
    else if (depth === 0 && character === ':' && query[index + 1] === '=')
      return cut(query, index, index + 2);
  }
  return query;
}

function cut(query: string, from: number, to: number): string {
  return `${query.slice(0, from)} , ${query.slice(to)}`;
}
