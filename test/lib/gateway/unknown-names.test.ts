import t from 'tap';
import { namesUnknown } from '../../../lib/gateway/unknown-names.ts';
import { type Effect, EFFECTS } from '../../../lib/sql/analysis.ts';
import { analysis, functionName, relation, snapshotOf } from './catalog-fixture.ts';

const SNAPSHOT = snapshotOf({ relations: [relation(1, 'users')] });

function using(effect: Effect, name: string, schema?: string) {
  return analysis({ effects: [{ effect, object: { kind: 'relation', schema, name } }] });
}

t.test('a relation that is used and not known', async (t) => {
  t.ok(namesUnknown(using('read', 'late'), SNAPSHOT, true));
  t.ok(namesUnknown(using('read', 'late'), SNAPSHOT, false), 'it may be a view over anything');
  t.ok(namesUnknown(using('read', 'users', 'other'), SNAPSHOT, true), 'in another schema');
  t.notOk(namesUnknown(using('read', 'users', 'public'), SNAPSHOT, true));
  t.notOk(namesUnknown(using('read', 'users'), SNAPSHOT, true));
  t.notOk(namesUnknown(analysis({ functions: [functionName('f')] }), SNAPSHOT, true));
});

t.test('what is only made, or goes away, need not be known', async (t) => {
  const touching = EFFECTS.filter((effect) => namesUnknown(using(effect, 'late'), SNAPSHOT, true));
  t.same(touching, ['read', 'insert', 'update', 'delete', 'truncate', 'copy-out']);
});

t.test('in MySQL reading under a mask, and routines', async (t) => {
  const server = { flavor: 'mariadb', version: 101100 } as const;
  const mysql = { ...SNAPSHOT, server };
  t.ok(namesUnknown(using('read', 'late'), mysql, true));
  t.notOk(namesUnknown(using('read', 'late'), mysql, false));
  t.notOk(namesUnknown(using('insert', 'late'), mysql, true));
  t.ok(namesUnknown(analysis({ functions: [functionName('leak')] }), mysql, false));
  t.notOk(namesUnknown(analysis({ functions: [functionName('upper')] }), mysql, false));
});
