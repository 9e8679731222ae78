/** CalcDistance over gRPC: distances between vectors, of which stored ones are named by their ids. */

import type { ReadRequest } from '../wire/store-product.ts';
import type { DataContext } from './data-reads.ts';
import { accessTo, collectionOf } from './names.ts';
import type { RequestMessage } from './request-reader.ts';
import { messagesOf, textOf } from './request-reader.ts';

/** VectorsArray { VectorIDs id_array }: stored vectors by their ids, of a collection each. */
export function readCalcDistance(message: RequestMessage, context: DataContext): ReadRequest {
  const ids = ['op_left', 'op_right'].flatMap((side) =>
    messagesOf(message, side).flatMap((array) => messagesOf(array, 'id_array')),
  );
  const accesses = ids.map((one) => {
    const name = textOf(one, 'collection_name');
    const target = name === '' ? undefined : collectionOf(context.database, name);
    return accessTo('search', target);
  });
  return {
    route: context.route,
    accesses,
    steering: [],
    restrict: ({ filter }) =>
      filter.length > 0 && ids.length > 0
        ? 'a filter cannot be added to distances between records by their ids'
        : {},
    maskAnswer: undefined,
  };
}
