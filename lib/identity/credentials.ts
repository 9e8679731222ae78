/**
 * The users that sign in to the gateway, by their SCRAM verifiers, and with protocol mysql by hashes
 * of mysql_native_password as well. The exchange itself is the protocol's; here is what it is checked
 * against, for names that do not exist as well (PG-15).
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Verifier } from '../../protocols/contract.ts';
import { GatewayError } from '../errors.ts';
import { preparePassword } from './saslprep.ts';

/** PostgreSQL's own defaults. */
export const ITERATIONS_DEFAULT = 4096;
const SALT_SIZE = 16;
const KEY_SIZE = 32;
const NATIVE_HASH_SIZE = 20;

/** A [[user]] of the configuration. */
export interface CredentialUser {
  readonly name: string;
  readonly groups: readonly string[];
  readonly scram: string | undefined;
  readonly mysqlNative?: string | undefined;
  /** SHA-256 of keys, hex. */
  readonly keys?: readonly string[];
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
  protocol: 'postgres' | 'mysql' | 'store' = 'postgres',
): Credentials {
  const scrams = users.flatMap(({ name, scram }): readonly (readonly [string, Verifier])[] =>
    scram === undefined ? [] : [[name, parseVerifier(scram)]],
  );
  const verifiers = scrams.map(([, verifier]) => verifier);
  // A mock that is unlike the real ones would tell itself.
  const iterations = findCommonest(verifiers.map((one) => one.iterations)) ?? ITERATIONS_DEFAULT;
  const saltSize = findCommonest(verifiers.map(({ salt }) => salt.length)) ?? SALT_SIZE;

  const derive = (purpose: string, name: string): Buffer =>
    createHmac('sha256', serverSecret).update(`${purpose}\0${name}`).digest();
  const mockScram = (name: string): Verifier => ({
    iterations,
    salt: derive('salt', name).subarray(0, saltSize),
    storedKey: derive('stored key', name),
    serverKey: derive('server key', name),
  });

  const known = new Map<string, Credential>();
  const byName = new Map(scrams);
  for (const { name, groups, mysqlNative, keys = [] } of users) {
    const scram = byName.get(name);
    const nativeHash =
      protocol === 'mysql' && mysqlNative !== undefined ? parseNative(mysqlNative) : undefined;
    const keyHashes = protocol === 'store' ? keys.map((key) => Buffer.from(key, 'hex')) : [];
    if (scram === undefined && nativeHash === undefined && keyHashes.length === 0) continue;
    // Without a verifier of its own no password fits the SCRAM part: the mock's, whose keys nobody has.
    const verifier = withNative(scram ?? mockScram(name), nativeHash);
    const withKeys = keyHashes.length === 0 ? verifier : { ...verifier, keyHashes };
    known.set(name, { verifier: withKeys, isKnown: true, groups });
  }
  const nativeShare = shareOfNative([...known.values()]);

  /**
   * The protocol asks users with a native hash for another proof than those without. Unknown names
   * are of both kinds as often as known ones, so that neither question tells that somebody exists.
   */
  function mock(name: string): Credential {
    const dice = derive('kind', name).readUInt32BE(0) / 2 ** 32;
    const hash = derive('native hash', name).subarray(0, NATIVE_HASH_SIZE);
    const verifier = withNative(mockScram(name), dice < nativeShare ? hash : undefined);
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

function withNative(verifier: Verifier, nativeHash: Buffer | undefined): Verifier {
  return nativeHash === undefined ? verifier : { ...verifier, nativeHash };
}

function shareOfNative(credentials: readonly Credential[]): number {
  const count = credentials.filter(({ verifier }) => verifier.nativeHash !== undefined).length;
  return credentials.length === 0 ? 0 : count / credentials.length;
}

/** As MariaDB's PASSWORD() gives it: `*` and SHA1(SHA1(password)) in hex. The bytes are taken as they are. */
export function makeNative(password: string): string {
  const once = createHash('sha1').update(password).digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

/** Throws GatewayError VERIFIER_INVALID, without the text. */
export function parseNative(text: string): Buffer {
  if (/^\*[0-9A-Fa-f]{40}$/.test(text)) return Buffer.from(text.slice(1), 'hex');
  throw new GatewayError(
    'VERIFIER_INVALID',
    'expected "*" and 40 hex digits for mysql_native. `weir user add NAME --mysql` prints one.',
  );
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
