import t from 'tap';
import type { Decision, SessionCommand } from '../../../protocols/contract.ts';
import {
  SCRAM_SHA_256,
  SCRAM_SHA_256_PLUS,
  ScramClient,
  ScramServer,
} from '../../../protocols/postgres/scram.ts';
import { hasClosed, operationsIn, recordedFrom, sentTo } from '../../support/play.ts';
import {
  authenticationOk,
  errorOf,
  INSPECT_ALL,
  ready,
  SessionTalk,
} from '../../support/postgres-session.ts';
import { makeVerifier, PASSWORD } from '../../support/postgres-lab.ts';
import {
  cstring,
  decodeFields,
  int32,
  message,
  MessageReader,
  query,
  sslRequest,
  startup,
  terminate,
} from '../../support/raw-postgres.ts';
import { sessionOptions, type TranscriptOptions } from '../../support/transcript.ts';

const BINDING = Buffer.alloc(32, 5);
const { deriveKey } = sessionOptions();

interface SignInOptions {
  readonly options?: TranscriptOptions;
  readonly isKnown?: boolean;
  readonly hasNoPassword?: boolean;
  readonly version?: number;
  readonly isSecure?: boolean;
}

function proving({ isKnown = true, hasNoPassword = false }: SignInOptions = {}): Decision {
  const password = hasNoPassword ? undefined : 'upstream';
  const login = { user: 'weir', password, database: undefined };
  return {
    kind: 'prove',
    verifier: makeVerifier(PASSWORD),
    isKnown,
    login,
    inspection: INSPECT_ALL,
  };
}

/** Up to the decision on the sign-in. */
function started(
  decision: Decision,
  own: SignInOptions = {},
): { talk: SessionTalk; first: SessionCommand[] } {
  const clientTls = own.isSecure === true ? 'allow' : 'off';
  const talk = new SessionTalk({ clientTls, ...own.options }, (operation) =>
    operation.kind === 'sign-in' ? decision : { kind: 'allow' },
  );
  talk.opened('client');
  if (own.isSecure === true) {
    talk.client(sslRequest());
    talk.event({ kind: 'secured', side: 'client', alpn: undefined, channelBinding: BINDING });
  }
  return { talk, first: talk.client(startup({ user: 'ann', database: 'shop' }, own.version)) };
}

function saslInitial(mechanism: string, first: string): Buffer {
  return message('p', cstring(mechanism), int32(Buffer.byteLength(first)), Buffer.from(first));
}

const sasl = (...names: readonly string[]): Buffer =>
  message('R', int32(10), ...names.map((name) => cstring(name)), Buffer.of(0));

function messagesTo(
  side: 'client' | 'server',
  commands: readonly SessionCommand[],
): { type: string; body: Buffer }[] {
  return new MessageReader().push(sentTo(side, commands));
}

function refusalIn(commands: readonly SessionCommand[]): Record<string, string> {
  const error = messagesTo('client', commands).find(({ type }) => type === 'E');
  return error === undefined ? {} : decodeFields(error.body);
}

/** The client's proof, whole; gives the commands of its last message. */
function prove(talk: SessionTalk, password: string, { isSecure = false } = {}): SessionCommand[] {
  const channelBinding = isSecure ? BINDING : undefined;
  const mechanisms = isSecure ? [SCRAM_SHA_256_PLUS, SCRAM_SHA_256] : [SCRAM_SHA_256];
  const client = new ScramClient({ password, mechanisms, channelBinding, nonce: 'abc', deriveKey });
  const answer = messagesTo('client', talk.client(saslInitial(client.mechanism, client.first())));
  const serverFirst = answer[0]?.body.toString('latin1', 4) ?? '';
  return talk.client(message('p', Buffer.from(client.final(serverFirst))));
}

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

/** A gateway login in front of which the client has proved itself. */
function atLogin(own: SignInOptions = {}): SessionTalk {
  const { talk } = started(proving(own), own);
  prove(talk, PASSWORD);
  talk.opened('server');
  return talk;
}

