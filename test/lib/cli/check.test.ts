import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runMain } from './run-main.ts';

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures/config/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'weir-check-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function writeConfig(toml: string): string {
  const file = join(folder, 'weir.toml');
  writeFileSync(file, toml);
  return file;
}

t.test('prints what is in force, and warnings apart from it', async (t) => {
  const { code, stdout, stderr } = await runMain([
    'check',
    '-c',
    join(FIXTURES, 'everything.toml'),
  ]);
  t.equal(code, 0);
  t.match(stdout, /^Connections\nNAME +PROTOCOL +LISTEN +TLS +UPSTREAM +TLS +SIGN-IN\n/);
  t.match(
    stdout,
    /^shop +postgres +0\.0\.0\.0:6432 +require +app@corp@db\.example\.com:5432\/shop eu +verify-full +gateway$/m,
  );
  t.match(stdout, /^ledger +postgres +\[::1\]:6433 +off +\[::1\]:5432 +off +passthrough$/m);
  t.match(
    stdout,
    /^no-destruction +block +drop truncate +public\.\* orders "Odd\.Name"\.t +alice group:analysts +sh\* +-$/m,
  );
  t.match(
    stdout,
    /^contact-data +hash +strict +public\.customers\.email \*\.\*\.ssn +group:privacy +\* +- +- +-$/m,
  );
  t.match(stdout, /^Users: 2, of which 1 can sign in/m);
  t.match(stdout, /^Policy version: [0-9a-f]{64}$/m);
  t.match(stderr, /^warning: connection "shop": replication/m);
  t.match(stderr, /^warning: hash_key: cannot read the secret file: ENOENT/m);
  t.match(
    stderr,
    /^warning: connection "ledger": catalog_password: the environment variable CATALOG_PASSWORD is not set/m,
  );
  t.match(stderr, /^warning: connection "shop": tls: cannot read the TLS certificate file/m);
  t.notMatch(stdout + stderr, /SCRAM-SHA-256\$/, 'verifiers stay in the file');
});

t.test('connections of protocol mysql are told like the others', async (t) => {
  const { code, stdout } = await runMain(['check', '-c', join(FIXTURES, 'mysql.toml')]);
  t.equal(code, 0);
  t.match(
    stdout,
    /^shop +mysql +127\.0\.0\.1:6306 +off +app@127\.0\.0\.1:3306\/shop +off +gateway$/m,
  );
  t.match(
    stdout,
    /^ledger +mysql +127\.0\.0\.1:6307 +off +db\.example\.com:3307 +verify-full +passthrough$/m,
  );
  t.match(stdout, /^Users: 3, of which 2 can sign in/m);
});

t.test(
  'connections to stores, and conditions, fields and kinds of content, are told',
  async (t) => {
    const { code, stdout, stderr } = await runMain(['check', '-c', join(FIXTURES, 'stores.toml')]);
    t.equal(code, 0);
    t.match(
      stdout,
      /^qdrant +qdrant +127\.0\.0\.1:7333 +off +qdrant\.example\.com:443, gRPC qdrant\.example\.com:6334 +verify-full +gateway$/m,
    );
    t.match(stdout, /^cache +redis +127\.0\.0\.1:7379 +off +weir@\[::1\]:6379 +require +gateway$/m);
    t.match(
      stdout,
      /^own-records +allow .* tenant="\$\{principal\.group\}" owner="u-\$\{principal\.name\}" limit_max=100 rows_per_hour=10000 vectors=false$/m,
    );
    t.match(stdout, /^no-secrets +block .* -$/m);
    t.match(
      stdout,
      /^contacts +partial +strict +- +- +\* +email author\.phone \*\.ssn #document +- +qdrant:customers docs$/m,
    );
    t.match(
      stdout,
      /^found +hash +mask +\*\.\*\.notes .* email phone credit-card iban ssn ip +\*$/m,
    );
    t.match(stdout, /^Users: 1, of which 1 can sign in/m);
    t.match(stderr, /^warning: mask "found": columns are not in force/m);
  },
);

t.test('a command that gives a secret is not run', async (t) => {
  const mark = join(folder, 'mark');
  const file = writeConfig(`[[connection]]
name = "c"
protocol = "postgres"
listen = "127.0.0.1:1"
upstream = "postgres://a@localhost"
auth = "passthrough"
catalog = "postgres://a@localhost"
catalog_password = { command = ["touch", "${mark}"] }
`);
  t.match(await runMain(['check', '-c', file]), {
    code: 0,
    stderr: '',
    stdout: /Rules: none\n\nMasks: none\n/,
  });
  t.throws(() => rmSync(mark), { code: 'ENOENT' });
});

t.test('an invalid file is 2, with every line that is wrong and nothing else', async (t) => {
  const file = join(FIXTURES, 'all-errors-at-once.toml');
  const { code, stdout, stderr } = await runMain(['check', '-c', file]);
  t.equal(code, 2);
  t.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  t.equal(lines.length, 12);
  t.ok(
    lines.every((line) => line.startsWith(`${file}:`)),
    'each with file and line',
  );
});
