/**
 * Who comes with a key or with `user:password` in every request, as callers of stores do. Keys are known by
 * their SHA-256 alone, passwords by their SCRAM verifiers. What was right once is known again by an HMAC
 * under a key that lives as long as this process.
 */

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { StoreCredential } from '../../protocols/store.ts';
import type { Credentials } from './credentials.ts';
import type { Principal } from './principal.ts';
import { preparePassword } from './saslprep.ts';

const KEY_SIZE = 32;
/** So that scanners for secrets can find a key that was left somewhere. */
const KEY_PREFIX = 'weir_';
/** Right credentials that are kept; further ones cost their hash again. */
const KNOWN_MAX = 10_000;
/** Passwords that are hashed at once; each takes about a millisecond of another thread. */
const PENDING_MAX = 256;
/** Longer ones are none: they would be hashed for nothing. */
const SECRET_LENGTH_MAX = 16_384;

const derive = promisify(pbkdf2);

/** A [[user]] of the configuration. */
export interface KeyUser {
  readonly name: string;
  readonly groups: readonly string[];
  /** SHA-256, hex. */
  readonly keys?: readonly string[];
}

export interface KeyIdentity {
  /** By key or by user and password. Undefined: nobody, without telling why. At once where it is known. */
  identify(credential: StoreCredential): Principal | undefined | Promise<Principal | undefined>;
  /** A key that is in the configuration, or a password that was right before. Costs two hashes. */
  isKnown(credential: StoreCredential): boolean;
  /** By key alone. */
  findKey(secret: string): Principal | undefined;
}

/** A new key: 256 bits, so that a plain hash is enough to keep. */
export function makeKey(): string {
  return KEY_PREFIX + randomBytes(KEY_SIZE).toString('base64url');
}

export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** `passwords` undefined: nobody has one (passthrough). */
export function createKeyIdentity(
  users: readonly KeyUser[],
  passwords: Credentials | undefined,
): KeyIdentity {
  const secret = randomBytes(KEY_SIZE);
  const blind = (text: string | Buffer): Buffer =>
    createHmac('sha256', secret).update(text).digest();
  const principals = new Map(users.map(({ name, groups }) => [name, { name, groups }]));
  const byKey = readKeys(users, blind);
  const known = new Map<string, Principal>();
  const pending = new Map<string, Promise<Principal | undefined>>();

  function findKey(text: string): Principal | undefined {
    // The place in the map follows from a hash that nobody outside can make, so time tells nothing of the keys.
    const hash = createHash('sha256').update(text).digest();
    const entry = byKey.get(blind(hash).toString('latin1'));
    return entry !== undefined && timingSafeEqual(entry.hash, hash) ? entry.user : undefined;
  }

  const ownerOf = rememberOwners(findKey);
  const nameOf = (...pair: readonly [string | undefined, string]): string =>
    blind(JSON.stringify(pair)).toString('latin1');
  async function checkPassword(user: string, password: string): Promise<Principal | undefined> {
    if (passwords === undefined) return undefined;
    // A mock for names that do not exist: they take the same time (PG-15).
    const { verifier, isKnown } = passwords.lookup(user);
    const isRight = await isProvedBy(password, verifier);
    return isRight && isKnown ? principals.get(user) : undefined;
  }

  function identifyByPassword(
    user: string,
    password: string,
  ): Principal | undefined | Promise<Principal | undefined> {
    const name = nameOf(user, password);
    const found = known.get(name) ?? pending.get(name);
    if (found !== undefined || pending.size >= PENDING_MAX) return found;
    const check = checkPassword(user, password).then((principal) => {
      if (principal !== undefined) keepBounded(known, name, principal);
      return principal;
    });
    const end = (): void => void pending.delete(name);
    pending.set(name, check);
    check.then(end, end);
    return check;
  }

  return {
    findKey,
    isKnown: (credential) => {
      if (isTooLong(credential)) return false;
      if (findKey(credential.secret) !== undefined) return true;
      return known.has(nameOf(...splitCredential(credential.user, credential.secret)));
    },
    identify: (credential) => {
      if (isTooLong(credential)) return undefined;
      const owner = ownerOf(credential);
      if (owner !== undefined) return owner;
      const [name, password] = splitCredential(credential.user, credential.secret);
      return name === undefined || name === '' ? undefined : identifyByPassword(name, password);
    },
  };
}

/**
 * Whose key it is. A session gives the same object for the same caller, which then costs no hash in each request;
 * and nothing is held here for longer than the session holds it.
 */
function rememberOwners(
  findKey: KeyIdentity['findKey'],
): (credential: StoreCredential) => Principal | undefined {
  const owners = new WeakMap<StoreCredential, Principal>();
  return (credential) => {
    const remembered = owners.get(credential);
    if (remembered !== undefined) return remembered;
    const { user, secret } = credential;
    const owner = findKey(secret);
    // `alice:KEY` is alice's key or nobody's.
    if (owner === undefined || (user !== undefined && user !== '' && user !== owner.name)) {
      return undefined;
    }
    owners.set(credential, owner);
    return owner;
  };
}

/** RFC 5802, section 3: StoredKey is the hash of ClientKey. */
async function isProvedBy(
  password: string,
  { salt, iterations, storedKey }: ReturnType<Credentials['lookup']>['verifier'],
): Promise<boolean> {
  const salted = await derive(preparePassword(password), salt, iterations, KEY_SIZE, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey);
}

function isTooLong({ user, secret }: StoreCredential): boolean {
  return secret.length > SECRET_LENGTH_MAX || (user?.length ?? 0) > SECRET_LENGTH_MAX;
}

/** A key header of some products carries `user:password` as one text. */
function splitCredential(
  user: string | undefined,
  text: string,
): readonly [string | undefined, string] {
  if (user !== undefined && user !== '') return [user, text];
  const at = text.indexOf(':');
  return at < 1 ? [undefined, ''] : [text.slice(0, at), text.slice(at + 1)];
}

interface KeyEntry {
  readonly hash: Buffer;
  readonly user: Principal;
}

function readKeys(
  users: readonly KeyUser[],
  blind: (text: Buffer) => Buffer,
): ReadonlyMap<string, KeyEntry> {
  return new Map(
    users.flatMap(({ name, groups, keys = [] }) =>
      keys.map((key): [string, KeyEntry] => {
        const hash = Buffer.from(key, 'hex');
        return [blind(hash).toString('latin1'), { hash, user: { name, groups } }];
      }),
    ),
  );
}

function keepBounded(known: Map<string, Principal>, name: string, principal: Principal): void {
  if (known.size >= KNOWN_MAX) {
    const [oldest] = known.keys();
    if (oldest !== undefined) known.delete(oldest);
  }
  known.set(name, principal);
}
