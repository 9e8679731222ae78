import t from 'tap';
import type { ColumnDetails } from '../../../protocols/contract.ts';
import {
  detailsOf,
  encodingOf,
  isNotNull,
  lengthMaxOf,
  MYSQL_TYPE,
  valueKindOf,
} from '../../../lib/masking/mysql-types.ts';

function column(type: number, details: Partial<ColumnDetails> = {}) {
  return { type, details: { ...detailsOf({}), ...details } };
}

t.test('character sets by the numbers of their collations', async (t) => {
  const cases: readonly [number, string][] = [
    [33, 'utf8'],
    [45, 'utf8'],
    [255, 'utf8'], // utf8mb4_0900_ai_ci of MySQL 8.
    [45 + 1024, 'utf8'], // NO PAD in MariaDB.
    [2304, 'utf8'], // utf8mb4_uca1400_ai_ci of MariaDB 11.
    [2048, 'utf8'],
    [8, 'single'],
    [11, 'single'],
    [63, 'binary'],
    [35, 'wide'],
    [54, 'wide'],
    [56, 'wide'],
    [60, 'wide'],
    [2560, 'wide'],
    [28, 'other'], // gbk
    [13, 'other'], // sjis
    [250, 'other'],
  ];
  for (const [id, encoding] of cases) t.equal(encodingOf(id), encoding, `collation ${id}`);
});

t.test('what a column holds', async (t) => {
  const kinds: readonly [ReturnType<typeof column>, string][] = [
    [column(MYSQL_TYPE.varString, { charset: 45 }), 'text'],
    [column(MYSQL_TYPE.blob, { charset: 8 }), 'text'],
    [column(MYSQL_TYPE.blob), 'bytes'],
    [column(MYSQL_TYPE.string, { flags: 0x100, charset: 45 }), 'enum'],
    [column(MYSQL_TYPE.string, { flags: 0x800, charset: 45 }), 'set'],
    [column(MYSQL_TYPE.json), 'json'],
    [column(MYSQL_TYPE.longBlob, { extendedType: 'json', charset: 45 }), 'json'],
    [column(MYSQL_TYPE.string, { extendedType: 'uuid' }), 'uuid'],
    [column(MYSQL_TYPE.long), 'other'],
    [column(MYSQL_TYPE.geometry), 'other'],
  ];
  for (const [one, kind] of kinds) t.equal(valueKindOf(one), kind);
  t.equal(valueKindOf({ type: MYSQL_TYPE.varString }), 'bytes', 'without details nothing is text');
});

t.test('lengths count characters, the server counts bytes (MY-70)', async (t) => {
  t.equal(lengthMaxOf(column(MYSQL_TYPE.string, { length: 8, charset: 45 })), 2);
  t.equal(lengthMaxOf(column(MYSQL_TYPE.string, { length: 8, charset: 33 })), 2);
  t.equal(lengthMaxOf(column(MYSQL_TYPE.string, { length: 8, charset: 8 })), 8);
  t.equal(lengthMaxOf(column(MYSQL_TYPE.string, { length: 0, charset: 45 })), undefined);
  t.ok(isNotNull(column(MYSQL_TYPE.long, { flags: 0x1001 })));
  t.notOk(isNotNull({}));
});
