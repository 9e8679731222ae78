/** REST requests: the route of a head, and what its body asks, cut down and masked. */

import type { RequestHead } from '../contract.ts';
import type { Restrictions, StoreAccess } from '../store.ts';
import { headerOf, isGrpcContentType } from '../wire/grpc.ts';
import type { ReadRequest, RestrictedRequest, Route } from '../wire/store-product.ts';
import { asList, asObject, asText, bodyError, membersOf, readBody } from './json-body.ts';
import {
  COPIES,
  NOT_FILTERED,
  accessTo,
  accessToAll,
  accessesOf,
  createFindings,
  isConditional,
  partsOf,
} from './findings.ts';
import { maskNothing, maskRestAnswer } from './json-answers.ts';
import { readReads } from './json-reads.ts';
import { checkRecords } from './json-records.ts';
import { restrictReads } from './json-restrict.ts';
import { WRITE_EFFECTS, readWrites, restrictWrites } from './json-writes.ts';
import type { RestRoute } from './rest-routes.ts';
import { DATA_PARAMETERS, REST_ROUTES } from './rest-routes.ts';
import type { Segment, Target } from './target.ts';
import { readTarget } from './target.ts';

interface Template {
  readonly route: RestRoute;
  readonly words: readonly string[];
}

const TEMPLATES: readonly Template[] = REST_ROUTES.map((route) => ({
  route,
  words: route.path.split('/').filter((word) => word !== ''),
}));
/** Words of routes: as a name they are one only where they stand there as they are. */
const ROUTE_WORDS: ReadonlySet<string> = new Set(
  TEMPLATES.flatMap(({ words }) => words.filter((word) => !word.startsWith('{'))),
);

export function findRestRoute(head: RequestHead): Route | undefined {
  const target = readTarget(head.target);
  if (target === undefined || isGrpcContentType(headerOf(head.headers, 'content-type'))) {
    return undefined;
  }
  const found = findTemplate(head.method, target.segments);
  if (found === undefined || !hasKnownParameters(found.route, target)) return undefined;
  const { route, words } = found;
  const collection = target.segments[words.indexOf('{c}')]?.text ?? '';
  const name = `${route.method} ${route.path}`;
  const isBodied = route.body.kind !== 'none' && route.body.kind !== 'point';
  return {
    name,
    transport: 'rest',
    ...(route.isOpen === true ? { isOpen: true } : {}),
    needs: isBodied ? 'body' : 'head',
    read: (_, body) => readRest(route, name, collection, body),
  };
}

/** No two templates of a method fit the same path (a test checks that), so their order does not matter. */
function findTemplate(method: string, segments: readonly Segment[]): Template | undefined {
  if (segments.some(({ text, wasEncoded }) => wasEncoded && ROUTE_WORDS.has(text)))
    return undefined;
  return TEMPLATES.find(
    ({ route, words }) =>
      route.method === method &&
      words.length === segments.length &&
      words.every((word, index) => word.startsWith('{') || segments[index]?.text === word),
  );
}

function hasKnownParameters(route: RestRoute, { parameters }: Target): boolean {
  return route.anyParameters === true || parameters.every((name) => DATA_PARAMETERS.has(name));
}

type Parts = Omit<ReadRequest, 'route' | 'changesNames'>;

function readRest(route: RestRoute, name: string, collection: string, body: Buffer): ReadRequest {
  return {
    route: name,
    ...readParts(route, collection, body),
    ...(route.changesNames === true ? { changesNames: true } : {}),
  };
}

function readParts(route: RestRoute, collection: string, body: Buffer): Parts {
  switch (route.body.kind) {
    case 'none':
      return plainParts(route, collection);
    case 'point':
      return pointParts(collection);
    case 'read': {
      const { read, isBatch = false } = route.body;
      const reads = readReads(body, read, isBatch);
      const { findings } = reads;
      return {
        accesses: accessesOf(route.effects, collection, findings),
        ...partsOf(findings),
        restrict: (restrictions) => restrictReads(body, reads, restrictions),
        maskAnswer: route.answer === undefined ? undefined : maskRestAnswer(route.answer, findings),
        ...(read === 'retrieve' ? listCheck() : {}),
      };
    }
    case 'write': {
      const { findings, writes } = readWrites(body, route.body.write);
      const effects = [...new Set(writes.map(({ kind }) => WRITE_EFFECTS[kind]))];
      return {
        accesses: accessesOf(effects, collection, findings),
        ...partsOf(findings),
        needsConditionalWrites: writes.some(({ kind }) => isConditional(kind)),
        restrict: (restrictions) => restrictWrites(body, writes, restrictions),
        maskAnswer: undefined,
      };
    }
    case 'aliases':
      return wholeParts(aliasAccesses(body));
    case 'create':
      return createParts(createAccesses(body, collection));
  }
}

