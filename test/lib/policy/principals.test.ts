import t from 'tap';
import { matchesPrincipal } from '../../../lib/policy/principals.ts';

const alice = { name: 'alice', groups: ['analysts', 'eu-staff'] };

t.test('names and groups are different things', async (t) => {
  const cases: readonly [patterns: readonly string[], expected: boolean][] = [
    [[], false],
    [['*'], true],
    [['alice'], true],
    [['Alice'], false],
    [['al*'], true],
    [['bob', 'alice'], true],
    [['analysts'], false],
    [['group:analysts'], true],
    [['group:eu-*'], true],
    [['group:admins'], false],
    [['group:alice'], false],
  ];
  for (const [patterns, expected] of cases) {
    t.equal(matchesPrincipal(patterns, alice), expected, patterns.join(' '));
  }
});

t.test('group:* is everyone in some group', async (t) => {
  t.ok(matchesPrincipal(['group:*'], alice));
  t.notOk(matchesPrincipal(['group:*'], { name: 'bob', groups: [] }));
});

t.test('a user cannot name himself into a group', async (t) => {
  t.notOk(matchesPrincipal(['group:admins'], { name: 'group:admins', groups: [] }));
});
