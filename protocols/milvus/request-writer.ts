/**
 * Writes a gRPC request of Milvus from JSON, by the names of its fields, for `weir explain`: so that nobody has
 * to have the bytes of one. Nothing that goes to a server is made by it.
 *
 *   Query {"collection_name": "customers", "expr": "id > 3", "query_params": {"limit": 5}}
 *
 * Fields as in milvus.proto; `bytes` in base64, words of enums as their numbers, lists of key and value as objects.
 */

import { ProtocolError } from '../errors.ts';
import type { JsonNode, JsonObject } from '../wire/json.ts';
import { readJson } from '../wire/json.ts';
import { encodeBytes, encodeString, encodeVarint } from '../wire/protobuf.ts';
import { REQUEST_MESSAGES } from './request-messages.ts';
import type { FieldShape } from './request-reader.ts';
import { broken, shapeOf } from './request-reader.ts';
import { RPCS } from './rpcs.ts';

const SERVICE = 'milvus.proto.milvus.MilvusService';
const BARE = /^\s*([A-Z]\w*)(?=\s|$)/;

/** `Query {...}` stands for the RPC of that name. */
export function withService(text: string): string {
  const rpc = BARE.exec(text)?.[1] ?? '';
  return rpc in RPCS ? `${SERVICE}/${text.trimStart()}` : text;
}

/** The message; a text says why there is none. */
export function writeRequest(method: string, json: string): Buffer | string {
  const name = REQUEST_MESSAGES[method.split('/').at(-1) ?? ''];
  if (name === undefined) return `no message of ${method} is known`;
  try {
    return new Writer(Buffer.from(json, 'utf8')).write(name);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.message;
  }
}

class Writer {
  readonly #json: Buffer;

  constructor(json: Buffer) {
    this.#json = json;
  }

  write(name: string): Buffer {
    return this.#message(readJson(this.#json, 'client'), name);
  }

  #message(node: JsonNode, name: string): Buffer {
    if (node.kind !== 'object') throw unfit(name, 'an object');
    const { byName } = shapeOf(name);
    const pieces = [...node.members].map(([key, value]) => {
      const field = byName.get(key);
      if (field !== undefined) return this.#field(value, field);
      const known = [...byName.keys()].join(', ');
      throw broken('MILVUS_JSON', `${name} has no field ${JSON.stringify(key)}; it has ${known}`);
    });
    return Buffer.concat(pieces);
  }

  #field(node: JsonNode, field: FieldShape): Buffer {
    if (field.kind.startsWith('map ')) return this.#map(node, field);
    if (!field.isRepeated) return this.#value(node, field);
    if (node.kind === 'object' && field.kind === 'KeyValuePair') return this.#pairs(node, field);
    if (node.kind !== 'array') throw unfit(field.name, 'a list');
    if (!node.isPacked) return Buffer.concat(node.items.map((item) => this.#value(item, field)));
    const numbers = this.#textOf(node).slice(1, -1).split(',');
    return Buffer.concat(numbers.map((text) => number(text.trim(), field)));
  }

  #map(node: JsonNode, field: FieldShape): Buffer {
    if (node.kind !== 'object') throw unfit(field.name, 'an object');
    const kind = field.kind.slice('map '.length);
    const inside = kind === 'string' || kind === 'bytes' ? undefined : kind;
    const value = { ...field, number: 2, kind, inside };
    const entries = [...node.members].map(([key, one]) =>
      encodeBytes(field.number, Buffer.concat([encodeString(1, key), this.#value(one, value)])),
    );
    return Buffer.concat(entries);
  }

  #pairs(node: JsonObject, field: FieldShape): Buffer {
    const pairs = [...node.members].map(([key, value]) => {
      const text = value.kind === 'string' ? value.text : this.#textOf(value);
      return encodeBytes(
        field.number,
        Buffer.concat([encodeString(1, key), encodeString(2, text)]),
      );
    });
    return Buffer.concat(pairs);
  }

  #value(node: JsonNode, field: FieldShape): Buffer {
    if (field.inside !== undefined) {
      return encodeBytes(field.number, this.#message(node, field.inside));
    }
    if (field.kind === 'string' || field.kind === 'bytes') {
      if (node.kind !== 'string') throw unfit(field.name, 'a text');
      const isText = field.kind === 'string';
      return encodeBytes(field.number, Buffer.from(node.text, isText ? 'utf8' : 'base64'));
    }
    if (node.kind === 'true' || node.kind === 'false') {
      return number(node.kind === 'true' ? '1' : '0', field);
    }
    if (node.kind !== 'number') throw unfit(field.name, 'a number');
    return number(node.text, field);
  }

  #textOf({ start, end }: JsonNode): string {
    return this.#json.toString('utf8', start, end);
  }
}

/** Whole ones to the digit, however large. */
function number(text: string, field: FieldShape): Buffer {
  if (field.kind === 'varint') {
    if (!/^-?[0-9]{1,19}$/.test(text)) throw unfit(field.name, 'a whole number');
    return encodeVarint(field.number, BigInt(text));
  }
  const isFloat = field.kind === 'fixed32';
  const bytes = Buffer.alloc(isFloat ? 4 : 8);
  if (isFloat) bytes.writeFloatLE(Number(text));
  else bytes.writeDoubleLE(Number(text));
  // The tag as of a varint, without its value; its lowest bits say what follows.
  const tag = encodeVarint(field.number, 0).subarray(0, -1);
  tag.writeUInt8(tag.readUInt8(0) + field.wireType, 0);
  return Buffer.concat([tag, bytes]);
}

function unfit(name: string, what: string): ProtocolError {
  return broken('MILVUS_JSON', `${name} takes ${what}`);
}
