/** The masked-value table (wire.md A5): each value is handed back to real servers in both formats. */

import pg from 'pg';
import t, { type Test } from 'tap';
import type { EmbeddedPostgres } from '../../../lib/demo/embedded-postgres.ts';
import { ELEMENT_OF_ARRAY, TYPE } from '../../../lib/masking/value-types.ts';
import { type MaskedColumn, type MaskKind, maskValueFor } from '../../../lib/masking/values.ts';
import {
  debianPostgres15,
  debianPostgres15Missing,
  embeddedPostgres,
  embeddedPostgresMissing,
} from '../../support/servers.ts';

const hashKey = Buffer.from('a key of the test');
const KINDS: readonly MaskKind[] = ['redact', 'partial', 'hash', 'null'];

function mask(
  kind: MaskKind,
  type: number,
  value: string | Buffer,
  more: Partial<MaskedColumn> = {},
): Buffer | null {
  const column: MaskedColumn = { type, typeModifier: -1, format: 'text', ...more };
  return maskValueFor(kind, column, { hashKey })(Buffer.from(value));
}

function text(kind: MaskKind, type: number, value: string, typeModifier = -1): string | undefined {
  return mask(kind, type, value, { typeModifier })?.toString();
}

/** With lengths and scales, whose modifiers the masks must respect. */
const DECLARED =
  `varchar(1), varchar(2), varchar(3), varchar(7), varchar(8), varchar(40), varchar(3)[],
  char(1), char(2), char(5), char(10), char(40), bit(1), bit(5), bit(9), varbit(7), numeric(10,2),
  numeric(4,4), numeric(5,-2), numeric(6), numeric(4,2)[], time(0), timestamp(3), timestamptz(0),
  interval(2), interval year to month`.split(/,\s+/);

const SAMPLE_TEXT = 'ann.smith@example.org';
const SAMPLE_UUID = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

function sampleOf(column: MaskedColumn): Buffer {
  if (column.type !== TYPE.uuid) return Buffer.from(SAMPLE_TEXT);
  return column.format === 'text'
    ? Buffer.from(SAMPLE_UUID)
    : Buffer.from(SAMPLE_UUID.replaceAll('-', ''), 'hex');
}

async function accepts(t: Test, server: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client({ ...server, database: 'postgres' });
  await client.connect();
  t.teardown(() => client.end());
  const oids = [...Object.values(TYPE), ...ELEMENT_OF_ARRAY.keys()].filter(
    (oid) => oid !== TYPE.unknown,
  );
  const named = await client.query<{ name: string }>(
    'SELECT format_type(oid, NULL) AS name FROM pg_type WHERE oid = ANY ($1) ORDER BY oid',
    [oids],
  );
  t.equal(named.rows.length, oids.length, 'the server has every type of the table');
  const types = [...named.rows.map((row) => row.name), ...DECLARED];
  await client.query(
    `CREATE TABLE masked (${types.map((type, index) => `c${index} ${type}`).join(', ')})`,
  );
  const { fields } = await client.query('SELECT * FROM masked');
  for (const [index, { dataTypeID, dataTypeModifier }] of fields.entries()) {
    for (const format of ['text', 'binary'] as const) {
      for (const kind of KINDS) {
        const column: MaskedColumn = { type: dataTypeID, typeModifier: dataTypeModifier, format };
        const value = maskValueFor(kind, column, { hashKey })(sampleOf(column));
        const isNull = kind === 'null' || (dataTypeID === TYPE.tsquery && format === 'binary');
        t.equal(
          value === null,
          isNull,
          `${types[index]} ${format} ${kind} is ${isNull ? '' : 'not '}NULL`,
        );
        if (value === null) continue;
        // A string goes to the input function, a Buffer to the receive function; neither may raise an error.
        const parameter = format === 'text' ? value.toString() : value;
        const insert = client.query(`INSERT INTO masked (c${index}) VALUES ($1)`, [parameter]);
        await t.resolves(insert, `${types[index]} ${format} ${kind}: ${value.toString('latin1')}`);
      }
    }
  }
}

t.test(
  'PostgreSQL 18 accepts every masked value',
  { skip: embeddedPostgresMissing() },
  async (t) => {
    await accepts(t, await embeddedPostgres(t, { port: 27400 }));
  },
);

t.test(
  'PostgreSQL 15 accepts every masked value',
  { skip: debianPostgres15Missing() },
  async (t) => {
    await accepts(t, await debianPostgres15(t, { port: 27401 }));
  },
);

