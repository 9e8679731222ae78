import fc from 'fast-check';
import t from 'tap';
import { DETECTOR_NAMES, type DetectorName } from '../../../lib/config/config.ts';
import { findContent, FOUND_MAX } from '../../../lib/masking/detectors.ts';

const ALL = new Set(DETECTOR_NAMES);

/** What was found, as `kind text`. */
function find(text: string, ...kinds: DetectorName[]): string[] {
  const wanted = kinds.length === 0 ? ALL : new Set(kinds);
  return findContent(text, wanted).map(
    ({ start, end, kind }) => `${kind} ${text.slice(start, end)}`,
  );
}

t.test('several kinds in one text, in their order', async (t) => {
  t.same(
    find(
      'Ann <ann@example.com>, +49 30 123456, DE89 3704 0044 0532 0130 00; 4111 1111 1111 1111 from 10.1.2.3',
    ),
    [
      'email ann@example.com',
      'phone +49 30 123456',
      'iban DE89 3704 0044 0532 0130 00',
      'credit-card 4111 1111 1111 1111',
      'ip 10.1.2.3',
    ],
  );
  t.same(find('nothing to see here, 12 of 34, at 10:30 on 2024-01-02'), []);
  t.same(find(''), []);
});

t.test('only the kinds that were asked for', async (t) => {
  const text = 'ann@example.com 10.1.2.3';
  t.same(find(text, 'email'), ['email ann@example.com']);
  t.same(find(text, 'ip'), ['ip 10.1.2.3']);
  t.same(findContent(text, new Set()), []);
});

t.test('what overlaps is one place', async (t) => {
  t.same(find('030-1234567@example.com'), ['email 030-1234567@example.com']);
  t.same(find('call 0301234567.ann@example.com'), ['email 0301234567.ann@example.com']);
});

t.test('a number beside another one is found', async (t) => {
  t.same(find('4111 1111 1111 1111 123', 'credit-card'), ['credit-card 4111 1111 1111 1111']);
  t.same(find('12 4111 1111 1111 1111', 'credit-card'), ['credit-card 4111 1111 1111 1111']);
  t.same(find('378282246310005 5555555555554444', 'credit-card'), [
    'credit-card 378282246310005',
    'credit-card 5555555555554444',
  ]);
});

t.test('places are in order, apart, and not empty, whatever the text', async () => {
  const pieces =
    '@ . : :: - + ( ) / " [ ] 0 00 1 4111 030 212-555-0123 DE DE89 a f xn-- é _ ann@ex.com 123-45-6789 255';
  const others = [' ', '1111 1111', '\ud83d', '\u00a0', '10.0.0.1', '2001:db8::1', '\n'];
  const piece = fc.constantFrom(...pieces.split(' '), ...others);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (chosen) => {
      const text = chosen.join('');
      let at = 0;
      for (const { start, end } of findContent(text, ALL)) {
        if (start < at || end <= start || end > text.length) return false;
        at = end;
      }
      return true;
    }),
    { numRuns: 2000 },
  );
});

t.test('a found text is found in any surroundings that are no part of it', async () => {
  const secrets = [
    'ann.lee+x@mail.example.co.uk',
    '4111-1111-1111-1111',
    'GB82WEST12345698765432',
    '123-45-6789',
    '+1 (212) 555-0123',
    '192.168.100.200',
    '2001:db8::ff00:42:8329',
  ];
  const around = fc.stringMatching(/^[\p{L} ,;!?\n]{0,30}$/u);
  fc.assert(
    fc.property(fc.constantFrom(...secrets), around, around, (secret, before, after) => {
      const text = `${before} ${secret}, ${after}`;
      const start = before.length + 1;
      return findContent(text, ALL).some(
        (place) => place.start <= start && place.end >= start + secret.length,
      );
    }),
    { numRuns: 1000 },
  );
});

t.test(
  'hostile texts of some hundred kilobytes are read in one go',
  { timeout: 120_000 },
  async (t) => {
    const size = 400_000;
    const fill = (unit: string) => unit.repeat(Math.ceil(size / unit.length));
    const units = ['@', 'a@', 'a.', 'a@a.', '"@', ':', '::', 'a:', '1:', '1', '1 ', '11 ', '1111 '];
    units.push(
      '0',
      '00',
      '+1',
      '(1',
      '1.',
      '255.',
      'DE89',
      'DE89 ',
      'AB12',
      '123-45-',
      '\ud800@',
      '-@-',
    );
    for (const unit of units) {
      const text = fill(unit);
      const found = findContent(text, ALL);
      t.ok(
        found.every((place) => place.end <= text.length),
        JSON.stringify(unit),
      );
    }
    // Quadratic work on these would take hours.
    findContent(`${fill('a')}@${fill('b')}`, ALL);
    findContent(`"${fill(' ')}@`, ALL);
    t.pass('done');
  },
);

t.test('more places than are kept: the rest of the text is one', async (t) => {
  const text = 'a@b.co '.repeat(FOUND_MAX + 10);
  const found = findContent(text, new Set(['email'] as const));
  t.equal(found.length, FOUND_MAX + 1);
  t.equal(found.at(-1)?.end, text.length);
});
