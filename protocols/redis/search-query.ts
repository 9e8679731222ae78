/**
 * What a query of RediSearch filters by, read carefully and not exactly: every `@name` in it, and whether any
 * words are left that have no field. It errs to the side of naming too much
 * (https://redis.io/docs/latest/develop/ai/search-and-query/advanced-concepts/query_syntax/).
 */

import type { RecordFilter } from '../store.ts';
import { findAttribute, type Schema } from './schema.ts';

export interface QueryUse {
  /** As written, escapes taken out. */
  readonly names: readonly string[];
  /** Words without a field: all text is searched. */
  readonly hasFreeText: boolean;
  /** An `@` without a name that can be read. */
  readonly isUnclear: boolean;
}

/** Longer ones are refused: readers here are not made for them. */
export const QUERY_LENGTH_MAX = 64 * 1024;

/** Beginnings of a longer name are not looked at: no field has one. */
const NAME_LENGTH_MAX = 1024;

const NAME = /(?:\\.|[^\s:|{}()[\]<>=!~"'$%*,;@&+/?^`\\-])+/y;

const LAST_CLAUSE = /^=>\[[^[\]"]*\]\s*(?:=>\s*\{[^{}"]*\}\s*)?$/;

/** Names after `@`; `@a|b:` names two. */
export function readQuery(query: string): QueryUse {
  const names: string[] = [];
  let rest = '';
  let isUnclear = false;
  for (let at = 0; at < query.length; at += 1) {
    const character = query.charAt(at);
    if (character === '\\') {
      rest += 'x';
      at += 1;
    } else if (character === '@') {
      const { length } = names;
      at = readNames(query, at + 1, names) - 1;
      isUnclear ||= names.length === length;
    } else {
      rest += character;
    }
  }
  return { names, hasFreeText: hasWords(rest), isUnclear };
}

function readNames(query: string, start: number, names: string[]): number {
  let at = start;
  for (;;) {
    NAME.lastIndex = at;
    const found = NAME.exec(query);
    if (found === null) return at;
    names.push(...beginningsOf(found[0]));
    at = NAME.lastIndex;
    if (query.charAt(at) !== '|') break;
    at += 1;
  }
  // What follows a field is left to `hasWords`, which takes `:{..}`, `:[..]`, `:(..)` away.
  return at;
}

/**
 * A name and what else it may be: the server leaves out what it does not know behind one (`@salary$` and `@mail.` are
 * `@salary` and `@mail`, measured on RediSearch 2.10), so each beginning of a name counts as one. Escapes are taken out.
 */
export function beginningsOf(written: string): string[] {
  const found = written.slice(0, NAME_LENGTH_MAX).matchAll(/(?<!\\)(?!^)\W/g);
  return [...found, { index: written.length }].map(({ index }) =>
    written.slice(0, index).replaceAll(/\\(.)/gs, '$1'),
  );
}

/** After names are gone: groups that belong to a field, clauses behind `=>`, and operators are no words. */
function hasWords(text: string): boolean {
  let rest = text;
  for (let round = 0; round < 8; round += 1) {
    const shorter = rest
      .replaceAll(/=>\s*(?:\[[^\]]*\]|\{[^}]*\})/g, ' ')
      .replaceAll(/:\s*\{[^{}]*\}/g, ' ')
      .replaceAll(/:\s*\[[^[\]]*\]/g, ' ')
      .replaceAll(/:\s*\([^()]*\)/g, ' ')
      .replaceAll(/:\s*-?"[^"]*"/g, ' ')
      .replaceAll(/:\s*[^\s:{}()[\]"|]+/g, ' ');
    if (shorter === rest) break;
    rest = shorter;
  }
  return /[^\s()|*~-]/.test(rest);
}

/**
 * The query, held to records where `filter` is true. In one sentence why that cannot be done: the whole
 * request is refused then, since a query that is read in another way than here could slip out of it.
 */
export function withFilter(
  query: string,
  filter: RecordFilter,
  schema: Schema | undefined,
): { readonly query: string } | string {
  if (schema === undefined)
    return 'a filter is in force, and the index does not say what its fields are';
  const terms: string[] = [];
  for (const { field, value } of filter) {
    const term = termOf(schema, field, value);
    if (term === undefined) {
      return `a filter on ${field} is in force, and the index has no TAG or NUMERIC attribute for it`;
    }
    terms.push(term);
  }
  if (!isBalanced(query)) {
    return 'a filter is in force, and the query has brackets, quotes or escapes that it cannot be added to';
  }
  const clause = query.indexOf('=>[');
  const hasClause = clause >= 0 && depthAt(query, clause) === 0;
  const base = (hasClause ? query.slice(0, clause) : query).trim();
  const rest = hasClause ? query.slice(clause) : '';
  // Nothing but the clause of the vector search, and perhaps its attributes, may stand behind the filter.
  if (hasClause && !LAST_CLAUSE.test(rest)) {
    return 'a filter is in force, and something follows the vector search in the query';
  }
  const isAll = base === '*' || base === '(*)';
  const held = isAll ? terms.join(' ') : `(${base}) ${terms.join(' ')}`;
  return { query: hasClause ? `(${held})${rest}` : held };
}

function termOf(schema: Schema, field: string, value: string): string | undefined {
  const attribute =
    [...schema.attributes.values()].find(({ path }) => path?.join('.') === field) ??
    findAttribute(schema, field);
  if (attribute === undefined || /[^\w\u0080-\uffff]/.test(attribute.name)) return undefined;
  if (attribute.type === 'NUMERIC' && /^-?\d+(?:\.\d+)?$/.test(value)) {
    return `@${attribute.name}:[${value} ${value}]`;
  }
  if (attribute.type !== 'TAG' || value === '') return undefined;
  return `@${attribute.name}:{${value.replaceAll(/[\0-\x7f]/g, escapeTag)}}`;
}

function escapeTag(character: string): string {
  return /\w/.test(character) ? character : `\\${character}`;
}

/** Quotes and escapes are read in every way that the server might: each way must leave the brackets closed. */
function isBalanced(query: string): boolean {
  const quotes = query.match(/"/g)?.length ?? 0;
  if (quotes % 2 !== 0 || query.includes('\\"') || query.includes("'")) return false;
  const unescaped = query.replaceAll(/\\./gs, 'x');
  return [
    query,
    unescaped,
    query.replaceAll(/"[^"]*"/g, ''),
    unescaped.replaceAll(/"[^"]*"/g, ''),
  ].every((text) => closes(text, '(', ')') && closes(text, '[', ']') && closes(text, '{', '}'));
}

function closes(text: string, open: string, close: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === open) depth += 1;
    else if (character === close) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function depthAt(text: string, end: number): number {
  const before = text.slice(0, end);
  return (before.match(/[([{]/g)?.length ?? 0) - (before.match(/[)\]}]/g)?.length ?? 0);
}
