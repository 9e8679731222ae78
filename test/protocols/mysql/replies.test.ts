import t from 'tap';
import { type ReplyOptions, ReplyReader } from '../../../protocols/mysql/replies.ts';

const MORE = 0x08;
const CURSOR = 0x40;

function reading(own: Partial<ReplyOptions> = {}): ReplyReader {
  return new ReplyReader({
    shape: 'query',
    deprecatesEof: false,
    asksCursor: false,
    hasProgress: false,
    ...own,
  });
}

const kind = (reader: ReplyReader, bytes: readonly number[], length = bytes.length): string =>
  reader.kindOf(Buffer.from(bytes), length);

t.test('what the first byte means depends on the place (MY-14)', async (t) => {
  t.equal(kind(reading(), [0x00, 0, 0]), 'ok');
  t.equal(kind(reading(), [0xff, 1, 0]), 'error');
  t.equal(kind(reading(), [0xfb, 0x66]), 'infile');
  t.equal(kind(reading(), [0xfc, 0xfb, 0x00]), 'count', '251 columns');
  t.throws(() => kind(reading(), [0xfe, 0, 0, 2, 0]), { code: 'MYSQL_UNEXPECTED_PACKET' });
  t.throws(() => kind(reading(), []), { code: 'MYSQL_UNEXPECTED_PACKET' });
  const rows = reading();
  rows.onCount(1);
  t.equal(kind(rows, [0x03]), 'column');
  rows.onDefinition();
  t.equal(kind(rows, [0xfe, 0, 0, 2, 0]), 'end');
  rows.onEnd(2);
  t.equal(kind(rows, [0xfb]), 'row', 'NULL in the first column');
  t.equal(kind(rows, [0x00]), 'row', 'an empty text');
  t.equal(kind(rows, [0xfe, 0, 0, 0, 1], 0xffffff), 'row', 'a text of 16 MB');
  t.equal(kind(rows, [0xfe, 0, 0, 2, 0]), 'end');
  t.equal(kind(rows, [0xff, 1, 0]), 'error');
});

t.test('with DEPRECATE_EOF rows end by an OK (MY-14)', async (t) => {
  const rows = reading({ deprecatesEof: true });
  rows.onCount(1);
  rows.onDefinition();
  t.equal(kind(rows, [0xfe, 0, 0, 2], 300), 'end');
  t.equal(kind(rows, [0xfe, 0, 0, 0], 0xffffff), 'row');
  rows.onEnd(2);
  t.ok(rows.isOver);
});

t.test('more results follow, of queries only (MY-25)', async (t) => {
  const query = reading();
  query.onOk(MORE);
  t.notOk(query.isOver);
  t.equal(kind(query, [0x00, 0, 0]), 'ok');
  query.onError();
  t.ok(query.isOver, 'an error ends the chain');
  const simple = reading({ shape: 'simple' });
  simple.onOk(MORE);
  t.ok(simple.isOver);
});

t.test('a cursor leaves its rows to FETCH, where one was asked for (MY-24)', async (t) => {
  for (const asksCursor of [true, false]) {
    const reader = reading({ shape: 'execute', asksCursor });
    reader.onCount(1);
    reader.onDefinition();
    reader.onEnd(CURSOR);
    t.equal(reader.isOver, asksCursor);
  }
});

t.test('PREPARE_OK is followed by what it counts (MY-29)', async (t) => {
  const legacy = reading({ shape: 'prepare' });
  t.equal(kind(legacy, [0x00, 1]), 'prepared');
  legacy.onPrepared(1, 2);
  t.equal(kind(legacy, [0x03]), 'parameter');
  legacy.onDefinition();
  t.equal(kind(legacy, [0xfe, 0, 0, 2, 0]), 'end');
  legacy.onEnd(0);
  for (const _ of [1, 2]) {
    t.equal(kind(legacy, [0x03]), 'column');
    legacy.onDefinition();
  }
  legacy.onEnd(0);
  t.ok(legacy.isOver);
  const modern = reading({ shape: 'prepare', deprecatesEof: true });
  modern.onPrepared(1, 1);
  modern.onDefinition();
  modern.onDefinition();
  t.ok(modern.isOver);
  const none = reading({ shape: 'prepare' });
  none.onPrepared(0, 0);
  t.ok(none.isOver);
});

t.test('progress is told from an error, and is not the end (MY-31)', async (t) => {
  const reader = reading({ hasProgress: true });
  t.equal(kind(reader, [0xff, 0xff, 0xff, 0x01]), 'progress');
  t.equal(kind(reader, [0xff, 0xff, 0xff, 0x23]), 'error', 'SIGNAL with number 65535');
  t.equal(kind(reading(), [0xff, 0xff, 0xff, 0x01]), 'error', 'not agreed on');
  reader.onProgress();
  t.notOk(reader.isOver);
});

t.test('the other shapes: FIELD_LIST, FETCH, STATISTICS', async (t) => {
  const fields = reading({ shape: 'fields' });
  t.equal(kind(fields, [0x03]), 'column');
  fields.onDefinition();
  t.equal(kind(fields, [0xfe, 0, 0, 2, 0]), 'end');
  fields.onEnd(2);
  t.ok(fields.isOver);
  t.equal(kind(reading({ shape: 'fetch' }), [0x00, 0]), 'row', 'a binary row is no OK');
  t.equal(kind(reading({ shape: 'raw' }), [0x55]), 'raw');
  t.equal(kind(reading({ shape: 'simple' }), [0xfe, 0, 0, 2, 0]), 'end');
});

t.test('a file comes before the OK (MY-34)', async (t) => {
  const reader = reading();
  reader.onInfile();
  t.throws(() => kind(reader, [0x01]), { code: 'MYSQL_UNEXPECTED_PACKET' });
  t.equal(kind(reader, [0x00, 0]), 'ok');
});
