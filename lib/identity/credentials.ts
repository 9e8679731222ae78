/**
 * The users that sign in to the gateway, by their SCRAM verifiers. The exchange itself is the
 * protocol's; here is what it is checked against, for names that do not exist as well (PG-15).
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Verifier } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import { preparePassword } from './saslprep.ts';

/** PostgreSQL's own defaults. */
export const ITERATIONS_DEFAULT = 4096;
const SALT_SIZE = 16;
const KEY_SIZE = 32;

/** A [[user]] of the configuration. */
export interface CredentialUser {
  readonly name: string;
  readonly groups: readonly string[];
  readonly scram: string | undefined;
}

export interface Credential {
  readonly verifier: Verifier;
  /** False: the verifier is a mock that no password fits (PG-15). */
  readonly isKnown: boolean;
  readonly groups: readonly string[];
}

export interface Credentials {
  lookup(name: string): Credential;
}

/**
 * `serverSecret` makes the salts of unknown users: the same name gets the same salt as long as the
 * secret stays, as a real user would. Throws GatewayError VERIFIER_INVALID.
 */
export function createCredentials(
  users: readonly CredentialUser[],
  serverSecret: Buffer,
): Credentials {
  const known = new Map<string, Credential>();
  for (const { name, groups, scram } of users) {
    if (scram === undefined) continue;
    known.set(name, { verifier: parseVerifier(scram), isKnown: true, groups });
  }
  const verifiers = [...known.values()].map(({ verifier }) => verifier);
  // A mock that is unlike the real ones would tell itself.
  const iterations = findCommonest(verifiers.map((one) => one.iterations)) ?? ITERATIONS_DEFAULT;
  const saltSize = findCommonest(verifiers.map(({ salt }) => salt.length)) ?? SALT_SIZE;

  function mock(name: string): Credential {
    const derive = (purpose: string) =>
      createHmac('sha256', serverSecret).update(`${purpose}\0${name}`).digest();
    const verifier = {
      iterations,
      salt: derive('salt').subarray(0, saltSize),
      storedKey: derive('stored key'),
      serverKey: derive('server key'),
    };
    return { verifier, isKnown: false, groups: [] };
  }

  return {
    lookup: (name) => {
      // Made for known names, too: the time it takes must not tell them apart.
      const unknown = mock(name);
      return known.get(name) ?? unknown;
    },
  };
}

function findCommonest(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

/** In PostgreSQL's own form, as pg_authid.rolpassword keeps it. Takes about a millisecond. */
export function makeVerifier(
  password: string,
  iterations = ITERATIONS_DEFAULT,
  salt: Buffer = randomBytes(SALT_SIZE),
): string {
  const prepared = preparePassword(password);
  const salted = pbkdf2Sync(prepared, salt, iterations, KEY_SIZE, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** Throws GatewayError VERIFIER_INVALID, without the text: whoever has it can guess at the password. */
export function parseVerifier(text: string): Verifier {
  const match = /^SCRAM-SHA-256\$([1-9]\d{0,9}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text);
  const iterations = Number(match?.[1]);
  const salt = decodeBase64(match?.[2]);
  const storedKey = decodeBase64(match?.[3]);
  const serverKey = decodeBase64(match?.[4]);
  if (salt.length === 0 || storedKey.length !== KEY_SIZE || serverKey.length !== KEY_SIZE) {
    throw new GatewayError(
      'VERIFIER_INVALID',
      'expected SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey. `weir user add NAME` prints one.',
    );
  }
  return { iterations, salt, storedKey, serverKey };
}

/** Empty where it is not base64 as an encoder writes it: Node's decoder alone skips what it does not know. */
function decodeBase64(text = ''): Buffer {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : Buffer.alloc(0);
}
