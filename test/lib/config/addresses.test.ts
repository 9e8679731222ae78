import t from 'tap';
import {
  isLoopback,
  isWildcard,
  parseDatabaseUrl,
  parseHostPort,
} from '../../../lib/config/addresses.ts';

t.test('host:port', async (t) => {
  t.same(parseHostPort('127.0.0.1:6432'), { host: '127.0.0.1', port: 6432 });
  t.same(parseHostPort('db-1.example.com:1'), { host: 'db-1.example.com', port: 1 });
  t.same(parseHostPort('[fe80::1]:65535'), { host: 'fe80::1', port: 65535 });
  t.same(parseHostPort('localhost:0'), { host: 'localhost', port: 0 });
  for (const wrong of [
    '',
    ':1',
    'h',
    'h:',
    'h:65536',
    'h:1x',
    '::1:1',
    '[h]:1',
    'a b:1',
    '[::1]',
  ]) {
    t.equal(parseHostPort(wrong), undefined, wrong);
  }
});

t.test('database URLs', async (t) => {
  const bare = {
    protocol: 'postgres',
    host: 'h',
    port: 5432,
    user: undefined,
    database: undefined,
  };
  t.same(parseDatabaseUrl('postgres://h'), bare);
  t.same(parseDatabaseUrl('postgresql://h/'), bare);
  t.same(parseDatabaseUrl('postgres://a%40b@h:1/d%2Fe'), {
    ...bare,
    port: 1,
    user: 'a@b',
    database: 'd/e',
  });
  t.same(parseDatabaseUrl('postgres://[::1]:2/x'), {
    ...bare,
    host: '::1',
    port: 2,
    database: 'x',
  });
  const mysql = { ...bare, protocol: 'mysql', port: 3306 };
  t.same(parseDatabaseUrl('mysql://h'), mysql);
  t.same(parseDatabaseUrl('mariadb://u@h:3307/d'), {
    ...mysql,
    port: 3307,
    user: 'u',
    database: 'd',
  });
  for (const wrong of [
    'h',
    'http://h',
    'constructor://h',
    'mysql://u:p@h',
    'postgres://u:p@h',
    'postgres://',
    'postgres://h?x=1',
    'postgres://h#x',
  ]) {
    t.type(parseDatabaseUrl(wrong), 'string', wrong);
  }
});

t.test('which addresses stay on this machine', async (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example.com', 'localhost.example.com']) {
    t.notOk(isLoopback(host), host);
  }
  t.ok(isWildcard('0.0.0.0') && isWildcard('::'));
  t.notOk(isWildcard('127.0.0.1'));
});
