/**
 * PostgreSQL refuses to run as root. When Weir itself runs as root (a container, a fresh virtual
 * machine), the demo's server runs under an existing account without rights. No account is made,
 * and nothing here changes the rights of the running process.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * In the order of preference: `nobody` owns no files, so a server that runs as it can reach
 * nothing that is not public. initdb looks its own account up by number, so it has to exist.
 */
const ACCOUNT_NAMES = ['nobody', 'daemon'] as const;

const run = promisify(execFile);

/** The account for child processes, or undefined where the process is not root and needs none. */
export async function findUnprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;

  for (const name of ACCOUNT_NAMES) {
    const uid = await lookUp('-u', name);
    const gid = await lookUp('-g', name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid };
  }
  throw new GatewayError(
    'POSTGRES_ACCOUNT_MISSING',
    `PostgreSQL does not run as root, and none of the accounts ${ACCOUNT_NAMES.join(', ')} exists ` +
      'here. Run this as an ordinary user instead.',
  );
}

/** `id` also knows accounts that do not stand in /etc/passwd (macOS, LDAP). */
async function lookUp(option: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    const { stdout } = await run('id', [option, name]);
    const id = Number(stdout.trim());
    // macOS prints nobody's -2 as an unsigned number, and Node takes 32 bits with a sign.
    return stdout.trim() !== '' && Number.isInteger(id) ? id | 0 : undefined;
  } catch {
    return undefined; // No such account: the caller tries the next name.
  }
}
