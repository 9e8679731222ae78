import t from 'tap';
import {
  agreeOn,
  allowedOf,
  CAPABILITY,
  extendedBits,
  has,
  joinBits,
  lowBits,
} from '../../../protocols/mysql/capabilities.ts';

const EVERYTHING = (1n << 40n) - 1n;

t.test('what Weir cannot judge is never offered (MY-3, MY-12, MY-30)', async (t) => {
  const allowed = allowedOf(EVERYTHING, false);
  for (const name of [
    'compress',
    'zstd',
    'optionalResultsetMetadata',
    'multiFactor',
    'localFiles',
    'mariadbCacheMetadata',
    'mariadbBulkUnitResults',
    'noSchema',
    'ssl',
  ] as const) {
    t.notOk(has(allowed, CAPABILITY[name]), name);
  }
  t.ok(has(allowedOf(EVERYTHING, true), CAPABILITY.localFiles), 'where it is allowed (MY-34)');
  t.equal(allowed >> 38n, 0n, 'nor what nobody knows yet');
});

t.test('a client that asks for what was not offered does not get it (MY-3)', async (t) => {
  const agreed = agreeOn(allowedOf(CAPABILITY.protocol41, false), EVERYTHING);
  t.equal(agreed, CAPABILITY.protocol41 | CAPABILITY.mysql);
});

t.test('extended flags count where bit 0 is clear (MY-2)', async (t) => {
  t.equal(joinBits(2, 0x1d), 2n | (0x1dn << 32n));
  t.equal(joinBits(3, 0x1d), 3n);
  const joined = joinBits(0xffff_fffe, 0x1d);
  t.equal(lowBits(joined), 0xffff_fffe);
  t.equal(extendedBits(joined), 0x1d);
});
