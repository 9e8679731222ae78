import t from 'tap';
import type { StoreProtocol } from '../../../lib/config/config.ts';
import {
  isStorePattern,
  matchesWhole,
  mayMatch,
  readStorePattern,
  type StoreMeaning,
} from '../../../lib/policy/store-patterns.ts';

function collection(...path: string[]): StoreMeaning {
  return { kind: 'collection', path };
}

/** [may be about it, is about all of it]; undefined: it speaks of another product. */
function match(pattern: string, protocol: StoreProtocol, name: StoreMeaning) {
  const read = readStorePattern(pattern, protocol);
  return read && [mayMatch(read, name), matchesWhole(read, name)];
}

const YES = [true, true];
const NO = [false, false];

t.test('prefixes', async (t) => {
  t.same(match('qdrant:customers', 'qdrant', collection('customers')), YES);
  t.equal(match('qdrant:customers', 'milvus', collection('default', 'customers')), undefined);
  t.same(match('customers', 'qdrant', collection('customers')), YES);
  t.same(match('postgres:customers', 'qdrant', collection('customers')), NO, 'none of a store');
  t.ok(isStorePattern('redis:a') && isStorePattern('chroma:*'));
  t.notOk(isStorePattern('customers') || isStorePattern('public.t') || isStorePattern('x:a'));
});

t.test('parts count from the right', async (t) => {
  const name = collection('acme', 'default', 'customers');
  t.same(match('customers', 'chroma', name), YES);
  t.same(match('default/customers', 'chroma', name), YES);
  t.same(match('chroma:acme/default/customers', 'chroma', name), YES);
  t.same(match('chroma:acme/*/cust*', 'chroma', name), YES);
  t.same(match('other/customers', 'chroma', name), NO);
  t.same(match('chroma:other/default/customers', 'chroma', name), NO);
  t.same(match('default', 'chroma', name), NO, 'a database is no collection');
  t.same(match('Customers', 'chroma', name), NO, 'case counts');
  t.same(match('*', 'chroma', name), YES);
  t.same(match('chroma:*', 'chroma', name), YES);
});

t.test('a name without its outer parts may be anywhere', async (t) => {
  t.same(match('sales/customers', 'milvus', collection('customers')), [true, false]);
  t.same(match('*/customers', 'milvus', collection('customers')), YES);
});

t.test('quotes make a name of a pattern', async (t) => {
  t.same(match('milvus:"a/b"/"c*"', 'milvus', collection('a/b', 'c*')), YES);
  t.same(match('milvus:"a/b"/"c*"', 'milvus', collection('a/b', 'cd')), NO);
  t.same(match('redis:"user:*"', 'redis', { kind: 'key', path: ['user:*'] }), YES);
  t.same(match('redis:"user:*"', 'redis', { kind: 'key', path: ['user:1'] }), NO);
  t.same(match('redis:"say ""x"""', 'redis', { kind: 'key', path: ['say "x"'] }), YES);
});

t.test('Redis: one glob over the whole key or index, slashes and colons included', async (t) => {
  const key = (name: string): StoreMeaning => ({ kind: 'key', path: [name] });
  t.same(match('redis:user:*', 'redis', key('user:1/a')), YES);
  t.same(match('redis:user:*/b', 'redis', key('user:1/a')), NO);
  t.same(match('user:*', 'redis', key('user:')), YES);
  t.same(match('redis:idx', 'redis', { kind: 'index', path: ['idx'] }), YES);
  t.same(match('redis:redis:a', 'redis', key('redis:a')), YES);
});

t.test('keys that start with something, as an index covers them', async (t) => {
  const keys = (name: string): StoreMeaning => ({ kind: 'key', path: [name], isPrefix: true });
  t.same(match('redis:user:*', 'redis', keys('user:')), YES);
  t.same(match('redis:user:*', 'redis', keys('us')), [true, false]);
  t.same(match('redis:user:1', 'redis', keys('user:')), [true, false]);
  t.same(match('redis:user:*:mail', 'redis', keys('user:1')), [true, false]);
  t.same(match('redis:*mail', 'redis', keys('user:')), [true, false]);
  t.same(match('redis:order:*', 'redis', keys('user:')), NO);
  t.same(match('redis:"user:1"', 'redis', keys('user:')), [true, false]);
  t.same(match('redis:"other"', 'redis', keys('user:')), NO);
  t.same(match('redis:us*', 'redis', keys('')), [true, false]);
});

t.test(
  'a container may hold what a pattern names; only a pattern with stars is all of it',
  async (t) => {
    const database: StoreMeaning = { kind: 'container', path: ['acme', 'default'] };
    const tenant: StoreMeaning = { kind: 'container', path: ['acme'] };
    for (const [pattern, ofDatabase, ofTenant] of [
      ['customers', [true, false], [true, false]],
      ['default/customers', [true, false], [true, false]],
      ['other/customers', NO, [true, false]],
      ['acme/default/customers', [true, false], [true, false]],
      ['acme/other/customers', NO, [true, false]],
      ['evil/default/customers', NO, NO],
      ['acme/default/*', YES, [true, false]],
      ['acme/*/*', YES, YES],
      ['default/*', YES, [true, false]],
      ['*/*', YES, YES],
    ] as const) {
      t.same(match(pattern, 'chroma', database), ofDatabase, `${pattern} and a database`);
      t.same(match(pattern, 'chroma', tenant), ofTenant, `${pattern} and a tenant`);
    }
  },
);
