import t from 'tap';
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from '../../../protocols/postgres/scram.ts';
import { hasClosed, operationsIn, sentTo } from '../../support/play.ts';
import { PASSWORD } from '../../support/postgres-lab.ts';
import {
  authenticationOk,
  INSPECT_ALL,
  ready,
  SessionTalk,
} from '../../support/postgres-session.ts';
import {
  cstring,
  int32,
  message,
  query,
  sslRequest,
  startup,
  terminate,
} from '../../support/raw-postgres.ts';
import {
  proving,
  started,
  saslInitial,
  sasl,
  messagesTo,
  refusalIn,
  prove,
} from '../../support/sign-in-talk.ts';

t.test('the client proves itself before the upstream is opened; 3.0 (PG-14)', async (t) => {
  for (const isSecure of [false, true]) {
    const { talk, first } = started(proving(), { isSecure });
    const offered = messagesTo('client', first)[0]
      ?.body.toString('latin1', 4)
      .split('\0')
      .filter(Boolean);
    t.same(
      offered,
      isSecure ? ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] : ['SCRAM-SHA-256'],
      'never -PLUS on plain text',
    );
    t.notOk(talk.log.some(({ kind }) => kind === 'open'));
    const commands = prove(talk, PASSWORD, { isSecure });
    t.equal(messagesTo('client', commands)[0]?.body.readInt32BE(0), 12);
    t.match(commands.at(-1), { kind: 'open', side: 'server' });
    t.match(sentTo('server', talk.opened('server')).toString(), /user\0weir\0database\0shop\0/);
    t.same(sentTo('client', talk.server(authenticationOk())), authenticationOk());
    t.match(
      talk.log.find((one) => one.kind === 'note'),
      { fact: { kind: 'signed-in', user: 'ann', database: 'shop' } },
    );
  }
});

t.test(
  'a wrong password and an unknown user: the same exchange, the same words (PG-15)',
  async (t) => {
    const refusals = [
      prove(started(proving()).talk, 'wrong'),
      prove(started(proving({ isKnown: false })).talk, PASSWORD),
    ].map(refusalIn);
    t.same(refusals[0], refusals[1]);
    t.match(refusals[0], {
      S: 'FATAL',
      C: '28P01',
      M: 'password authentication failed for user "ann"',
    });
  },
);

t.test('an unknown mechanism, a wrong message, too long a one (PG-14, PG-16)', async (t) => {
  t.match(refusalIn(started(proving()).talk.client(saslInitial('SCRAM-SHA-1', 'n,,n=,r=x'))), {
    C: '08P01',
    M: /invalid SASL authentication mechanism/,
  });
  t.match(
    refusalIn(
      started(proving()).talk.client(
        saslInitial(SCRAM_SHA_256_PLUS, 'p=tls-server-end-point,,n=,r=x'),
      ),
    ),
    { C: '08P01' },
    '-PLUS on plain text',
  );
  t.match(refusalIn(started(proving()).talk.client(query('select 1'))), {
    C: '08P01',
    M: /expected password response/,
  });
  t.match(
    refusalIn(started(proving()).talk.client(Buffer.concat([Buffer.from('p'), int32(65_541)]))),
    { C: '08P01' },
  );
  t.match(
    refusalIn(
      started(proving()).talk.client(
        message('p', cstring(SCRAM_SHA_256), int32(99), Buffer.from('n,,')),
      ),
    ),
    { C: '08P01' },
    'a length beyond the message',
  );
  t.match(
    refusalIn(started(proving()).talk.client(message('p', cstring(SCRAM_SHA_256), int32(-1)))),
    { C: '08P01' },
  );
  t.ok(hasClosed(started(proving()).talk.client(terminate())));
});

t.test('a client that asks for more learns first what the upstream speaks (PG-8)', async (t) => {
  const { talk, first } = started(proving(), { version: 0x0003_0002 });
  t.match(first.at(-1), { kind: 'open', side: 'server' });
  t.equal(
    sentTo('server', talk.opened('server')).readUInt32BE(4),
    0x0003_0002,
    'the version goes on as it is',
  );
  const negotiated = message('v', int32(0x0003_0000), int32(1), cstring('_pq_.x'));
  const commands = talk.server(negotiated, sasl(SCRAM_SHA_256));
  t.match(
    messagesTo('client', commands).map(({ type }) => type),
    ['v', 'R'],
  );
  t.equal(
    sentTo('server', commands).length,
    0,
    'the gateway logs in only for a client that has proved itself',
  );
  const proved = prove(talk, PASSWORD);
  t.equal(messagesTo('server', proved)[0]?.type, 'p');
  t.notOk(
    hasClosed(started(proving(), { version: 0x0003_270f }).talk.log),
    '3.9999 is not rejected',
  );
});

t.test('the upstream speaks early: nobody gets in without a proof (PG-8)', async (t) => {
  const { talk } = started(proving(), { version: 0x0003_0002 });
  talk.opened('server');
  talk.server(authenticationOk(), ready());
  talk.client(query('select 1'));
  t.ok(hasClosed(talk.log));
  t.notOk(operationsIn(talk.log).some(({ kind }) => kind === 'statement'));
});

t.test(
  'a refused sign-in reaches nobody; replication is told to the decision (PG-53)',
  async (t) => {
    const { talk, first } = started({
      kind: 'block',
      rule: undefined,
      code: '42501',
      reason: 'replication is not allowed',
    });
    t.match(refusalIn(first), { S: 'FATAL', C: '42501' });
    t.notOk(talk.log.some(({ kind }) => kind === 'open'));
    const walsender = new SessionTalk({}, () => undefined);
    walsender.opened('client');
    t.match(operationsIn(walsender.client(startup({ user: 'ann', replication: 'database' }))), [
      { isReplication: true, database: 'ann' },
    ]);
  },
);

t.test('upstream TLS: exactly one byte S, or nothing at all (PG-4)', async (t) => {
  for (const bytes of [
    Buffer.from('N'),
    Buffer.from('SR'),
    Buffer.from('E\0'),
    Buffer.from('Sx'),
  ]) {
    const { talk } = started(
      { kind: 'allow', inspection: INSPECT_ALL },
      { options: { upstreamTls: true } },
    );
    t.same(sentTo('server', talk.opened('server')), sslRequest());
    const commands = talk.server(bytes);
    t.ok(hasClosed(commands), bytes.toString());
    t.notOk(commands.some(({ kind }) => kind === 'secure'));
  }
});
