/** Statement decider: the types that a client declares for its parameters. */
import t from 'tap';
import { StatementDecider } from '../../../lib/gateway/statement-decider.ts';
import { analysis, FakeCatalog, FakeReader, routine, snapshotOf } from './catalog-fixture.ts';

const DELETES = analysis({
  effects: [{ effect: 'delete', object: { kind: 'relation', schema: undefined, name: 'orders' } }],
});
const PURGING = 20_000;
const HARMLESS = 20_001;

function createDecider(catalog: FakeCatalog | undefined): StatementDecider {
  return new StatementDecider({
    connection: 'shop',
    principal: { name: 'alice', groups: [] },
    rules: [
      {
        name: 'no-delete',
        connections: ['*'],
        principals: ['*'],
        effects: ['delete'],
        objects: ['*'],
        action: 'block',
      },
    ],
    masks: [],
    reader: new FakeReader({ text: analysis(), 'sql: body of purge': DELETES }),
    catalog,
    findSensitive: () => {
      throw new Error('nothing is masked');
    },
    hashKey: undefined,
  });
}

/** The server's own types and those of the list are known. */
function snapshotWith(version: number, ...known: readonly number[]) {
  return snapshotOf({
    version,
    routinesOfType: (oid) => {
      if (oid >= 16_384 && !known.includes(oid)) return undefined;
      return oid === PURGING ? [routine(1, 'purge')] : [];
    },
  });
}

t.test('the check of a declared type is judged, also from the cache (PG-62)', async (t) => {
  const decider = createDecider(new FakeCatalog(snapshotWith(1, PURGING, HARMLESS)));
  for (let round = 0; round < 2; round += 1) {
    for (const parameterTypes of [[], [0], [23], [HARMLESS]]) {
      const { decision } = await decider.decideStatement('text', { parameterTypes });
      t.match(decision, { kind: 'allow' }, `[${parameterTypes.join()}] ${round}`);
    }
    const { decision } = await decider.decideStatement('text', { parameterTypes: [23, PURGING] });
    t.match(decision, { kind: 'block', rule: 'no-delete' }, `${round}`);
  }
});

t.test('an unknown type costs one look at the catalog, then it is refused (GW-7)', async (t) => {
  for (const isSlow of [false, true]) {
    const catalog = new FakeCatalog(snapshotWith(1));
    catalog.isSlow = isSlow;
    const decider = createDecider(catalog);
    const decide = async () =>
      (await decider.decideStatement('text', { parameterTypes: [HARMLESS] })).decision;
    t.match(await decide(), { kind: 'block', reason: /the catalog does not know it/ });
    t.equal(catalog.invalidations, 1);
    catalog.isSlow = false;
    t.match(await decide(), { kind: 'block' });
    t.equal(catalog.invalidations, 1, 'the refusal is kept for this version of the catalog');
    catalog.isSlow = isSlow;
    catalog.current = snapshotWith(2);
    catalog.afterwards = snapshotWith(3, HARMLESS);
    t.match(await decide(), { kind: 'allow' }, 'a type made a moment ago');
    t.equal(catalog.invalidations, 2);
  }
});

t.test("without a catalog only the server's own types are let through", async (t) => {
  const decider = createDecider(undefined);
  const decide = async (parameterTypes: readonly number[]) =>
    (await decider.decideStatement('text', { parameterTypes })).decision;
  t.match(await decide([23, 0, 16_383]), { kind: 'allow' });
  t.match(await decide([16_384]), { kind: 'block', reason: /without a catalog credential/ });
});
