import t from 'tap';
import { preparePassword } from '../../../lib/identity/saslprep.ts';

/** credentials.test.ts compares with a real server; here is the reason of each case. */
const CASES: readonly (readonly [string, string, string])[] = [
  ['plain ASCII stays, controls too', 'a\tb c', 'a\tb c'],
  ['composed', 'a\u0308', 'ä'],
  ['compatibility characters', '\u2168\u00aa\ufb01', 'IXafi'],
  ['a soft hyphen is nothing (RFC 4013 section 3)', 'I\u00adX', 'IX'],
  ['spaces of other kinds', 'ä\u00a0\u3000', 'ä  '],
  ['nothing left: as it is', '\u00ad', '\u00ad'],
  ['a control forbids the whole', '\u00aa\u0007', '\u00aa\u0007'],
  ['private use forbids', '\u00aa\ue000', '\u00aa\ue000'],
  ['right-to-left between others forbids', '\u0627\u0031\u00aa', '\u0627\u0031\u00aa'],
  ['right-to-left alone is normalised', '\ufb2a\u05d0', '\u05e9\u05c1\u05d0'],
  ['what Unicode 3.2 did not know forbids', '\u{1f600}\u00aa', '\u{1f600}\u00aa'],
];

t.test('passwords are prepared as PostgreSQL does it', async (t) => {
  for (const [name, password, prepared] of CASES) {
    t.equal(preparePassword(password), prepared, name);
  }
});
