import t from 'tap';
import { readCommentHead, skippedCommentEnd } from '../../../../lib/sql/mysql/version-comments.ts';

const MARIADB = { flavor: 'mariadb', version: 101_119 } as const;
const MYSQL = { flavor: 'mysql', version: 80_036 } as const;

t.test('the head of a version comment', async (t) => {
  const head = (text: string, server: typeof MARIADB | typeof MYSQL, sixDigits = true): unknown =>
    readCommentHead(text, 0, server, sixDigits);
  t.equal(head('/* x */', MARIADB), undefined);
  t.equal(head('/*M x */', MARIADB), undefined);
  t.same(head('/*!123 */', MARIADB), { length: 3, isCode: true, isAmbiguous: false });
  t.same(head('/*!50001 */', MARIADB), { length: 8, isCode: true, isAmbiguous: false });
  t.same(head('/*!50700 */', MARIADB), { length: 8, isCode: false, isAmbiguous: false });
  t.same(head('/*M!100000 */', MARIADB), { length: 10, isCode: true, isAmbiguous: false });
  t.equal(head('/*M!100000 */', MYSQL), undefined);
  t.same(head('/*!080036 */', MYSQL), { length: 9, isCode: true, isAmbiguous: true });
  t.same(head('/*!080036 */', MYSQL, false), { length: 8, isCode: true, isAmbiguous: true });
});

t.test('where a skipped one ends: one comment nests in it', async (t) => {
  t.equal(skippedCommentEnd('a */ b', 0), 4);
  t.equal(skippedCommentEnd('a /* b */ c */ d', 0), 14);
  t.equal(skippedCommentEnd('a /* b /* c */ d */ e', 0), 19);
  t.equal(skippedCommentEnd('a /*/ b */ c */ d', 0), 15);
  t.equal(skippedCommentEnd('a /* b', 0), -1);
  t.equal(skippedCommentEnd('a /* b */', 0), -1);
  t.equal(skippedCommentEnd('a', 0), -1);
});
