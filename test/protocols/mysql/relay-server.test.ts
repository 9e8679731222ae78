import t from 'tap';
import type { Decision, MaskingPlan, Operation } from '../../../protocols/contract.ts';
import {
  CAPABILITY,
  COM,
  command,
  execute,
  frame,
  lenenc,
  uint32,
} from '../../support/mysql-packets.ts';
import {
  binaryRow,
  columnPayload,
  eof,
  err,
  INSPECT_NOTHING,
  type MysqlTalk,
  ok,
  outline,
  payloadsOf,
  prepared,
  shape,
  signedIn,
  textRow,
  variableState,
} from '../../support/mysql-session.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';

const query = (sql: string): Buffer => frame(command(COM.query, sql));
const toStars = (): Buffer => Buffer.from('***');
const BLOCK: Decision = { kind: 'block', rule: 'r', code: '42501', reason: 'not these rows' };

function masking(plan: MaskingPlan, isSensitive = true): (operation: Operation) => Decision {
  return ({ kind }) =>
    kind === 'result' ? { kind: 'allow', plan } : { kind: 'allow', isSensitive, trace: { sql: 1 } };
}

function shown(talk: MysqlTalk, ...bytes: readonly Buffer[]): Buffer {
  return sentTo('client', talk.server(...bytes));
}

function lastError(bytes: Buffer): string {
  const last = payloadsOf(bytes).at(-1) ?? Buffer.alloc(0);
  return last[0] === 0xff ? `${last.readUInt16LE(1)} ${last.toString('utf8', 4)}` : '';
}

t.test('definitions wait for the decision on them, and rows are masked (MY-69)', async (t) => {
  const talk = signedIn({ decide: masking([undefined, toStars]) });
  talk.client(query('select id, ssn from people'));
  const rows = [textRow(5, ['1', '111-22-3333']), textRow(6, ['2', null]), textRow(7, ['', ''])];
  const bytes = shown(talk, shape(1, ['id', 'ssn']), ...rows, eof(8));
  t.same(
    bytes,
    Buffer.concat([
      shape(1, ['id', 'ssn']),
      textRow(5, ['1', '***']),
      textRow(6, ['2', null]),
      textRow(7, ['', '***']),
      eof(8),
    ]),
  );
  t.match(operationsIn(talk.log).at(-1), {
    kind: 'result',
    columns: [
      { name: 'id', format: 'text' },
      { name: 'ssn', type: 0xfd, table: 0, details: { originalTable: 'people', schema: 'shop' } },
    ],
    traces: [{ sql: 1 }],
  });
  t.same(recordedFrom('server', talk.log), bytes, 'the recording is what the client saw');
});

t.test('nothing of a result passes while it is undecided', async (t) => {
  const talk = signedIn({
    decide: ({ kind }) => (kind === 'result' ? undefined : { kind: 'allow' }),
  });
  talk.client(query('select 1'));
  t.equal(shown(talk, shape(1, ['a']), textRow(4, ['x'])).length, 0);
  const bytes = sentTo('client', talk.decided({ kind: 'allow' }));
  t.equal(outline(bytes), '1:01 2:03 3:fe 4:01');
});

t.test('a blocked result is an error, and the rest of it is dropped (MY-25)', async (t) => {
  const talk = signedIn({
    decide: ({ kind }) => (kind === 'result' ? BLOCK : { kind: 'allow', isSensitive: false }),
  });
  talk.client(query('select ssn from people; select 2'), query('select 3'));
  const blocked = shown(talk, shape(1, ['ssn']), textRow(4, ['111']), eof(5, 10));
  t.equal(outline(blocked), '1:ff');
  t.match(lastError(blocked), /^1142 .*not these rows/);
  const commands = talk.server(shape(6, ['x']), textRow(9, ['2']), eof(10));
  t.equal(sentTo('client', commands).length, 0, 'the second result is part of what was refused');
  t.same(sentTo('server', commands), query('select 3'), 'then the session goes on');
});

t.test('a file asked for in a refused answer is an empty one (MY-34)', async (t) => {
  const talk = signedIn({
    capabilities: CAPABILITY.localFiles,
    options: { localInfile: true },
    decide: ({ kind }) => (kind === 'result' ? BLOCK : { kind: 'allow' }),
  });
  talk.client(query("select 1; load data local infile 'f' into table t"));
  talk.server(shape(1, ['a']), textRow(4, ['x']), eof(5, 10));
  const commands = talk.server(frame(Buffer.from('\u00fbf', 'latin1'), 6));
  t.same(sentTo('server', commands), frame(Buffer.alloc(0), 7));
  t.equal(sentTo('client', commands).length, 0);
  talk.server(ok(8));
  t.notOk(talk.session.isBusy);
});

