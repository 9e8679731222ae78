/** Which of a relation's code runs with which effect. The fixtures name routines after their place. */

import t from 'tap';
import type { CatalogRelation } from '../../../lib/catalog/catalog.ts';
import { findHiddenCode } from '../../../lib/gateway/hidden-code.ts';
import type { Effect, ObjectName } from '../../../lib/sql/analysis.ts';
import { relation, routine, snapshotOf } from './catalog-fixture.ts';

function busy(oid: number, name: string, more: Partial<CatalogRelation> = {}): CatalogRelation {
  return relation(oid, name, {
    calls: [routine(oid * 10, `${name}.calls`)],
    callsOnWrite: [routine(oid * 10 + 1, `${name}.write`)],
    triggers: [routine(oid * 10 + 2, `${name}.trigger`)],
    callsOfTypes: [routine(oid * 10 + 3, `${name}.types`)],
    rules: [{ oid: oid * 10 + 4, name: `${name}.rule`, definition: '' }],
    ...more,
  });
}

const snapshot = snapshotOf({
  relations: [
    busy(1, 'a', { cascades: [2] }),
    busy(2, 'cascaded'),
    busy(3, 'parent'),
    busy(4, 'part', { parents: [3] }),
    busy(5, 'v', { kind: 'v', reads: [1] }),
    busy(6, 'm', { kind: 'm', reads: [5] }),
    busy(7, 'x', { schema: 'evil' }),
  ],
});

function found(effect: Effect, name: string, schema?: string): string[] {
  const object = { kind: 'relation', schema, name } as const;
  const { routines, rules } = findHiddenCode([{ effect, object }], [], snapshot);
  return [...routines, ...rules].map((one) => one.name).toSorted();
}

t.test('reading runs view bodies and policies, not triggers or defaults (PG-62)', async (t) => {
  t.same(found('read', 'a'), ['a.calls', 'a.types']);
  t.same(found('copy-out', 'a'), ['a.calls'], 'COPY t TO casts nothing');
  t.same(found('read', 'v'), ['a.calls', 'a.types', 'v.calls', 'v.types']);
  t.same(found('read', 'm'), ['m.types'], 'a materialized view is not made again');
  t.same(found('lock', 'a'), []);
  t.same(found('drop', 'a'), []);
});

const ALL_OF = (name: string) =>
  ['calls', 'rule', 'trigger', 'types', 'write'].map((part) => `${name}.${part}`);

t.test('writing runs everything, behind foreign keys, views and in partitions too', async (t) => {
  for (const effect of ['insert', 'update', 'delete', 'truncate', 'copy-in'] as const)
    t.same(found(effect, 'a'), [...ALL_OF('a'), ...ALL_OF('cascaded')], effect);
  t.same(found('insert', 'parent'), [...ALL_OF('parent'), ...ALL_OF('part')]);
  t.same(found('insert', 'part'), ['parent.write', ...ALL_OF('part')], 'keys above it count');
  t.same(found('insert', 'v'), [...ALL_OF('a'), ...ALL_OF('cascaded'), ...ALL_OF('v')]);
  t.same(
    found('update', 'm').filter((name) => !name.startsWith('m.')),
    ['a.calls', 'a.types', 'v.calls', 'v.types'],
    'REFRESH MATERIALIZED VIEW reads what it is made of (PG-59)',
  );
});

t.test(
  'ALTER and VACUUM run checks and index expressions, CREATE INDEX only comparisons',
  async (t) => {
    t.same(found('alter', 'parent'), ['parent.types', 'parent.write', 'part.types', 'part.write']);
    t.same(found('admin', 'a'), ['a.types', 'a.write']);
    t.same(found('create', 'a'), ['a.types']);
  },
);

t.test('names: any schema, the one given, or any where that one is not known yet', async (t) => {
  t.equal(found('read', 'x').length, 2);
  t.same(found('read', 'x', 'public'), []);
  t.equal(found('read', 'x', 'evil').length, 2);
  t.equal(found('read', 'x', 'renamed_a_moment_ago').length, 2);
  const taken = { kind: 'relation', schema: undefined, name: 'part' } as const;
  t.equal(findHiddenCode([], [taken], snapshot).rules.length, 1);
});

t.test('loops end', async (t) => {
  const looping = snapshotOf({
    relations: [
      busy(1, 'a', { cascades: [2], parents: [2], reads: [1, 2] }),
      busy(2, 'b', { cascades: [1], parents: [1], reads: [1] }),
    ],
  });
  const object = { kind: 'relation', schema: undefined, name: 'a' } as const;
  t.equal(findHiddenCode([{ effect: 'insert', object }], [], looping).rules.length, 2);
});

t.test('every definition runs the event triggers, and nothing else does (PG-62)', async (t) => {
  const watched = snapshotOf({
    relations: [busy(1, 'a'), busy(2, 'm', { kind: 'm' })],
    routinesOnDefine: [routine(99, 'on_define')],
  });
  const runs = (effect: Effect, object: ObjectName | undefined): boolean =>
    findHiddenCode([{ effect, object }], [], watched).routines.some(({ oid }) => oid === 99);
  const named = (name: string, schema?: string) => ({ kind: 'relation', schema, name }) as const;
  for (const effect of ['create', 'alter', 'drop', 'grant'] as const) {
    t.ok(runs(effect, named('a')), effect);
    t.ok(runs(effect, undefined), `${effect} of nothing that has a name`);
  }
  t.ok(runs('update', named('m')), 'REFRESH MATERIALIZED VIEW');
  t.ok(runs('session', named('x', 'pg_temp')), 'DROP TABLE pg_temp.x');
  for (const effect of ['read', 'insert', 'update', 'delete', 'truncate', 'call', 'code'] as const)
    t.notOk(runs(effect, named('a')), effect);
  t.notOk(runs('session', undefined));
});
