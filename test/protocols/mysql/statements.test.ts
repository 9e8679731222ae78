import t from 'tap';
import { NO_FACTS } from '../../../protocols/mysql/statement-text.ts';
import { LAST_STATEMENT, type Statement, Statements } from '../../../protocols/mysql/statements.ts';

function statement(text: string | undefined): Statement {
  return {
    text,
    reading: undefined,
    facts: NO_FACTS,
    hasSecret: false,
    isSensitive: false,
    trace: undefined,
    cursor: undefined,
  };
}

t.test('number -1 is the last one, until one fails or it is closed (MY-22)', async (t) => {
  const statements = new Statements();
  t.equal(statements.find(LAST_STATEMENT), undefined);
  statements.add(1, statement('a'));
  statements.add(2, statement('b'));
  t.equal(statements.find(LAST_STATEMENT)?.text, 'b');
  statements.onFailed();
  t.equal(statements.find(LAST_STATEMENT), undefined);
  t.equal(statements.find(1)?.text, 'a');
  statements.add(3, statement('c'));
  statements.close(LAST_STATEMENT);
  t.equal(statements.find(3), undefined);
});

t.test('what they take is bounded, and what is not kept is unknown', async (t) => {
  const statements = new Statements();
  const text = 'x'.repeat(1024 * 1024);
  for (let id = 1; id <= 40; id++) statements.add(id, statement(text));
  t.equal(statements.size, 32);
  t.equal(statements.find(40), undefined);
  statements.close(1);
  statements.add(41, statement(text));
  t.equal(statements.find(41)?.text, text, 'there is room again');
  statements.clear();
  for (let id = 1; id <= 30_000; id++) statements.add(id, statement(undefined));
  t.equal(statements.size, 20_000);
});
