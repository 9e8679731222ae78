/**
 * What all readers of Chroma's requests have in common: the call that they read, the names in its path,
 * and requests that no restriction touches or that can carry none.
 */

import type { RequestHead } from '../contract.ts';
import type { FieldPath, Restrictions, StoreAccess, StoreEffect, StoreName } from '../store.ts';
import type { ReadRequest, RestrictedRequest } from '../wire/store-product.ts';
import { maskCollections } from './answers.ts';
import { readUuid } from './path.ts';

/** One request under a route of the table. */
export interface Call {
  /** As in the table: `POST /api/v2/tenants`. */
  readonly route: string;
  /** Decoded names out of the path: tenant, database, collection_id, ... */
  readonly params: ReadonlyMap<string, string>;
  readonly head: RequestHead;
  readonly body: Buffer;
}

export type ReadCall = (call: Call) => ReadRequest;

export const NO_STEERING: readonly FieldPath[] = [];

export function param(call: Call, name: string): string {
  const text = call.params.get(name);
  if (text === undefined) throw new Error(`${call.route} has no ${name}`);
  return text;
}

/** Data routes take any tenant and database beside an id that exists: names.ts checks that they belong together. */
export function collectionById(call: Call): StoreName {
  const id = readUuid(param(call, 'collection_id'));
  return { kind: 'id', path: [param(call, 'tenant'), param(call, 'database'), id] };
}

export function collectionNamed(call: Call, name: string): StoreName {
  return { kind: 'collection', path: [param(call, 'tenant'), param(call, 'database'), name] };
}

export function container(...path: readonly string[]): StoreName {
  return { kind: 'container', path };
}

/** All effects on one target. */
export function access(
  target: StoreName | undefined,
  ...effects: readonly StoreEffect[]
): StoreAccess[] {
  return effects.map((effect) => ({ effect, target }));
}

/** For people, after "this request"; undefined: it touches no record, so that no restriction concerns it. */
type NoFilterReason = string | undefined;

interface PlainOptions {
  readonly changesNames?: boolean;
  readonly carries?: string;
}

/** A request without records in it: nothing to cut down, or nothing that could be. */
export function plainRequest(
  call: Call,
  accesses: readonly StoreAccess[],
  reason: NoFilterReason,
  options: PlainOptions = {},
): ReadRequest {
  const restrict = ({ filter }: Restrictions): RestrictedRequest | string =>
    filter.length === 0 || reason === undefined ? {} : refuseFilter(reason);
  const { route } = call;
  return {
    route,
    accesses,
    steering: NO_STEERING,
    restrict,
    maskAnswer: maskCollections,
    ...options,
  };
}

export function refuseFilter(reason: string): string {
  return `a rule lets you reach only part of this collection, and ${reason}`;
}

export function refuseUnknown(): string {
  return 'a rule cuts down what you may reach, and this request has a member that Weir does not know';
}
