/**
 * Bodies of REST requests as objects with known members. serde, which reads them in the server, takes a
 * list where it expects an object (its members by position) and ignores members that it does not know:
 * both are refused here, because what Weir reads must be all that the server reads.
 */

import { ProtocolError } from '../errors.ts';
import type { JsonEdit, JsonNode, JsonObject } from '../wire/json.ts';
import { readJson } from '../wire/json.ts';

export function bodyError(what: string): ProtocolError {
  return new ProtocolError('QDRANT_BODY', 'client', what);
}

export function readBody(body: Buffer): JsonObject {
  return asObject(readJson(body, 'client'), 'the body');
}

export function asObject(node: JsonNode, what: string): JsonObject {
  if (node.kind !== 'object') throw bodyError(`${what} must be an object`);
  return node;
}

/** Members that are missing or null are left out. */
export function membersOf(
  node: JsonNode,
  what: string,
  known: ReadonlySet<string>,
): ReadonlyMap<string, JsonNode> {
  const members = new Map<string, JsonNode>();
  for (const [name, value] of asObject(node, what).members) {
    if (!known.has(name)) throw bodyError(`${what} has a member that Weir does not know`);
    if (value.kind !== 'null') members.set(name, value);
  }
  return members;
}

export function asText(node: JsonNode, what: string): string {
  if (node.kind !== 'string') throw bodyError(`${what} must be text`);
  return node.text;
}

/** Only plain digits, as the server reads an unsigned number. */
export function asCount(node: JsonNode, what: string): number {
  const count = node.kind === 'number' && /^\d+$/.test(node.text) ? Number(node.text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw bodyError(`${what} must be a whole number`);
  return count;
}

/** A list of anything but numbers only; numbers only (`isPacked`) are no objects, whatever was expected. */
export function asList(node: JsonNode, what: string): readonly JsonNode[] {
  if (node.kind !== 'array') throw bodyError(`${what} must be a list`);
  if (node.isPacked) throw bodyError(`${what} must not be a list of numbers`);
  return node.items;
}

/** Of ids: numbers and text. */
export function countIds(node: JsonNode, what: string): number {
  if (node.kind !== 'array') throw bodyError(`${what} must be a list`);
  const isPlain = node.items.every(({ kind }) => kind === 'number' || kind === 'string');
  if (!isPlain) throw bodyError(`${what} must be a list of ids`);
  return node.count;
}

/** `serde_with::OneOrMany`: one object stands for a list of it. */
export function oneOrMany(node: JsonNode, what: string): readonly JsonNode[] {
  return node.kind === 'array' ? asList(node, what) : [node];
}

export function textOf(body: Buffer, node: { start: number; end: number }): string {
  return body.toString('utf8', node.start, node.end);
}

/** Collects edits of one body; what is added to one object comes in as one text, so commas stay right. */
export class BodyEdits {
  readonly #body: Buffer;
  readonly #edits: JsonEdit[] = [];
  readonly #added = new Map<JsonObject, string[]>();

  constructor(body: Buffer) {
    this.#body = body;
  }

  text(node: { start: number; end: number }): string {
    return textOf(this.#body, node);
  }

  replace(node: { start: number; end: number }, text: string): void {
    this.#edits.push({ start: node.start, end: node.end, text });
  }

  /** Over its value where it is there, even as null; otherwise as a new member. */
  set(object: JsonObject, name: string, text: string): void {
    const present = object.members.get(name);
    if (present !== undefined) {
      this.replace(present, text);
      return;
    }
    const added = this.#added.get(object) ?? [];
    added.push(`${JSON.stringify(name)}:${text}`);
    this.#added.set(object, added);
  }

  list(): readonly JsonEdit[] {
    const inserts = [...this.#added].map(([object, texts]) => ({
      start: object.start + 1,
      end: object.start + 1,
      text: texts.join(',') + (object.members.size > 0 ? ',' : ''),
    }));
    return [...this.#edits, ...inserts];
  }
}
