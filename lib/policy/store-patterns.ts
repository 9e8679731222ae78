/**
 * Object patterns of rules and masks, read for one store: `customers`, `milvus:sales/*`, `redis:user:*`.
 * Parts count from the right (`customers` is a collection in any database), each is a glob or, in double
 * quotes, a name. For Redis all behind the prefix is one glob over a key or index.
 */

import type { StoreProtocol } from '../config/config.ts';
import type { StoreName } from '../../protocols/store.ts';
import {
  canMatchBelow,
  matchesEverything,
  matchesGlob,
  matchesPart,
  type PatternPart,
} from './glob.ts';

/** How many parts the whole name of a collection has: tenant, database, collection at most. */
const DEPTHS: Readonly<Record<StoreProtocol, number>> = {
  chroma: 3,
  milvus: 2,
  qdrant: 1,
  redis: 1,
};

const PREFIX = /^(chroma|qdrant|milvus|redis):/;
/** Up to the next `/`; a part in double quotes may hold one (`""` is a quote). */
const PART = /(?:"((?:[^"]|"")+)"(?=\/|$)|([^/]*))(\/|$)/y;

/** What a name in a request may stand for. */
export interface StoreMeaning extends StoreName {
  /** All keys that start with it (an index over a prefix). */
  readonly isPrefix?: boolean;
}

export interface StorePattern {
  /** `*` or `protocol:*`: what has no name, too. */
  readonly isEverything: boolean;
  readonly parts: readonly PatternPart[];
  readonly depth: number;
}

/** Undefined: the pattern speaks of another product. */
export function readStorePattern(
  pattern: string,
  protocol: StoreProtocol,
): StorePattern | undefined {
  const prefix = PREFIX.exec(pattern);
  if (prefix !== null && prefix[1] !== protocol) return undefined;
  const text = prefix === null ? pattern : pattern.slice(prefix[0].length);
  const depth = DEPTHS[protocol];
  const parts = depth === 1 ? [readPart(text)] : splitParts(text);
  return { isEverything: text === '*', parts, depth };
}

/** It names a store by its prefix, so that it cannot speak of anything in SQL. */
export function isStorePattern(pattern: string): boolean {
  return PREFIX.test(pattern);
}

function splitParts(text: string): PatternPart[] {
  const parts: PatternPart[] = [];
  PART.lastIndex = 0;
  for (let match = PART.exec(text); match !== null; match = PART.exec(text)) {
    parts.push(partOf(match[1], match[2] ?? ''));
    if (match[3] === '') break;
  }
  return parts;
}

function readPart(text: string): PatternPart {
  return partOf(/^"((?:[^"]|"")+)"$/.exec(text)?.[1], text);
}

function partOf(quoted: string | undefined, bare: string): PatternPart {
  return quoted === undefined
    ? { text: bare, isLiteral: false }
    : { text: quoted.replaceAll('""', '"'), isLiteral: true };
}

/** What `meaning` stands for is, or may hold, something that the pattern speaks of. */
export function mayMatch(pattern: StorePattern, meaning: StoreMeaning): boolean {
  if (pattern.isEverything) return true;
  if (meaning.kind === 'container') {
    return pairs(pattern, meaning.path).every(
      ({ part, name }) => name === undefined || matchesPart(part, name),
    );
  }
  return aligned(pattern, meaning).every(({ part, name }, index, list) => {
    if (name === undefined) return true;
    if (meaning.isPrefix !== true || index < list.length - 1) return matchesPart(part, name);
    return part.isLiteral ? part.text.startsWith(name) : canMatchBelow(part.text, name);
  });
}

/** The pattern speaks of all that `meaning` stands for. */
export function matchesWhole(pattern: StorePattern, meaning: StoreMeaning): boolean {
  if (pattern.isEverything) return true;
  if (meaning.kind === 'container') {
    return pairs(pattern, meaning.path).every(({ part, name }) =>
      name === undefined ? matchesEverything(part) : matchesPart(part, name),
    );
  }
  return aligned(pattern, meaning).every(({ part, name }, index, list) => {
    if (name === undefined) return matchesEverything(part);
    if (meaning.isPrefix !== true || index < list.length - 1) return matchesPart(part, name);
    return !part.isLiteral && part.text.endsWith('*') && matchesGlob(part.text, name);
  });
}

interface Pair {
  readonly part: PatternPart;
  /** Undefined: the name does not say. */
  readonly name: string | undefined;
}

/** From the right, as far as the pattern goes. */
function aligned({ parts }: StorePattern, { path }: StoreMeaning): readonly Pair[] {
  return parts.map((part, index) => ({ part, name: path[path.length - parts.length + index] }));
}

/** A container's path starts from the left of a whole name. */
function pairs({ parts, depth }: StorePattern, path: readonly string[]): readonly Pair[] {
  return parts.map((part, index) => ({ part, name: path[depth - parts.length + index] }));
}
