import t from 'tap';
import type { MaskingPlan } from '../../../protocols/contract.ts';
import { ProtocolError } from '../../../protocols/errors.ts';
import { MessageBuffer } from '../../../protocols/postgres/message-buffer.ts';
import { RowMasker, decodeRowDescription, maskRows } from '../../../protocols/postgres/rows.ts';
import { description, row } from '../../support/postgres-session.ts';
import { int32, message } from '../../support/raw-postgres.ts';

const mask = (): Buffer => Buffer.from('***');

function maskDataRow(bytes: Buffer, plan: MaskingPlan): Buffer {
  const masker = new RowMasker(plan, bytes.length);
  masker.add(bytes, 0, bytes.length);
  return masker.take();
}

t.test('a row description, and every truncation of it', async (t) => {
  const bytes = message(
    'T',
    Buffer.of(0, 2),
    Buffer.from('id\0'),
    int32(16_384),
    Buffer.of(0, 1),
    int32(23),
    Buffer.of(0, 4),
    int32(-1),
    Buffer.of(0, 1),
    Buffer.from('é\0'),
    int32(-1),
    Buffer.of(0xff, 0xfe),
    int32(25),
    Buffer.of(0xff, 0xff),
    int32(68),
    Buffer.of(0, 0),
  );
  t.same(decodeRowDescription(bytes), [
    { name: 'id', table: 16_384, attribute: 1, type: 23, typeModifier: -1, format: 'binary' },
    { name: 'é', table: 0xffff_ffff, attribute: -2, type: 25, typeModifier: 68, format: 'text' },
  ]);
  for (let size = 5; size < bytes.length; size++)
    t.throws(() => decodeRowDescription(bytes.subarray(0, size)), ProtocolError, `${size}`);
  t.throws(
    () => decodeRowDescription(Buffer.concat([bytes, Buffer.of(0)])),
    ProtocolError,
    'bytes behind it',
  );
  t.same(decodeRowDescription(message('T', Buffer.of(0, 0))), [], 'no columns (PG-49)');
  t.equal(
    decodeRowDescription(description(...Array.from({ length: 1664 }, () => ''))).length,
    1664,
  );
});

t.test('masks change their values only; NULL stays NULL (PG-87)', async (t) => {
  t.same(maskDataRow(row('1', 'secret', null), [undefined, mask, mask]), row('1', '***', null));
  t.same(maskDataRow(row('', 'é'), [undefined, undefined]), row('', 'é'));
  t.same(maskDataRow(row('x'), [() => null]), row(null));
  t.same(maskDataRow(row(), []), row());
  t.same(maskDataRow(row('x'), [() => Buffer.alloc(0)]), row(''));
});

t.test('every truncation of a row, one value more or less, bytes behind it', async (t) => {
  const bytes = row('1', 'secret');
  for (let size = 5; size < bytes.length; size++)
    t.throws(
      () => maskDataRow(bytes.subarray(0, size), [undefined, mask]),
      ProtocolError,
      `${size}`,
    );
  t.throws(() => maskDataRow(bytes, [mask]), { code: 'PG_ROW_SHAPE' });
  t.throws(() => maskDataRow(bytes, [mask, mask, mask]), { code: 'PG_ROW_SHAPE' });
  t.throws(() => maskDataRow(Buffer.concat([bytes, Buffer.of(1)]), [mask, mask]), {
    code: 'PG_ROW_SHAPE',
  });
});

t.test(
  'a run of rows leaves as one buffer, also where masks make it longer than it was',
  async (t) => {
    const long = (): Buffer => Buffer.alloc(10_000, 'x');
    const bytes = Buffer.concat([row('1', 'a'), row('2', 'b'), row('3', null)]);
    const masker = new RowMasker([undefined, long], bytes.length);
    for (let offset = 0; offset < bytes.length; ) {
      const size = bytes.readInt32BE(offset + 1) + 1;
      masker.add(bytes, offset, size);
      offset += size;
    }
    const text = 'x'.repeat(10_000);
    t.same(masker.take(), Buffer.concat([row('1', text), row('2', text), row('3', null)]));
  },
);

t.test(
  'rows behind each other are masked in one run, up to the next message or a cut row',
  async (t) => {
    const rows = [row('1', 'secret'), row('2', null), row('3', 'longer than before')];
    const masked = Buffer.concat([row('1', '***'), row('2', null), row('3', '***')]);
    for (const tail of [
      Buffer.alloc(0),
      message('C', Buffer.from('SELECT 3\0')),
      row('4', 'cut').subarray(0, 12),
    ]) {
      const buffer = new MessageBuffer('server');
      buffer.push(Buffer.concat([...rows, tail]));
      t.same(Buffer.from(maskRows(buffer, [undefined, mask])), masked);
      t.same(buffer.view.subarray(buffer.offset), tail);
    }
  },
);
