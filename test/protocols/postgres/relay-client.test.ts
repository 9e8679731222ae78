import t from 'tap';
import type { Operation } from '../../../protocols/contract.ts';
import { REPLIES_MAX } from '../../../protocols/postgres/replies.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';
import {
  BOUND,
  CLOSED,
  complete,
  description,
  errorOf,
  INSPECT_NOTHING,
  NO_DATA,
  PARSED,
  ready,
  row,
  type SessionTalk,
  signedIn,
} from '../../support/postgres-session.ts';
import {
  bind,
  closeNamed,
  copyData,
  copyDone,
  decodeFields,
  describe,
  execute,
  flush,
  functionCall,
  int32,
  message,
  MessageReader,
  parse,
  query,
  sync,
  terminate,
} from '../../support/raw-postgres.ts';

/** The types of the messages in some bytes. */
function types(bytes: Buffer): string {
  return new MessageReader()
    .push(bytes)
    .map(({ type }) => type)
    .join('');
}

function lastWord(talk: ReturnType<typeof signedIn>, bytes: Buffer): Record<string, string> {
  const sent = sentTo('client', talk.client(bytes));
  return sent.length === 0 ? {} : decodeFields(sent.subarray(5));
}

t.test('each message goes on at once, without a Sync: Flush too (PG-26)', async (t) => {
  const talk = signedIn();
  for (const one of [
    parse('s', 'select 1'),
    describe('S', 's'),
    flush(),
    bind('', 's'),
    describe('P'),
    execute(),
    sync(),
    copyData('x'),
    copyDone(),
    terminate(),
  ]) {
    t.same(sentTo('server', talk.client(one)), one);
  }
});

t.test('allowed text goes on byte for byte (GW-6)', async (t) => {
  const talk = signedIn();
  const odd = query(Buffer.from('/*+ hint */  SELECT\t1 -- é\n;'));
  t.same(sentTo('server', talk.client(odd)), odd);
  t.same(recordedFrom('client', talk.log), odd);
});

t.test('nothing overtakes a held statement (GW-2)', async (t) => {
  const talk = signedIn({ decide: () => undefined });
  const first = [parse('', 'select 1'), bind('', ''), execute()];
  t.equal(
    sentTo('server', talk.client(sync(), ...first, query('select 2'), sync())).toString(),
    sync().toString(),
  );
  t.equal(operationsIn(talk.log).length, 1);
  const sent = sentTo('server', talk.decided(2, { kind: 'allow', isSensitive: false }));
  t.equal(
    types(sent),
    'PBDE',
    'then all up to the next statement, with the injected Describe (PG-40)',
  );
  t.equal(types(sentTo('server', talk.decided(3, { kind: 'allow', isSensitive: false }))), 'QS');
});

t.test('an unknown message ends the session in the words of PostgreSQL (PG-23)', async (t) => {
  const talk = signedIn();
  t.match(lastWord(talk, message('z', Buffer.from('?'))), {
    S: 'FATAL',
    C: '08P01',
    M: 'invalid frontend message type 122',
  });
  t.ok(hasClosed(talk.log));
  t.match(lastWord(signedIn(), message('p', Buffer.from('secret\0'))), {
    M: 'invalid frontend message type 112',
  });
});

t.test('impossible lengths are refused by the header (PG-23)', async (t) => {
  for (const length of [0, 3, -1, 0x4000_0000, 0x7fff_ffff]) {
    const talk = signedIn();
    t.match(
      lastWord(talk, Buffer.concat([Buffer.from('Q'), int32(length)])),
      { C: '08P01' },
      `${length}`,
    );
    t.ok(hasClosed(talk.log), `${length}`);
  }
});

t.test(
  'a statement above the limit is refused by its header, other messages are streamed (GW-13)',
  async (t) => {
    const talk = signedIn({ options: { statementSizeMax: 1000 } });
    const value = Buffer.alloc(5_000_000, 0x61);
    const large = bind('', '', { values: [value] });
    t.equal(
      sentTo('server', talk.client(large.subarray(0, 70_000))).length,
      70_000,
      'the first part of a Bind is already gone',
    );
    talk.client(large.subarray(70_000));
    t.match(lastWord(talk, query('x'.repeat(2000)).subarray(0, 5)), { S: 'FATAL', C: '08P01' });
  },
);

t.test('Flush with a body would make the server skip out of our sight (PG-28)', async (t) => {
  const talk = signedIn();
  const commands = talk.client(message('H', Buffer.from('x')));
  t.equal(sentTo('server', commands).length, 0);
  t.ok(hasClosed(commands));
});

