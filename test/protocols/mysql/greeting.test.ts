import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  encodeGreeting,
  identityOf,
  nonceOf,
  parseGreeting,
} from '../../../protocols/mysql/greeting.ts';

/** As MariaDB 10.11 sent it. */
const MARIADB = {
  version: '5.5.5-10.11.19-MariaDB-0+deb12u1',
  connectionId: 31,
  nonce: Buffer.from('abcdefgh123456789012'),
  capabilities: 0x81bf_f7fen | (0x1dn << 32n),
  collation: 45,
  status: 2,
  plugin: 'mysql_native_password',
};

t.test('a greeting comes back as it was; MariaDB’s marks stay (MY-2)', async (t) => {
  t.same(parseGreeting(encodeGreeting(MARIADB)), MARIADB);
  const mysql = {
    ...MARIADB,
    version: '8.0.36',
    capabilities: 0xdfff_ffffn,
    plugin: 'caching_sha2_password',
  };
  t.same(parseGreeting(encodeGreeting(mysql)), mysql);
  const bare = { ...MARIADB, capabilities: 0xa200n };
  t.same(parseGreeting(encodeGreeting(bare)), { ...bare, plugin: 'mysql_native_password' });
});

t.test('what the server is (MY-57)', async (t) => {
  t.match(identityOf(MARIADB), { flavor: 'mariadb', version: 101119, connectionId: 31 });
  const mysql = { ...MARIADB, capabilities: 1n };
  t.match(identityOf({ ...mysql, version: '8.0.36-0ubuntu' }), { flavor: 'mysql', version: 80036 });
  t.match(identityOf({ ...mysql, version: '8.0.mysql_aurora.3.04' }), {
    flavor: 'mysql',
    version: 80000,
  });
  t.match(
    identityOf({ ...MARIADB, version: '8.0.99' }),
    { flavor: 'mariadb' },
    'renamed by its operator',
  );
});

t.test('other protocols, old servers and cut greetings are refused', async (t) => {
  const bytes = encodeGreeting(MARIADB);
  const nine = Buffer.from(bytes);
  nine[0] = 9;
  t.throws(() => parseGreeting(nine), { code: 'MYSQL_GREETING', message: /protocol 9/ });
  t.throws(
    () => parseGreeting(encodeGreeting({ ...MARIADB, capabilities: 0x200n })),
    /older than 4.1/,
  );
  for (let size = 0; size < bytes.length - MARIADB.plugin.length - 2; size += 1) {
    t.throws(() => parseGreeting(bytes.subarray(0, size)), ProtocolError, `cut at ${size}`);
  }
});

t.test('nonces have no NUL and no $ (MY-2)', async (t) => {
  const all = nonceOf(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
  t.ok(all.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x24));
});

t.test('a server that only speaks the protocol offers less than MySQL (MY-38)', async (t) => {
  const whole = { ...MARIADB, version: '8.0.36', capabilities: 0xdfff_ffffn };
  t.equal(identityOf(whole).isLookalike, false);
  // As Dolt's engine offers them.
  t.equal(
    identityOf({ ...whole, version: '8.0.31', capabilities: 0x013b_a28fn }).isLookalike,
    true,
  );
  t.equal(
    identityOf({ ...whole, version: '5.6.50', capabilities: 0x003f_f7ffn }).isLookalike,
    false,
  );
  t.equal(identityOf(MARIADB).isLookalike, false);
});
