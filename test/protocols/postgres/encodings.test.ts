import t from 'tap';
import { decodeStatement } from '../../../protocols/postgres/encodings.ts';

const SEVEN = ['SJIS', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB', 'SHIFT_JIS_2004'];

t.test(
  'the seven encodings whose second bytes can be a quote or a backslash are not read (PG-66)',
  async (t) => {
    for (const encoding of SEVEN) {
      // SJIS "\x95\x5c": one character for the server, an escaped quote for whoever reads bytes.
      t.equal(
        decodeStatement(Buffer.from("select E'\x95\x5c'; drop table t --'", 'latin1'), encoding),
        undefined,
        encoding,
      );
      t.equal(
        decodeStatement(Buffer.from("select E'\xbf\x5c'", 'latin1'), encoding),
        undefined,
        encoding,
      );
      t.equal(
        decodeStatement(Buffer.from('select 1'), encoding),
        'select 1',
        'ASCII means the same in all of them',
      );
    }
    for (const encoding of ['SQL_ASCII', 'MULE_INTERNAL', '', 'nosuch']) {
      t.equal(decodeStatement(Buffer.from([0x27, 0xe9, 0x27]), encoding), undefined, encoding);
    }
  },
);

t.test('UTF-8 that is none is never mended (PG-25)', async (t) => {
  t.equal(decodeStatement(Buffer.from("select 'é€😀'"), 'UTF8'), "select 'é€😀'");
  for (const hex of ['c3', 'ff', 'c0af', 'eda080', 'f4908080', '80', 'e282']) {
    t.equal(decodeStatement(Buffer.from(`27${hex}27`, 'hex'), 'UTF8'), undefined, hex);
  }
});

t.test('encodings that keep ASCII are read as they are meant', async (t) => {
  const rows: readonly [string, string, string][] = [
    ['LATIN1', 'e9', 'é'],
    ['LATIN9', 'a4', '€'],
    ['LATIN2', 'b1', 'ą'],
    ['LATIN1', '80', '\u0080'],
    ['WIN1252', '80', '€'],
    ['WIN1252', '9a9f', 'šŸ'],
    ['WIN1251', 'e6', 'ж'],
    ['KOI8R', 'd6', 'ж'],
    ['WIN866', 'a6', 'ж'],
    ['ISO_8859_7', 'e1', 'α'],
    ['EUC_JP', 'c6fc', '日'],
    ['EUC_KR', 'c7d1', '한'],
  ];
  for (const [encoding, hex, text] of rows)
    t.equal(decodeStatement(Buffer.from(hex, 'hex'), encoding), text, encoding);
  t.equal(
    decodeStatement(Buffer.of(0x81), 'WIN1252'),
    undefined,
    'a byte that WIN1252 does not have',
  );
  t.equal(
    decodeStatement(Buffer.from('c627', 'hex'), 'EUC_JP'),
    undefined,
    'a first byte never takes a quote along',
  );
});
