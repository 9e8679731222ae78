/** Statement decider: texts that differ in their literals share one decision, and what it depends on. */
import t from 'tap';
import type { RuleConfig } from '../../../lib/config/config.ts';
import { foldAnswers } from '../../../lib/gateway/mysql-names.ts';
import {
  StatementDecider,
  type StatementDeciderParts,
} from '../../../lib/gateway/statement-decider.ts';
import { computeSensitive, type Sensitive } from '../../../lib/masking/sensitive.ts';
import type { AnalysisResult } from '../../../lib/sql/analysis.ts';
import { createMysqlReader } from '../../../lib/sql/mysql/reader.ts';
import { createPostgresReader } from '../../../lib/sql/reader.ts';
import { fakeMask, fakeReader } from '../../support/fake-catalog.ts';
import {
  analysis,
  FakeCatalog,
  FakeReader,
  functionName,
  relation,
  routine,
  snapshotOf,
} from './catalog-fixture.ts';

const NO_DELETE: RuleConfig = {
  name: 'no-delete',
  connections: ['*'],
  principals: ['*'],
  effects: ['delete'],
  objects: ['*'],
  action: 'block',
};
const NO_SECRETS: RuleConfig = { ...NO_DELETE, effects: ['read'], objects: ['secret.*'] };
const DELETES = analysis({
  effects: [{ effect: 'delete', object: { kind: 'relation', schema: undefined, name: 'orders' } }],
});
const BODY = 'sql: body of purge';
const PURGING = snapshotOf({ routines: [routine(1, 'purge')] });

function createDecider(more: Partial<StatementDeciderParts>): StatementDecider {
  return new StatementDecider({
    connection: 'shop',
    principal: { name: 'alice', groups: [] },
    rules: [NO_DELETE],
    masks: [],
    reader: new FakeReader({}),
    catalog: new FakeCatalog(snapshotOf({ relations: [relation(9, 'orders')] })),
    findSensitive: () => {
      throw new Error('nothing is masked');
    },
    hashKey: undefined,
    ...more,
  });
}

/** Every text of the list is of one shape. */
function readerOf(read: AnalysisResult, more: Record<string, AnalysisResult> = {}): FakeReader {
  return new FakeReader({ one: read, two: read, three: read, ...more });
}

t.test('a decision is made once for a shape, and for each text that has none', async (t) => {
  for (const isShapeStable of [true, false]) {
    const reader = readerOf({ ...DELETES, isShapeStable });
    const decider = createDecider({ reader });
    const first = await decider.decideStatement('one');
    const second = await decider.decideStatement('two');
    t.match(second, { decision: { kind: 'block', rule: 'no-delete' } });
    t.equal(first === second, isShapeStable);
  }
});

t.test('a known decision for a shape comes at once', async (t) => {
  const decider = createDecider({ reader: readerOf(DELETES) });
  await decider.decideStatement('one');
  t.notOk(decider.decideStatement('two') instanceof Promise);
});

t.test('another catalog is judged anew', async (t) => {
  const read = analysis({ functions: [functionName('purge')] });
  const catalog = new FakeCatalog(snapshotOf({ version: 1 }));
  const other = analysis();
  const reader = readerOf(read, { [BODY]: DELETES, other });
  const decider = createDecider({ catalog, reader });
  t.match(await decider.decideStatement('one'), { decision: { kind: 'allow' } });
  catalog.current = snapshotOf({ version: 2, routines: [routine(1, 'purge')] });
  await decider.decideStatement('other');
  t.match(await decider.decideStatement('two'), { decision: { kind: 'block' } });
  catalog.current = snapshotOf({ version: 3 });
  t.match(await decider.decideStatement('three'), { decision: { kind: 'allow' } });
});

t.test('what is sensitive is judged anew', async (t) => {
  const masks = [fakeMask(['public.orders.id'])];
  const snapshot = snapshotOf({ relations: [relation(10, 'orders')] });
  const masked = await computeSensitive(snapshot, masks, fakeReader({}));
  let sensitive: Sensitive = await computeSensitive(snapshot, [], fakeReader({}));
  const exposure = { touches: false, untraceable: undefined, steers: undefined, outputs: [] };
  const decider = createDecider({
    rules: [],
    masks,
    reader: readerOf({ ...DELETES, exposure }),
    catalog: new FakeCatalog(snapshot),
    findSensitive: () => sensitive,
  });
  t.match(await decider.decideStatement('one'), { decision: { isSensitive: false } });
  sensitive = masked;
  t.match(await decider.decideStatement('two'), { decision: { isSensitive: true } });
});

