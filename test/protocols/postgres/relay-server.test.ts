import t from 'tap';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';
import {
  BOUND,
  complete,
  description,
  errorOf,
  INSPECT_NOTHING,
  NO_DATA,
  PARSED,
  ready,
  row,
  signedIn,
} from '../../support/postgres-session.ts';
import {
  bind,
  describe,
  execute,
  int32,
  message,
  MessageReader,
  parse,
  query,
  sync,
} from '../../support/raw-postgres.ts';
import { block, policy, talking, fieldsIn } from '../../support/postgres-policy.ts';

t.test("the poison's error names the rule and has nothing of the server's (PG-31)", async (t) => {
  const talk = talking();
  talk.client(query('drop table t'));
  const own = errorOf('42601', 'syntax error at or near ")"', {
    P: '1',
    F: 'scan.l',
    L: '1',
    R: 'x',
  });
  const sent = sentTo('client', talk.server(own, ready('E')));
  t.same(fieldsIn(sent), { S: 'ERROR', V: 'ERROR', C: '42501', M: 'blocked by rule r', H: 'h' });
  t.same(sent.subarray(-6), ready('E'), "and the transaction's state is the server's (PG-30)");
  t.match(
    talk.log.find((one) => one.kind === 'record' && one.by === 'gateway'),
    { from: 'server' },
  );
});

t.test('an earlier error passes unchanged, for the poison was skipped (PG-31)', async (t) => {
  const talk = talking();
  const own = errorOf('42601', 'syntax error at or near "selekt"');
  talk.client(parse('', 'selekt'), parse('', 'drop table t'), sync());
  t.same(sentTo('client', talk.server(own, ready())), Buffer.concat([own, ready()]));
  talk.client(query('select 1'));
  t.same(
    sentTo('client', talk.server(complete('SELECT 0'), ready())),
    Buffer.concat([complete('SELECT 0'), ready()]),
  );
});

t.test(
  "the end of the server while poison is on its way is the server's own (PG-48)",
  async (t) => {
    const talk = talking();
    talk.client(query('drop table t'));
    const fatal = message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating\0\0'));
    t.same(sentTo('client', talk.server(fatal)), fatal);
  },
);

t.test('a masked column in every row of a simple query; NULL stays NULL', async (t) => {
  const talk = talking();
  talk.client(query('select a, secret'));
  const sent = sentTo(
    'client',
    talk.server(
      description('a', 'secret'),
      row('1', 'ann@x'),
      row('2', null),
      complete('SELECT 2'),
      ready(),
    ),
  );
  t.same(
    sent,
    Buffer.concat([
      description('a', 'secret'),
      row('1', '***'),
      row('2', null),
      complete('SELECT 2'),
      ready(),
    ]),
  );
  t.same(recordedFrom('server', talk.log), sent, 'the recording has what the client saw');
});

t.test('each result of a Query has its own shape (PG-33)', async (t) => {
  const talk = talking();
  talk.client(query('select secret; select a'));
  const sent = sentTo(
    'client',
    talk.server(
      description('secret'),
      row('x'),
      complete('SELECT 1'),
      description('a'),
      row('y'),
      complete('SELECT 1'),
      ready(),
    ),
  );
  t.match(sent.toString('latin1'), '***');
  t.match(sent.toString('latin1'), 'y');
  t.notMatch(sent.toString('latin1'), 'x\0C');
});

t.test('rows that nobody described do not pass (PG-40)', async (t) => {
  const talk = talking();
  talk.client(query('select secret'));
  const commands = talk.server(row('ann@x'));
  t.notMatch(sentTo('client', commands).toString(), 'ann@x');
  t.ok(hasClosed(commands));
  const second = talking();
  second.client(query('select a; select secret'));
  second.server(description('a'), row('1'), complete('SELECT 1'));
  t.ok(hasClosed(second.server(row('ann@x'))), 'nor under the shape of the result before');
});

t.test('a row that is not as described does not pass', async (t) => {
  for (const bytes of [
    row('ann@x', 'b'),
    message('D', Buffer.of(0, 1, 0, 0, 0, 9, 0x61)),
    message('D', Buffer.of(0, 1, 0xff, 0xff, 0xff, 0xff, 7)),
  ]) {
    const talk = talking();
    talk.client(query('select secret'));
    talk.server(description('secret'));
    const commands = talk.server(bytes);
    t.notMatch(sentTo('client', commands).toString(), 'ann@x');
    t.ok(hasClosed(commands));
  }
});

