/**
 * mysql_native_password: response = SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))). Whoever keeps
 * SHA1(SHA1(password)) can check a response and cannot make one (MY-7). Pure: nonces are handed in.
 */

import { createHash, timingSafeEqual } from 'node:crypto';

export const NATIVE_PASSWORD = 'mysql_native_password';
const HASH_SIZE = 20;

/** An empty password has an empty response. */
export function nativeResponse(password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha1(Buffer.from(password));
  return xor(once, sha1(nonce, sha1(once)));
}

/** `hash` is SHA1(SHA1(password)). An empty response proves nothing here. */
export function verifyNative(hash: Buffer, nonce: Buffer, response: Buffer): boolean {
  if (response.length !== HASH_SIZE || hash.length !== HASH_SIZE) return false;
  const once = xor(response, sha1(nonce, hash));
  return timingSafeEqual(sha1(once), hash);
}

/** SHA1(SHA1(password)). */
export function nativeHash(password: Buffer): Buffer {
  return sha1(sha1(password));
}

function sha1(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
