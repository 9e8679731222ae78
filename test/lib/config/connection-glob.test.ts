import fc from 'fast-check';
import t from 'tap';
import { matchesName } from '../../../lib/config/connection-glob.ts';
import { matchesGlob } from '../../../lib/policy/glob.ts';

t.test('patterns over names', async (t) => {
  t.ok(matchesName(['x', 'sh*'], 'shop'));
  t.ok(matchesName(['*'], ''));
  t.ok(matchesName(['s*o*'], 'shop'));
  t.notOk(matchesName(['sho'], 'shop'));
  t.notOk(matchesName([], 'shop'));
});

t.test('it never differs from the globs that decide', async (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, (pattern, name) => {
      return matchesName([pattern], name) === matchesGlob(pattern, name);
    }),
    { numRuns: 2000 },
  );
  t.pass('held');
});
