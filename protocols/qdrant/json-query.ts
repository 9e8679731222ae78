/** The `query` of a REST body and everything it may be: vectors, ids, orders, formulas. Reads only. */

import type { JsonNode } from '../wire/json.ts';
import { asList, asText, bodyError, countIds, membersOf, oneOrMany } from './json-body.ts';
import { readFieldPath } from './field-path.ts';
import { readExpression } from './json-filter.ts';
import type { Findings } from './findings.ts';

/** Of vectors that the server makes from text, images and objects (inference). */
const INFERENCE_MEMBERS = ['text', 'image', 'object', 'model', 'options'];
const VECTOR_MEMBERS = new Set(['indices', 'values', ...INFERENCE_MEMBERS]);
const QUERY_MEMBERS = new Set([
  ...VECTOR_MEMBERS,
  'nearest',
  'mmr',
  'recommend',
  'discover',
  'context',
  'order_by',
  'fusion',
  'rrf',
  'formula',
  'defaults',
  'sample',
  'relevance_feedback',
]);
const ORDER_MEMBERS = new Set(['key', 'direction', 'start_from']);
const PAIR_MEMBERS = new Set(['positive', 'negative']);
const RECOMMEND_MEMBERS = new Set([...PAIR_MEMBERS, 'strategy']);
const DISCOVER_MEMBERS = new Set(['target', 'context']);
const FEEDBACK_MEMBERS = new Set(['target', 'feedback', 'strategy']);
const FEEDBACK_ITEM_MEMBERS = new Set(['example', 'score']);

export function readQuery(node: JsonNode, findings: Findings): void {
  if (node.kind !== 'object') {
    readVector(node, findings);
    return;
  }
  for (const [name, value] of membersOf(node, 'a query', QUERY_MEMBERS)) {
    readQueryMember(name, value, findings);
  }
}

function readQueryMember(name: string, value: JsonNode, findings: Findings): void {
  switch (name) {
    case 'nearest':
      readVector(value, findings);
      break;
    case 'recommend':
      readMembers(value, RECOMMEND_MEMBERS, findings);
      break;
    case 'discover':
      readMembers(value, DISCOVER_MEMBERS, findings);
      break;
    case 'context':
      readContext(value, findings);
      break;
    case 'relevance_feedback':
      readMembers(value, FEEDBACK_MEMBERS, findings);
      break;
    case 'order_by':
      findings.isScan = true;
      readOrder(value, findings);
      break;
    case 'sample':
      findings.isScan = true;
      break;
    case 'formula':
      readExpression(value, findings);
      break;
    default:
    // Numbers, and what the caller itself sends to be embedded.
  }
}

function readMembers(node: JsonNode, known: ReadonlySet<string>, findings: Findings): void {
  for (const [name, value] of membersOf(node, 'a query', known)) {
    readExample(name, value, findings);
  }
}

/** Members that hold vectors or ids, by the names that they have everywhere. */
export function readExample(name: string, value: JsonNode, findings: Findings): void {
  if (name === 'positive' || name === 'negative') readExamples(value, findings);
  else if (name === 'target') readVector(value, findings);
  else if (name === 'context') readContext(value, findings);
  else if (name === 'feedback') {
    for (const item of asList(value, 'feedback')) {
      const example = membersOf(item, 'feedback', FEEDBACK_ITEM_MEMBERS).get('example');
      if (example !== undefined) readVector(example, findings);
    }
  }
}

/** A list of numbers is a list of ids here. */
function readExamples(node: JsonNode, findings: Findings): void {
  if (node.kind === 'array' && node.isPacked) {
    findings.startsFromPoints = true;
    return;
  }
  for (const item of asList(node, 'examples')) readVector(item, findings);
}

function readContext(node: JsonNode, findings: Findings): void {
  for (const pair of oneOrMany(node, 'a context')) {
    for (const [, value] of membersOf(pair, 'a context pair', PAIR_MEMBERS)) {
      readVector(value, findings);
    }
  }
}

function readVector(node: JsonNode, findings: Findings): void {
  if (node.kind === 'number' || node.kind === 'string') {
    findings.startsFromPoints = true;
  } else if (node.kind === 'array') {
    checkNumbers(node);
  } else {
    membersOf(node, 'a vector', VECTOR_MEMBERS);
  }
}

/**
 * One list of numbers or a list of such lists. Anything else in a list could be the members of a query by
 * their position: `["email"]` is read by the server as `{"order_by": "email"}`.
 */
function checkNumbers(node: JsonNode): void {
  if (node.kind !== 'array') throw bodyError('a vector must be a list of numbers');
  if (node.isPacked || node.count === 0) return;
  for (const item of node.items) {
    if (item.kind !== 'array' || (!item.isPacked && item.count > 0)) {
      throw bodyError('a vector must be a list of numbers');
    }
  }
}

export function readOrder(node: JsonNode, findings: Findings): void {
  const members = node.kind === 'string' ? undefined : membersOf(node, 'order_by', ORDER_MEMBERS);
  const key = members === undefined ? node : members.get('key');
  if (key === undefined) throw bodyError('order_by needs a key');
  const path = readFieldPath(asText(key, 'order_by'));
  findings.steering.push(path);
  findings.orderPaths.push(path);
}

export function readIds(node: JsonNode): number {
  return countIds(node, 'ids');
}
