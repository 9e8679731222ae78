/**
 * caching_sha2_password: a scramble for servers that remember the password's hash, and where they do
 * not, the password itself, inside of TLS or encrypted with an RSA key (MY-8). Pure.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */

import { createHash } from 'node:crypto';

export const CACHING_SHA2 = 'caching_sha2_password';
/** First byte of AuthMoreData; behind it what the plugin says. */
export const MORE_DATA = 0x01;
export const FAST_OK = 0x03;
export const FULL_NEEDED = 0x04;
/** The client's whole packet that asks for the public key. */
export const KEY_REQUEST = 0x02;

/** SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce); empty for an empty password. */
export function cachingSha2Response(password: string, nonce: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const once = sha256(Buffer.from(password));
  return xorRepeated(once, sha256(sha256(once), nonce));
}

/** The password with its end, as it travels inside of TLS. */
export function clearPassword(password: string): Buffer {
  return Buffer.concat([Buffer.from(password), Buffer.of(0)]);
}

/** The password of a cleartext packet: up to its end, which must be there and be the only one. */
export function readClearPassword(bytes: Buffer): Buffer | undefined {
  return bytes.length > 0 && bytes.indexOf(0) === bytes.length - 1
    ? bytes.subarray(0, -1)
    : undefined;
}

/** What is encrypted with RSA, and what the decrypted bytes become: `bytes` XOR the nonce, repeated. */
export function xorRepeated(bytes: Buffer, key: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (key[index % key.length] ?? 0)));
}

export function moreData(content: Buffer | number): Buffer {
  const bytes = typeof content === 'number' ? Buffer.of(content) : content;
  return Buffer.concat([Buffer.of(MORE_DATA), bytes]);
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
