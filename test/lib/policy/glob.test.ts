import t from 'tap';
import {
  canMatchBelow,
  matchesAnyGlob,
  matchesEverything,
  matchesGlob,
  matchesPart,
  splitPattern,
} from '../../../lib/policy/glob.ts';

t.test('a star stands for any run of characters, everything else for itself', async (t) => {
  const cases: readonly [pattern: string, text: string, expected: boolean][] = [
    ['*', '', true],
    ['*', 'anything', true],
    ['', '', true],
    ['', 'a', false],
    ['orders', 'orders', true],
    ['orders', 'Orders', false],
    ['orders', 'orders2', false],
    ['order*', 'orders', true],
    ['order*', 'order', true],
    ['*_log', 'audit_log', true],
    ['*_log', 'audit_logs', false],
    ['a*b*c', 'a--b--b--c', true],
    ['a*b*c', 'a--c--b', false],
    ['**', 'x', true],
    ['a?c', 'abc', false],
    ['a.c', 'abc', false],
    ['a[b]', 'a[b]', true],
  ];
  for (const [pattern, text, expected] of cases) {
    t.equal(matchesGlob(pattern, text), expected, `${pattern} / ${text}`);
  }
  t.ok(matchesAnyGlob(['x', 'y*'], 'yes'));
  t.notOk(matchesAnyGlob([], 'yes'));
});

t.test('a hostile pattern and name take no exponential time', async (t) => {
  const started = performance.now();
  t.notOk(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(2000)));
  t.ok(performance.now() - started < 20_000);
});

t.test('patterns are split at dots outside of quotes', async (t) => {
  const bare = (text: string) => ({ text, isLiteral: false });
  const literal = (text: string) => ({ text, isLiteral: true });
  t.same(splitPattern('a'), [bare('a')]);
  t.same(splitPattern('public.*.email'), [bare('public'), bare('*'), bare('email')]);
  t.same(splitPattern('public."odd.na""me"'), [bare('public'), literal('odd.na"me')]);
  for (const wrong of ['', '.', 'a.', '.a', 'a..b', '"a', '"a"b', 'a"b"', '""']) {
    t.equal(splitPattern(wrong), undefined, wrong);
  }
});

t.test('a quoted star is a star', async (t) => {
  t.ok(matchesPart({ text: '*', isLiteral: true }, '*'));
  t.notOk(matchesPart({ text: '*', isLiteral: true }, 'a'));
  t.ok(matchesEverything({ text: '**', isLiteral: false }));
  t.notOk(matchesEverything({ text: '*', isLiteral: true }));
  t.notOk(matchesEverything({ text: 'a*', isLiteral: false }));
});

t.test('may a text that starts like this match?', async (t) => {
  for (const [pattern, prefix, expected] of [
    ['abc', 'ab', true],
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['abc', 'b', false],
    ['a*', 'abcd', true],
    ['*c', 'abd', true],
    ['a*c*e', 'abcd', true],
    ['a*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['**', 'x', true],
    ['b*', 'a', false],
  ] as const) {
    t.equal(canMatchBelow(pattern, prefix), expected, `${pattern} / ${prefix}`);
  }
  t.ok(canMatchBelow(`${'*a'.repeat(100)}b`, 'a'.repeat(2000)), 'in bounded time');
});
