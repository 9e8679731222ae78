import { createHash } from 'node:crypto';
import t from 'tap';
import {
  CACHING_SHA2,
  clearPassword,
  xorRepeated,
} from '../../../protocols/mysql/auth-caching-sha2.ts';
import {
  ClientProof,
  type ClientProofOptions,
  type ProofStep,
} from '../../../protocols/mysql/auth-client-proof.ts';
import { nativeResponse } from '../../../protocols/mysql/auth-native.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';
import { options, rsa } from './sign-in-fixture.ts';

const NATIVE = 'mysql_native_password';
const CLEAR = 'mysql_clear_password';
const GREETED = Buffer.from('greeting nonce 01234');
const FRESH = Buffer.from('another nonce 012345');
const SCRAMBLE = Buffer.alloc(32, 1);
const sha1 = (bytes: Buffer): Buffer => createHash('sha1').update(bytes).digest();
const withNative = { ...makeVerifier('pw'), nativeHash: sha1(sha1(Buffer.from('pw'))) };

function proofOf(own: Partial<ClientProofOptions> = {}): ClientProof {
  return new ClientProof({
    user: 'ann',
    verifier: makeVerifier('pw'),
    isKnown: true,
    isSecure: true,
    canSwitch: true,
    rsa,
    deriveKey: options().deriveKey,
    offered: { plugin: CACHING_SHA2, nonce: GREETED },
    newNonce: () => FRESH,
    ...own,
  });
}

function tell(step: ProofStep): string {
  if (step.kind === 'ask') return step.payload.toString('latin1');
  return step.kind === 'proved' ? 'proved' : step.refusal.message;
}

t.test('mysql_native_password, offered and switched to (MY-7)', async (t) => {
  const offered = { plugin: NATIVE, nonce: GREETED };
  const own = { verifier: withNative, offered, isSecure: false };
  t.equal(tell(proofOf(own).start(NATIVE, nativeResponse('pw', GREETED))), 'proved');
  t.match(tell(proofOf(own).start(NATIVE, nativeResponse('pw', FRESH))), 'password: YES');
  const switched = proofOf({ verifier: withNative, isSecure: false });
  t.equal(tell(switched.start(CACHING_SHA2, SCRAMBLE)), `\xfe${NATIVE}\0${FRESH.toString()}\0`);
  t.equal(tell(switched.step(nativeResponse('pw', FRESH))), 'proved');
  const old = proofOf({ verifier: withNative, canSwitch: false });
  t.match(tell(old.start(undefined, Buffer.alloc(20))), /does not support/);
});

t.test('a client without mysql_native_password needs none where it has TLS (MY-7)', async (t) => {
  const proof = proofOf({ verifier: withNative });
  t.equal(tell(proof.start(CACHING_SHA2, SCRAMBLE)), '\x01\x04');
  t.equal(tell(proof.step(clearPassword('pw'))), 'proved');
});

t.test('the password inside of TLS', async (t) => {
  for (const [bytes, told] of [
    [clearPassword('pw'), 'proved'],
    [clearPassword('pW'), 'password: YES'],
    [Buffer.from('pw'), 'password: NO'],
    [Buffer.from('p\0w\0'), 'password: NO'],
    [clearPassword(''), 'password: NO'],
  ] as const) {
    const proof = proofOf();
    t.equal(tell(proof.start(CACHING_SHA2, SCRAMBLE)), '\x01\x04');
    t.match(tell(proof.step(bytes)), told);
    t.match(tell(proofOf().start(CLEAR, bytes)), told);
  }
  t.match(tell(proofOf().start(CACHING_SHA2, Buffer.of(0))), 'password: NO');
  const unknown = proofOf({ isKnown: false });
  t.equal(tell(unknown.start(CACHING_SHA2, SCRAMBLE)), '\x01\x04', 'the same way');
  t.match(tell(unknown.step(clearPassword('pw'))), 'password: YES');
});

t.test('the password encrypted with our key, and with no other (MY-8)', async (t) => {
  const plain = { isSecure: false };
  const proof = proofOf(plain);
  t.equal(tell(proof.start(CACHING_SHA2, SCRAMBLE)), '\x01\x04');
  t.equal(tell(proof.step(Buffer.of(2))), `\x01${rsa.publicKey}`);
  t.equal(
    tell(proof.step(rsa.encrypt(rsa.publicKey, xorRepeated(clearPassword('pw'), GREETED)))),
    'proved',
  );
  for (const bytes of [clearPassword('pw'), Buffer.alloc(256, 3), Buffer.alloc(0)]) {
    const wrong = proofOf(plain);
    wrong.start(CACHING_SHA2, SCRAMBLE);
    t.match(tell(wrong.step(bytes)), /not encrypted with the public key of this gateway/);
  }
  const without = proofOf({ isSecure: false, rsa: undefined });
  t.match(tell(without.start(CACHING_SHA2, SCRAMBLE)), /through TLS only/);
  t.not(tell(proofOf(plain).start(CLEAR, clearPassword('pw'))), 'proved', 'never in the clear');
});
