import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  md5Response,
  SCRAM_SHA_256,
  SCRAM_SHA_256_PLUS,
  ScramClient,
  type ScramOutcome,
  ScramServer,
  type ScramServerOptions,
} from '../../../protocols/postgres/scram.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';

const deriveKey = (password: string, salt: Buffer, iterations: number): Buffer =>
  pbkdf2Sync(password, salt, iterations, 32, 'sha256');
const BINDING = Buffer.alloc(32, 7);

function newServer(own: Partial<ScramServerOptions> = {}): ScramServer {
  return new ScramServer({
    verifier: makeVerifier('pencil'),
    isKnown: true,
    mechanism: SCRAM_SHA_256,
    isPlusOffered: false,
    channelBinding: undefined,
    nonce: 'server-part',
    ...own,
  });
}

function newClient(password: string, channelBinding?: Buffer): ScramClient {
  const mechanisms =
    channelBinding === undefined ? [SCRAM_SHA_256] : [SCRAM_SHA_256_PLUS, SCRAM_SHA_256];
  return new ScramClient({ password, mechanisms, channelBinding, nonce: 'client-part', deriveKey });
}

function messageOf(outcome: ScramOutcome): string {
  return 'message' in outcome ? outcome.message : outcome.kind;
}

/** RFC 7677, section 3: user "user", password "pencil". */
const RFC = {
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  serverFirst:
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

t.test('the server side speaks the example of RFC 7677', async (t) => {
  const salt = Buffer.from(RFC.salt, 'base64');
  const salted = deriveKey('pencil', salt, 4096);
  const sign = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest();
  const verifier = { iterations: 4096, salt, storedKey, serverKey: sign('Server Key') };
  const server = newServer({ verifier, nonce: RFC.nonce });
  t.same(server.first(RFC.clientFirst), { kind: 'continue', message: RFC.serverFirst });
  t.same(server.final(RFC.clientFinal), { kind: 'proved', message: RFC.serverFinal });
});

t.test('both sides agree, with and without channel binding (PG-14)', async (t) => {
  for (const channelBinding of [undefined, BINDING]) {
    const mechanism = channelBinding === undefined ? SCRAM_SHA_256 : SCRAM_SHA_256_PLUS;
    const client = newClient('pencil', channelBinding);
    t.equal(client.mechanism, mechanism);
    const server = newServer({
      mechanism,
      channelBinding,
      isPlusOffered: channelBinding !== undefined,
    });
    const final = server.final(client.final(messageOf(server.first(client.first()))));
    t.equal(final.kind, 'proved');
    t.doesNotThrow(() => client.verify(messageOf(final)));
    t.throws(() => client.verify('v=AAAA'), ProtocolError);
  }
});

t.test(
  'a wrong password fails, and so does an unknown user with the right one (PG-15)',
  async (t) => {
    for (const [password, isKnown] of [
      ['other', true],
      ['pencil', false],
    ] as const) {
      const server = newServer({ isKnown });
      const client = newClient(password);
      t.same(server.final(client.final(messageOf(server.first(client.first())))), {
        kind: 'failed',
      });
    }
  },
);

t.test('user names in any encoding: the proof covers the bytes as they were', async (t) => {
  const server = newServer();
  const bare = Buffer.from('n=rené,r=client-part').toString('latin1');
  const first = messageOf(server.first(`n,,${bare}`));
  const salted = deriveKey('pencil', makeVerifier('pencil').salt, 4096);
  const sign = (key: Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(Buffer.from(text, 'latin1')).digest();
  const clientKey = sign(salted, 'Client Key');
  const withoutProof = 'c=biws,r=client-partserver-part';
  const signature = sign(
    createHash('sha256').update(clientKey).digest(),
    `${bare},${first},${withoutProof}`,
  );
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  t.equal(server.final(`${withoutProof},p=${proof.toString('base64')}`).kind, 'proved');
});

t.test('what PostgreSQL refuses is refused, with its SQLSTATE (PG-14)', async (t) => {
  const offered = { isPlusOffered: true, channelBinding: BINDING };
  const plus = { ...offered, mechanism: SCRAM_SHA_256_PLUS };
  const rows: readonly [string, Partial<ScramServerOptions>, string, string][] = [
    ['y where -PLUS was offered', offered, 'y,,n=,r=x', '28000'],
    ['an authorization identity', {}, 'n,a=bob,n=,r=x', '0A000'],
    ['-PLUS with n', plus, 'n,,n=,r=x', '08P01'],
    ['-PLUS with y', plus, 'y,,n=,r=x', '08P01'],
    ['SCRAM-SHA-256 with p', offered, 'p=tls-server-end-point,,n=,r=x', '08P01'],
    ['another binding type', plus, 'p=tls-unique,,n=,r=x', '08P01'],
    ['no header', {}, 'n=,r=x', '08P01'],
    ['no nonce', {}, 'n,,n=,r=', '08P01'],
    ['a mandatory extension', {}, 'n,,m=1,n=,r=x', '08P01'],
    ['nothing', {}, '', '08P01'],
  ];
  for (const [name, options, message, code] of rows) {
    t.match(newServer(options).first(message), { kind: 'refused', code }, name);
  }
  t.equal(
    newServer({}).first('y,,n=,r=x').kind,
    'continue',
    'y is right where -PLUS was not offered',
  );
  t.equal(newServer(offered).first('n,,n=,r=x').kind, 'continue', 'and n always');
});

t.test('a final message with another nonce, binding or form is refused', async (t) => {
  const rows: readonly [string, string][] = [
    ['c=biws,r=other,p=AAAA', '08P01'],
    ['c=eSws,r=client-partserver-part,p=AAAA', '28000'],
    ['c=biws,r=client-partserver-part', '08P01'],
    ['', '08P01'],
  ];
  for (const [message, code] of rows) {
    const server = newServer();
    server.first('n,,n=,r=client-part');
    t.match(server.final(message), { kind: 'refused', code }, message);
  }
  const short = newServer();
  short.first('n,,n=,r=client-part');
  t.same(
    short.final('c=biws,r=client-partserver-part,p=AAAA'),
    { kind: 'failed' },
    'a proof of another length',
  );
  const bound = newServer({
    mechanism: SCRAM_SHA_256_PLUS,
    isPlusOffered: true,
    channelBinding: Buffer.alloc(32, 8),
  });
  const client = newClient('pencil', BINDING);
  t.match(
    bound.final(client.final(messageOf(bound.first(client.first())))),
    { kind: 'refused', code: '28000' },
    'the hash of another certificate',
  );
});

t.test('the client side does not trust the server (PG-16)', async (t) => {
  const salt = Buffer.alloc(16).toString('base64');
  for (const message of [
    `r=other,s=${salt},i=4096`,
    `r=client-part,s=${salt},i=4096`,
    `r=client-partX,s=${salt},i=0`,
    `r=client-partX,s=${salt},i=100001`,
    `r=client-partX,s=${salt},i=9999999999`,
    'm=1',
    '',
  ]) {
    t.throws(
      () => newClient('pencil').final(message),
      { code: 'PG_SCRAM', blame: 'server' },
      message,
    );
  }
  t.match(newClient('pencil').first(), /^n,,/);
  const unoffered = new ScramClient({
    password: 'p',
    mechanisms: [SCRAM_SHA_256],
    channelBinding: BINDING,
    nonce: 'n',
    deriveKey,
  });
  t.match(unoffered.first(), /^y,,/, 'over TLS without an offer of -PLUS');
});

t.test('md5 as PostgreSQL computes it (PG-17)', async (t) => {
  // echo -n: md5(md5('secret' || 'ann') || '\x01020304')
  const inner = createHash('md5').update('secretann').digest('hex');
  const outer = createHash('md5')
    .update(Buffer.concat([Buffer.from(inner), Buffer.of(1, 2, 3, 4)]))
    .digest('hex');
  t.equal(md5Response('ann', 'secret', Buffer.of(1, 2, 3, 4)), `md5${outer}`);
});
