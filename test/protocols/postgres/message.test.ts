import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  BACKEND,
  cstring,
  encodeMessage,
  FRONTEND,
  int32,
  readBody,
} from '../../../protocols/postgres/message.ts';

t.test('a message: tag, length with itself, parts', async (t) => {
  t.same(encodeMessage(FRONTEND.query, 'select 1'), Buffer.from('Q\0\0\0\rselect 1\0'));
  t.same(encodeMessage(FRONTEND.sync), Buffer.from('S\0\0\0\u0004'));
  t.same(
    encodeMessage(BACKEND.authentication, int32(10), Buffer.from('x')),
    Buffer.from('R\0\0\0\t\0\0\0\nx'),
  );
  t.same(int32(0xffff_ffff), Buffer.from('ffffffff', 'hex'));
  t.same(cstring('é'), Buffer.from('é\0'));
});

t.test('a body is read to its end and not further', async (t) => {
  const reader = readBody(encodeMessage(BACKEND.parameterStatus, 'a', 'b'), 'server');
  t.equal(reader.cstring().toString(), 'a');
  t.equal(reader.cstring().toString(), 'b');
  t.ok(reader.isAtEnd);
  t.throws(
    () => reader.uint8(),
    new ProtocolError(
      'PG_MESSAGE_LAYOUT',
      'server',
      "a 'S' message of 9 bytes ends before its last field",
    ),
  );
});

t.test('each tag stands for one message', async (t) => {
  for (const tags of [FRONTEND, BACKEND]) {
    const values = Object.values(tags);
    t.equal(new Set(values).size, values.length);
  }
});
