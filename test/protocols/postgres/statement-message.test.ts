import t from 'tap';
import type { Operation } from '../../../protocols/contract.ts';
import { operationsIn, sentTo } from '../../support/play.ts';
import { errorOf, parameterStatus, ready, signedIn } from '../../support/postgres-session.ts';
import { decodeFields, message, parse, query } from '../../support/raw-postgres.ts';

const textsIn = (operations: readonly Operation[]): string[] =>
  operations.flatMap((operation) => (operation.kind === 'statement' ? [operation.text] : []));

t.test('bytes behind the NUL, and none at all: never sent as they are (PG-24)', async (t) => {
  const rows: readonly [Buffer, string][] = [
    [message('Q', Buffer.from('select 1\0; drop table t\0')), 'invalid message format'],
    [message('Q', Buffer.from('select 1')), 'invalid string in message'],
    [message('P', Buffer.from('s\0select 1')), 'invalid string in message'],
    [message('P', Buffer.from('s')), 'invalid string in message'],
    [message('Q'), 'invalid string in message'],
    [message('P', Buffer.from('s\0select 1\0')), 'insufficient data left in message'],
    [message('P', Buffer.from('s\0select 1\0\0')), 'insufficient data left in message'],
    [
      message('P', Buffer.from('s\0select $1\0\0\x02\0\0\0\x17')),
      'insufficient data left in message',
    ],
    [message('P', Buffer.from('s\0select 1\0\0\0\0')), 'invalid message format'],
  ];
  for (const [bytes, text] of rows) {
    const talk = signedIn();
    const sent = sentTo('server', talk.client(bytes));
    t.match(sent.toString(), ') refused by Weir');
    t.equal(operationsIn(talk.log).length, 0, 'nobody is asked about a text that is not certain');
    const fields = decodeFields(
      sentTo('client', talk.server(errorOf('42601', 'x'), ready())).subarray(5),
    );
    t.match(fields, { S: 'ERROR', C: '08P01', M: text });
  }
});

t.test('a text that is not in its encoding is refused (PG-25)', async (t) => {
  const talk = signedIn();
  talk.client(query(Buffer.from("select '\xff'", 'latin1')));
  t.equal(operationsIn(talk.log).length, 0);
  t.match(decodeFields(sentTo('client', talk.server(errorOf('42601', 'x'), ready())).subarray(5)), {
    C: '22021',
  });
});

t.test(
  'the encoding and the strings setting are followed at every ParameterStatus (PG-10, PG-66)',
  async (t) => {
    const talk = signedIn({ parameters: { client_encoding: 'LATIN1' } });
    const latin = query(Buffer.from("select '\xe9'", 'latin1'));
    t.same(textsIn(operationsIn(talk.client(latin))), ["select 'é'"]);
    talk.server(errorOf('0', ''), ready());
    talk.server(parameterStatus('client_encoding', 'SJIS'));
    t.equal(operationsIn(talk.client(latin)).length, 0);
    talk.server(errorOf('42601', ''), ready(), parameterStatus('client_encoding', 'UTF8'));
    t.same(textsIn(operationsIn(talk.client(query("select 'é'")))), ["select 'é'"]);
    talk.server(errorOf('0', ''), ready());
    talk.server(parameterStatus('standard_conforming_strings', 'off'));
    t.equal(operationsIn(talk.client(query(String.raw`select 'a\'; drop table t --'`))).length, 0);
    t.same(
      textsIn(operationsIn(talk.client(query("select 'a'")))),
      ["select 'a'"],
      'without backslashes both settings read alike',
    );
  },
);

t.test('before the server has said what it speaks, only plain ASCII is read (PG-66)', async (t) => {
  const talk = signedIn({
    parameters: { client_encoding: '', standard_conforming_strings: 'off' },
  });
  t.equal(operationsIn(talk.client(query("select 'é'"), query(String.raw`select '\'`))).length, 0);
  t.same(textsIn(operationsIn(talk.client(parse('s', 'select 1')))), ['select 1']);
});

t.test('the types that a Parse declares are told with its text (PG-62)', async (t) => {
  const typesOf = (bytes: Buffer) =>
    operationsIn(signedIn().client(bytes)).map((operation) =>
      operation.kind === 'statement' ? operation.parameterTypes : 'no statement',
    );
  t.same(typesOf(parse('s', 'select $1, $2, $3', [0, 16_385, 0xffff_fffe])), [
    [0, 16_385, 4_294_967_294],
  ]);
  t.same(typesOf(parse('s', 'select 1')), [undefined]);
  t.same(typesOf(query('select 1')), [undefined]);
  const many = Array.from({ length: 65_535 }, (_, index) => index);
  t.same(typesOf(parse('', 'select 1', many)), [many], 'the count has no sign');
});
