/**
 * Chroma's requests about collections as a whole: made, changed, renamed, copied, dropped, and functions
 * that write into a collection of their own. Records go from name to name in some of them, past filters
 * and masks by the old name, so those say so.
 */

import { optionalFlag, optionalText, readBody, requiredText } from './body.ts';
import {
  access,
  type Call,
  collectionById,
  collectionNamed,
  container,
  param,
  plainRequest,
  type ReadCall,
} from './requests.ts';

const COPIES = 'its records come to lie under another name';

/** Concerns no data: health, version, who one is. */
export const readNothing: ReadCall = (call) => ({
  ...plainRequest(call, [], undefined),
  maskAnswer: undefined,
});

export const describeTenant: ReadCall = (call) => {
  const tenant = call.params.get('tenant') ?? param(call, 'tenant_name');
  return plainRequest(call, access(container(tenant), 'describe'), undefined);
};

export const describeDatabase: ReadCall = (call) =>
  plainRequest(call, access(databaseOf(call), 'describe'), undefined);

export const describeById: ReadCall = (call) =>
  plainRequest(call, access(collectionById(call), 'describe'), undefined);

export const describeByName: ReadCall = (call) =>
  plainRequest(
    call,
    access(collectionNamed(call, param(call, 'collection_id')), 'describe'),
    undefined,
  );

/** `resource:database:collection`; the resource is another name of a tenant, so the server is asked. */
export const describeByCrn: ReadCall = (call) =>
  plainRequest(call, access({ kind: 'id', path: [param(call, 'crn')] }, 'describe'), undefined);

/** How many operations a collection has seen is about how many records it has. */
export const readIndexingStatus: ReadCall = (call) =>
  plainRequest(
    call,
    access(collectionById(call), 'count'),
    'the indexing status tells about all of its records',
  );

export const createTenant: ReadCall = (call) => {
  const name = requiredText(readBody(call.body), 'name');
  return plainRequest(call, access(container(name), 'create'), undefined, CHANGES_NAMES);
};

/** Gives the tenant another name for `/collections/{crn}`. */
export const alterTenant: ReadCall = (call) => {
  requiredText(readBody(call.body), 'resource_name');
  const tenant = container(param(call, 'tenant_name'));
  return plainRequest(
    call,
    access(tenant, 'alter'),
    'this changes all of the tenant',
    CHANGES_NAMES,
  );
};

export const createDatabase: ReadCall = (call) => {
  const name = requiredText(readBody(call.body), 'name');
  const target = container(param(call, 'tenant'), name);
  return plainRequest(call, access(target, 'create'), undefined, CHANGES_NAMES);
};

const DROPS_ALL = 'this drops the records of others, too';
const CHANGES_NAMES = { changesNames: true };

export const dropDatabase: ReadCall = (call) =>
  plainRequest(call, access(databaseOf(call), 'drop'), DROPS_ALL, CHANGES_NAMES);

export const resetServer: ReadCall = (call) =>
  plainRequest(call, access(undefined, 'drop', 'admin'), DROPS_ALL, CHANGES_NAMES);

export const dropCollection: ReadCall = (call) => {
  const target = collectionNamed(call, param(call, 'collection_id'));
  return plainRequest(call, access(target, 'drop'), DROPS_ALL, CHANGES_NAMES);
};

/** With `get_or_create` it also tells what is there by that name. */
export const createCollection: ReadCall = (call) => {
  const body = readBody(call.body);
  const target = collectionNamed(call, requiredText(body, 'name'));
  const accesses = optionalFlag(body, 'get_or_create')
    ? access(target, 'create', 'describe')
    : access(target, 'create');
  return plainRequest(call, accesses, undefined, CHANGES_NAMES);
};

/** A rename counts on both names, and whoever may do it could read the records under the new one. */
export const alterCollection: ReadCall = (call) => {
  const name = optionalText(readBody(call.body), 'new_name');
  const target = collectionById(call);
  const reason = 'this changes the collection for others, too';
  if (name === undefined) return plainRequest(call, access(target, 'alter'), reason, CHANGES_NAMES);
  const accesses = [
    ...access(target, 'alter', 'read', 'export'),
    ...access(collectionNamed(call, name), 'create', 'upsert'),
  ];
  return plainRequest(call, accesses, reason, { ...CHANGES_NAMES, carries: COPIES });
};

export const forkCollection: ReadCall = (call) => {
  const copy = collectionNamed(call, requiredText(readBody(call.body), 'new_name'));
  const accesses = [
    ...access(collectionById(call), 'read', 'export'),
    ...access(copy, 'create', 'upsert'),
  ];
  return plainRequest(call, accesses, 'a fork copies all of its records', {
    ...CHANGES_NAMES,
    carries: COPIES,
  });
};

export const attachFunction: ReadCall = (call) => {
  const body = readBody(call.body);
  requiredText(body, 'name');
  const output = collectionNamed(call, requiredText(body, 'output_collection'));
  const accesses = [
    ...access(collectionById(call), 'read', 'export', 'alter'),
    ...access(output, 'create', 'upsert'),
  ];
  return plainRequest(call, accesses, 'a function works on all of its records', {
    ...CHANGES_NAMES,
    carries: COPIES,
  });
};

/** Which collection `delete_output` drops is not in the request. */
export const detachFunction: ReadCall = (call) => {
  const body = readBody(call.body);
  const own = access(collectionById(call), 'alter');
  const isDrop = optionalFlag(body, 'delete_output');
  const accesses = isDrop ? [...own, ...access(undefined, 'drop')] : own;
  return plainRequest(call, accesses, 'a function works on all of its records', CHANGES_NAMES);
};

function databaseOf(call: Call): ReturnType<typeof container> {
  return container(param(call, 'tenant'), param(call, 'database'));
}
