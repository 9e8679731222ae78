/** gRPC messages that read, single and in batches: what they ask, in the same form as REST bodies. */

import type { Findings } from './findings.ts';
import { addLimit, createFindings } from './findings.ts';
import { GROUP_SIZE_DEFAULT, LIMIT_DEFAULT } from './json-reads.ts';
import type { Part, Shape, Walk } from './proto-shapes.ts';
import { PLAIN, bytesOf, countOf, many, one, textOf, walkMessage } from './proto-shapes.ts';
import type { ReadMessage, Role } from './rpc-messages.ts';
import {
  BATCH_COLLECTION,
  BATCH_OTHERS,
  BATCH_REQUESTS,
  PREFETCH_ROLES,
  READ_MESSAGES,
  shapeOf,
} from './rpc-messages.ts';

export interface ProtoReads {
  readonly findings: Findings;
  /** Of the message, and those that requests in a batch name beside it. */
  readonly collections: readonly string[];
}

/** Of one request. */
interface Numbers {
  readonly collections: string[];
  limit: number;
  groupSize: number;
  sample: number;
  ids: number;
}

export function readProtoReads(bytes: Buffer, message: ReadMessage, isBatch: boolean): ProtoReads {
  const findings = createFindings();
  const walk: Walk = { findings, base: [], depth: 0 };
  if (!isBatch) {
    const collections = readRequest(bytes, message, walk);
    return { findings, collections: [collections[0] ?? ''] };
  }
  const outer: string[] = [];
  const inner: string[] = [];
  const shape: Shape = new Map([
    [BATCH_COLLECTION, one((field) => outer.push(textOf(field)))],
    [
      BATCH_REQUESTS,
      many((field, below) => inner.push(...readRequest(bytesOf(field), message, below))),
    ],
    ...BATCH_OTHERS.map((number): [number, Part] => [number, PLAIN]),
  ]);
  walkMessage(bytes, shape, walk);
  const named = inner.filter((name) => name !== '');
  return { findings, collections: [...new Set([outer[0] ?? '', ...named])] };
}

function readRequest(bytes: Buffer, message: ReadMessage, walk: Walk): string[] {
  const numbers: Numbers = {
    collections: [],
    limit: LIMIT_DEFAULT,
    groupSize: GROUP_SIZE_DEFAULT,
    sample: LIMIT_DEFAULT,
    ids: 0,
  };
  const roles = READ_MESSAGES[message];
  const lookups = walk.findings.lookups.length;
  const seen = new Set<Role>();
  const shape = shapeOf(roles, {
    collection: one((field) => numbers.collections.push(textOf(field))),
    limit: one((field) => {
      numbers.limit = countOf(field);
    }),
    'group-size': one((field) => {
      numbers.groupSize = countOf(field);
    }),
    sample: one((field) => {
      numbers.sample = countOf(field);
    }),
    ids: many(() => {
      numbers.ids += 1;
    }),
    prefetch: PREFETCH_PARTS,
  });
  walkMessage(bytes, noting(shape, roles, seen), walk);
  if (message.startsWith('Query') && !seen.has('query')) walk.findings.isScan = true;
  const hasLookup = walk.findings.lookups.length > lookups;
  const count = recordsOf(message, numbers, hasLookup);
  if (count !== undefined) addLimit(walk.findings, count);
  return numbers.collections;
}

/** The same shape, which also notes the roles that it meets. */
function noting(shape: Shape, roles: ReadonlyMap<number, Role>, seen: Set<Role>): Shape {
  return new Map(
    [...shape].map(([number, part]): [number, Part] => {
      const role = roles.get(number);
      const visit: Part['visit'] = (field, walk) => {
        if (role !== undefined) seen.add(role);
        part.visit(field, walk);
      };
      return [number, { isRepeated: part.isRepeated, visit }];
    }),
  );
}

const NONE: Part = PLAIN;
const PREFETCH_PARTS: Part = many((field, walk) => {
  const seen = new Set<Role>();
  const shape = shapeOf(PREFETCH_ROLES, {
    collection: NONE,
    limit: NONE,
    'group-size': NONE,
    sample: NONE,
    ids: NONE,
    prefetch: PREFETCH_PARTS,
  });
  walkMessage(bytesOf(field), noting(shape, PREFETCH_ROLES, seen), walk);
  if (!seen.has('query')) walk.findings.isScan = true;
});

function recordsOf(message: ReadMessage, numbers: Numbers, hasLookup: boolean): number | undefined {
  switch (message) {
    case 'CountPoints':
      return undefined;
    case 'GetPoints':
      return numbers.ids;
    case 'SearchMatrixPoints':
      return numbers.sample;
    case 'QueryPointGroups':
    case 'SearchPointGroups':
    case 'RecommendPointGroups':
      return numbers.limit * (numbers.groupSize + (hasLookup ? 1 : 0));
    case 'QueryPoints':
    case 'SearchPoints':
    case 'RecommendPoints':
    case 'DiscoverPoints':
    case 'ScrollPoints':
    case 'FacetCounts':
      return numbers.limit;
  }
}
