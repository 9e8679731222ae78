/**
 * Every RPC of Qdrant: effects, where its collection is, what comes back. All of the descriptors of
 * @qdrant/js-client-grpc 1.18 (a test compares), health and reflection. Data only; others are refused, those
 * between servers (PointsInternal, CollectionsInternal, raft) too.
 */

import type { StoreEffect } from '../store.ts';
import type { WriteKind } from './json-writes.ts';
import type { RpcAnswer } from './proto-answers.ts';
import type { ReadMessage } from './rpc-messages.ts';

export type RpcBody =
  /** Nothing in it matters: it streams. */
  | { readonly kind: 'none' }
  /** `1 collection_name`, and nothing else that matters. */
  | { readonly kind: 'named' }
  | { readonly kind: 'read'; readonly message: ReadMessage; readonly isBatch: boolean }
  /** `write` undefined: UpdateBatchPoints. */
  | { readonly kind: 'write'; readonly write: WriteKind | undefined }
  | { readonly kind: 'aliases' }
  | { readonly kind: 'create' };

export interface RpcRoute {
  /** `qdrant.Points/Query`. */
  readonly name: string;
  readonly effects: readonly StoreEffect[];
  readonly body: RpcBody;
  readonly answer?: RpcAnswer;
  readonly isOpen?: boolean;
  readonly changesNames?: boolean;
}

type More = Pick<RpcRoute, 'answer' | 'isOpen' | 'changesNames'>;

const NONE: RpcBody = { kind: 'none' };
const NAMED: RpcBody = { kind: 'named' };
const RENAMES: More = { changesNames: true };

function read(
  rpc: string,
  effects: readonly StoreEffect[],
  message: ReadMessage,
  answer?: RpcAnswer,
): RpcRoute {
  const body: RpcBody = { kind: 'read', message, isBatch: rpc.endsWith('Batch') };
  return {
    name: `qdrant.Points/${rpc}`,
    effects,
    body,
    ...(answer === undefined ? {} : { answer }),
  };
}

function write(rpc: string, kind: WriteKind | undefined): RpcRoute {
  return { name: `qdrant.Points/${rpc}`, effects: [], body: { kind: 'write', write: kind } };
}

function other(name: string, effect: StoreEffect, body: RpcBody, more: More = {}): RpcRoute {
  return { name: `qdrant.${name}`, effects: [effect], body, ...more };
}

export const RPC_ROUTES: readonly RpcRoute[] = [
  { name: 'qdrant.Qdrant/HealthCheck', effects: [], body: NONE, isOpen: true },
  { name: 'grpc.health.v1.Health/Check', effects: [], body: NONE, isOpen: true },
  ...['v1', 'v1alpha'].map((version): RpcRoute => {
    const name = `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    return { name, effects: ['describe'], body: NONE };
  }),

  other('Collections/List', 'describe', NONE),
  other('Collections/ListAliases', 'describe', NONE),
  other('Collections/Get', 'describe', NAMED, { answer: 'collection' }),
  other('Collections/CollectionExists', 'describe', NAMED),
  other('Collections/ListCollectionAliases', 'describe', NAMED),
  other('Collections/ListShardKeys', 'describe', NAMED),
  other('Collections/CollectionClusterInfo', 'describe', NAMED),
  other('Collections/Create', 'create', { kind: 'create' }, RENAMES),
  other('Collections/Update', 'alter', NAMED),
  other('Collections/Delete', 'drop', NAMED, RENAMES),
  other('Collections/UpdateAliases', 'alter', { kind: 'aliases' }, RENAMES),
  other('Collections/CreateShardKey', 'alter', NAMED),
  other('Collections/DeleteShardKey', 'drop', NAMED),
  other('Collections/UpdateCollectionClusterSetup', 'admin', NAMED),

  read('Get', ['read'], 'GetPoints', 'retrieved'),
  read('Scroll', ['read', 'export'], 'ScrollPoints', 'scroll'),
  read('Count', ['count'], 'CountPoints'),
  read('Facet', ['read', 'count'], 'FacetCounts', 'facet'),
  read('Query', ['search'], 'QueryPoints', 'scored'),
  read('QueryBatch', ['search'], 'QueryPoints', 'scored-batch'),
  read('QueryGroups', ['search'], 'QueryPointGroups', 'groups'),
  read('Search', ['search'], 'SearchPoints', 'scored'),
  read('SearchBatch', ['search'], 'SearchPoints', 'scored-batch'),
  read('SearchGroups', ['search'], 'SearchPointGroups', 'groups'),
  read('SearchMatrixPairs', ['search'], 'SearchMatrixPoints'),
  read('SearchMatrixOffsets', ['search'], 'SearchMatrixPoints'),
  read('Recommend', ['search'], 'RecommendPoints', 'scored'),
  read('RecommendBatch', ['search'], 'RecommendPoints', 'scored-batch'),
  read('RecommendGroups', ['search'], 'RecommendPointGroups', 'groups'),
  read('Discover', ['search'], 'DiscoverPoints', 'scored'),
  read('DiscoverBatch', ['search'], 'DiscoverPoints', 'scored-batch'),

  write('Upsert', 'upsert'),
  write('Delete', 'delete'),
  write('UpdateVectors', 'update_vectors'),
  write('DeleteVectors', 'delete_vectors'),
  write('SetPayload', 'set_payload'),
  write('OverwritePayload', 'overwrite_payload'),
  write('DeletePayload', 'delete_payload'),
  write('ClearPayload', 'clear_payload'),
  write('UpdateBatch', undefined),
  other('Points/CreateFieldIndex', 'alter', NAMED),
  other('Points/DeleteFieldIndex', 'alter', NAMED),
  other('Points/CreateVectorName', 'alter', NAMED),
  other('Points/DeleteVectorName', 'drop', NAMED),

  other('Snapshots/Create', 'export', NAMED),
  other('Snapshots/List', 'admin', NAMED),
  other('Snapshots/Delete', 'admin', NAMED),
  other('Snapshots/CreateFull', 'export', NONE),
  other('Snapshots/ListFull', 'admin', NONE),
  other('Snapshots/DeleteFull', 'admin', NONE),
];
