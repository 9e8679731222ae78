import { createConnection, type FieldPacket } from 'mysql2/promise';
import t from 'tap';
import { detailsOf, MYSQL_TYPE } from '../../../lib/masking/mysql-types.ts';
import { maskMysqlValueFor } from '../../../lib/masking/mysql-values.ts';
import type { MaskKind } from '../../../lib/masking/values.ts';
import type { ColumnDetails, ResultColumn } from '../../../protocols/contract.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';

const OPTIONS = { hashKey: Buffer.alloc(32, 9) };
const UTF8MB4 = 45;
const LATIN1 = 8;

function column(type: number, details: Partial<ColumnDetails> = {}): ResultColumn {
  return {
    name: 'c',
    table: 0,
    attribute: 0,
    type,
    typeModifier: -1,
    format: 'text',
    details: { ...detailsOf({}), ...details },
  };
}

function masked(kind: MaskKind, one: ResultColumn, value: string | Buffer): string | null {
  const result = maskMysqlValueFor(kind, one, OPTIONS)(Buffer.from(value));
  return result?.toString('utf8') ?? null;
}

const TEXT = column(MYSQL_TYPE.varString, { charset: UTF8MB4, length: 400 });
const LATIN = column(MYSQL_TYPE.varString, { charset: LATIN1, length: 100 });

t.test('texts: redact, partial, hash and null', async (t) => {
  t.equal(masked('redact', TEXT, 'ann@example.com'), '***');
  t.equal(masked('partial', TEXT, 'ann@example.com'), '***.com');
  t.equal(masked('partial', TEXT, 'short'), '***');
  t.equal(masked('null', TEXT, 'ann@example.com'), null);
  t.match(masked('hash', TEXT, 'ann@example.com'), /^[0-9a-f]{16}$/);
  t.equal(masked('hash', TEXT, 'a'), masked('hash', TEXT, 'a'));
  t.not(masked('hash', TEXT, 'a'), masked('hash', TEXT, 'b'));
});

t.test('partial never cuts a character', async (t) => {
  t.equal(masked('partial', TEXT, 'übermäßig€😀'), '***ig€😀');
  const bytes = Buffer.from('überm\xe4\xdfig', 'latin1');
  const end = maskMysqlValueFor('partial', LATIN, OPTIONS)(bytes);
  t.equal(end?.toString('latin1'), '***\xe4\xdfig');
  const gbk = column(MYSQL_TYPE.varString, { charset: 28, length: 100 });
  t.equal(masked('partial', gbk, 'twelve bytes'), '***', 'nobody knows what is a character there');
  const broken = Buffer.from('abcdefgh\x80\x80\x80\x80\x80\x80', 'latin1');
  t.equal(masked('partial', TEXT, broken), '***');
});

t.test('equal texts have equal hashes in every character set', async (t) => {
  const one = maskMysqlValueFor('hash', LATIN, OPTIONS)(Buffer.from('Zoë', 'latin1'));
  t.equal(one?.toString(), masked('hash', TEXT, 'Zoë'));
});

t.test('no mask is longer than its column (MY-70)', async (t) => {
  const two = column(MYSQL_TYPE.string, { charset: UTF8MB4, length: 8 });
  t.equal(masked('redact', two, 'ab'), '**');
  t.equal(masked('hash', two, 'ab')?.length, 2);
  const five = column(MYSQL_TYPE.varString, { charset: UTF8MB4, length: 20 });
  t.equal(masked('partial', five, 'üüüüüüüü'), '***üü', 'counted in characters');
  t.equal(masked('redact', column(MYSQL_TYPE.string, { length: 2 }), 'ab'), '**');
});

t.test('what is NOT NULL never becomes NULL', async (t) => {
  const name = column(MYSQL_TYPE.varString, { charset: UTF8MB4, length: 400, flags: 1 });
  t.equal(masked('null', name, 'x'), '***');
  t.equal(masked('null', column(MYSQL_TYPE.long, { flags: 1 }), '7'), '0');
  t.equal(masked('null', column(MYSQL_TYPE.long), '7'), null);
});

