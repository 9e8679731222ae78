import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { DEPTH_MAX, RespSkimmer } from '../../../protocols/wire/resp-skim.ts';

const REPLIES = [
  '+OK\r\n',
  '-ERR x\r\n',
  ':1\r\n',
  '$-1\r\n',
  '$0\r\n\r\n',
  '$3\r\na\r\n\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n$1\r\na\r\n:2\r\n',
  '_\r\n',
  ',1.5\r\n',
  ',inf\r\n',
  '#t\r\n',
  '(3492890328409238509324850943850943825024385\r\n',
  '!5\r\nERR x\r\n',
  '=7\r\ntxt:abc\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n',
  '~2\r\n:1\r\n:2\r\n',
  '>3\r\n+message\r\n$1\r\na\r\n$1\r\nb\r\n',
  '%0\r\n',
  '|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n',
  '*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n',
  '|0\r\n:1\r\n',
  '$?\r\n;4\r\nHell\r\n;2\r\n\r\n\r\n;0\r\n',
  '$?\r\n;0\r\n',
  '*?\r\n:1\r\n*?\r\n.\r\n.\r\n',
  '%?\r\n+a\r\n:1\r\n.\r\n',
  '~?\r\n.\r\n',
  '*1\r\n$?\r\n;1\r\nx\r\n;0\r\n',
  '*3\r\n*2\r\n:1\r\n*0\r\n$-1\r\n*1\r\n%1\r\n+a\r\n~0\r\n',
];

void t.test('each reply ends where it ends, however it is cut', async (t) => {
  for (const reply of REPLIES) {
    const bytes = Buffer.from(`${reply}+next\r\n`);
    t.equal(new RespSkimmer().skim(bytes, 0), reply.length, JSON.stringify(reply));
    const skimmer = new RespSkimmer();
    let ended = 0;
    for (let at = 0; ended === 0; at += 1) {
      const end = skimmer.skim(bytes.subarray(at, at + 1), 0);
      if (end !== undefined) ended = at + 1;
    }
    t.equal(ended, reply.length, `${JSON.stringify(reply)}, byte by byte`);
    for (let cut = 1; cut < reply.length; cut += 1) {
      const one = new RespSkimmer();
      t.equal(one.skim(bytes.subarray(0, cut), 0), undefined);
      t.ok(one.isInFrame);
      t.equal(one.skim(bytes, cut), reply.length);
      t.notOk(one.isInFrame);
    }
  }
});

void t.test('what is no reply', async (t) => {
  const cases = [
    'x',
    '*x\r\n',
    '*-2\r\n',
    '*1.5\r\n',
    '*99999999999999\r\n',
    '$3\r\nabcd\r\n',
    '$3\r\nabc\rx',
    '+a\rb',
    '.\r\n',
    '*1\r\n.\r\n',
    ';1\r\n',
    '$?\r\n:1\r\n',
    '*12345678901234567890',
    '>?1\r\n',
  ];
  for (const bytes of cases) {
    t.throws(
      () => new RespSkimmer().skim(Buffer.from(bytes), 0),
      ProtocolError,
      JSON.stringify(bytes),
    );
  }
});

void t.test('levels are limited, counts are not', async (t) => {
  const deep = Buffer.from(`${'*1\r\n'.repeat(DEPTH_MAX)}:1\r\n`);
  t.equal(new RespSkimmer().skim(deep, 0), deep.length);
  const deeper = Buffer.from('*1\r\n'.repeat(DEPTH_MAX + 1));
  t.throws(() => new RespSkimmer().skim(deeper, 0), { code: 'RESP_DEPTH' });
  t.equal(new RespSkimmer().skim(Buffer.from('*1000000000\r\n:1\r\n'), 0), undefined);
});
