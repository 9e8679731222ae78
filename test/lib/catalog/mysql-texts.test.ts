import t from 'tap';
import {
  foldName,
  mentionedNames,
  mentionedWords,
  parseVersion,
  quoteName,
} from '../../../lib/catalog/mysql-texts.ts';
import { foldName as foldInReader } from '../../../lib/sql/mysql/lineage-names.ts';

t.test('names fold as servers fold them, letter by letter (MY-63)', async (t) => {
  const cases: readonly [string, string][] = [
    ['Users', 'users'],
    ['ÜBER', 'über'],
    ['\u0130d', 'id'], // A dotted capital I is an i, not an i and a dot.
    ['ΟΔΟΣ', 'οδοσ'], // No final sigma.
    ['\u212a', 'k'],
  ];
  for (const [name, folded] of cases) {
    t.equal(foldName(name), folded, name);
    t.equal(foldInReader(name), folded, 'the reader of SQL does the same');
  }
});

t.test('relations and calls in a definition as the server prints it', async (t) => {
  const text =
    "select `c`.`email` AS `mail`,`f`(`c`.`id`) AS `n`,`other`.`G` (1) AS `g`,ucase('`no`.`t` \\' `u`.`v`') AS `k`," +
    '(select count(0) from `Shop`.`audit`) AS `x` from (`shop`.`odd``name` `c` join `a`.`b`)';
  const { relations, calls, words } = mentionedNames(text);
  t.same(relations, [
    ['c', 'email'],
    ['c', 'id'],
    ['shop', 'audit'],
    ['shop', 'odd`name'],
    ['a', 'b'],
  ]);
  t.same(calls, [
    [undefined, 'f'],
    ['other', 'g'],
  ]);
  t.ok(words.has('ucase') && words.has('odd`name') && !words.has('no'));
});

t.test('words of an expression, in its strings as well', async (t) => {
  t.ok(mentionedWords("concat(_utf8mb4\\'x\\',`email`)").has('email'), 'with escaped quotes');
  t.ok(mentionedWords("concat(_utf8mb4\\'it\\\\\\'s\\',`Email`, SSN)").has('ssn'));
  t.ok(mentionedWords("concat('`',`odd name`)").has('odd name'));
});

t.test('versions as version comments count them', async (t) => {
  t.equal(parseVersion('10.11.19-MariaDB-0+deb12u1'), 101_119);
  t.equal(parseVersion('5.5.5-10.6.1-MariaDB'), 100_601);
  t.equal(parseVersion('5.5.5'), 50_505);
  t.equal(parseVersion('8.0.36'), 80_036);
  t.equal(parseVersion('8.0.11-TiDB-v7.5.0'), 80_011);
  t.equal(parseVersion('eight'), undefined);
  t.equal(quoteName('a`b'), '`a``b`');
});
