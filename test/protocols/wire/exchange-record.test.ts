import t from 'tap';
import {
  encodeAnswerHead,
  encodeBodyHead,
  encodeCancel,
  encodeEnd,
  encodeRequestHead,
  ExchangeRecordReader,
  RECORD_HEAD_SIZE,
  SECRET_MARK,
  TEXT_SIZE_MAX,
} from '../../../protocols/wire/exchange-record.ts';

const SECRETS = new Set(['api-key']);
const HEAD = {
  version: '2',
  method: 'POST',
  target: '/a?b=c',
  authority: 'store',
  headers: [
    ['api-key', 'k1'],
    ['authorization', 'Bearer k2'],
    ['accept', 'é/*'],
  ],
  isWhole: false,
} as const;

t.test('what is written is read, byte by byte as well', async (t) => {
  const bytes = Buffer.concat([
    encodeRequestHead(7, HEAD, SECRETS),
    encodeBodyHead(7, 4),
    Buffer.from('body'),
    encodeEnd(7, [['api-key', 'k3']], SECRETS),
    encodeAnswerHead(7, { status: 200, reason: 'Fine', headers: [['set-cookie', 'k4']] }, SECRETS),
    encodeEnd(7, [], SECRETS),
    encodeCancel(7, { code: 8, reason: 'gone' }),
    encodeCancel(7, { code: undefined, reason: 'lost' }),
  ]);
  for (const key of ['k1', 'k2', 'k3', 'k4']) t.notOk(bytes.includes(key), `${key} is not in it`);
  const wanted = [
    {
      kind: 'request',
      exchange: 7,
      head: {
        version: '2',
        method: 'POST',
        target: '/a?b=c',
        authority: 'store',
        headers: [
          ['api-key', SECRET_MARK],
          ['authorization', SECRET_MARK],
          ['accept', 'é/*'],
        ],
      },
    },
    { kind: 'body', exchange: 7, bytes: Buffer.from('body') },
    { kind: 'end', exchange: 7, trailers: [['api-key', SECRET_MARK]] },
    {
      kind: 'answer',
      exchange: 7,
      head: { status: 200, reason: 'Fine', headers: [['set-cookie', SECRET_MARK]] },
    },
    { kind: 'end', exchange: 7, trailers: [] },
    { kind: 'cancel', exchange: 7, code: 8, reason: 'gone' },
    { kind: 'cancel', exchange: 7, code: undefined, reason: 'lost' },
  ];
  t.same(new ExchangeRecordReader().push(bytes), wanted);
  const reader = new ExchangeRecordReader();
  const found = [...bytes].flatMap((byte) =>
    reader
      .push(Buffer.of(byte))
      .map((one) => ('bytes' in one ? { ...one, bytes: Buffer.from(one.bytes) } : one)),
  );
  const letters = 'body'.split('').map((one) => ({
    kind: 'body',
    exchange: 7,
    bytes: Buffer.from(one),
  }));
  t.same(found, [wanted[0], ...letters, ...wanted.slice(2)]);
  t.equal(reader.heldSize, 0);
});

t.test('damage is told once, and nothing is made of what follows', async (t) => {
  const odd = Buffer.alloc(RECORD_HEAD_SIZE);
  const long = encodeBodyHead(1, TEXT_SIZE_MAX + 1);
  long[0] = 0x51;
  const noJson = Buffer.concat([Buffer.from([0x41, 0, 0, 0, 1, 0, 0, 0, 2]), Buffer.from('{]')]);
  for (const [name, bytes] of Object.entries({ odd, long, noJson })) {
    const reader = new ExchangeRecordReader();
    t.match(reader.push(bytes), [{ kind: 'damage' }], name);
    t.same(reader.push(encodeEnd(1, [], SECRETS)), [], `${name}: silent from there on`);
    t.equal(reader.heldSize, 0);
  }
});

t.test('a secret is none of a recording, wherever a client writes it', async (t) => {
  const names = [
    'x-api-key',
    'apikey',
    'x-chroma-token',
    'x-auth-token',
    'password',
    'auth-token-bin',
  ];
  const bytes = encodeRequestHead(
    1,
    {
      ...HEAD,
      target: '/a?limit=1&api_key=hush&x=y&API-KEY=hush&token=hush=&shard_key=1',
      authority: 'ann:hush@store:6333',
      headers: [...names.map((name) => [name, 'hush'] as const), ['x-tokens-used', '5']],
    },
    new Set(),
  );
  t.notOk(bytes.includes('hush'));
  t.match(new ExchangeRecordReader().push(bytes), [
    {
      head: {
        target: `/a?limit=1&api_key=${SECRET_MARK}&x=y&API-KEY=${SECRET_MARK}&token=${SECRET_MARK}&shard_key=1`,
        authority: `${SECRET_MARK}@store:6333`,
      },
    },
  ]);
  t.ok(bytes.includes('"x-tokens-used","5"'));
});
