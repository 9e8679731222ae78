/**
 * Reads a JSON document into nodes that know their spans. For requests: what another reader could read in
 * another way (a key twice, half a surrogate pair) is an error, and arrays of numbers are counted, not read.
 */

import type { Side } from '../contract.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  HAS_ESCAPE,
  JsonScanner,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-scan.ts';

/** An upsert of 10 000 records of 30 fields has fewer; more would be a way to fill the memory with `{}`. */
export const JSON_NODES_MAX = 500_000;

interface Span {
  /** Of the token's first byte. */
  readonly start: number;
  /** Behind its last byte. */
  readonly end: number;
}

/** `text` without quotes and escapes. */
export interface JsonString extends Span {
  readonly kind: 'string';
  readonly text: string;
}

/** `text` as it stands there: ids above 2^53, `-0.0` and `1E400` are kept. */
export interface JsonNumber extends Span {
  readonly kind: 'number';
  readonly text: string;
}

export interface JsonArray extends Span {
  readonly kind: 'array';
  readonly items: readonly JsonNode[];
  /** Nothing but numbers, at least one: `items` is empty. */
  readonly isPacked: boolean;
  readonly count: number;
}

export interface JsonObject extends Span {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, JsonNode>;
}

export type JsonNode =
  | JsonString
  | JsonNumber
  | JsonArray
  | JsonObject
  | ({ readonly kind: 'true' | 'false' | 'null' } & Span);

const NO_MEMBERS: ReadonlyMap<string, JsonNode> = new Map();
const NO_ITEMS: readonly JsonNode[] = [];

/** Throws ProtocolError: JSON_SYNTAX, JSON_DUPLICATE_KEY, JSON_DEPTH, JSON_ENCODING, JSON_NODES. */
export function readJson(bytes: Buffer, blame: Side): JsonNode {
  const reader = new JsonReader(new JsonScanner(bytes, blame));
  return reader.document();
}

/** The member at the end of these keys; undefined where one is missing or no object. */
export function member(
  node: JsonNode | undefined,
  ...keys: readonly string[]
): JsonNode | undefined {
  let found = node;
  for (const key of keys) found = found?.kind === 'object' ? found.members.get(key) : undefined;
  return found;
}

class JsonReader {
  readonly #scanner: JsonScanner;
  #count = 0;

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner;
  }

  document(): JsonNode {
    const node = this.#value(0);
    this.#scanner.finish();
    return node;
  }

  #value(depth: number): JsonNode {
    const scanner = this.#scanner;
    const byte = scanner.peek();
    const start = scanner.at;
    if (++this.#count > JSON_NODES_MAX) {
      throw scanner.error('JSON_NODES', `JSON of more than ${JSON_NODES_MAX} values`);
    }
    if (byte === QUOTE) {
      const text = this.#string();
      return { kind: 'string', start, end: scanner.at, text };
    }
    if (byte === OPEN_OBJECT) return this.#object(start, depth);
    if (byte === OPEN_ARRAY) return this.#array(start, depth);
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      scanner.takeNumber();
      const text = scanner.bytes.toString('latin1', start, scanner.at);
      return { kind: 'number', start, end: scanner.at, text };
    }
    return { kind: scanner.takeLiteral(), start, end: scanner.at };
  }

  #string(): string {
    const scanner = this.#scanner;
    const start = scanner.at;
    scanner.takeString();
    return this.#checked(start, scanner.text(start));
  }

  /** Half a pair becomes U+FFFD in Go and an error in Rust, so that two readers see two texts. */
  #checked(start: number, text: string): string {
    const { traits } = this.#scanner;
    if ((traits & HAS_ESCAPE) === 0 || isWellFormed(text)) return text;
    throw this.#scanner.error('JSON_ENCODING', `half a surrogate pair at byte ${start}`);
  }

  #array(start: number, depth: number): JsonArray {
    const scanner = this.#scanner;
    scanner.checkDepth(depth);
    const count = scanner.takeNumbers();
    if (count > 0) {
      return { kind: 'array', start, end: scanner.at, items: NO_ITEMS, isPacked: true, count };
    }
    if (scanner.isEmpty(CLOSE_ARRAY)) {
      return { kind: 'array', start, end: scanner.at, items: NO_ITEMS, isPacked: false, count: 0 };
    }
    const items: JsonNode[] = [];
    do items.push(this.#value(depth + 1));
    while (scanner.hasNext(CLOSE_ARRAY));
    const { length } = items;
    return { kind: 'array', start, end: scanner.at, items, isPacked: false, count: length };
  }

  #object(start: number, depth: number): JsonObject {
    const scanner = this.#scanner;
    scanner.checkDepth(depth);
    if (scanner.isEmpty(CLOSE_OBJECT)) {
      return { kind: 'object', start, end: scanner.at, members: NO_MEMBERS };
    }
    const members = new Map<string, JsonNode>();
    do {
      if (scanner.peek() !== QUOTE) throw scanner.syntax();
      const key = this.#checked(scanner.at, scanner.takeKey());
      if (members.has(key)) {
        throw scanner.error('JSON_DUPLICATE_KEY', 'the same key twice in a JSON object');
      }
      scanner.take(COLON);
      members.set(key, this.#value(depth + 1));
    } while (scanner.hasNext(CLOSE_OBJECT));
    return { kind: 'object', start, end: scanner.at, members };
  }
}

/** String.prototype.isWellFormed is in Node 20, and not in the library of types that the project names. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
