import { randomBytes } from 'node:crypto';
import t from 'tap';
import { createSessionId } from '../../../lib/gateway/session-id.ts';

t.test('26 characters that are safe in a file name', async (t) => {
  for (let index = 0; index < 100; index += 1) {
    t.match(createSessionId(Date.now(), randomBytes(16)), /^[0-9A-HJKMNP-TV-Z]{26}$/);
  }
});

t.test('the ULID layout', async (t) => {
  t.equal(createSessionId(0, Buffer.alloc(16)), '0'.repeat(26));
  t.equal(createSessionId(1_469_918_176_385, Buffer.alloc(16, 31)), `01ARYZ6S41${'Z'.repeat(16)}`);
});

t.test('they sort by their time, to the millisecond', async (t) => {
  const times = [0, 31, 32, 1_700_000_000_000, 1_700_000_000_001, 2_000_000_000_000];
  const ids = times.map((time) => createSessionId(time, randomBytes(16)));
  t.same(ids.toSorted(), ids);
});

t.test('two of one millisecond differ', async (t) => {
  const ids = Array.from({ length: 1000 }, () => createSessionId(1, randomBytes(16)));
  t.equal(new Set(ids).size, 1000);
});