t.test('declared types of parameters are judged, whichever text comes first (PG-62)', async (t) => {
  const snapshot = snapshotOf({
    routinesOfType: (oid) => (oid === 20_000 ? [routine(1, 'purge')] : []),
  });
  for (const texts of [
    ['one', 'two'],
    ['two', 'one'],
  ] as const) {
    const decider = createDecider({
      catalog: new FakeCatalog(snapshot),
      reader: readerOf(analysis(), { [BODY]: DELETES }),
    });
    for (const text of texts) {
      const parameterTypes = text === 'one' ? [] : [20_000];
      const kind = text === 'one' ? 'allow' : 'block';
      t.match(await decider.decideStatement(text, { parameterTypes }), { decision: { kind } });
    }
  }
});

t.test('a routine that could not be read this time holds for its own text only', async (t) => {
  const answers: Record<string, AnalysisResult> = { [BODY]: { kind: 'refused', reason: 'slow' } };
  const read = analysis({ functions: [functionName('purge')] });
  const reader = new FakeReader(Object.assign(answers, { one: read, two: read }));
  const decider = createDecider({ reader, catalog: new FakeCatalog(PURGING) });
  t.match(await decider.decideStatement('one'), { decision: { rule: 'unknown-effect' } });
  answers[BODY] = analysis();
  t.match(await decider.decideStatement('two'), { decision: { kind: 'allow' } });
});

t.test('a name that nobody knows is looked up again for each text (GW-7)', async (t) => {
  const server = { flavor: 'mariadb', version: 101_119 } as const;
  const masks = [fakeMask(['public.orders.id'])];
  const object = { kind: 'relation', schema: 'public', name: 'made_just_now' } as const;
  const catalog = new FakeCatalog({ ...snapshotOf(), server });
  catalog.isSlow = true;
  const sensitive = await computeSensitive(snapshotOf(), masks, fakeReader({}));
  const reader = readerOf(analysis({ effects: [{ effect: 'read', object }] }));
  const decider = createDecider({ masks, catalog, reader, findSensitive: () => sensitive });
  await decider.decideStatement('one');
  t.equal(catalog.invalidations, 1);
  await decider.decideStatement('two');
  t.equal(catalog.invalidations, 2);
});

t.test('explaining shows the routines of a decision that is known', async (t) => {
  const read = analysis({ functions: [functionName('purge')] });
  const reader = readerOf(read, { [BODY]: DELETES });
  const decider = createDecider({ reader, catalog: new FakeCatalog(PURGING) });
  await decider.decideStatement('one');
  t.match(await decider.explain('two'), { reaches: [{ routine: 'public.purge' }] });
});

t.test('the reader of MySQL tells shapes apart by how they are read', async (t) => {
  const reader = foldAnswers(createMysqlReader({ workers: 1 }));
  t.teardown(() => reader.close());
  const decider = createDecider({ reader, rules: [NO_SECRETS] });
  const server = { flavor: 'mariadb', version: 101_119 } as const;
  const kinds: Record<string, string> = { secret: 'block', open: 'allow' };
  for (let id = 0; id < 3; id += 1) {
    for (const [database, kind] of Object.entries(kinds)) {
      const reading = { database, server, ansiQuotes: false, noBackslashEscapes: false };
      const decided = await decider.decideStatement(`SELECT a FROM t WHERE b = ${id}`, { reading });
      t.match(decided, { decision: { kind } }, `${database} ${id}`);
    }
  }
});

t.test('a literal that decides is looked at in each text', async (t) => {
  const reader = createPostgresReader({ workers: 1 });
  t.teardown(() => reader.close());
  const decider = createDecider({ reader });
  const texts = [
    ["SELECT set_config('application_name', 'a', false)", 'allow'],
    ["SELECT set_config('client_encoding', 'a', false)", 'block'],
    ["SELECT set_config('application_name', 'b', false)", 'allow'],
    ['DELETE FROM a WHERE b = 1', 'block'],
    ['SELECT FROM a WHERE b = 1', 'allow'],
    ['DELETE FROM a WHERE b = 2', 'block'],
  ] as const;
  for (const [text, kind] of texts) {
    t.match(await decider.decideStatement(text), { decision: { kind } }, text);
  }
});