t.test(
  'a blocked Query is poison, and so is a blocked Parse of the same name (PG-31)',
  async (t) => {
    const block = { kind: 'block', rule: 'no-drop', code: '42501', reason: 'no' } as const;
    const talk = signedIn({ decide: () => block });
    const sent = new MessageReader().push(
      sentTo(
        'server',
        talk.client(query('drop table t'), parse('s1', 'drop table t', [23]), sync()),
      ),
    );
    t.equal(sent.map(({ type }) => type).join(''), 'QPS');
    t.match(sent[0]?.body.toString(), /^\) refused by Weir, rule no-drop\0$/);
    t.match(sent[1]?.body.toString(), /^s1\0\) refused by Weir, rule no-drop\0\0\0$/);
    t.notMatch(Buffer.concat(sent.map(({ body }) => body)).toString(), 'drop table');
    t.match(
      recordedFrom('client', talk.log).toString(),
      'drop table t',
      'the recording has what the client sent',
    );
  },
);

t.test('a multi-statement Query is decided whole (PG-33)', async (t) => {
  const asked: Operation[] = [];
  const talk = signedIn({
    decide: (operation) => {
      asked.push(operation);
      return { kind: 'allow', isSensitive: false };
    },
  });
  talk.client(query('select 1; drop table t'));
  t.match(asked, [{ kind: 'statement', text: 'select 1; drop table t' }]);
});

t.test('FunctionCall is asked for by number, and refused by routine 0 (PG-46)', async (t) => {
  const talk = signedIn({ decide: () => undefined });
  t.equal(sentTo('server', talk.client(functionCall(952, ['1']))).length, 0);
  t.match(operationsIn(talk.log), [{ kind: 'call', routine: 952 }]);
  const commands = talk.decided(2, {
    kind: 'block',
    rule: undefined,
    code: '42501',
    reason: 'off',
  });
  t.same(sentTo('server', commands), message('F', int32(0), Buffer.alloc(6)));
  const answer = sentTo(
    'client',
    talk.server(errorOf('25P02', 'current transaction is aborted'), ready()),
  );
  t.match(decodeFields(answer.subarray(5)), { C: '42501', M: 'off' });
});

t.test('Execute without Describe gets one put before it, once for each Bind (PG-40)', async (t) => {
  const talk = signedIn();
  t.equal(
    types(sentTo('server', talk.client(bind('', 's'), execute('', 5), execute('', 5), sync()))),
    'BDEES',
  );
  t.equal(
    types(sentTo('server', talk.client(bind('', 's'), describe('P'), execute(), sync()))),
    'BDES',
    'the client asked itself',
  );
  t.equal(
    types(sentTo('server', talk.client(execute('c'), sync()))),
    'DES',
    'a cursor of SQL (PG-39)',
  );
  const blind = signedIn({ inspection: INSPECT_NOTHING });
  t.equal(
    types(sentTo('server', blind.client(bind('', 's'), execute(), sync()))),
    'BES',
    'not where nothing is inspected',
  );
});

t.test(
  'what ran in between may have closed a cursor and opened another of its name (PG-39, PG-41)',
  async (t) => {
    const talk = signedIn();
    talk.client(execute('c', 1));
    const closeAndOpen = [
      parse('', 'close c'),
      bind('', ''),
      execute(),
      parse('', 'declare c cursor for table secrets'),
      bind('', ''),
      execute(),
    ];
    talk.client(...closeAndOpen);
    t.equal(types(sentTo('server', talk.client(execute('c', 1)))), 'DE', 'described again');
    talk.client(describe('P', 'p'), bind('', ''));
    t.equal(
      types(sentTo('server', talk.client(execute('p')))),
      'DE',
      'Bind runs functions as well',
    );
    talk.client(describe('P', 'q'), closeNamed('P', 'q'));
    t.equal(types(sentTo('server', talk.client(execute('q')))), 'DE', 'Close');
    t.equal(
      types(sentTo('server', talk.client(describe('P', 'r'), parse('', 'select 1'), execute('r')))),
      'DPE',
      'Parse runs nothing',
    );
  },
);

/** Which statement's trace the result of `talk`'s next description is decided with. */
function traceOfResult(talk: SessionTalk): unknown {
  const operations = operationsIn(talk.server(description('a')));
  return operations.map((operation) =>
    operation.kind === 'result' ? operation.traces : operation.kind,
  );
}

function tracing(): SessionTalk {
  return signedIn({
    decide: (operation) =>
      operation.kind === 'statement'
        ? { kind: 'allow', isSensitive: false, trace: { label: operation.text } }
        : { kind: 'allow' },
  });
}

