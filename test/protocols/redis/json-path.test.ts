/** Paths of RedisJSON: what a path can only lead to, and what could be anything. */
import t from 'tap';
import { branchPathOf, fieldPathOf, maskedPathOf } from '../../../protocols/redis/json-path.ts';
import { masksOf } from '../../support/redis-lab.ts';

void t.test('plain paths', async (t) => {
  t.same(fieldPathOf('$'), []);
  t.same(fieldPathOf('.'), []);
  t.same(fieldPathOf('email'), ['email']);
  t.same(fieldPathOf('.a.b'), ['a', 'b']);
  t.same(fieldPathOf('$.a[0].b'), ['a', 'b']);
  t.same(fieldPathOf('$.a[1:3][-1]'), ['a']);
  t.same(fieldPathOf('$["a b"]["c"]'), ['a b', 'c']);
});

void t.test('what could lead anywhere', async (t) => {
  for (const path of [
    '$..email',
    '$.*',
    '$[*]',
    '$.a[*]',
    '$.a[*].b',
    "$['a','b']",
    '$["em\\u0061il"]',
    '$[?(@.a)]',
    '$.a ',
    '$email',
  ]) {
    t.equal(fieldPathOf(path), undefined, path);
  }
});

void t.test('all that lies right in one', async (t) => {
  t.same(branchPathOf('$.tags[*]'), ['tags']);
  t.same(branchPathOf('$[*]'), []);
  t.equal(branchPathOf('$.a[*].b'), undefined);
  const masks = masksOf(['email', 'contact.mail']);
  t.same(maskedPathOf('$.tags[*]', masks), ['tags'], 'nothing below it is masked');
  t.equal(maskedPathOf('$.contact[*]', masks), undefined, 'an object has members there, too');
  t.equal(maskedPathOf('$[*]', masks), undefined);
  t.same(maskedPathOf('$.email', masks), ['email']);
});
