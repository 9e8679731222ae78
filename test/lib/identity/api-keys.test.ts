import t from 'tap';
import { createKeyIdentity, hashKey, makeKey } from '../../../lib/identity/api-keys.ts';
import { createCredentials, makeVerifier } from '../../../lib/identity/credentials.ts';
import type { StoreCredential } from '../../../protocols/store.ts';

const ALICE_KEY = makeKey();
const SECOND_KEY = makeKey();
const BOB_KEY = 'key:with:colons';

const USERS = [
  {
    name: 'alice',
    groups: ['acme'],
    scram: makeVerifier('alice-password', 4096),
    keys: [hashKey(ALICE_KEY), hashKey(SECOND_KEY)],
  },
  { name: 'bob', groups: [], scram: undefined, keys: [hashKey(BOB_KEY)] },
  { name: 'carol', groups: ['x', 'y'], scram: makeVerifier('päss', 100) },
  { name: 'nobody', groups: [], scram: undefined },
];

function createIdentity() {
  return createKeyIdentity(USERS, createCredentials(USERS, Buffer.from('secret'), 'store'));
}

async function who(secret: string, user?: string): Promise<string | undefined> {
  const credential: StoreCredential = { user, secret };
  return (await createIdentity().identify(credential))?.name;
}

t.test('keys are new each time and are kept as a hash', async (t) => {
  t.match(ALICE_KEY, /^weir_[A-Za-z0-9_-]{43}$/);
  t.not(ALICE_KEY, SECOND_KEY);
  t.equal(hashKey('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

t.test('by key', async (t) => {
  t.equal(await who(ALICE_KEY), 'alice');
  t.equal(await who(SECOND_KEY), 'alice');
  t.equal(await who(BOB_KEY), 'bob');
  t.equal(await who(ALICE_KEY, ''), 'alice');
  t.equal(await who(ALICE_KEY, 'alice'), 'alice', 'with the name of its owner');
  t.equal(await who(`alice:${ALICE_KEY}`), undefined, 'a key is no password');
  t.equal(await who(ALICE_KEY, 'bob'), undefined, "another one's key");
  const found = createIdentity().identify({ user: undefined, secret: ALICE_KEY });
  t.same(found, { name: 'alice', groups: ['acme'] }, 'at once, with the groups');
});

t.test('by user and password', async (t) => {
  t.equal(await who('alice-password', 'alice'), 'alice');
  t.equal(await who('alice:alice-password'), 'alice', 'as one text');
  t.equal(await who('päss', 'carol'), 'carol');
  t.equal(await who('alice-password', 'carol'), undefined);
  t.equal(await who('alice-password'), undefined, 'a password alone is none');
});

t.test('nobody', async (t) => {
  for (const [secret, user] of [
    ['', undefined],
    ['wrong', undefined],
    [':', undefined],
    [':alice-password', undefined],
    ['', 'alice'],
    ['wrong', 'alice'],
    ['wrong', 'bob'],
    ['wrong', 'nobody'],
    ['wrong', 'mallory'],
    ['alice-password', 'mallory'],
    [hashKey(ALICE_KEY), undefined],
    ['x'.repeat(100_000), undefined],
    ['alice-password', 'x'.repeat(100_000)],
  ] as const) {
    t.equal(await who(secret, user), undefined, `${user?.slice(0, 20)} ${secret.slice(0, 20)}`);
  }
});

t.test('a password that was right is known again at once, a wrong one is not', async (t) => {
  const identity = createIdentity();
  const right = { user: 'alice', secret: 'alice-password' };
  const first = identity.identify(right);
  const second = identity.identify(right);
  t.ok(first instanceof Promise);
  t.equal(second, first, 'one hash for both');
  t.equal((await first)?.name, 'alice');
  t.match(identity.identify(right), { name: 'alice' });
  const wrong = { user: 'alice', secret: 'wrong' };
  t.equal(await identity.identify(wrong), undefined);
  t.ok(identity.identify(wrong) instanceof Promise);
});

t.test('known without a hash of a password: keys, and passwords that were right', async (t) => {
  const identity = createIdentity();
  const right = { user: 'alice', secret: 'alice-password' };
  t.equal(identity.isKnown({ user: undefined, secret: ALICE_KEY }), true);
  t.equal(identity.isKnown({ user: undefined, secret: 'nothing' }), false);
  t.equal(identity.isKnown({ user: undefined, secret: 'x'.repeat(20_000) }), false);
  t.equal(identity.isKnown(right), false);
  await identity.identify(right);
  t.equal(identity.isKnown(right), true);
  t.equal(identity.isKnown({ user: undefined, secret: 'alice:alice-password' }), true);
  t.equal(identity.isKnown({ user: 'alice', secret: 'wrong' }), false);
});

t.test('what was remembered of one caller says nothing of another', async (t) => {
  const identity = createIdentity();
  const right = { user: undefined, secret: ALICE_KEY };
  t.match(identity.identify(right), { name: 'alice' });
  t.match(identity.identify(right), { name: 'alice' }, 'the same object again');
  t.match(identity.identify({ ...right }), { name: 'alice' }, 'the same key in another one');
  t.match(identity.identify({ ...right, secret: BOB_KEY }), { name: 'bob' });
  t.equal(identity.identify({ ...right, secret: 'wrong' }), undefined);
  const refused = { user: 'bob', secret: ALICE_KEY };
  t.equal(await identity.identify(refused), undefined);
  t.equal(await identity.identify(refused), undefined, 'a refusal is not remembered as its owner');
  t.equal(await createKeyIdentity([], undefined).identify(right), undefined, 'nor elsewhere');
});

t.test('passwords that are hashed at once are bounded', async (t) => {
  const identity = createIdentity();
  const answers = Array.from({ length: 300 }, (_, index) =>
    identity.identify({ user: 'alice', secret: `guess ${index}` }),
  );
  t.equal(answers.filter((answer) => answer === undefined).length, 300 - 256);
  for (const answer of answers) t.equal(await answer, undefined);
});

t.test('without passwords keys are still known', async (t) => {
  const identity = createKeyIdentity(USERS, undefined);
  t.equal(identity.findKey(ALICE_KEY)?.name, 'alice');
  t.equal(identity.findKey('wrong'), undefined);
  t.equal(await identity.identify({ user: 'alice', secret: 'alice-password' }), undefined);
});
