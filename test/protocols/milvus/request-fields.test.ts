import t from 'tap';
import { MESSAGE_FIELDS } from '../../../protocols/milvus/request-fields.ts';
import { REQUEST_MESSAGES } from '../../../protocols/milvus/request-messages.ts';
import type { TypeJson } from '../../support/milvus-codec.ts';

interface Generated {
  readonly messages: ReadonlyMap<string, readonly string[]>;
  readonly requests: Readonly<Record<string, string>>;
}

type Packages = Record<string, TypeJson>;

interface Script {
  readonly descriptors: () => Packages;
  readonly generate: (packages?: Packages) => Generated;
}

const script = new URL('../../../../scripts/milvus-fields.mjs', import.meta.url);
const { descriptors, generate } = (await import(script.href)) as Script; // It has no types.

function drift({ messages, requests }: Generated): string[] {
  const known: Readonly<Record<string, string>> = { ...MESSAGE_FIELDS };
  const found = Object.fromEntries([...messages].map(([name, list]) => [name, list.join(', ')]));
  const names = new Set([...Object.keys(known), ...Object.keys(found)]);
  const rpcs = new Set([...Object.keys(REQUEST_MESSAGES), ...Object.keys(requests)]);
  return [
    ...[...names].filter((name) => known[name] !== found[name]),
    ...[...rpcs].filter((rpc) => REQUEST_MESSAGES[rpc] !== requests[rpc]),
  ];
}

t.test('the tables are what the script makes of the installed SDK', async (t) => {
  const generated = generate();
  t.same(drift(generated), []);
  t.ok(generated.messages.size > 150, 'they were found');
});

t.test('a newer SDK would be seen', async (t) => {
  /** The descriptors of a newer SDK, with something of one message changed. */
  const driftWith = (path: readonly string[], change: object): string[] => {
    const packages = structuredClone(descriptors());
    let at: unknown = packages;
    for (const step of path) at = Object(at)[step];
    Object.assign(Object(at), change);
    return drift(generate(packages));
  };
  const search = ['milvus', 'nested', 'SearchRequest'];
  const skip = { skip_rls: { type: 'bool', id: 26 } };
  t.same(driftWith([...search, 'fields'], skip), ['SearchRequest'], 'a new field');
  t.same(driftWith([...search, 'fields', 'dsl'], { id: 55 }), ['SearchRequest'], 'a new number');
  t.same(driftWith([...search, 'fields', 'nq'], { type: 'string' }), ['SearchRequest'], 'a type');
  t.same(driftWith([...search, 'fields', 'dsl'], { rule: 'repeated' }), ['SearchRequest']);
  const oneof = { oneofs: { one: { oneof: ['dsl', 'nq'] } } };
  t.same(driftWith(search, oneof), ['SearchRequest'], 'a new choice');
  const method = { Peek: { requestType: 'QueryRequest', responseType: 'QueryResults' } };
  t.same(driftWith(['milvus', 'nested', 'MilvusService', 'methods'], method), ['Peek'], 'an RPC');
});
