import t from 'tap';
import { mysqlConstantFor } from '../../../lib/masking/mysql-constants.ts';
import { detailsOf, MYSQL_TYPE } from '../../../lib/masking/mysql-types.ts';
import type { ColumnDetails, ResultColumn } from '../../../protocols/contract.ts';

function column(
  type: number,
  format: ResultColumn['format'],
  details: Partial<ColumnDetails> = {},
): ResultColumn {
  return {
    name: 'c',
    table: 0,
    attribute: 0,
    type,
    typeModifier: -1,
    format,
    details: { ...detailsOf({}), ...details },
  };
}

t.test('each type has a constant in both forms (reference part B5)', async (t) => {
  const point = `${'00'.repeat(4)}0101000000${'00'.repeat(16)}`;
  const cases: readonly [keyof typeof MYSQL_TYPE, Partial<ColumnDetails>, string, string][] = [
    ['tiny', {}, '0', '00'],
    ['short', {}, '0', '0000'],
    ['int24', {}, '0', '00000000'],
    ['long', {}, '0', '00000000'],
    ['longlong', {}, '0', '00'.repeat(8)],
    ['float', { decimals: 31 }, '0', '00'.repeat(4)],
    ['double', { decimals: 31 }, '0', '00'.repeat(8)],
    ['year', {}, '1970', 'b207'],
    ['date', {}, '1970-01-01', 'b2070101'],
    ['datetime', {}, '1970-01-01 00:00:01', 'b2070101000001'],
    ['datetime', { decimals: 3 }, '1970-01-01 00:00:01.000', 'b2070101000001'],
    ['timestamp', {}, '1970-01-01 00:00:01', 'b2070101000001'],
    ['time', { decimals: 2 }, '00:00:00.00', ''],
    ['newDecimal', { decimals: 2 }, '0.00', '302e3030'],
    ['newDecimal', { decimals: 0 }, '0', '30'],
    ['newDecimal', { decimals: 39 }, '0', '30'],
    ['decimal', { decimals: 1 }, '0.0', '302e30'],
    ['bit', { length: 9 }, '\0\0', '0000'],
    ['bit', { length: 1 }, '\0', '00'],
    ['geometry', {}, Buffer.from(point, 'hex').toString('latin1'), point],
    ['vector', { length: 9, flags: 1 }, '\0'.repeat(8), '00'.repeat(8)],
  ];
  for (const [name, details, text, binary] of cases) {
    const type = MYSQL_TYPE[name];
    t.equal(mysqlConstantFor(column(type, 'text', details))?.toString('latin1'), text, name);
    t.equal(mysqlConstantFor(column(type, 'binary', details))?.toString('hex'), binary, name);
  }
});

t.test('where no constant is known it is NULL, or nothing where NULL is not allowed', async (t) => {
  t.equal(mysqlConstantFor(column(MYSQL_TYPE.vector, 'text', { length: 8 })), null);
  t.equal(mysqlConstantFor(column(230, 'binary')), null);
  t.same(mysqlConstantFor(column(230, 'binary', { flags: 1 })), Buffer.alloc(0));
});
