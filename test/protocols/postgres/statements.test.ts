import t from 'tap';
import { Statements } from '../../../protocols/postgres/statements.ts';

const STATEMENT = { isSensitive: false, trace: undefined };

t.test('a portal keeps the statement that it was bound from (PG-37)', async (t) => {
  const statements = new Statements();
  statements.addStatement('s', STATEMENT);
  statements.addPortal('p', 's');
  statements.removeStatement('s');
  t.equal(statements.statement('s'), undefined);
  t.equal(statements.portal('p').statement, STATEMENT);
  statements.addPortal('p', 's');
  t.equal(statements.portal('p').statement, undefined, 'bound again, from nothing we know');
});

t.test('an unknown portal is a cursor of SQL: no statement, no plan (PG-39)', async (t) => {
  const statements = new Statements();
  const portal = statements.portal('cursor');
  t.same(portal, { statement: undefined, plan: undefined });
  portal.plan = 'clear';
  t.equal(statements.portal('cursor').plan, 'clear');
  statements.removePortal('cursor');
  t.equal(statements.portal('cursor').plan, undefined);
  statements.portal('cursor').plan = 'clear';
  statements.forgetPortals();
  t.equal(statements.portal('cursor').plan, undefined, 'gone with its transaction (PG-36)');
});

t.test('past the limit names are unknown, and memory does not grow', async (t) => {
  const statements = new Statements();
  for (let index = 0; index < 100_010; index++) {
    statements.addStatement(`s${index}`, STATEMENT);
    statements.portal(`p${index}`);
  }
  t.equal(statements.statement('s5'), STATEMENT);
  t.equal(statements.statement('s100005'), undefined);
  statements.forgetStatements();
  t.equal(statements.statement('s5'), undefined);
});
