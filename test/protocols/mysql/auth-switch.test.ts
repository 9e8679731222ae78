import t from 'tap';
import { encodeAuthSwitch, parseAuthSwitch } from '../../../protocols/mysql/auth-switch.ts';

t.test('plugin and nonce, its NUL included', async (t) => {
  const nonce = Buffer.from('greeting nonce 01234');
  const payload = encodeAuthSwitch('mysql_native_password', nonce);
  t.equal(payload.toString('latin1'), `\xfemysql_native_password\0${nonce.toString()}\0`);
  t.same(parseAuthSwitch(payload), {
    plugin: 'mysql_native_password',
    content: Buffer.concat([nonce, Buffer.of(0)]),
  });
  // As of client_ed25519 and mysql_clear_password.
  t.same(parseAuthSwitch(Buffer.from('\xfex\0', 'latin1')), {
    plugin: 'x',
    content: Buffer.alloc(0),
  });
});

t.test('the hash of before 4.1 is no plugin (MY-7), and a name has an end', async (t) => {
  t.equal(parseAuthSwitch(Buffer.of(0xfe)), undefined);
  t.throws(() => parseAuthSwitch(Buffer.from('\xfeno end', 'latin1')), { code: 'MYSQL_FIELD' });
});
