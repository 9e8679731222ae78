import t from 'tap';
import type { DetectorName } from '../../../lib/config/config.ts';
import { findContent } from '../../../lib/masking/detectors.ts';

/** Finds the whole of `text`, in the middle of a sentence, too. */
function isWhole(kind: DetectorName, text: string): boolean {
  const sentence = `it is ${text}, they say`;
  const places = findContent(sentence, new Set([kind]));
  return places.length === 1 && places[0]?.start === 6 && places[0].end === 6 + text.length;
}

function isNothing(kind: DetectorName, text: string): boolean {
  return findContent(text, new Set([kind])).length === 0;
}

t.test('cards', async (t) => {
  for (const card of [
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    '4111\u00a01111\u00a01111\u00a01111',
    '5555.5555.5555.4444',
    '378282246310005',
    '3782 822463 10005',
    '6011 1111 1111 1117',
    '3530111333300000',
    '30569309025904',
    '4222222222222',
    '2223000048400011',
    '2200000000000004',
    '6304000000000000',
    '9792000000000003',
  ]) {
    t.ok(isWhole('credit-card', card), card);
  }
  for (const other of [
    '4111111111111112',
    '1234567812345670',
    '0000000000000000',
    '4111 1111 1111',
    '41111111111111111111111',
    '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
    '4111  1111  1111  1111',
    '0.4111111111111111',
    '3.4111111111111111',
    '1700000000000',
  ]) {
    t.ok(isNothing('credit-card', other), other);
  }
});

t.test('social security numbers', async (t) => {
  for (const number of ['123-45-6789', '123 45 6789', '899-99-9999']) {
    t.ok(isWhole('ssn', number), number);
  }
  for (const other of [
    '000-12-3456',
    '666-12-3456',
    '900-12-3456',
    '123-00-4567',
    '123-45-0000',
    '123-45 6789',
    '123456789',
    '1-123-45-6789',
    '123-45-6789-1',
    '123--45-6789',
    '1234-45-6789',
    '123.45.6789',
  ]) {
    t.ok(isNothing('ssn', other), other);
  }
});

t.test('phone numbers', async (t) => {
  for (const phone of [
    '+49 30 123456',
    '+4930123456',
    '+33 6 12 34 56 78',
    '+1 (212) 555-0123',
    '+44 (0) 20 7946 0018',
    '0049 30 1234567',
    '004930123456',
    '030 1234567',
    '(030) 1234567',
    '030/1234567',
    '0171-1234567',
    '06 12 34 56 78',
    '06.12.34.56.78',
    '0612345678',
    '212-555-0123',
    '(212) 555-0123',
    '(212)555-0123',
    '212.555.0123',
    '1-800-555-0199',
  ]) {
    t.ok(isWhole('phone', phone), phone);
  }
  for (const other of [
    '2024-01-02 03:04:05',
    '01.02.2024',
    '01/02/2024 10:30',
    '01-02-24',
    '12.03.2024',
    '1700000000',
    '2125550123',
    '0.123456789',
    '00000000000',
    '112-555-0123',
    '212-155-0123',
    'order_0612345678',
    'x030 1234567',
    '+1 23',
    '3-212-555-0123',
  ]) {
    t.ok(isNothing('phone', other), other);
  }
});

t.test('IPv4 addresses', async (t) => {
  for (const address of ['192.0.2.1', '10.1.2.3', '255.255.255.255', '0.0.0.0']) {
    t.ok(isWhole('ip', address), address);
  }
  t.ok(isWhole('ip', '192.0.2.1') && !isNothing('ip', '192.0.2.1:443'), 'with a port');
  for (const other of [
    '256.1.1.1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.1000',
    'v1.2.3.4',
    '1.2.3.4a',
    '1 2 3 4',
  ]) {
    t.ok(isNothing('ip', other), other);
  }
});
