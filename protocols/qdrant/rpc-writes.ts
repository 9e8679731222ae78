/** Which field of which gRPC write is what: messages by themselves, and operations of a batch. Data only. */

import type { WriteKind } from './json-writes.ts';

export interface WriteForm {
  readonly kind: WriteKind;
  /** The message is a PointsSelector itself (deprecated operations). */
  readonly isSelector?: boolean;
  readonly collection?: number;
  readonly points?: number;
  readonly selector?: number;
  readonly updateFilter?: number;
  readonly payload?: number;
  readonly key?: number;
  readonly keys?: number;
  /** Fields that matter to no rule, or are looked at only under a filter; the second ones may come often. */
  readonly plain: readonly number[];
  readonly lists: readonly number[];
}

/** Messages of RPCs: `1 collection_name` in all of them. */
export const WRITE_MESSAGES: Readonly<Record<WriteKind, WriteForm>> = {
  upsert: {
    kind: 'upsert',
    collection: 1,
    points: 3,
    updateFilter: 6,
    plain: [2, 4, 5, 7, 8],
    lists: [3],
  },
  delete: { kind: 'delete', collection: 1, selector: 3, plain: [2, 4, 5, 6], lists: [] },
  update_vectors: {
    kind: 'update_vectors',
    collection: 1,
    updateFilter: 6,
    plain: [2, 4, 5, 7],
    lists: [3],
  },
  delete_vectors: {
    kind: 'delete_vectors',
    collection: 1,
    selector: 3,
    plain: [2, 4, 5, 6, 7],
    lists: [],
  },
  set_payload: {
    kind: 'set_payload',
    collection: 1,
    payload: 3,
    selector: 5,
    key: 8,
    plain: [2, 6, 7, 8, 9],
    lists: [3],
  },
  overwrite_payload: {
    kind: 'overwrite_payload',
    collection: 1,
    payload: 3,
    selector: 5,
    key: 8,
    plain: [2, 6, 7, 8, 9],
    lists: [3],
  },
  delete_payload: {
    kind: 'delete_payload',
    collection: 1,
    keys: 3,
    selector: 5,
    plain: [2, 6, 7, 8],
    lists: [3],
  },
  clear_payload: {
    kind: 'clear_payload',
    collection: 1,
    selector: 3,
    plain: [2, 4, 5, 6],
    lists: [],
  },
};

export const BATCH_OPERATIONS = 3;

/** PointsUpdateOperation, by its oneof. */
export const OPERATIONS: ReadonlyMap<number, WriteForm> = new Map<number, WriteForm>([
  [1, { kind: 'upsert', points: 1, updateFilter: 3, plain: [2, 4], lists: [1] }],
  [2, { kind: 'delete', isSelector: true, plain: [], lists: [] }],
  [3, { kind: 'set_payload', payload: 1, selector: 2, key: 4, plain: [3, 4], lists: [1] }],
  [4, { kind: 'overwrite_payload', payload: 1, selector: 2, key: 4, plain: [3, 4], lists: [1] }],
  [5, { kind: 'delete_payload', keys: 1, selector: 2, plain: [3], lists: [1] }],
  [6, { kind: 'clear_payload', isSelector: true, plain: [], lists: [] }],
  [7, { kind: 'update_vectors', updateFilter: 3, plain: [2], lists: [1] }],
  [8, { kind: 'delete_vectors', selector: 1, plain: [2, 3], lists: [] }],
  [9, { kind: 'delete', selector: 1, plain: [2], lists: [] }],
  [10, { kind: 'clear_payload', selector: 1, plain: [2], lists: [] }],
]);