t.test('slices and interleaved portals keep their masks (PG-43)', async (t) => {
  const talk = talking();
  talk.client(
    parse('', 'select secret'),
    bind('p1', ''),
    parse('', 'select a'),
    bind('p2', ''),
    execute('p1', 1),
    execute('p2', 1),
    execute('p1', 1),
    sync(),
  );
  const suspended = message('s');
  const sent = sentTo(
    'client',
    talk.server(
      PARSED,
      BOUND,
      PARSED,
      BOUND,
      description('secret'),
      row('1st'),
      suspended,
      description('a'),
      row('free'),
      suspended,
      description('secret'),
      row('2nd'),
      suspended,
      ready(),
    ),
  );
  t.notMatch(sent.toString('latin1'), /1st|2nd/);
  t.match(sent.toString('latin1'), 'free');
  t.equal(
    new MessageReader()
      .push(sent)
      .map(({ type }) => type)
      .join(''),
    '1212DsDsDsZ',
    'no description was added',
  );
});

t.test("the client's own Describe of a portal is answered, and decided (PG-42)", async (t) => {
  const talk = talking();
  talk.client(
    parse('s', 'select secret'),
    describe('S', 's'),
    bind('', 's'),
    describe('P'),
    execute(),
    sync(),
  );
  const parameters = message('t', Buffer.of(0, 0));
  const sent = sentTo(
    'client',
    talk.server(
      PARSED,
      parameters,
      description('secret'),
      BOUND,
      description('secret'),
      row('x'),
      complete('SELECT 1'),
      ready(),
    ),
  );
  t.same(
    sent,
    Buffer.concat([
      PARSED,
      parameters,
      description('secret'),
      BOUND,
      description('secret'),
      row('***'),
      complete('SELECT 1'),
      ready(),
    ]),
  );
  t.equal(
    operationsIn(talk.log).filter(({ kind }) => kind === 'result').length,
    1,
    'Describe of a statement decides nothing',
  );
});

t.test('an error of the injected Describe answers for the Execute (PG-40)', async (t) => {
  const talk = talking();
  talk.client(execute('gone'), sync());
  const error = errorOf('34000', 'portal "gone" does not exist');
  t.same(sentTo('client', talk.server(error, ready())), Buffer.concat([error, ready()]));
  talk.client(query('select a'));
  t.notOk(hasClosed(talk.server(description('a'), row('1'), complete('SELECT 1'), ready())));
});

t.test('nothing passes the held description; the client may go on meanwhile', async (t) => {
  const talk = talking();
  talk.decide = (operation) => (operation.kind === 'result' ? undefined : policy(operation));
  talk.client(query('select secret'));
  t.equal(
    sentTo('client', talk.server(description('secret'), row('x'), complete('SELECT 1'), ready()))
      .length,
    0,
  );
  const id = operationsIn(talk.log).at(-1)?.id ?? 0;
  t.equal(sentTo('server', talk.client(query('select a'))).length, query('select a').length);
  const sent = sentTo(
    'client',
    talk.decided(id, { kind: 'allow', plan: [() => Buffer.from('***')] }),
  );
  t.same(sent, Buffer.concat([description('secret'), row('***'), complete('SELECT 1'), ready()]));
});

t.test('a blocked result ends the session before its first row', async (t) => {
  const talk = talking();
  talk.decide = (operation) => (operation.kind === 'result' ? block : policy(operation));
  talk.client(query('select secret'));
  const commands = talk.server(description('secret'), row('ann@x'));
  t.match(fieldsIn(sentTo('client', commands)), { S: 'FATAL', C: '42501' });
  t.notMatch(sentTo('client', commands).toString(), 'ann@x');
});

t.test(
  'a COPY TO that was blocked gives nothing, one that was allowed passes as it is (PG-51)',
  async (t) => {
    const talk = talking();
    talk.decide = (operation) => (operation.kind === 'statement' ? block : policy(operation));
    const asked = talk.client(query('copy secret to stdout'));
    t.notMatch(sentTo('server', asked).toString('latin1'), 'copy secret');
    const out = message('H', Buffer.of(0, 0, 1, 0, 0));
    const free = talking();
    // A masked SELECT may stand beside a harmless COPY in one query string: each was judged for itself.
    free.client(query('select secret; copy a to stdout'));
    const bytes = Buffer.concat([
      out,
      message('d', Buffer.from('1\n')),
      message('c'),
      complete('COPY 1'),
      ready(),
    ]);
    t.same(sentTo('client', free.server(bytes)), bytes);
  },
);

