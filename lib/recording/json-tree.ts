/**
 * Recorded JSON as a tree for people, and the ids in it. Numbers stay the text that they were: an id above
 * 2^53 is not changed by being looked at (vector.md 0.2). What is no JSON gives undefined, never an error.
 */

import { shorten } from './printable.ts';
import type { Member, Tree } from './tree.ts';

/** Numbers of a list shown: what is longer is a vector, whose length says more than its values. */
const NUMBERS_SHOWN = 2;
const VECTOR_LENGTH_MIN = 5;
/** Base64 vectors and documents are long. */
const TEXT_LENGTH_MAX = 160;
/** The gateway's own reader has a lower limit, so that nothing recorded as read is deeper. */
const DEPTH_MAX = 200;

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;
const NUMBER = /^-?\d/;

export type JsonValue =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly JsonValue[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, JsonValue])[] };

export function parseJson(text: string): JsonValue | undefined {
  const reader = new TokenReader(text);
  const value = reader.readValue(0);
  return reader.isAtEnd ? value : undefined;
}

class TokenReader {
  readonly #tokens: Iterator<RegExpExecArray>;
  #token: string | undefined;

  constructor(text: string) {
    this.#tokens = text.matchAll(TOKEN);
    this.#advance();
  }

  get isAtEnd(): boolean {
    return this.#token === undefined;
  }

  readValue(depth: number): JsonValue | undefined {
    const token = this.#token;
    if (token === undefined || depth > DEPTH_MAX) return undefined;
    this.#advance();
    if (token === '{') return this.#readObject(depth);
    if (token === '[') return this.#readList(depth);
    return /^[}\],:]/.test(token) ? undefined : { kind: 'scalar', text: token };
  }

  #readObject(depth: number): JsonValue | undefined {
    const members: [string, JsonValue][] = [];
    while (this.#token !== '}') {
      const name = this.#token;
      if (name === undefined || !name.startsWith('"')) return undefined;
      this.#advance();
      if (this.#token !== ':') return undefined;
      this.#advance();
      const value = this.readValue(depth + 1);
      if (value === undefined || !this.#endMember('}')) return undefined;
      members.push([name, value]);
    }
    this.#advance();
    return { kind: 'object', members };
  }

  #readList(depth: number): JsonValue | undefined {
    const items: JsonValue[] = [];
    while (this.#token !== ']') {
      const value = this.readValue(depth + 1);
      if (value === undefined || !this.#endMember(']')) return undefined;
      items.push(value);
    }
    this.#advance();
    return { kind: 'list', items };
  }

  #endMember(closing: string): boolean {
    if (this.#token === closing) return true;
    if (this.#token !== ',') return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    const next = this.#tokens.next();
    this.#token = next.done === true ? undefined : next.value[0];
  }
}

export function toTree(value: JsonValue): Tree {
  switch (value.kind) {
    case 'scalar':
      return shortenScalar(value.text);
    case 'object':
      return {
        open: '{',
        members: value.members.map(
          ([name, inner]): Member => ({ label: shortenScalar(name), tree: toTree(inner) }),
        ),
      };
    case 'list':
      return toVector(value.items) ?? { open: '[', members: value.items.map(toElement) };
  }
}

function toElement(value: JsonValue): Member {
  return { label: undefined, tree: toTree(value) };
}

function toVector(items: readonly JsonValue[]): string | undefined {
  if (items.length < VECTOR_LENGTH_MIN) return undefined;
  const isNumbers = items.every((one) => one.kind === 'scalar' && NUMBER.test(one.text));
  return isNumbers
    ? shortenNumbers(items.map((one) => (one.kind === 'scalar' ? one.text : '')))
    : undefined;
}

/** `[0.12, 0.98, ... 768 numbers]` */
export function shortenNumbers(numbers: readonly string[]): string {
  if (numbers.length < VECTOR_LENGTH_MIN) return `[${numbers.join(', ')}]`;
  const shown = numbers.slice(0, NUMBERS_SHOWN).join(', ');
  return `[${shown}, ... ${numbers.length} numbers]`;
}

function shortenScalar(text: string): string {
  if (text.length <= TEXT_LENGTH_MAX) return text;
  const isText = text.startsWith('"');
  return isText
    ? `${shorten(text, TEXT_LENGTH_MAX)}" (${text.length - 2} characters)`
    : shorten(text, TEXT_LENGTH_MAX);
}

/** The text of a scalar without its quotes and escapes. */
export function plainText(text: string): string {
  if (!text.startsWith('"')) return text;
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    const plain: unknown = JSON.parse(text);
    return typeof plain === 'string' ? plain : text;
  } catch {
    return text;
  }
}