t.test('names that the server cuts are not taken for others (PG-37)', async (t) => {
  const cut = 'n'.repeat(63);
  const talk = tracing();
  talk.client(
    parse(`${cut}1`, 'select 1'),
    closeNamed('S', `${cut}2`),
    parse(`${cut}2`, 'select secret'),
  );
  talk.server(PARSED, CLOSED, PARSED);
  talk.client(bind('', `${cut}1`), describe('P'));
  talk.server(BOUND);
  t.same(traceOfResult(talk), [[]], 'unknown, and never the trace of "select 1"');
  const exact = tracing();
  exact.client(
    parse(cut, 'select 1'),
    closeNamed('S', `${cut}2`),
    parse(`${cut}2`, 'select secret'),
  );
  exact.server(PARSED, CLOSED, PARSED);
  exact.client(bind('', cut), describe('P'));
  exact.server(BOUND);
  t.same(traceOfResult(exact), [[]], 'nor where only the second name is too long');
  const portals = tracing();
  portals.client(describe('P', `${cut}1`), execute(`${cut}1`));
  t.equal(types(sentTo('server', portals.client(bind(`${cut}2`, 's'), execute(`${cut}1`)))), 'BDE');
});

t.test('names do not end outside of their message (PG-23)', async (t) => {
  for (const bytes of [
    message('E', Buffer.from('abc')),
    message('B', Buffer.from('a\0b')),
    message('D', Buffer.from('P')),
  ]) {
    const talk = signedIn();
    t.ok(hasClosed(talk.client(bytes, sync())), types(bytes));
  }
});

t.test('a statement is known from ParseComplete on, not before (PG-37)', async (t) => {
  const talk = tracing();
  talk.client(parse('s', 'select first'));
  talk.server(PARSED);
  talk.client(parse('s', 'select second'), sync(), bind('', 's'), describe('P'));
  talk.server(errorOf('42P05', 'exists'), ready(), BOUND);
  t.match(traceOfResult(talk), [[{ label: 'select first' }]]);
});

t.test(
  'DEALLOCATE, DISCARD and PREPARE make names unknown; a later Parse stays (PG-37, PG-38)',
  async (t) => {
    for (const tag of ['DEALLOCATE', 'DEALLOCATE ALL', 'DISCARD ALL', 'PREPARE']) {
      const talk = tracing();
      talk.client(parse('s', 'select old'), query('x'), parse('late', 'select late'), sync());
      talk.server(PARSED, complete(tag), ready(), PARSED, ready());
      talk.client(bind('', 's'), describe('P'), bind('', 'late'), describe('P'));
      talk.server(BOUND);
      t.same(traceOfResult(talk), [[]], `${tag}: old is unknown`);
      talk.server(BOUND);
      t.match(traceOfResult(talk), [[{ label: 'select late' }]], `${tag}: late is kept`);
    }
  },
);

t.test('an unanswered pipeline has a limit', async (t) => {
  const talk = signedIn({ inspection: INSPECT_NOTHING });
  const syncs = Buffer.concat(Array.from({ length: 1000 }, () => sync()));
  let count = 0;
  while (count <= REPLIES_MAX && !hasClosed(talk.client(syncs))) count += 1000;
  t.ok(hasClosed(talk.log), `closed after ${count}`);
});

t.test('a large statement in small chunks costs one copy, not one for each chunk', async (t) => {
  const talk = signedIn({ options: { statementSizeMax: 64 * 1024 * 1024 } });
  const all = query('x'.repeat(32 * 1024 * 1024));
  const start = Date.now();
  // Copied again with each chunk it would be 128 GB, which no machine moves in this time.
  for (let at = 0; at < all.length; at += 4096) talk.client(all.subarray(at, at + 4096));
  t.equal(operationsIn(talk.log).length, 1);
  t.ok(Date.now() - start < 8_000, `${Date.now() - start} ms`);
});

t.test(
  'rows behind the description of an Execute reach the client, NoData of the injected one does not (PG-40)',
  async (t) => {
    const talk = signedIn();
    talk.client(parse('', 'update t set a = 1'), bind('', ''), execute(), sync());
    t.equal(
      types(sentTo('client', talk.server(PARSED, BOUND, NO_DATA, complete('UPDATE 1'), ready()))),
      '12CZ',
    );
    talk.client(parse('', 'select 1'), bind('', ''), execute(), sync());
    t.equal(
      types(
        sentTo(
          'client',
          talk.server(PARSED, BOUND, description('a'), row('1'), complete('SELECT 1'), ready()),
        ),
      ),
      '12DCZ',
    );
  },
);