function listCheck(): Pick<ReadRequest, 'checkAnswer'> {
  return {
    checkAnswer: (answer, restrictions, { status }) =>
      checkRecords(answer, restrictions, status, true),
  };
}

/** `GET points/{id}` always gives the whole record, its vectors too. */
function pointParts(collection: string): Parts {
  return {
    accesses: [accessTo('read', collection)],
    steering: [],
    limit: 1,
    wantsVectors: true,
    restrict: () => ({}),
    checkAnswer: (answer, restrictions, { status }) =>
      checkRecords(answer, restrictions, status, false),
    maskAnswer: maskRestAnswer('records', createFindings()),
  };
}

function plainParts(route: RestRoute, collection: string): Parts {
  const isOfCollection = route.path.includes('{c}');
  const accesses = route.effects.map((effect) =>
    isOfCollection ? accessTo(effect, collection) : accessToAll(effect),
  );
  if (route.takesAnything === true) {
    // The archive is a file of the server or behind any URL, so it may be that of any collection.
    const sources = [accessToAll('read'), accessToAll('export')];
    return { ...wholeParts([...accesses, ...sources]), carries: COPIES };
  }
  const parts = wholeParts(accesses);
  if (route.isRaw === true) {
    return {
      ...parts,
      steersAny: 'it gives out everything as it is stored',
      maskAnswer: maskNothing,
    };
  }
  return route.answer === undefined
    ? parts
    : { ...parts, maskAnswer: maskRestAnswer(route.answer, createFindings()) };
}

/** With a source it is a copy: masks and conditions of rules on the old name do not hold for the new one. */
export function createParts(accesses: readonly StoreAccess[]): Parts {
  const parts = wholeParts(accesses);
  return accesses.length > 1 ? { ...parts, carries: COPIES } : parts;
}

/** What concerns collections as they are, so that no rule on records fits it. */
function wholeParts(accesses: readonly StoreAccess[]): Parts {
  return {
    accesses,
    steering: [],
    restrict: (restrictions) => restrictWhole(accesses, restrictions),
    maskAnswer: undefined,
  };
}

/** To see how a collection is made is no look at records; everything else reaches all of them. */
export function restrictWhole(
  accesses: readonly StoreAccess[],
  { filter, limitMax, hidesVectors }: Restrictions,
): RestrictedRequest | string {
  const effects = new Set(accesses.map(({ effect }) => effect));
  effects.delete('describe');
  if (effects.size > 0 && filter.length > 0) return NOT_FILTERED;
  const givesRecords = effects.has('export') || effects.has('admin');
  return givesRecords && (limitMax !== undefined || hidesVectors) ? NOT_FILTERED : {};
}

const ACTIONS = new Set(['actions']);
const ALIAS_MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['create_alias', new Set(['collection_name', 'alias_name'])],
  ['delete_alias', new Set(['alias_name'])],
  ['rename_alias', new Set(['old_alias_name', 'new_alias_name'])],
]);

/** Every name in an action counts: an alias that is moved takes its readers somewhere else. */
function aliasAccesses(body: Buffer): StoreAccess[] {
  const actions = membersOf(readBody(body), 'the request', ACTIONS).get('actions');
  if (actions === undefined) throw bodyError('actions are missing');
  return asList(actions, 'actions').flatMap((action) => {
    const entries = [...membersOf(action, 'an action', new Set(ALIAS_MEMBERS.keys()))];
    if (entries.length !== 1) throw bodyError('an action must be one thing');
    return entries.flatMap(([kind, value]) => {
      const names = membersOf(value, kind, ALIAS_MEMBERS.get(kind) ?? new Set());
      return [...names.values()].map((name) => accessTo('alter', asText(name, 'a name')));
    });
  });
}

/** `init_from` (to 1.15) copies another collection into the new one. */
function createAccesses(body: Buffer, collection: string): StoreAccess[] {
  const source = readBody(body).members.get('init_from');
  if (source === undefined || source.kind === 'null') return [accessTo('create', collection)];
  const from = asObject(source, 'init_from').members.get('collection');
  if (from === undefined) throw bodyError('init_from needs a collection');
  return [accessTo('create', collection), accessTo('export', asText(from, 'a collection'))];
}
