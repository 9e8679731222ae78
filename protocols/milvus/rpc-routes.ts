/**
 * gRPC requests of Milvus: the route of a head by `rpcs.ts`, and what its message asks. The path must be exact:
 * no query, no `//`, no escapes (vector.md section 4).
 */

import type { RequestHead } from '../contract.ts';
import type { FieldMasks, Restrictions, StoreAccess } from '../store.ts';
import type { ReadRequest, Route } from '../wire/store-product.ts';
import { maskDescription, maskDescriptions, refuseRaw } from './answers.ts';
import type { DataContext } from './data-reads.ts';
import { readHybridSearch, readQuery, readSearch } from './data-reads.ts';
import { readDelete, readInsert, readUpsert } from './data-writes.ts';
import { readCalcDistance } from './distances.ts';
import { GOES_OUTSIDE, goesOutside, OUTSIDE } from './external-sources.ts';
import { accessesAt, defaultDatabase } from './names.ts';
import { REQUEST_MESSAGES } from './request-messages.ts';
import type { RequestMessage } from './request-reader.ts';
import { broken, readMessage } from './request-reader.ts';
import type { AnswerKind, RpcRow } from './rpcs.ts';
import { RPCS, TELEMETRY_RPCS } from './rpcs.ts';

const SERVICE = 'milvus.proto.milvus.MilvusService';
const TELEMETRY = 'milvus.proto.milvus.ClientTelemetryService';
/** The SDK asks every few seconds and stops where the server does not know it (vector.md 2.2). */
export const HEARTBEAT_PATH = `/${TELEMETRY}/ClientHeartbeat`;
const HEALTH = ['grpc.health.v1.Health/Check', 'grpc.health.v1.Health/Watch'];

interface NamedRow {
  readonly name: string;
  readonly rpc: string;
  readonly row: RpcRow;
}

const BY_PATH: ReadonlyMap<string, NamedRow> = new Map(
  Object.entries(RPCS).map(([rpc, row]) => {
    const name = `${TELEMETRY_RPCS.has(rpc) ? TELEMETRY : SERVICE}/${rpc}`;
    return [`/${name}`, { name, rpc, row }];
  }),
);

const HEALTH_ROUTES: ReadonlyMap<string, Route> = new Map(
  HEALTH.map((name) => [
    `/${name}`,
    {
      name,
      transport: 'grpc',
      isOpen: true,
      needs: 'head',
      read: () => plainRequest({ name, rpc: 'Check', row: { places: [], answer: 'plain' } }, []),
    },
  ]),
);

const DATA_READERS: Readonly<
  Record<string, (message: RequestMessage, context: DataContext) => ReadRequest>
> = {
  Search: readSearch,
  HybridSearch: readHybridSearch,
  Query: readQuery,
  CalcDistance: readCalcDistance,
  Insert: readInsert,
  Upsert: readUpsert,
  Delete: readDelete,
};

export function findRpcRoute(head: RequestHead): Route | undefined {
  if (head.version !== '2' || head.method !== 'POST') return undefined;
  const health = HEALTH_ROUTES.get(head.target);
  if (health !== undefined) return health;
  const found = BY_PATH.get(head.target);
  if (found === undefined) return undefined;
  const { name, row } = found;
  const isByHead = row.places.length === 0 || row.isStream === true || row.isUndescribed === true;
  return {
    name,
    transport: 'grpc',
    needs: isByHead ? 'head' : 'body',
    read: isByHead
      ? () => plainRequest(found, headAccesses(row))
      : (request, body) => readRpc(found, request, body),
  };
}

/** All of the store: what it names is not looked at. */
function headAccesses(row: RpcRow): StoreAccess[] {
  return row.places.flatMap(({ effects }) =>
    effects.map((effect) => ({ effect, target: undefined })),
  );
}

function readRpc(found: NamedRow, head: RequestHead, body: Buffer): ReadRequest {
  const { name, rpc, row } = found;
  const type = REQUEST_MESSAGES[rpc];
  if (type === undefined) throw broken('MILVUS_RPC', `no descriptor of ${rpc} is known`);
  const message = readMessage(body, type);
  const database = defaultDatabase(head.headers, 'dbname');
  const [place] = row.places;
  const reader = DATA_READERS[rpc];
  if (row.isData === true && reader !== undefined && place !== undefined) {
    return reader(message, { route: name, place, database });
  }
  const accesses = row.places.flatMap((one) => accessesAt(one, message, database));
  if (!goesOutside(message)) return plainRequest(found, accesses);
  return plainRequest(found, [...accesses, OUTSIDE], GOES_OUTSIDE);
}

function plainRequest(
  { name, row }: NamedRow,
  accesses: readonly StoreAccess[],
  carries: string | undefined = row.carries,
): ReadRequest {
  return {
    ...wholeRequest(name, accesses, carries),
    maskAnswer: maskFor(row.answer),
    ...(row.changesNames === true ? { changesNames: true } : {}),
  };
}

/** A request that acts on collections, not on records. */
export function wholeRequest(
  route: string,
  accesses: readonly StoreAccess[],
  carries: string | undefined,
): Omit<ReadRequest, 'maskAnswer'> {
  const exports = accesses.some(({ effect }) => effect === 'export');
  return {
    route,
    accesses,
    steering: [],
    ...(exports ? { steersAny: 'records leave the store as they are' } : {}),
    ...(carries === undefined ? {} : { carries }),
    restrict: (restrictions) => restrictWhole(accesses, restrictions),
  };
}

/** Which restrictions it can live with. */
function restrictWhole(
  accesses: readonly StoreAccess[],
  { filter, limitMax, hidesVectors }: Restrictions,
): Record<string, never> | string {
  const touching = accesses.find(({ effect }) => !HARMLESS.has(effect))?.effect;
  if (filter.length > 0 && touching !== undefined) {
    return `a filter cannot be added to this: its ${touching} concerns all records`;
  }
  const exports = accesses.some(({ effect }) => effect === 'export');
  if (exports && (limitMax !== undefined || hidesVectors)) {
    return 'an export can be neither limited nor left without vectors';
  }
  return {};
}

const HARMLESS: ReadonlySet<string> = new Set(['describe', 'create', 'alter']);

function maskFor(answer: AnswerKind): ((body: Buffer, masks: FieldMasks) => Buffer) | undefined {
  switch (answer) {
    case 'describe':
      return maskDescription;
    case 'describe-batch':
      return maskDescriptions;
    case 'raw':
      return refuseRaw;
    case 'plain':
    case 'search':
    case 'query':
      // Searches and queries have readers of their own, which know what was asked.
      return undefined;
  }
}
