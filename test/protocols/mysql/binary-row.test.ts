import t from 'tap';
import type { MaskValue, ResultColumn } from '../../../protocols/contract.ts';
import { fixedSizeOf, maskBinaryRow } from '../../../protocols/mysql/binary-row.ts';
import { RowWriter } from '../../../protocols/mysql/row-writer.ts';

function column(type: number): ResultColumn {
  return { name: 'c', table: 0, attribute: 0, type, typeModifier: -1, format: 'binary' };
}

function mask(
  row: Buffer,
  types: readonly number[],
  plan: readonly (MaskValue | undefined)[],
): Buffer {
  const writer = new RowWriter();
  writer.begin();
  maskBinaryRow(writer, row, { plan, columns: types.map(column) });
  writer.close(0);
  return writer.take().subarray(4);
}

const LONG = 3;
const DATE = 10;
const TEXT = 0xfd;
/** 0x00, bitmap, a number, a date, a text. */
const ROW = Buffer.from('00000700000004c60701020341626f', 'hex');

t.test('values are found by their types and replaced alone (MY-68)', async (t) => {
  const types = [LONG, DATE, TEXT];
  const seen: string[] = [];
  const spy: MaskValue = (value) => {
    seen.push(value.toString('hex'));
    return value;
  };
  t.same(mask(ROW, types, [spy, spy, spy]), ROW);
  t.same(seen, ['07000000', 'c6070102', '41626f'], 'content without lengths');
  t.same(
    mask(ROW, types, [undefined, () => Buffer.alloc(0), () => Buffer.from('xyzzy')]),
    Buffer.from('000007000000000578797a7a79', 'hex'),
  );
});

t.test('NULL takes the bytes away and sets the bit (MY-68)', async (t) => {
  const types = [LONG, DATE, TEXT];
  t.same(
    mask(ROW, types, [() => null, undefined, () => null]),
    Buffer.from('001404c6070102', 'hex'),
  );
  const eight = Buffer.concat([Buffer.of(0, 0, 0), Buffer.alloc(8, 1)]);
  t.same(
    mask(eight, Array(8).fill(1), [...Array(7).fill(undefined), () => null]),
    Buffer.concat([Buffer.of(0, 0, 2), Buffer.alloc(7, 1)]),
    'the eighth column has its bit in the second byte',
  );
});

t.test('a row that is not as described does not pass', async (t) => {
  const plan = [undefined, undefined, undefined];
  const types = [LONG, DATE, TEXT];
  for (const row of [
    ROW.subarray(0, ROW.length - 1),
    Buffer.concat([ROW, Buffer.of(0)]),
    ROW.subarray(1),
    Buffer.of(0),
  ])
    t.throws(() => mask(row, types, plan), { code: 'MYSQL_ROW_SHAPE' });
  t.throws(() => mask(ROW, [LONG, DATE, 200], plan), { code: 'MYSQL_ROW_SHAPE' });
  t.throws(() => fixedSizeOf(77), { code: 'MYSQL_ROW_SHAPE' });
  t.throws(() => mask(ROW, types, [() => Buffer.alloc(3)]), { message: /3 bytes/ });
});