t.test('unknown messages of the server go through as they are (PG-23)', async (t) => {
  const odd = message('y', Buffer.from('of a later version'));
  t.same(sentTo('client', talking().server(odd)), odd);
});

t.test('an answer that nobody asked for ends the session', async (t) => {
  for (const bytes of [
    ready(),
    PARSED,
    BOUND,
    complete('SELECT 1'),
    description('a'),
    NO_DATA,
    message('R', int32(0)),
  ]) {
    t.ok(hasClosed(talking().server(bytes)), bytes.toString('latin1', 0, 1));
  }
  const talk = talking();
  talk.client(parse('', 'select a'), sync());
  t.ok(hasClosed(talk.server(BOUND)), 'nor another one than the next');
});

t.test('a definition that changed is told (PG-85)', async (t) => {
  const told = (talk: ReturnType<typeof talking>, ...bytes: Buffer[]): number =>
    talk.server(...bytes).filter((one) => one.kind === 'note' && one.fact.kind === 'schema-changed')
      .length;
  const talk = talking();
  talk.client(query('alter table t add b int'));
  t.equal(told(talk, complete('ALTER TABLE'), ready('T')), 1);
  talk.client(query('commit'));
  t.equal(told(talk, complete('COMMIT'), ready()), 1, 'again when others can see it');
  talk.client(query('select 1'));
  t.equal(told(talk, complete('SELECT 1'), ready()), 0);
});

t.test(
  'the key of a cancel is noted whole and recorded without its secret (PG-11, GW-16)',
  async (t) => {
    for (const size of [4, 32, 256]) {
      const talk = signedIn();
      const key = Buffer.alloc(4 + size, 0xab);
      const commands = talk.server(message('K', key));
      t.same(sentTo('client', commands), message('K', key));
      t.equal(recordedFrom('server', commands).indexOf(Buffer.alloc(4, 0xab), 9), -1);
      t.match(
        commands.find(({ kind }) => kind === 'note'),
        {
          fact: {
            kind: 'cancel-key',
            key,
            request: Buffer.concat([int32(12 + size), int32(80_877_102), key]),
          },
        },
      );
    }
  },
);

t.test('a large value passes in pieces where it has not to be masked (GW-13)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING, options: { rowSizeMax: 1000 } });
  talk.client(query('select a'));
  const all = Buffer.concat([
    description('a'),
    row('x'.repeat(3_000_000)),
    complete('SELECT 1'),
    ready(),
  ]);
  let given = 0;
  for (let at = 0; at < all.length; at += 65_536) {
    const piece = all.subarray(at, at + 65_536);
    given += sentTo('client', talk.server(piece)).length;
    t.ok(at + piece.length - given < 300, `${given} of ${at + piece.length}`);
  }
  t.equal(given, all.length);
  const masked = signedIn({ decide: policy, options: { rowSizeMax: 1000 } });
  masked.client(query('select secret'));
  masked.server(description('secret'));
  t.ok(
    hasClosed(masked.server(row('x'.repeat(3000)).subarray(0, 5))),
    'and is refused by its header where it has',
  );
});

t.test('COPY BOTH passes both ways (PG-53)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  talk.client(query('START_REPLICATION 0/0'));
  const there = Buffer.concat([message('W', Buffer.of(0, 0, 0)), message('d', Buffer.from('k'))]);
  t.same(sentTo('client', talk.server(there)), there);
  const back = Buffer.concat([message('d', Buffer.from('r')), message('c')]);
  t.same(sentTo('server', talk.client(back)), back);
  const end = Buffer.concat([
    message('c'),
    complete('START_STREAMING'),
    complete('START_REPLICATION'),
    ready(),
  ]);
  t.same(sentTo('client', talk.server(end)), end);
  talk.client(query('IDENTIFY_SYSTEM'));
  t.notOk(
    hasClosed(talk.server(description('systemid'), row('1'), complete('IDENTIFY_SYSTEM'), ready())),
  );
});
