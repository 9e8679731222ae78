import t from 'tap';
import { redactError } from '../../../protocols/mysql/diagnostics.ts';

const redact = (errno: number, message: string, ...known: readonly string[]): string =>
  redactError({ errno, state: 'HY000', message }, known).message;

t.test('texts that quote values go, number and state stay (MY-66)', async (t) => {
  for (const [errno, text] of [
    [1062, "Duplicate entry 'ann@x.io' for key 'email'"],
    [1105, "XPATH syntax error: '~111-22-3333'"],
    [1292, "Incorrect datetime value: '111-22-3333'"],
    [1690, "BIGINT value is out of range in '111223333'"],
  ] as const)
    t.match(redact(errno, text, 'select 1'), /^text redacted by Weir/);
  t.match(redactError({ errno: 1062, state: '23000', message: 'x' }, []), {
    errno: 1062,
    state: '23000',
  });
});

t.test('texts that say what the statement says stay', async (t) => {
  const text = "Unknown column 'nosuch' in 'field list'";
  t.equal(redact(1054, text, 'select nosuch, ssn from people'), text);
  const table = "Table 'shop.nosuch' doesn't exist";
  t.equal(redact(1146, table, 'select 1 from nosuch', 'shop'), table);
});

t.test('SIGNAL gives any text to any number', async (t) => {
  t.match(redact(1054, '111-22-3333', 'signal'), /redacted/);
  t.match(redact(1054, "Unknown column '111' in 'field list'", 'call p()'), /redacted/);
  t.match(redact(1146, "Table '111.nosuch' doesn't exist", 'select 1 from nosuch'), /redacted/);
  t.equal(redact(1317, '111-22-3333', 'signal'), 'Query execution was interrupted');
});
