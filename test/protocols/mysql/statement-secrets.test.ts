import t from 'tap';
import { SecretBlanker } from '../../../protocols/mysql/statement-secrets.ts';

function blank(text: string, cuts: readonly number[] = []): string {
  const blanker = new SecretBlanker();
  const bytes = Buffer.from(text);
  const ends = [...cuts, bytes.length];
  return ends
    .map((end, index) => blanker.push(bytes.subarray(ends[index - 1] ?? 0, end)).toString())
    .join('');
}

t.test('secrets are blanked up to the end of the text (GW-16)', async (t) => {
  for (const text of [
    "create user x identified by 'sesame'",
    "set password = 'sesame'",
    'set password for x = password("sesame")',
    "change master to master_password='sesame'",
    "create server s options (user 'u', password 'sesame')",
    "create table f (a int) engine=federated connection='mysql://u:sesame@h/d/t'",
    "insert into t values ('identified by sesame')",
    "update mysql.user set authentication_string = 'sesame'",
  ]) {
    const shown = blank(text);
    t.notOk(shown.includes('sesame'), shown);
    t.equal(shown.length, text.length);
    for (let at = 1; at < text.length; at++) t.equal(blank(text, [at]), shown);
  }
});

t.test('other texts are the same bytes', async (t) => {
  const bytes = Buffer.from("insert into people values ('Ann')");
  t.equal(new SecretBlanker().push(bytes), bytes);
  t.equal(blank('select password from t'), 'select password from t');
});

t.test('where all of it is secret all of it goes', async (t) => {
  const blanker = new SecretBlanker(true);
  t.equal(blanker.push(Buffer.from('abc')).toString(), '***');
  t.ok(blanker.isTriggered);
});
