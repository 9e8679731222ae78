/**
 * Where requests of Milvus name databases and collections: text to StoreName, nothing looked up. The database
 * is in the request, else in the metadata `dbname` (REST: `DB-Name`), else it is `default`.
 */

import type { HeaderList } from '../contract.ts';
import type { StoreAccess, StoreEffect, StoreName } from '../store.ts';
import type { RpcPlace } from './rpcs.ts';
import type { RequestMessage } from './request-reader.ts';
import { broken, fieldsOf, textOf, textsOf } from './request-reader.ts';

const DEFAULT_DATABASE = 'default';
/** What no name in Milvus has, and what could make two names of one, or one of two. */
const BROKEN_NAME = /[\s/,\p{Cc}]/u;

/** Of `names` (`dbname`), all values; two are an error, since servers choose differently. */
export function defaultDatabase(headers: HeaderList, header: string): string {
  const values = headers.filter(([name]) => name === header).map(([, value]) => value);
  if (values.length > 1) throw broken('MILVUS_DATABASE_TWICE', `${header} is given twice`);
  return databaseName(values[0] ?? '', DEFAULT_DATABASE);
}

export function databaseName(text: string, fallback: string): string {
  return text === '' ? fallback : checkedName(text);
}

export function checkedName(text: string): string {
  if (BROKEN_NAME.test(text)) throw broken('MILVUS_NAME', 'a name of characters that no name has');
  return text;
}

export function collectionOf(database: string, name: string): StoreName {
  return { kind: 'collection', path: [database, checkedName(name)] };
}

/** Of one place in a request; several names are several accesses. */
export function accessesAt(
  place: RpcPlace,
  message: RequestMessage,
  fallback: string,
): StoreAccess[] {
  const database = databaseName(place.db === undefined ? '' : textOf(message, place.db), fallback);
  const targets = targetsAt(place, message, database);
  return targets.flatMap((target) => place.effects.map((effect) => ({ effect, target })));
}

function targetsAt(
  place: RpcPlace,
  message: RequestMessage,
  database: string,
): (StoreName | undefined)[] {
  const names = place.names === undefined ? [] : textsOf(message, place.names);
  const ids = place.ids === undefined ? [] : idsOf(message, place.ids);
  const targets: StoreName[] = [
    ...names.filter((name) => name !== '').map((name) => collectionOf(database, name)),
    ...ids.map((id) => ({ kind: 'id', path: [database, id] }) as const),
  ];
  if (targets.length > 0) return targets;
  return [place.otherwise === 'database' ? { kind: 'container', path: [database] } : undefined];
}

/** Numbers of collections, one by one or packed; 0 is none. */
function idsOf(message: RequestMessage, name: string): string[] {
  return fieldsOf(message, name)
    .flatMap((field) => {
      if (field.wireType === 0) return [BigInt(field.value)];
      return field.wireType === 2 ? unpackVarints(field.value) : [];
    })
    .filter((id) => id !== 0n)
    .map(String);
}

export function unpackVarints(bytes: Buffer): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (shift > 70n) throw broken('PROTO_VARINT', 'a varint of more than ten bytes');
    if (byte < 0x80) {
      values.push(value);
      value = 0n;
      shift = 0n;
    }
  }
  if (shift !== 0n) throw broken('PROTO_TRUNCATED', 'a packed list that ends inside a number');
  return values;
}

export function accessTo(effect: StoreEffect, target: StoreName | undefined): StoreAccess {
  return { effect, target };
}
