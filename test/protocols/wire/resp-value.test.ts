import t from 'tap';
import {
  encodeBulk,
  encodeError,
  encodeNull,
  readReply,
  type RespNode,
  spliceReply,
} from '../../../protocols/wire/resp-value.ts';

function shown(node: RespNode): unknown {
  switch (node.kind) {
    case 'text':
    case 'error':
      return node.bytes.toString('latin1');
    case 'number':
      return node.text;
    case 'null':
      return null;
    case 'list':
    case 'map':
      return node.items.map(shown);
  }
}

void t.test('replies as trees', async (t) => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['+OK\r\n', 'OK'],
    ['$3\r\na\r\n\r\n', 'a\r\n'],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['_\r\n', null],
    ['=7\r\ntxt:abc\r\n', 'abc'],
    ['!5\r\nERR x\r\n', 'ERR x'],
    ['%1\r\n+a\r\n,1.50\r\n', ['a', '1.50']],
    ['$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n', 'Hello'],
    ['*?\r\n:1\r\n#t\r\n.\r\n', ['1', 't']],
    ['%?\r\n+a\r\n:1\r\n.\r\n', ['a', '1']],
    ['*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n', ['1', '2']],
  ];
  for (const [bytes, expected] of cases)
    t.same(shown(readReply(Buffer.from(bytes))), expected, bytes);
  const attributed = readReply(Buffer.from('|1\r\n+a\r\n+b\r\n:1\r\n'));
  t.same(attributed.attributes?.map(shown), ['a', 'b']);
});

void t.test('edits change their part and nothing else', async (t) => {
  const bytes = Buffer.from('*3\r\n$1\r\na\r\n,1.50\r\n$2\r\nbc\r\n');
  const node = readReply(bytes);
  t.equal(spliceReply(bytes, []), bytes);
  const items = node.kind === 'list' ? node.items : [];
  const edits = [items[2], items[0]].flatMap((item) =>
    item === undefined
      ? []
      : [{ start: item.start, end: item.end, bytes: encodeBulk(Buffer.from('***')) }],
  );
  t.equal(String(spliceReply(bytes, edits)), '*3\r\n$3\r\n***\r\n,1.50\r\n$3\r\n***\r\n');
  t.throws(() => spliceReply(bytes, [...edits, ...edits]), /overlap/);
  t.equal(String(encodeNull(2)) + String(encodeNull(3)), '$-1\r\n_\r\n');
  t.equal(String(encodeError('NOPERM', 'a\r\n+b')), '-NOPERM a +b\r\n');
});

void t.test('what is no reply', async (t) => {
  for (const bytes of [
    '*1\r\n',
    ':1\r\n:2\r\n',
    '$5\r\nab\r\n',
    'x',
    '%1\r\n+a\r\n',
    '$?\r\n:1\r\n',
  ]) {
    t.throws(() => readReply(Buffer.from(bytes)), { code: 'RESP_REPLY' }, bytes);
  }
});
