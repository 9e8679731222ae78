import t from 'tap';
import { decodeColumnDefinition } from '../../../protocols/mysql/column-definition.ts';
import { columnPayload, lenencText } from '../../support/mysql-session.ts';
import { lenenc } from '../../support/mysql-packets.ts';

t.test('names, type and flags', async (t) => {
  const payload = columnPayload('ssn', { type: 3, flags: 0x81 });
  t.same(decodeColumnDefinition(payload, { format: 'text', hasExtendedMetadata: false }), {
    name: 'ssn',
    table: 0,
    attribute: 0,
    type: 3,
    typeModifier: -1,
    format: 'text',
    details: {
      schema: 'shop',
      originalTable: 'people',
      originalName: 'ssn',
      charset: 45,
      length: 80,
      flags: 0x81,
      decimals: 0,
      extendedType: '',
    },
  });
});

t.test("MariaDB's extended metadata names the type", async (t) => {
  const payload = columnPayload('a');
  const names = ['def', 'shop', 'people', 'people', 'a', 'a'].map(lenencText);
  const at = Buffer.concat(names).length;
  const entry = Buffer.concat([Buffer.of(0), lenencText('uuid')]);
  const extended = Buffer.concat([
    payload.subarray(0, at),
    lenenc(entry.length),
    entry,
    payload.subarray(at),
  ]);
  const options = { format: 'binary', hasExtendedMetadata: true } as const;
  t.equal(decodeColumnDefinition(extended, options).details?.extendedType, 'uuid');
});

t.test('truncated at every length it is malformed', async (t) => {
  const payload = columnPayload('ssn');
  const options = { format: 'text', hasExtendedMetadata: false } as const;
  for (let size = 0; size < payload.length - 2; size++)
    t.throws(() => decodeColumnDefinition(payload.subarray(0, size), options), {
      name: 'ProtocolError',
    });
});
