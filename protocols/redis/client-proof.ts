/** Whether a client knows the secret of its user: the password in the clear, or a key (auth = "gateway"). */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SessionOptions, Verifier } from '../contract.ts';

/** Longer ones are no passwords; a derivation of megabytes would stall everyone. */
const PASSWORD_SIZE_MAX = 65_535;

/** Unknown users take the same time as known ones with a wrong password: `verifier` is a mock then (PG-15). */
export function isPassword(
  password: Buffer,
  verifier: Verifier,
  deriveKey: SessionOptions['deriveKey'],
): boolean {
  if (password.length === 0 || password.length > PASSWORD_SIZE_MAX) return false;
  const salted = deriveKey(password.toString('utf8'), verifier.salt, verifier.iterations);
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  let isRight = timingSafeEqual(storedKey, verifier.storedKey);
  const hash = createHash('sha256').update(password).digest();
  for (const known of verifier.keyHashes ?? []) {
    isRight = (known.length === hash.length && timingSafeEqual(hash, known)) || isRight;
  }
  return isRight;
}
