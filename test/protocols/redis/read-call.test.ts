import t from 'tap';
import { readRedisCall } from '../../../protocols/redis/read-call.ts';

t.test('commands as for redis-cli', async (t) => {
  t.match(readRedisCall('get user:1'), {
    route: 'GET',
    accesses: [{ effect: 'read', target: { kind: 'key', path: ['user:1'] } }],
  });
  t.match(readRedisCall('  DEL "a b" \'c d\'  "\\x65\\"" '), {
    accesses: [
      { effect: 'delete', target: { path: ['a b'] } },
      { effect: 'delete', target: { path: ['c d'] } },
      { effect: 'delete', target: { path: ['e"'] } },
    ],
  });
  t.match(readRedisCall('FT.SEARCH idx "@email:{x}"'), {
    route: 'FT.SEARCH',
    accesses: [{ effect: 'search', target: { kind: 'index', path: ['idx'] } }],
  });
});

t.test('a filter that a key cannot keep', async (t) => {
  const call = readRedisCall('GET a');
  const why =
    typeof call === 'string'
      ? call
      : call.whyNotRestricted?.({
          filter: [{ field: 'tenant', value: 'x' }],
          limitMax: undefined,
          hidesVectors: false,
        });
  t.type(why, 'string');
});

t.test('what is none', async (t) => {
  for (const text of ['', '   ', 'GET "open', 'GET "a"b', 'NOSUCHCOMMAND x']) {
    t.type(readRedisCall(text), 'string', text);
  }
});
