import t from 'tap';
import {
  charsetOfCollation,
  charsetOfName,
  decodeName,
  refusalOfCharset,
} from '../../../protocols/mysql/collations.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';

t.test('ids of the servers’ own lists; whatever is not known is refused (MY-37)', async (t) => {
  const known = [8, 11, 33, 45, 63, 224, 255, 309, 1071, 2048, 2304].map(charsetOfCollation);
  t.same(known, [
    'latin1',
    'ascii',
    'utf8mb3',
    'utf8mb4',
    'binary',
    'utf8mb4',
    'utf8mb4',
    'utf8mb4',
    'latin1',
    'utf8mb3',
    'utf8mb4',
  ]);
  // gbk, sjis, big5, cp932, gb18030, ucs2, utf16, utf32, tis620, none.
  for (const id of [28, 87, 13, 88, 1, 84, 95, 248, 249, 250, 35, 54, 60, 18, 0, 272, 4000]) {
    t.equal(charsetOfCollation(id), undefined, `${id}`);
    t.match(refusalOfCharset({ statements: true, results: false }, id), { error: { errno: 1115 } });
    t.equal(refusalOfCharset({ statements: false, results: false }, id), undefined);
  }
  t.equal(charsetOfName('UTF8'), 'utf8mb3');
  t.equal(charsetOfName('gbk'), undefined);
});

t.test(
  'a real server agrees on every id it has',
  { skip: mariadbMissing() ?? false },
  async (t) => {
    const server = await startMariadb();
    t.teardown(() => server.stop());
    const text =
      await server.sql(`select id, character_set_name from information_schema.collations where id is not null
    union select id, character_set_name from information_schema.collation_character_set_applicability`);
    const rows = text
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    t.ok(rows.length > 500, `${rows.length} collations`);
    const wrong = rows.filter(
      ([id = '', name = '']) => charsetOfCollation(Number(id)) !== charsetOfName(name),
    );
    t.same(wrong, []);
  },
);

t.test('names are decoded exactly or not at all', async (t) => {
  t.equal(decodeName(Buffer.from('ann'), 28), 'ann', 'ASCII in any charset');
  t.equal(decodeName(Buffer.from('zoé'), 45), 'zoé');
  t.equal(decodeName(Buffer.from('zo\xe9', 'latin1'), 8), 'zoé');
  t.equal(decodeName(Buffer.from('zo\x80', 'latin1'), 8), undefined, 'the euro of windows-1252');
  t.equal(decodeName(Buffer.from('zo\xe9', 'latin1'), 45), undefined);
  t.equal(decodeName(Buffer.from('zoé'), 28), undefined);
});
