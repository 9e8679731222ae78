import t from 'tap';
import { parseConfig } from '../../../lib/config/load.ts';
import { hashKey } from '../../../lib/identity/api-keys.ts';
import { makeVerifier, parseVerifier } from '../../../lib/identity/credentials.ts';
import { runMain } from './run-main.ts';

const CONNECTION = `[[connection]]
name = "c"
protocol = "postgres"
listen = "127.0.0.1:1"
upstream = "postgres://app@localhost"
`;

t.test('prints a block that works as it is', async (t) => {
  const name = 'Alice "A" \\ Ü';
  const argv = [
    'user',
    'add',
    name,
    '--group',
    'analysts',
    '--group',
    'night shift',
    '--iterations',
    '5000',
  ];
  const { code, stdout, stderr } = await runMain(argv, 'hunter2\n');
  t.same([code, stderr], [0, '']);
  const [user] = parseConfig(CONNECTION + stdout, 'weir.toml').users;
  t.match(user, { name, groups: ['analysts', 'night shift'] });
  const { iterations, salt } = parseVerifier(user?.scram ?? '');
  t.equal(iterations, 5000);
  t.equal(makeVerifier('hunter2', iterations, salt), user?.scram);
  t.notMatch(stdout, /hunter2/);
});

t.test('with --mysql it prints the hash that MySQL stores, too', async (t) => {
  const { code, stdout } = await runMain(['user', 'add', 'alice', '--mysql'], 'password\n');
  t.equal(code, 0);
  const [user] = parseConfig(CONNECTION + stdout, 'weir.toml').users;
  t.equal(user?.mysqlNative, '*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19');
  t.ok(user?.scram !== undefined);
});

t.test('with --key it makes a key, shows it once, and prints its hash', async (t) => {
  const argv = ['user', 'add', 'alice', '--group', 'acme', '--key'];
  const { code, stdout, stderr } = await runMain(argv, '');
  t.equal(code, 0, 'no password is asked for');
  const key = /weir_[A-Za-z0-9_-]{43}/.exec(stderr)?.[0] ?? '';
  t.notMatch(stdout, /weir_/, 'the block does not hold it');
  const connection = CONNECTION.replace('"postgres"', '"qdrant"').replace(
    'postgres://app@localhost',
    'http://localhost:6333',
  );
  const [user] = parseConfig(connection + stdout, 'weir.toml').users;
  t.same(user, { name: 'alice', groups: ['acme'], keys: [hashKey(key)], scram: undefined });
  const other = await runMain(argv, '');
  t.not(/weir_\S+/.exec(other.stderr)?.[0], key);
});

t.test('refuses what could not be used', async (t) => {
  const wrong: readonly [string[], RegExp][] = [
    [['user'], /expected: weir user add NAME/],
    [['user', 'remove', 'alice'], /expected: weir user add NAME/],
    [['user', 'add', 'a', 'b'], /expected: weir user add NAME/],
    [['user', 'add', 'group:x'], /expected a user name/],
    [['user', 'add', 'a', '--group', '*'], /expected a list of group names/],
    [['user', 'add', 'a', '--iterations', '0'], /--iterations: expected 1 to/],
    [['user', 'add', 'a', '--key', '--mysql'], /--key and --mysql do not go together/],
    [['user', 'add', 'a', '--iterations', 'many'], /--iterations: expected 1 to/],
  ];
  for (const [argv, stderr] of wrong) {
    t.match(await runMain(argv, 'x\n'), { code: 2, stdout: '', stderr }, argv.join(' '));
  }
  t.match(await runMain(['user', 'add', 'alice'], ''), {
    code: 2,
    stdout: '',
    stderr: /no password came/,
  });
});
