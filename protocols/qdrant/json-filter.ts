/**
 * Filters, formulas and queries of REST bodies: which payload fields they look at, and how a demand of
 * the policy is put around a filter. Members of Qdrant 1.19 (vector.md 2.1, lib/api/src/rest/schema.rs);
 * an untagged object may be read by the server as any of its forms, so the members of all of them count.
 */

import type { FieldPath } from '../store.ts';
import type { JsonNode } from '../wire/json.ts';
import { asList, asObject, asText, bodyError, membersOf, oneOrMany } from './json-body.ts';
import type { FieldDemand } from './field-path.ts';
import { readFieldPath } from './field-path.ts';
import type { Findings } from './findings.ts';

const FILTER_MEMBERS = new Set(['must', 'should', 'must_not', 'min_should']);
/** Their values are compared with, so they tell nothing by themselves. */
const FIELD_MEMBERS = [
  'match',
  'range',
  'geo_bounding_box',
  'geo_radius',
  'geo_polygon',
  'values_count',
];
const CONDITION_MEMBERS = new Set([
  ...FILTER_MEMBERS,
  ...FIELD_MEMBERS,
  'key',
  'is_empty',
  'is_null',
  'has_id',
  'has_vector',
  'nested',
]);
const KEY_ONLY = new Set(['key']);
const NESTED_MEMBERS = new Set(['key', 'filter']);
const MIN_SHOULD_MEMBERS = new Set(['conditions', 'min_count']);

export function readFilter(node: JsonNode, findings: Findings, base: FieldPath = []): void {
  for (const [name, value] of membersOf(node, 'a filter', FILTER_MEMBERS)) {
    readClause(name, value, findings, base);
  }
}

function readClause(name: string, value: JsonNode, findings: Findings, base: FieldPath): void {
  if (name !== 'min_should') {
    for (const item of oneOrMany(value, 'a clause')) readCondition(item, findings, base);
    return;
  }
  const members = membersOf(value, 'min_should', MIN_SHOULD_MEMBERS);
  const conditions = members.get('conditions');
  if (conditions === undefined) return;
  for (const item of asList(conditions, 'conditions')) readCondition(item, findings, base);
}

function readCondition(node: JsonNode, findings: Findings, base: FieldPath): void {
  for (const [name, value] of membersOf(node, 'a condition', CONDITION_MEMBERS)) {
    readConditionMember(name, value, findings, base);
  }
}

function readConditionMember(
  name: string,
  value: JsonNode,
  findings: Findings,
  base: FieldPath,
): void {
  if (FILTER_MEMBERS.has(name)) readClause(name, value, findings, base);
  else if (name === 'key') addKey(value, findings, base);
  else if (name === 'nested') readNested(value, findings, base);
  else if (name === 'is_empty' || name === 'is_null') {
    // `{is_empty: {key}}` is a condition of its own, `{key, is_empty: true}` a part of one.
    if (value.kind === 'true' || value.kind === 'false') return;
    const key = membersOf(value, name, KEY_ONLY).get('key');
    if (key === undefined) throw bodyError(`${name} needs a key`);
    addKey(key, findings, base);
  }
}

function readNested(node: JsonNode, findings: Findings, base: FieldPath): void {
  const members = membersOf(node, 'nested', NESTED_MEMBERS);
  const key = members.get('key');
  const filter = members.get('filter');
  if (key === undefined || filter === undefined) throw bodyError('nested needs a key and a filter');
  const path = addKey(key, findings, base);
  readFilter(filter, findings, path);
}

function addKey(node: JsonNode, findings: Findings, base: FieldPath): FieldPath {
  const path = [...base, ...readFieldPath(asText(node, 'a key'))];
  findings.steering.push(path);
  return path;
}

const LIST_EXPRESSIONS = new Set(['mult', 'sum']);
const ONE_EXPRESSIONS = new Set(['neg', 'abs', 'sqrt', 'exp', 'log10', 'ln']);
const DECAYS = new Set(['exp_decay', 'gauss_decay', 'lin_decay']);
/** Of objects below an expression: which of their members are expressions again, and which are none. */
const PARTS: ReadonlyMap<
  string,
  readonly [expressions: readonly string[], others: readonly string[]]
> = new Map([
  ['div', [['left', 'right'], ['by_zero_default']]],
  ['pow', [['base', 'exponent'], []]],
  ...[...DECAYS].map((name): [string, [string[], string[]]] => [
    name,
    [
      ['x', 'target'],
      ['scale', 'midpoint'],
    ],
  ]),
]);

/** `$score`, `$score[0]`: the results of what was fetched before, no field. */
const SCORE = /^\$score(?:\[\d+\])?$/;

export function readExpression(node: JsonNode, findings: Findings): void {
  if (node.kind === 'number') return;
  if (node.kind === 'string') {
    if (!SCORE.test(node.text)) addVariable(node, findings);
    return;
  }
  for (const [name, value] of asObject(node, 'an expression').members) {
    if (value.kind !== 'null') readExpressionMember(name, value, findings);
  }
}

function readExpressionMember(name: string, value: JsonNode, findings: Findings): void {
  const parts = PARTS.get(name);
  if (CONDITION_MEMBERS.has(name)) readConditionMember(name, value, findings, []);
  else if (LIST_EXPRESSIONS.has(name)) readExpressions(value, findings);
  else if (ONE_EXPRESSIONS.has(name)) readExpression(value, findings);
  else if (name === 'datetime_key') addVariable(value, findings);
  else if (name === 'geo_distance') {
    const to = membersOf(value, name, new Set(['origin', 'to'])).get('to');
    if (to === undefined) throw bodyError('geo_distance needs a field');
    addVariable(to, findings);
  } else if (parts !== undefined) {
    const [expressions, others] = parts;
    const members = membersOf(value, name, new Set([...expressions, ...others]));
    for (const part of expressions) {
      const found = members.get(part);
      if (found !== undefined) readExpression(found, findings);
    }
  } else if (name !== 'datetime') throw bodyError('an expression that Weir does not know');
}

function addVariable(node: JsonNode, findings: Findings): void {
  findings.computed.push(addKey(node, findings, []));
}

function readExpressions(node: JsonNode, findings: Findings): void {
  if (node.kind === 'array' && node.isPacked) return;
  for (const item of asList(node, 'expressions')) readExpression(item, findings);
}

/** Around what the client wrote, which stays as it is: a filter is a condition too. */
export function narrowedFilter(
  filter: string | undefined,
  demands: readonly FieldDemand[],
  ids?: string,
): string {
  const conditions = demands.map(({ key, value }) => JSON.stringify({ key, match: { value } }));
  const own = filter === undefined || isEmptyObject(filter) ? [] : [filter];
  const chosen = ids === undefined ? [] : [`{"has_id":${ids}}`];
  return `{"must":[${[...own, ...chosen, ...conditions].join(',')}]}`;
}

function isEmptyObject(text: string): boolean {
  return /^\{\s*\}$/.test(text);
}