t.test('binary rows are rebuilt, NULL by its bit (MY-68)', async (t) => {
  const talk = signedIn({ decide: masking([toStars, () => null, undefined]) });
  talk.client(frame(command(COM.prepare, 'select a, b, c from people')));
  talk.server(prepared(3, ['a', 'b', 'c']));
  talk.client(frame(execute(3)));
  const columns = ['a', 'b', 'c'];
  const bytes = shown(
    talk,
    shape(1, columns),
    binaryRow(6, ['one', 'two', 'three']),
    binaryRow(7, [null, 'two', null]),
    eof(8),
  );
  t.same(
    bytes,
    Buffer.concat([
      shape(1, columns),
      binaryRow(6, ['***', null, 'three']),
      binaryRow(7, [null, null, null]),
      eof(8),
    ]),
  );
  t.match(operationsIn(talk.log).at(-1), { columns: [{ format: 'binary' }] });
});

t.test('rows of a cursor have the masks of its EXECUTE (MY-24, MY-71)', async (t) => {
  const talk = signedIn({ decide: masking([toStars]) });
  talk.client(frame(command(COM.prepare, 'select ssn from people')));
  talk.server(prepared(3, ['ssn']));
  talk.client(frame(execute(3, [], 1)));
  t.equal(outline(shown(talk, shape(1, ['ssn'], { status: 0x42 }))), '1:01 2:03 3:fe');
  t.notOk(talk.session.isBusy, 'the rows are left for FETCH');
  const fetch = frame(command(COM.fetch, uint32(3), uint32(5)));
  talk.client(fetch);
  t.same(
    shown(talk, binaryRow(1, ['111']), eof(2, 0x82)),
    Buffer.concat([binaryRow(1, ['***']), eof(2, 0x82)]),
  );
  talk.client(frame(command(COM.reset, uint32(3))));
  talk.server(ok());
  talk.client(fetch);
  const unknown = shown(talk, binaryRow(1, ['111']), eof(2, 0x82));
  t.match(lastError(unknown), /^1142 /, 'rows that nobody described do not pass');
  t.notOk(unknown.includes('111'));
});

t.test('each result of CALL is decided for itself (MY-25)', async (t) => {
  const plans: MaskingPlan[] = [[toStars], [undefined]];
  const talk = signedIn({
    decide: ({ kind }) => {
      const plan = kind === 'result' ? plans.shift() : undefined;
      return plan === undefined ? { kind: 'allow' } : { kind: 'allow', plan };
    },
  });
  talk.client(query('call p()'));
  const bytes = shown(
    talk,
    shape(1, ['a']),
    textRow(4, ['x']),
    eof(5, 10),
    shape(6, ['b']),
    textRow(9, ['y']),
    eof(10, 10),
    ok(11),
  );
  t.same(
    bytes,
    Buffer.concat([
      shape(1, ['a']),
      textRow(4, ['***']),
      eof(5, 10),
      shape(6, ['b']),
      textRow(9, ['y']),
      eof(10, 10),
      ok(11),
    ]),
  );
});

t.test('a row that is not as described ends the session (GW-5)', async (t) => {
  for (const row of [
    textRow(4, ['1', '2']),
    frame(Buffer.from([0x09, 0x41]), 4),
    frame(Buffer.from([0xfc, 0x41]), 4),
  ]) {
    const talk = signedIn({ decide: masking([toStars]) });
    talk.client(query('select ssn from people'));
    talk.server(shape(1, ['ssn']));
    const commands = talk.server(row);
    t.ok(hasClosed(commands));
    t.match(lastError(sentTo('client', commands)), /MYSQL_ROW_SHAPE/);
  }
});

t.test('a masked row may need another number of packets (MY-11, MY-13)', async (t) => {
  const size = 0xffffff - 4;
  const grown = Buffer.alloc(size + 100, 0x2a);
  const options = { rowSizeMax: 2 ** 26 };
  const talk = signedIn({ options, decide: masking([() => grown]) });
  talk.client(query('select a from t'));
  const bytes = shown(talk, shape(1, ['a']), textRow(4, ['x'.repeat(size - 10)]), eof(5));
  t.equal(outline(bytes.subarray(bytes.length - 9)), '6:fe', 'the end is renumbered');
  const [, , , row] = payloadsOf(bytes);
  t.equal(row?.length, grown.length + 9, 'a length of more than three bytes');
  const shrunk = signedIn({ options, decide: masking([toStars]) });
  shrunk.client(query('select a from t'));
  const short = shown(shrunk, shape(1, ['a']), textRow(4, ['x'.repeat(size)]), eof(6));
  t.equal(outline(short), '1:01 2:03 3:fe 4:03 5:fe');
});

t.test('large rows stream without being held where nothing is masked (GW-13)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  talk.client(query('select a from t'));
  talk.server(shape(1, ['a']));
  const row = textRow(4, ['x'.repeat(17 * 1024 * 1024)]);
  const chunkSize = 65_536;
  for (let at = 0; at < chunkSize * 10; at += chunkSize) {
    const chunk = row.subarray(at, at + chunkSize);
    t.ok(shown(talk, chunk).equals(chunk), 'what came went on');
  }
});

