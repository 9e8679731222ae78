import t from 'tap';
import { type ColumnOptions, maskColumn } from '../../../protocols/milvus/columns.ts';
import type { FieldMasks } from '../../../protocols/store.ts';
import { encodeString } from '../../../protocols/wire/protobuf.ts';
import { type Message, decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';

/** `***` for these fields, `null` for `gone`, `@@@` for an address anywhere. */
function masks(...fields: readonly string[]): FieldMasks {
  const isIn = (name: string): boolean =>
    fields.some((one) => name === one || name.startsWith(`${one}.`));
  return {
    maskOf: (path) => {
      const name = path.join('.');
      return isIn(name) ? (): string | null => (name === 'gone' ? null : '***') : undefined;
    },
    mayMaskBelow: (path) =>
      path.length === 0 ||
      isIn(path.join('.')) ||
      fields.some((one) => one.startsWith(`${path.join('.')}.`)),
    detect: (text) => text.replaceAll(/\w+@\w+/g, '@@@'),
  };
}

function run(
  column: Message,
  fields: readonly string[],
  options: Partial<ColumnOptions> = {},
): unknown {
  const bytes = encodeMessage('schema.FieldData', column);
  return decodeMessage(
    'schema.FieldData',
    maskColumn(bytes, { masks: masks(...fields), primary: 'id', ...options }),
  );
}

const texts = (field_name: string, ...data: string[]): Message => ({
  type: 21,
  field_name,
  scalars: { string_data: { data } },
});

t.test('texts by name and by content', async (t) => {
  t.match(run(texts('email', 'a', 'b'), ['email']), {
    scalars: { string_data: { data: ['***', '***'] } },
  });
  t.match(run(texts('note', 'see a@b', 'c'), ['email']), {
    scalars: { string_data: { data: ['see @@@', 'c'] } },
  });
  t.match(run(texts('max(email)', 'a'), ['email']), {
    scalars: { string_data: { data: ['***'] } },
  });
  t.match(
    run(texts('', 'a'), ['email']),
    { scalars: { string_data: { data: [''] } } },
    'a column without a name',
  );
  t.match(
    run(texts('id', 'a@b'), ['id']),
    { scalars: { string_data: { data: ['a@b'] } } },
    'ids stay',
  );
});

t.test('the name may come behind the values', async (t) => {
  const scalars = encodeMessage('schema.FieldData', { scalars: { string_data: { data: ['a'] } } });
  const bytes = Buffer.concat([scalars, encodeString(2, 'email')]);
  const masked = maskColumn(bytes, { masks: masks('email'), primary: '' });
  t.match(decodeMessage('schema.FieldData', masked), {
    scalars: { string_data: { data: ['***'] } },
  });
  t.throws(
    () =>
      maskColumn(Buffer.concat([bytes, encodeString(2, 'b')]), {
        masks: masks('email'),
        primary: '',
      }),
    {
      code: 'MILVUS_COLUMN',
    },
  );
});

t.test('the same bytes come back where nothing changes', async (t) => {
  const bytes = encodeMessage('schema.FieldData', texts('city', 'Ulm'));
  t.equal(maskColumn(bytes, { masks: masks('email'), primary: '' }), bytes);
});

t.test('numbers become nothing, and null where the column has nulls', async (t) => {
  const ages = { field_name: 'age', scalars: { long_data: { data: [1, 300, -1] } } };
  t.match(run(ages, ['age']), { scalars: { long_data: { data: ['0', '0', '0'] } } });
  const nullable = { ...ages, valid_data: [true, false, true] };
  t.match(run(nullable, ['age']), { valid_data: ['0', '0', '0'] });
  t.match(run({ ...ages, valid_data: [true, true, false, true] }, ['age']), {
    valid_data: ['1', '1', '0', '1'],
  });
  t.match(run({ field_name: 'x', scalars: { double_data: { data: [1.5, 2] } } }, ['x']), {
    scalars: { double_data: { data: [0, 0] } },
  });
  t.match(run({ field_name: 'x', scalars: { float_data: { data: [1.5] } } }, ['x']), {
    scalars: { float_data: { data: [0] } },
  });
  t.match(run({ ...texts('gone', 'a', 'b'), valid_data: [true, true] }, ['gone']), {
    scalars: { string_data: { data: ['', ''] } },
    valid_data: ['0', '0'],
  });
});

t.test('JSON, dynamic fields, lists and structs', async (t) => {
  const json = (field_name: string, data: string): Message => ({
    field_name,
    scalars: { json_data: { data: [data] } },
  });
  const shown = (column: Message, ...fields: string[]): string =>
    JSON.stringify(decodedJson(run(column, fields)));
  t.equal(
    shown(json('info', '{"email":"x","n":1.0,"to":"a@b"}'), 'info.email'),
    '"{\\"email\\":\\"***\\",\\"n\\":1.0,\\"to\\":\\"@@@\\"}"',
  );
  t.equal(shown(json('info', '{"n":1}'), 'info'), '"{\\"n\\":null}"');
  t.equal(
    shown(json('$meta', '{"email":"x","n":-0.0}'), 'email'),
    '"{\\"email\\":\\"***\\",\\"n\\":-0.0}"',
  );
  t.equal(shown(json('$meta', '"x"'), 'email'), '"null"', 'no row at all');
  t.equal(
    shown({ ...json('other', '{"email":"x"}'), is_dynamic: true }, 'email'),
    '"{\\"email\\":\\"***\\"}"',
  );
  t.throws(() => run(json('info', '{"a":'), ['info.a']), { code: 'JSON_SYNTAX' });
  const lists = {
    field_name: 'tags',
    scalars: { array_data: { data: [{ string_data: { data: ['a', 'b@c'] } }] } },
  };
  t.match(JSON.stringify(run(lists, ['tags'])), '["***","***"]');
  t.match(JSON.stringify(run(lists, ['x'])), '["a","@@@"]');
  const struct = {
    field_name: 'people',
    struct_arrays: { fields: [texts('email', 'x'), texts('people[city]', 'y')] },
  };
  const inner = JSON.stringify(run(struct, ['people.email']));
  t.match(inner, '"***"');
  t.match(inner, '"y"');
  t.match(JSON.stringify(run(struct, ['people.city'])), '"x"');
});

function decodedJson(column: unknown): unknown {
  const { scalars } = column as { scalars: { json_data: { data: Buffer[] } } }; // By its descriptor.
  return scalars.json_data.data[0]?.toString();
}

t.test('values that were taken out of JSON have no path any more', async (t) => {
  const group = texts('info', 'x');
  t.match(run(group, ['info.email'], { isCast: true }), {
    scalars: { string_data: { data: [''] } },
  });
  t.match(run(texts('$meta', 'x'), ['email']), { scalars: { string_data: { data: [''] } } });
  t.match(run(texts('', 'x'), ['email'], { name: 'city' }), {
    scalars: { string_data: { data: ['x'] } },
  });
});

t.test('vectors keep their bytes, and unknown fields are taken out', async (t) => {
  const vector = {
    type: 101,
    field_name: 'vec',
    vectors: { dim: 2, float_vector: { data: [1.5, -0] } },
  };
  const bytes = encodeMessage('schema.FieldData', vector);
  t.equal(maskColumn(bytes, { masks: masks('vec', 'email'), primary: '' }), bytes);
  const more = Buffer.concat([bytes, encodeString(20, 'secret')]);
  t.ok(maskColumn(more, { masks: masks('email'), primary: '' }).equals(bytes));
});
