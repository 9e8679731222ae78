import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import pg from 'pg';
import t from 'tap';
import {
  createCredentials,
  makeNative,
  makeVerifier,
  parseNative,
  parseVerifier,
} from '../../../lib/identity/credentials.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';

const SECRET = Buffer.alloc(32, 7);
const SALT = Buffer.from('BxS+VznSo2fhqDUmCIYmPQ==', 'base64');

t.test('a verifier is made as RFC 5802 says and read back', async (t) => {
  const text = makeVerifier('pencil', 4096, SALT);
  const verifier = parseVerifier(text);
  t.equal(verifier.iterations, 4096);
  t.same(verifier.salt, SALT);
  const salted = pbkdf2Sync('pencil', SALT, 4096, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  t.same(verifier.storedKey, createHash('sha256').update(clientKey).digest());
  t.same(verifier.serverKey, createHmac('sha256', salted).update('Server Key').digest());
  t.not(makeVerifier('pencil'), makeVerifier('pencil'), 'a salt of its own each time');
  t.match(makeVerifier('pencil', 5000), /^SCRAM-SHA-256\$5000:/);
});

t.test('the example of RFC 7677', async (t) => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const { storedKey, serverKey } = parseVerifier(makeVerifier('pencil', 4096, salt));
  const message =
    'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,' +
    's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const signature = createHmac('sha256', serverKey).update(message).digest('base64');
  t.equal(signature, '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
  const clientSignature = createHmac('sha256', storedKey).update(message).digest();
  const clientKey = proof.map((byte, index) => byte ^ (clientSignature[index] ?? 0));
  t.same(createHash('sha256').update(clientKey).digest(), storedKey);
});

t.test('broken verifiers are refused without being shown', async (t) => {
  const good = makeVerifier('x', 4096, SALT);
  const wrong = [
    '',
    'md5a3556571e93b0d20722ba62be61e8c2d',
    good.replace('4096', '0'),
    good.replace('4096', '-1'),
    good.replace('4096', '99999999999'),
    good.replace('BxS+VznSo2fhqDUmCIYmPQ==', ''),
    good.replace('BxS+VznSo2fhqDUmCIYmPQ==', 'B*S+VznSo2fhqDUmCIYmPQ=='),
    good.slice(0, -8),
    `${good}A`,
    ` ${good}`,
  ];
  for (const text of wrong) {
    t.throws(() => parseVerifier(text), { name: 'GatewayError', code: 'VERIFIER_INVALID' }, text);
    if (text.length > 10) {
      try {
        parseVerifier(text);
      } catch (error) {
        t.notOk(String(error).includes(text));
      }
    }
  }
});

t.test('known users get theirs, unknown ones a mock that looks the same (PG-15)', async (t) => {
  const scram = makeVerifier('x', 5000, SALT);
  const users = [
    { name: 'alice', groups: ['analysts'], scram },
    { name: 'bob', groups: ['privacy'], scram: undefined },
  ];
  const credentials = createCredentials(users, SECRET);
  const alice = credentials.lookup('alice');
  t.match(alice, { isKnown: true, groups: ['analysts'] });
  t.same(alice.verifier, parseVerifier(scram));

  const mallory = credentials.lookup('mallory');
  t.match(mallory, { isKnown: false, groups: [] });
  t.equal(mallory.verifier.iterations, 5000, 'the iterations of the real users');
  t.equal(mallory.verifier.salt.length, alice.verifier.salt.length);
  t.equal(mallory.verifier.storedKey.length, 32);
  t.equal(mallory.verifier.serverKey.length, 32);
  t.same(credentials.lookup('mallory'), mallory, 'the same every time');
  t.same(createCredentials([], SECRET).lookup('mallory').verifier.salt, mallory.verifier.salt);
  t.notSame(credentials.lookup('mallorz').verifier.salt, mallory.verifier.salt);
  const elsewhere = createCredentials(users, Buffer.alloc(32, 8)).lookup('mallory');
  t.notSame(
    elsewhere.verifier.salt,
    mallory.verifier.salt,
    'it cannot be foretold without the secret',
  );
  for (const name of ['bob', '', '__proto__', 'constructor', 'Alice']) {
    t.equal(credentials.lookup(name).isKnown, false, name);
  }
});

t.test(
  'with protocol mysql a native hash will do, and is a verifier of no password besides',
  async (t) => {
    const scram = makeVerifier('x', 5000, SALT);
    const native = makeNative('password');
    t.equal(
      native,
      '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19',
      "as MariaDB's PASSWORD() gives it",
    );
    const users = [
      { name: 'both', groups: [], scram, mysqlNative: native },
      { name: 'native', groups: ['g'], scram: undefined, mysqlNative: native.toLowerCase() },
      { name: 'scram', groups: [], scram },
    ];
    const mysql = createCredentials(users, SECRET, 'mysql');
    t.same(mysql.lookup('both').verifier, {
      ...parseVerifier(scram),
      nativeHash: parseNative(native),
    });
    t.same(mysql.lookup('native').verifier.nativeHash, parseNative(native));
    t.match(mysql.lookup('native'), {
      isKnown: true,
      groups: ['g'],
      verifier: { iterations: 5000 },
    });
    t.notSame(mysql.lookup('native').verifier.storedKey, parseVerifier(scram).storedKey);
    t.equal(mysql.lookup('scram').verifier.nativeHash, undefined);

    const postgres = createCredentials(users, SECRET, 'postgres');
    t.equal(postgres.lookup('native').isKnown, false, 'PostgreSQL needs SCRAM');
    t.same(postgres.lookup('both').verifier, parseVerifier(scram));
  },
);

t.test('unknown names are asked for a native proof as often as known ones', async (t) => {
  const scram = makeVerifier('x', 4096, SALT);
  const mysqlNative = makeNative('x');
  const shareOf = (users: Parameters<typeof createCredentials>[0]): number => {
    const credentials = createCredentials(users, SECRET, 'mysql');
    const names = Array.from({ length: 2000 }, (_, index) => `nobody-${index}`);
    const native = names.filter((name) => credentials.lookup(name).verifier.nativeHash);
    return native.length / names.length;
  };
  t.equal(shareOf([]), 0);
  t.equal(shareOf([{ name: 'a', groups: [], scram }]), 0);
  t.equal(shareOf([{ name: 'a', groups: [], scram, mysqlNative }]), 1);
  const half = shareOf([
    { name: 'a', groups: [], scram, mysqlNative },
    { name: 'b', groups: [], scram },
  ]);
  t.ok(half > 0.4 && half < 0.6, `${half} of the mocks are native`);
  const credentials = createCredentials(
    [{ name: 'a', groups: [], scram, mysqlNative }],
    SECRET,
    'mysql',
  );
  const mock = credentials.lookup('nobody');
  t.equal(mock.isKnown, false);
  t.equal(mock.verifier.nativeHash?.length, 20);
  t.same(credentials.lookup('nobody'), mock, 'the same every time');
  t.notSame(credentials.lookup('nobodz').verifier.nativeHash, mock.verifier.nativeHash);
});

t.test('broken native hashes are refused without being shown', async (t) => {
  for (const text of ['', '2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19', '*2470', 'hunter2']) {
    t.throws(() => parseNative(text), { code: 'VERIFIER_INVALID', message: /40 hex digits/ });
  }
});

t.test('a broken verifier stops the start', async (t) => {
  const users = [{ name: 'alice', groups: [], scram: 'md5x' }];
  t.throws(() => createCredentials(users, SECRET), { code: 'VERIFIER_INVALID' });
});

t.test('PostgreSQL makes the same verifiers', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27610 });
  const { host, port, user, password: adminPassword } = server;
  const client = new pg.Client({ host, port, user, password: adminPassword, database: 'postgres' });
  await client.connect();
  const passwords = [
    'pencil',
    'with space, "quotes" and \\',
    'pässwörd',
    'pa\u0308ssword', // Decomposed; NFKC composes it.
    '\u2168 \u00aa \ufb01', // Roman nine, ordinal a, fi ligature.
    'I\u00adX', // Soft hyphen, mapped to nothing.
    'a\u00a0b\u3000c', // Spaces of other kinds.
    'a\u200bb', // In both tables of RFC 3454.
    '\u00ad', // Nothing is left of it.
    'a\u0007b\u00aa', // A control forbids it: taken as it is.
    'a\u0080\u00aa',
    '\ue000\u00aa', // Private use.
    '\u0627\u0031\u00aa', // Right-to-left that ends left-to-right.
    '\u05d0\u05d1\ufb2a',
    '\u{1f600}\u00aa', // Not assigned in Unicode 3.2.
    'a\u0340\u00aa', // Forbidden before normalisation, not after.
    '\u05d0\u05d1', // Right-to-left alone.
    '\u05d0 abc \u05d1\u00aa',
    '密码\uff21',
  ];
  for (const [index, password] of passwords.entries()) {
    await client.query(`CREATE ROLE r${index} PASSWORD ${pg.escapeLiteral(password)}`);
    const { rows } = await client.query<{ rolpassword: string }>(
      'SELECT rolpassword FROM pg_authid WHERE rolname = $1',
      [`r${index}`],
    );
    const theirs = rows[0]?.rolpassword ?? '';
    const { iterations, salt } = parseVerifier(theirs);
    t.equal(makeVerifier(password, iterations, salt), theirs, JSON.stringify(password));
  }
  await client.end();
});

t.test('keys prove with stores only', async (t) => {
  const hash = 'ab'.repeat(32);
  const users = [{ name: 'alice', groups: [], scram: undefined, keys: [hash] }];
  const store = createCredentials(users, Buffer.from('s'), 'store').lookup('alice');
  t.ok(store.isKnown);
  t.same(store.verifier.keyHashes, [Buffer.from(hash, 'hex')]);
  const sql = createCredentials(users, Buffer.from('s'), 'postgres').lookup('alice');
  t.notOk(sql.isKnown);
  t.equal(sql.verifier.keyHashes, undefined);
});
