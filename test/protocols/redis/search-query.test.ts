/** Names in queries under each reading of them, and filters that nothing can follow. */
import t from 'tap';
import type { Schema } from '../../../protocols/redis/schema.ts';
import { beginningsOf, readQuery, withFilter } from '../../../protocols/redis/search-query.ts';

const attribute = {
  name: 'tenant',
  identifier: 'tenant',
  path: ['tenant'],
  branch: undefined,
  type: 'TAG',
  separator: ',',
};
const SCHEMA: Schema = { isJson: false, attributes: new Map([['tenant', attribute]]) };
const FILTER = [{ field: 'tenant', value: 'acme' }];

void t.test('a name is also what it begins with', async (t) => {
  t.same(beginningsOf('mail'), ['mail']);
  t.same(beginningsOf('mail.'), ['mail', 'mail.']);
  t.same(beginningsOf('a\\.b'), ['a', 'a.b'], 'no beginning ends within an escape');
  t.ok(readQuery('@mail.:{x}').names.includes('mail'));
  t.ok(readQuery('@mail#:{x}').names.includes('mail'));
  t.equal(readQuery('@mail:{x}').isUnclear, false);
  t.equal(readQuery('@$.mail:{x}').isUnclear, true);
});

void t.test('behind a vector search stands nothing but its attributes', async (t) => {
  const held = withFilter('*=>[KNN 2 @v $B]', FILTER, SCHEMA);
  t.same(held, { query: '(@tenant:{acme})=>[KNN 2 @v $B]' });
  t.type(withFilter('*=>[KNN 2 @v $B]=>{$yield_distance_as: d}', FILTER, SCHEMA), 'object');
  for (const query of [
    '*=>[KNN 2 @v $B] | (@tenant:{other})',
    '*=>[KNN 2 @v $B] | *=>[KNN 2 @v $B]',
    '*=>[KNN 2 @v $B]=>{$a: 1} | x',
  ]) {
    t.match(withFilter(query, FILTER, SCHEMA), /something follows/, query);
  }
});
