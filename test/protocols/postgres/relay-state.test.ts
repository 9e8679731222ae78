import t from 'tap';
import { sentTo } from '../../support/play.ts';
import {
  BOUND,
  complete,
  description,
  errorOf,
  INSPECT_NOTHING,
  PARSED,
  parameterStatus,
  ready,
  row,
  signedIn,
} from '../../support/postgres-session.ts';
import {
  bind,
  cstring,
  describe,
  execute,
  int32,
  message,
  parse,
  query,
  sync,
} from '../../support/raw-postgres.ts';
import { talking } from '../../support/postgres-policy.ts';

t.test('payloads of notifications are data where results are inspected (GW-11)', async (t) => {
  const notification = message('A', int32(7), cstring('channel'), cstring('ann@x'));
  const sent = sentTo('client', talking().server(notification));
  t.same(sent, message('A', int32(7), cstring('channel'), cstring('redacted by Weir')));
  t.same(
    sentTo('client', signedIn({ inspection: INSPECT_NOTHING }).server(notification)),
    notification,
  );
});

t.test(
  'errors and notices of a sensitive statement lose their texts, until its transaction is over (GW-11)',
  async (t) => {
    const talk = talking();
    const error = errorOf('22P02', 'invalid input syntax for type integer: "111-22"', {
      D: 'Key (email)=(ann@x)',
    });
    talk.client(query('begin'));
    t.same(
      sentTo('client', talk.server(complete('BEGIN'), ready('T'))),
      Buffer.concat([complete('BEGIN'), ready('T')]),
    );
    talk.client(query('select secret::int'));
    t.notMatch(sentTo('client', talk.server(error, ready('E'))).toString(), /111-22|ann@x/);
    talk.client(query('select other'));
    t.notMatch(
      sentTo('client', talk.server(error, ready('E'))).toString(),
      /111-22/,
      'a deferred constraint speaks late',
    );
    talk.client(query('rollback'));
    talk.server(complete('ROLLBACK'), ready('I'));
    talk.client(query('select other'));
    t.match(
      sentTo('client', talk.server(error, ready('I'))).toString(),
      /111-22/,
      'other statements keep theirs',
    );
  },
);

t.test(
  'Bind of an unknown statement and an allowed FunctionCall count as sensitive (PG-38, PG-46)',
  async (t) => {
    const error = errorOf('22P02', 'invalid: "111-22"');
    const talk = talking();
    talk.client(bind('', 'of-sql'), sync());
    t.notMatch(sentTo('client', talk.server(error)).toString(), '111-22');
    const second = talking();
    second.client(message('F', int32(952), Buffer.alloc(6)));
    t.notMatch(sentTo('client', second.server(error, ready())).toString(), '111-22');
  },
);

t.test('notices, notifications and parameters answer nothing (PG-47)', async (t) => {
  const talk = talking();
  const notice = message('N', Buffer.from('SNOTICE\0C42P07\0Mexists\0\0'));
  const status = parameterStatus('application_name', 'x');
  talk.client(parse('', 'select a'), bind('', ''), describe('P'), execute(), sync());
  const bytes = Buffer.concat([
    notice,
    PARSED,
    status,
    BOUND,
    notice,
    description('a'),
    row('1'),
    notice,
    row('2'),
    complete('SELECT 2'),
    status,
    ready(),
  ]);
  t.same(sentTo('client', talk.server(bytes)), bytes);
  t.same(sentTo('client', talk.server(notice, status)), Buffer.concat([notice, status]), 'idle');
});
