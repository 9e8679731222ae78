import t from 'tap';
import { SCRAM_SHA_256, SCRAM_SHA_256_PLUS } from '../../../protocols/postgres/scram.ts';
import { recordedFrom, sentTo } from '../../support/play.ts';
import { authenticationOk, INSPECT_ALL, SessionTalk } from '../../support/postgres-session.ts';
import { cstring, int32, message, startup } from '../../support/raw-postgres.ts';
import { BINDING, started, saslInitial, sasl, refusalIn } from '../../support/sign-in-talk.ts';

interface MatrixRow {
  readonly name: string;
  readonly isClientSecure: boolean;
  readonly isUpstreamSecure: boolean;
  readonly flag: 'n' | 'y';
  readonly isFine: boolean;
}

/** PG-13: what pass-through SCRAM can do between two legs. */
const MATRIX: readonly MatrixRow[] = [
  {
    name: 'plain to plain, n',
    isClientSecure: false,
    isUpstreamSecure: false,
    flag: 'n',
    isFine: true,
  },
  {
    name: 'TLS to plain, y',
    isClientSecure: true,
    isUpstreamSecure: false,
    flag: 'y',
    isFine: true,
  },
  {
    name: 'TLS to plain, n',
    isClientSecure: true,
    isUpstreamSecure: false,
    flag: 'n',
    isFine: true,
  },
  {
    name: 'TLS to TLS, y of libpq',
    isClientSecure: true,
    isUpstreamSecure: true,
    flag: 'y',
    isFine: false,
  },
  { name: 'TLS to TLS, n', isClientSecure: true, isUpstreamSecure: true, flag: 'n', isFine: true },
  {
    name: 'plain to TLS, n',
    isClientSecure: false,
    isUpstreamSecure: true,
    flag: 'n',
    isFine: true,
  },
];

function atPassthrough({
  isClientSecure,
  isUpstreamSecure,
}: Pick<MatrixRow, 'isClientSecure' | 'isUpstreamSecure'>): SessionTalk {
  const { talk } = started(
    { kind: 'allow', inspection: INSPECT_ALL },
    { isSecure: isClientSecure, options: { upstreamTls: isUpstreamSecure } },
  );
  talk.opened('server');
  if (isUpstreamSecure) {
    talk.server(Buffer.from('S'));
    talk.event({ kind: 'secured', side: 'server', alpn: undefined, channelBinding: BINDING });
  }
  return talk;
}

for (const row of MATRIX) {
  t.test(`pass-through SCRAM, ${row.name} (PG-13)`, async (t) => {
    const talk = atPassthrough(row);
    const offer = row.isUpstreamSecure
      ? sasl(SCRAM_SHA_256_PLUS, SCRAM_SHA_256)
      : sasl(SCRAM_SHA_256);
    t.same(sentTo('client', talk.server(offer)), sasl(SCRAM_SHA_256), '-PLUS is never offered');
    const initial = saslInitial(SCRAM_SHA_256, `${row.flag},,n=,r=x`);
    const commands = talk.client(initial);
    if (row.isFine) t.same(sentTo('server', commands), initial);
    else t.match(refusalIn(commands), { C: '28000', H: /auth = "gateway"/ });
  });
}

t.test(
  'pass-through: -PLUS alone, GSS, SSPI and clear text on a plain leg are refused (PG-13, PG-17, PG-19)',
  async (t) => {
    const plain = { isClientSecure: false, isUpstreamSecure: false };
    for (const bytes of [
      sasl(SCRAM_SHA_256_PLUS),
      message('R', int32(7)),
      message('R', int32(9)),
      message('R', int32(3)),
    ]) {
      t.match(
        refusalIn(atPassthrough(plain).server(bytes)),
        { S: 'FATAL', C: '28000' },
        bytes.toString('hex'),
      );
    }
    const clear = message('R', int32(3));
    t.same(
      sentTo(
        'client',
        atPassthrough({ isClientSecure: true, isUpstreamSecure: false }).server(clear),
      ),
      clear,
      'over TLS it passes',
    );
  },
);

t.test(
  'pass-through: md5 and OAUTHBEARER are relayed, their secrets not recorded (PG-17, PG-18)',
  async (t) => {
    const talk = atPassthrough({ isClientSecure: true, isUpstreamSecure: false });
    const salted = message('R', int32(5), Buffer.of(1, 2, 3, 4));
    t.same(sentTo('client', talk.server(salted)), salted);
    const answer = message('p', cstring('md5secret'));
    t.same(sentTo('server', talk.client(answer)), answer);
    t.notMatch(recordedFrom('client', talk.log).toString(), 'secret');
    t.same(sentTo('client', talk.server(authenticationOk())), authenticationOk());
    const oauth = atPassthrough({ isClientSecure: true, isUpstreamSecure: false });
    t.same(sentTo('client', oauth.server(sasl('OAUTHBEARER'))), sasl('OAUTHBEARER'));
    oauth.client(saslInitial('OAUTHBEARER', 'n,,auth='));
    oauth.server(message('R', int32(11), Buffer.from('{"status":"invalid_token"}')));
    const dummy = message('p', Buffer.of(1));
    t.same(sentTo('server', oauth.client(dummy)), dummy);
  },
);

t.test(
  'pass-through: packets go on as they are; a message before its turn waits (PG-9)',
  async (t) => {
    const { talk } = started({ kind: 'allow', inspection: INSPECT_ALL });
    talk.client(message('p', cstring('early')));
    t.same(sentTo('server', talk.opened('server')), startup({ user: 'ann', database: 'shop' }));
    t.same(
      sentTo('server', talk.server(message('R', int32(5), Buffer.alloc(4)))),
      message('p', cstring('early')),
    );
  },
);
