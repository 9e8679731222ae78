/** A MariaDB with all kinds of accounts, clients and certificates, for sign-ins by either kind of auth. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Decision, Operation, UpstreamLogin } from '../../../protocols/contract.ts';
import { createCertificateFolder, opensslMissing, RSA_KEY } from '../../support/certificates.ts';
import { type MariadbServer, mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';
import type { Teardown } from '../../support/servers.ts';
import { type RealClient, findClients } from './real-clients.ts';
import { INSPECT_ALL } from './sign-in-fixture.ts';

export const skip = opensslMissing() ?? mariadbMissing() ?? false;
export const PASSWORD = 'own password';
const ACCOUNTS = `
  install soname 'auth_ed25519';
  create database shop;
  create user native@'%' identified by 'native secret';
  create user ed@'%' identified via ed25519 using password('ed secret of any length, longer than 32 bytes');
  create user empty@'%' identified by '';
  create user tlsonly@'%' identified by 'tls secret' require ssl;
  create user expired@'%' identified by 'old secret' password expire;
  grant all on shop.* to native@'%', ed@'%', empty@'%', tlsonly@'%';
`;
export const LOGINS: readonly { user: string; password: string | undefined }[] = [
  { user: 'native', password: 'native secret' },
  { user: 'ed', password: 'ed secret of any length, longer than 32 bytes' },
  { user: 'empty', password: undefined },
];
export const statement = 'select current_user(), connection_id(), database()';

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

const nativeHash = sha1(sha1(Buffer.from(PASSWORD)));

export function prove(login: UpstreamLogin, isNative = true): (operation: Operation) => Decision {
  const verifier = isNative ? { ...makeVerifier(PASSWORD), nativeHash } : makeVerifier(PASSWORD);
  return () => ({ kind: 'prove', verifier, isKnown: true, login, inspection: INSPECT_ALL });
}

export interface SignInLab {
  readonly server: MariadbServer;
  readonly upstreamPort: number;
  readonly clients: readonly RealClient[];
  /** The gateway's certificate. */
  readonly tls: { readonly cert: string; readonly key: string };
}

export async function startSignInLab(t: Teardown): Promise<SignInLab> {
  const server = await startMariadb({ tls: true });
  t.teardown(() => server.stop());
  await server.sql(ACCOUNTS);
  const clients = await findClients();
  const folder = createCertificateFolder();
  t.teardown(async () => folder.remove());
  const files = folder.make('gateway', { key: RSA_KEY });
  const tls = { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
  return { server, upstreamPort: server.port, clients, tls };
}
