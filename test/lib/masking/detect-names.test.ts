import t from 'tap';
import type { DetectorName } from '../../../lib/config/config.ts';
import { findContent } from '../../../lib/masking/detectors.ts';

function find(kind: DetectorName, text: string): string[] {
  return findContent(text, new Set([kind])).map(({ start, end }) => text.slice(start, end));
}

t.test('mail addresses', async (t) => {
  for (const address of [
    'ann@example.com',
    'ann.lee+tag@mail.example.co.uk',
    "o'brien@example.ie",
    'x@xn--bcher-kva.example',
    'jürgen@müller.de',
    '用户@例子.公司',
    'a_b-c@sub-domain.example.museum',
    '"ann lee"@example.com',
    'ann@[192.0.2.1]',
    'ann@[IPv6:2001:db8::1]',
    'ann!@example.com',
  ]) {
    t.same(find('email', address), [address], address);
    t.same(find('email', `mailto:${address}, or`), [address], `${address} in a sentence`);
  }
  t.same(find('email', "'ann@example.com'."), ['ann@example.com']);
  t.same(find('email', '{"mail":"ann@example.com"}'), ['ann@example.com']);
  t.same(find('email', 'ann@example.com.'), ['ann@example.com']);
  t.same(find('email', 'ann@example.com.2024'), ['ann@example.com']);
  t.same(find('email', 'a@b.de;c@d.fr'), ['a@b.de', 'c@d.fr']);
  t.same(find('email', 'a@b.de@c.fr'), ['a@b.de']);
  for (const other of [
    'ann@',
    '@example.com',
    'ann@localhost',
    'ann@example.c',
    'a @b.de',
    '@@',
    'ann@.de',
    'ann@a..de',
    '"@x.de',
  ]) {
    t.same(find('email', other), [], other);
  }
});

t.test('IBANs', async (t) => {
  for (const iban of [
    'DE89370400440532013000',
    'DE89 3704 0044 0532 0130 00',
    'GB82 WEST 1234 5698 7654 32',
    'gb82west12345698765432',
    'FR14 2004 1010 0505 0001 3M02 606',
    'NO9386011117947',
    'MT84MALT011000012345MTLCAST001S',
    'DE89-3704-0044-0532-0130-00',
  ]) {
    t.same(find('iban', `to ${iban}.`), [iban], iban);
  }
  for (const other of [
    'DE89370400440532013001',
    'DE8937040044053201300',
    'DE893704004405320130000',
    'XX89370400440532013000',
    'XDE89370400440532013000',
    'DE 89370400440532013000',
    'DE89  3704 0044 0532 0130 00',
    'DE89',
  ]) {
    t.same(find('iban', other), [], other);
  }
});

t.test('IPv6 addresses', async (t) => {
  for (const address of [
    '2001:db8::1',
    'fe80::1ff:fe23:4567:890a',
    '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
    '::ffff:192.0.2.1',
    '::1',
  ]) {
    t.ok(find('ip', `from ${address}, or`).includes(address), address);
    t.ok(find('ip', `[${address}]:443`).includes(address), `${address} with a port`);
  }
  t.same(find('ip', 'addr:2001:db8::1.'), ['2001:db8::1']);
  for (const other of [
    '10:30:45',
    'aa:bb:cc:dd:ee:ff',
    'std::vector',
    'abc::deg',
    '::',
    'a:b',
    'x::1',
    ':::',
    '12345::1',
  ]) {
    t.same(find('ip', other), [], other);
  }
});