t.test('the gateway logs in with SCRAM, md5 and clear text', async (t) => {
  const scram = atLogin();
  const first = messagesTo('server', scram.server(sasl(SCRAM_SHA_256)))[0]?.body ?? Buffer.alloc(0);
  const server = new ScramServer({
    verifier: makeVerifier('upstream'),
    isKnown: true,
    mechanism: SCRAM_SHA_256,
    isPlusOffered: false,
    channelBinding: undefined,
    nonce: 'srv',
  });
  const continued = server.first(first.toString('latin1', first.indexOf(0) + 5));
  const final = messagesTo(
    'server',
    scram.server(
      message('R', int32(11), Buffer.from('message' in continued ? continued.message : '')),
    ),
  )[0];
  const proved = server.final(final?.body.toString('latin1') ?? '');
  t.equal(proved.kind, 'proved');
  scram.server(message('R', int32(12), Buffer.from('message' in proved ? proved.message : '')));
  t.same(sentTo('client', scram.server(authenticationOk())), authenticationOk());

  const md5 = messagesTo(
    'server',
    atLogin().server(message('R', int32(5), Buffer.of(1, 2, 3, 4))),
  )[0];
  t.match(md5?.body.toString(), /^md5[0-9a-f]{32}\0$/);
  const clear = messagesTo('server', atLogin().server(message('R', int32(3))))[0];
  t.equal(clear?.body.toString(), 'upstream\0');
});

t.test('a false server does not pass for the real one (PG-16)', async (t) => {
  const skips = atLogin();
  skips.server(sasl(SCRAM_SHA_256));
  t.ok(hasClosed(skips.server(authenticationOk())), 'it ends SCRAM without its proof');
  const lies = atLogin();
  lies.server(sasl(SCRAM_SHA_256));
  lies.server(message('R', int32(11), Buffer.from('r=zzz,s=AAAA,i=4096')));
  t.ok(hasClosed(lies.log), 'a nonce that does not continue ours');
  for (const bytes of [
    message('R', int32(7)),
    message('R', int32(99)),
    sasl('OAUTHBEARER'),
    message('R', int32(11), Buffer.from('r=')),
    message('R', Buffer.of(0)),
    message('D', Buffer.of(0, 0)),
  ]) {
    t.ok(hasClosed(atLogin().server(bytes)), bytes.toString('hex'));
  }
  t.ok(
    hasClosed(atLogin({ hasNoPassword: true }).server(message('R', int32(3)))),
    'no password to give',
  );
});

t.test(
  "the server's refusal of the gateway's credential is not shown, other ones are (PG-21)",
  async (t) => {
    const refused = atLogin().server(
      errorOf('28P01', 'password authentication failed for user "weir"'),
    );
    t.notMatch(sentTo('client', refused).toString(), 'weir"');
    t.match(refusalIn(refused), { C: '28000' });
    const full = errorOf('53300', 'sorry, too many clients already');
    t.match(sentTo('client', atLogin().server(full)).toString(), 'too many clients');
    const notice = message('N', Buffer.from('SNOTICE\0C00000\0Mhello\0\0'));
    t.same(sentTo('client', atLogin().server(notice)), notice);
  },
);

t.test('an upstream that cannot be reached (PG-21)', async (t) => {
  const { talk } = started(proving());
  prove(talk, PASSWORD);
  t.match(refusalIn(talk.event({ kind: 'closed', side: 'server', reason: 'ECONNREFUSED' })), {
    C: '08006',
    M: /could not reach the database: ECONNREFUSED/,
  });
});

t.test('nothing that could sign in is recorded (GW-16)', async (t) => {
  const talk = atLogin();
  talk.server(message('R', int32(3)));
  talk.server(authenticationOk());
  const recorded = Buffer.concat([
    recordedFrom('client', talk.log),
    recordedFrom('server', talk.log),
  ]).toString('latin1');
  t.notMatch(recorded, /upstream|p=|correct/);
  t.match(recorded, /p\0\0\0.\*+/, 'the message is there, blanked');
});

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