t.test('what is no text shows nothing, whatever the mask', async (t) => {
  const enumeration = { charset: UTF8MB4, length: 40 };
  for (const kind of ['redact', 'partial', 'hash'] as const) {
    t.equal(masked(kind, column(MYSQL_TYPE.long), '1234567890'), '0', kind);
    t.equal(masked(kind, column(MYSQL_TYPE.blob, { length: 100 }), 'twelve bytes'), '***', kind);
    t.equal(masked(kind, column(MYSQL_TYPE.json), '{"a": 1, "b": 2}'), '"***"', kind);
    t.equal(masked(kind, column(MYSQL_TYPE.string, { ...enumeration, flags: 0x100 }), 'red'), null);
    t.equal(masked(kind, column(MYSQL_TYPE.string, { ...enumeration, flags: 0x101 }), 'red'), '');
    t.equal(masked(kind, column(MYSQL_TYPE.string, { ...enumeration, flags: 0x800 }), 'red'), '');
  }
  const wide = column(MYSQL_TYPE.varString, { charset: 54, length: 100 });
  t.equal(masked('hash', wide, 'x'), '', 'stars in ASCII would be broken UTF-16');
});

t.test("MariaDB's own types keep their form", async (t) => {
  const uuid = column(MYSQL_TYPE.string, { extendedType: 'uuid', length: 36 });
  const value = '123e4567-e89b-12d3-a456-426614174000';
  t.equal(masked('redact', uuid, value), '00000000-0000-0000-0000-000000000000');
  t.match(masked('hash', uuid, value), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-/);
  t.equal(masked('redact', column(MYSQL_TYPE.string, { extendedType: 'inet6' }), '::1'), '::');
  t.equal(
    masked('redact', column(MYSQL_TYPE.string, { extendedType: 'inet4' }), '1.2.3.4'),
    '0.0.0.0',
  );
});

t.test('a hash without a key is a fault of ours', async (t) => {
  t.throws(() => maskMysqlValueFor('hash', TEXT, { hashKey: undefined }), /without a hash key/);
});

/** Every type that MariaDB has a column of. */
const COLUMNS = `a_tiny tinyint, b_small smallint unsigned, c_medium mediumint, d_int int zerofill,
  e_big bigint unsigned, f_float float, g_double double, h_decimal decimal(10,2), i_bit bit(9),
  j_date date, k_time time(3), l_datetime datetime, m_timestamp timestamp(6) null, n_year year,
  o_char char(2), p_varchar varchar(100), q_text text, r_binary binary(4), s_blob blob,
  t_enum enum('red','blue'), u_set set('red','blue'), v_json json, w_point point,
  x_uuid uuid, y_inet6 inet6, z_inet4 inet4, zz_latin varchar(9) character set latin1`;

t.test('the server takes every mask back', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(`CREATE DATABASE shop; CREATE TABLE shop.everything (${COLUMNS})`);
  const client = await createConnection({
    host: server.host,
    port: server.port,
    user: server.rootUser,
    password: server.rootPassword,
    database: 'shop',
  });
  t.teardown(() => client.end());
  await client.query("SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'");
  const [, fields] = await client.query('SELECT * FROM everything');
  t.equal(fields.length, 27);
  for (const kind of ['redact', 'partial', 'hash', 'null'] as const) {
    const values = fields.map((field) => {
      const name = /^[vxyz]_(\w+)$/.exec(field.name)?.[1] ?? '';
      const mask = maskMysqlValueFor(kind, columnOf(field, name), OPTIONS);
      const value = mask(Buffer.from('a value of some length'));
      return value === null ? 'NULL' : literalOf(value);
    });
    await t.resolves(client.query(`INSERT INTO everything VALUES (${values.join(', ')})`), kind);
  }
  const [[row]] = await client.query<never[]>('SELECT count(*) AS n FROM everything');
  t.same(row, { n: 4 });
});

/** As the protocol's session would make it; extended types are named by the column here. */
function columnOf(field: FieldPacket, extendedType: string): ResultColumn {
  const { type = 0, decimals, characterSet = 63, columnLength = 0 } = field;
  const flags = typeof field.flags === 'number' ? field.flags : 0;
  const extended = ['json', 'uuid', 'inet6', 'inet4'].includes(extendedType) ? extendedType : '';
  return column(type, {
    flags,
    decimals,
    charset: characterSet,
    length: columnLength,
    extendedType: extended,
  });
}

/** Bytes as a text: hex literals alone are numbers to numeric columns. */
function literalOf(value: Buffer): string {
  const isPlain = /^[\x20-\x7e]*$/.test(value.toString('latin1'));
  return isPlain ? `'${value.toString('latin1')}'` : `x'${value.toString('hex')}'`;
}