t.test('redact says nothing of the value', async (t) => {
  t.equal(text('redact', TYPE.text, 'a'), '***');
  t.equal(text('redact', TYPE.text, 'x'.repeat(1000)), '***', 'PG-88: not even its length');
  t.equal(text('redact', TYPE.varchar, 'abcdef', 4 + 2), '**');
  t.equal(text('redact', TYPE.bpchar, 'abcdef', 4 + 6), '***   ', 'PG-88: char(n) stays padded');
  t.equal(text('redact', TYPE.char, 'x'), '*');
  t.equal(text('redact', TYPE.numeric, '12.34', 4 + ((10 << 16) | 2)), '0.00');
  t.equal(text('redact', TYPE.json, '{"a":1}'), '"***"');
  t.equal(text('redact', TYPE.bit, '10101', 5), '00000');
});

t.test('partial leaves four characters of eight and more', async (t) => {
  t.equal(text('partial', TYPE.text, '4111111111111234'), '***1234');
  t.equal(text('partial', TYPE.text, '12345678'), '***5678');
  t.equal(text('partial', TYPE.text, '1234567'), '***');
  t.equal(text('partial', TYPE.text, ''), '***');
  t.equal(
    text('partial', TYPE.bpchar, '12345678  ', 4 + 10),
    '***5678   ',
    'blanks are not part of the value',
  );
  t.equal(text('partial', TYPE.bpchar, '1234      ', 4 + 10), '***       ');
  t.equal(text('partial', TYPE.varchar, '12345678', 4 + 8), '***5678');
  t.equal(text('partial', TYPE.int4, '12345678'), '0', 'numbers have no end to show');
});

t.test('partial cuts between code points (PG-88)', async (t) => {
  t.equal(text('partial', TYPE.text, 'äöüäöüäöü'), '***öüäöü'.replace('öüäöü', 'äöüäöü'.slice(-4)));
  t.equal(text('partial', TYPE.text, '😀😀😀😀😀😀😀'), '***', 'seven characters, 28 bytes');
  t.equal(text('partial', TYPE.text, '😀😀😀😀😀😀😀😀'), '***😀😀😀😀');
  t.same(
    mask('partial', TYPE.text, Buffer.alloc(40, 0xbf)),
    Buffer.from('***'),
    'bytes that are not UTF-8',
  );
  t.same(
    mask('partial', TYPE.text, Buffer.concat([Buffer.from('12345678'), Buffer.alloc(4, 0x80)])),
    Buffer.from('***'),
  );
});

t.test('hash gives equal values equal tokens, and needs its key', async (t) => {
  const token = text('hash', TYPE.text, 'ann@example.org');
  t.match(token, /^[0-9a-f]{16}$/);
  t.equal(text('hash', TYPE.varchar, 'ann@example.org', 4 + 100), token);
  t.equal(text('hash', TYPE.bpchar, 'ann@example.org     ', 4 + 20), `${token}    `);
  t.not(text('hash', TYPE.text, 'bob@example.org'), token);
  const otherKey = { hashKey: Buffer.from('another') };
  const column: MaskedColumn = { type: TYPE.text, typeModifier: -1, format: 'text' };
  t.not(maskValueFor('hash', column, otherKey)(Buffer.from('ann@example.org'))?.toString(), token);
  t.equal(text('hash', TYPE.varchar, 'ann@example.org', 4 + 5), token?.slice(0, 5));
  t.throws(() => maskValueFor('hash', column, { hashKey: undefined }), /without a hash key/);
  t.equal(text('hash', TYPE.int4, '42'), '0', 'other types cannot hold a hash');
});

t.test('a hashed uuid is one uuid in both formats', async (t) => {
  const inText = text('hash', TYPE.uuid, SAMPLE_UUID);
  t.match(inText, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const bytes = Buffer.from(SAMPLE_UUID.replaceAll('-', ''), 'hex');
  const inBinary = mask('hash', TYPE.uuid, bytes, { format: 'binary' });
  t.equal(inBinary?.toString('hex'), inText?.replaceAll('-', ''));
});

t.test('types of users and extensions, rows and pseudo-types become NULL', async (t) => {
  for (const type of [16384, 99_999, 2249, 2287, 2278, 194, 1033]) {
    for (const kind of ['redact', 'partial', 'hash'] as const) {
      for (const format of ['text', 'binary'] as const)
        t.equal(mask(kind, type, 'x', { format }), null);
    }
  }
  t.equal(mask('redact', TYPE.bit, 'x', { typeModifier: 80_000_000 }), null, 'no 80 MB constants');
});
