/** gRPC requests: the route of a head, and what its message asks, cut down and masked. */

import type { RequestHead } from '../contract.ts';
import type { StoreAccess } from '../store.ts';
import { forEachField } from '../wire/protobuf.ts';
import type { ReadRequest, Route } from '../wire/store-product.ts';
import {
  accessTo,
  accessToAll,
  accessesOf,
  createFindings,
  isConditional,
  partsOf,
} from './findings.ts';
import { WRITE_EFFECTS } from './json-writes.ts';
import { maskRpcAnswer } from './proto-answers.ts';
import { readProtoReads } from './proto-reads.ts';
import { checkProtoRecords } from './proto-records.ts';
import { restrictProtoReads } from './proto-restrict.ts';
import type { Part, Shape } from './proto-shapes.ts';
import { PLAIN, bytesOf, many, messageError, one, textOf, walkMessage } from './proto-shapes.ts';
import { readProtoWrites, restrictProtoWrites } from './proto-writes.ts';
import { createParts, restrictWhole } from './rest.ts';
import type { RpcRoute } from './rpc-routes.ts';
import { RPC_ROUTES } from './rpc-routes.ts';

const BY_PATH: ReadonlyMap<string, RpcRoute> = new Map(
  RPC_ROUTES.map((route) => [`/${route.name}`, route]),
);

/** The path must be exact: no query, no `//`, no escapes (vector.md section 4). */
export function findRpcRoute(head: RequestHead): Route | undefined {
  const route = BY_PATH.get(head.target);
  if (route === undefined || head.version !== '2' || head.method !== 'POST') return undefined;
  return {
    name: route.name,
    transport: 'grpc',
    ...(route.isOpen === true ? { isOpen: true } : {}),
    needs: route.body.kind === 'none' ? 'head' : 'body',
    read: (_, message) => readRpc(route, message),
  };
}

type Parts = Omit<ReadRequest, 'route' | 'changesNames'>;

function readRpc(route: RpcRoute, message: Buffer): ReadRequest {
  return {
    route: route.name,
    ...readParts(route, message),
    ...(route.changesNames === true ? { changesNames: true } : {}),
  };
}

function readParts(route: RpcRoute, message: Buffer): Parts {
  switch (route.body.kind) {
    case 'none':
      return wholeParts(route.effects.map((effect) => accessToAll(effect)));
    case 'named': {
      const parts = wholeParts(route.effects.map((effect) => accessTo(effect, nameIn(message))));
      return route.answer === undefined
        ? parts
        : { ...parts, maskAnswer: maskRpcAnswer(route.answer, createFindings()) };
    }
    case 'read':
      return readingParts(route, route.body, message);
    case 'write': {
      const kind = route.body.write;
      const { findings, collection, kinds } = readProtoWrites(message, kind);
      const effects = [...new Set(kinds.map((name) => WRITE_EFFECTS[name]))];
      return {
        accesses: accessesOf(effects, collection, findings),
        ...partsOf(findings),
        needsConditionalWrites: kinds.some(isConditional),
        restrict: (restrictions) => restrictProtoWrites(message, kind, restrictions),
        maskAnswer: undefined,
      };
    }
    case 'aliases':
      return wholeParts(aliasNames(message).map((name) => accessTo('alter', name)));
    case 'create':
      return createParts(createAccesses(message));
  }
}

function readingParts(
  route: RpcRoute,
  { message: name, isBatch }: Extract<RpcRoute['body'], { kind: 'read' }>,
  message: Buffer,
): Parts {
  const { findings, collections } = readProtoReads(message, name, isBatch);
  const [collection = '', ...others] = collections;
  const accesses = [
    ...accessesOf(route.effects, collection, findings),
    ...others.flatMap((other) => route.effects.map((effect) => accessTo(effect, other))),
  ];
  return {
    accesses,
    ...partsOf(findings),
    restrict: (restrictions) =>
      restrictProtoReads(message, { message: name, isBatch, findings }, restrictions),
    maskAnswer: route.answer === undefined ? undefined : maskRpcAnswer(route.answer, findings),
    ...(name === 'GetPoints' ? { checkAnswer: checkProtoRecords } : {}),
  };
}

function wholeParts(accesses: readonly StoreAccess[]): Parts {
  return {
    accesses,
    steering: [],
    restrict: (restrictions) => restrictWhole(accesses, restrictions),
    maskAnswer: undefined,
  };
}

/** The other fields are settings, of which newer servers have more. */
function nameIn(message: Buffer): string {
  return onlyText(message, 1) ?? '';
}

function onlyText(message: Buffer, number: number): string | undefined {
  const texts: string[] = [];
  forEachField(message, (field) => {
    if (field.number === number) texts.push(textOf(field));
  });
  if (texts.length > 1) throw messageError('a name comes twice');
  return texts[0];
}

/** CreateCollection `13 init_from_collection` (to 1.15) copies another collection into the new one. */
const INIT_FROM = 13;

function createAccesses(message: Buffer): StoreAccess[] {
  const source = onlyText(message, INIT_FROM);
  const create = accessTo('create', nameIn(message));
  return source === undefined ? [create] : [create, accessTo('export', source)];
}

/** ChangeAliases `{1 actions, 2 timeout}`; create `{1, 2}`, rename `{1, 2}`, delete `{1}`: all names count. */
function aliasNames(message: Buffer): string[] {
  const names: string[] = [];
  const name: Part = one((field) => names.push(textOf(field)));
  const action: Part = one((field, walk) => {
    walkMessage(
      bytesOf(field),
      new Map([
        [1, name],
        [2, name],
      ]),
      walk,
    );
  });
  const actions: Shape = new Map([
    [1, action],
    [2, action],
    [3, action],
  ]);
  const walk = { findings: createFindings(), base: [], depth: 0 };
  const list = many((field, inner) => walkMessage(bytesOf(field), actions, inner));
  walkMessage(
    message,
    new Map([
      [1, list],
      [2, PLAIN],
    ]),
    walk,
  );
  return names;
}
