/**
 * The gateway's RSA key for passwords that clients of MySQL send on a plain connection (MY-8), made anew
 * at each start: whoever records the traffic and gets hold of a later key can read nothing with it.
 */

import {
  constants,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { Rsa } from '../../protocols/contract.ts';

/** What servers use. It takes about a tenth of a second to make. */
const MODULUS_LENGTH = 2048;
/** As caching_sha2_password has it. */
const PADDING = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const;

const generate = promisify(generateKeyPair);

export async function createRsa(): Promise<Rsa> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: MODULUS_LENGTH });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    decrypt: (bytes) => decrypt(privateKey, bytes),
    encrypt: (pem, bytes) => {
      const key = createPublicKey(pem);
      if (key.asymmetricKeyType !== 'rsa') throw new Error('the server sent a key of another kind');
      return publicEncrypt({ key, ...PADDING }, bytes);
    },
  };
}

function decrypt(key: KeyObject, bytes: Buffer): Buffer | undefined {
  try {
    return privateDecrypt({ key, ...PADDING }, bytes);
  } catch {
    // Whatever is wrong with it, the client is told no more than that the password is wrong.
    return undefined;
  }
}