t.test('errors of sensitive statements lose their values (MY-66, GW-11)', async (t) => {
  const duplicate = err(1, 1062, '23000', "Duplicate entry 'ann@x.io' for key 'email'");
  const talk = signedIn({ decide: masking([], true) });
  talk.client(query('insert into people select * from people'));
  t.match(lastError(shown(talk, duplicate)), /^1062 23000text redacted by Weir/);
  const clear = signedIn({ decide: masking([], false) });
  clear.client(query('insert into t values (1)'));
  t.same(shown(clear, duplicate), duplicate);
  const unknown = signedIn({ decide: () => ({ kind: 'allow' }) });
  unknown.client(query('insert into t values (1)'));
  t.notOk(shown(unknown, duplicate).includes('ann'), 'what was not said to be clear is not');
});

t.test('the defaults of COM_FIELD_LIST are data (MY-66)', async (t) => {
  const talk = signedIn({ decide: masking([], true) });
  talk.client(frame(command(COM.fieldList, 'people\0')));
  const field = columnPayload('ssn', { defaultValue: '111' });
  const bytes = shown(talk, frame(field, 1), eof(2));
  t.notOk(bytes.includes('111'));
  t.same(payloadsOf(bytes)[0], Buffer.concat([columnPayload('ssn'), Buffer.of(0xfb)]));
});

t.test('an address of another server is taken out of every OK (MY-18)', async (t) => {
  const talk = signedIn({ capabilities: CAPABILITY.sessionTrack | CAPABILITY.deprecateEof });
  const state = variableState('redirect_url', 'mysql://elsewhere:3306');
  talk.client(query('set @a = 1'));
  const bytes = shown(talk, ok(1, { state }));
  t.notOk(bytes.includes('elsewhere'));
  t.equal(outline(bytes), '1:00');
  talk.client(query('select 1'));
  const definition = frame(columnPayload('a'), 2);
  const [payload = Buffer.alloc(0)] = payloadsOf(ok(4, { state }));
  const end = frame(Buffer.concat([Buffer.of(0xfe), payload.subarray(1)]), 4);
  const rows = shown(talk, frame(lenenc(1), 1), definition, textRow(3, ['x']), end);
  t.notOk(rows.includes('elsewhere'));
  t.equal(outline(rows), '1:01 2:03 3:01 4:fe');
  t.notOk(talk.session.isBusy);
});

t.test('an error that answers nothing is the last word (MY-32)', async (t) => {
  const idle = signedIn();
  const last = err(0, 4031, '08S01', 'The client was disconnected because of inactivity');
  const commands = idle.server(last);
  t.same(sentTo('client', commands), last);
  t.ok(hasClosed(commands));
  const racing = signedIn();
  racing.client(query('insert into t values (1)'));
  const late = racing.server(last);
  t.same(sentTo('client', late), last, 'it is no answer to the command that came just then');
  t.ok(hasClosed(late));
  t.ok(hasClosed(signedIn().server(ok(1))), 'anything else has no place there');
});

t.test('a result without DEPRECATE_EOF and with it (MY-14, MY-29)', async (t) => {
  const talk = signedIn({ capabilities: CAPABILITY.deprecateEof, inspection: INSPECT_NOTHING });
  talk.client(query('select a from t'));
  const head = [frame(lenenc(1), 1), frame(columnPayload('a'), 2)];
  const [okPayload = Buffer.alloc(0)] = payloadsOf(ok(4));
  const end = frame(Buffer.concat([Buffer.of(0xfe), okPayload.subarray(1)]), 4);
  talk.server(...head, textRow(3, ['x']), end);
  t.notOk(talk.session.isBusy);
  talk.client(query('select a from t'));
  talk.server(...head, textRow(3, ['x']), eof(4));
  t.notOk(talk.session.isBusy, 'old servers send an EOF all the same');
});

t.test('COM_STATISTICS is answered by any text (MY-19)', async (t) => {
  const talk = signedIn();
  talk.client(frame(command(COM.statistics)));
  const text = frame(Buffer.from('Uptime: 1'), 1);
  t.same(shown(talk, text), text);
  t.notOk(talk.session.isBusy);
});

t.test('a server that stops within a packet gets no last word in between (GW-13)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  talk.client(query('select a from t'));
  talk.server(shape(1, ['a']), textRow(4, ['hello there']).subarray(0, 8));
  const commands = talk.event({ kind: 'stopped', code: '57P01', reason: 'bye' });
  t.equal(sentTo('client', commands).length, 0);
  t.ok(hasClosed(commands));
  const between = signedIn({ inspection: INSPECT_NOTHING });
  between.client(query('select a from t'));
  between.server(shape(1, ['a']), textRow(4, ['hello']));
  const said = between.event({ kind: 'stopped', code: '57P01', reason: 'bye' });
  t.equal(outline(sentTo('client', said)), '5:ff');
  t.match(lastError(sentTo('client', said)), /^1053 08S01bye/);
});
