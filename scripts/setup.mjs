/**
 * Brings a checkout to the point where it runs: the right Node, packages as locked, a build that
 * is as new as the sources. Plain JavaScript without packages, because it runs before there are
 * any; built-in modules without the `node:` prefix, so that an old Node gets as far as the message.
 *
 *   node scripts/setup.mjs [--force]
 */
import { spawnSync } from 'child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'fs';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const startedAt = Date.now();

/** What the build is made from. */
const SOURCES = ['bin', 'lib', 'protocols', 'test', 'bench', 'tsconfig.json', 'package.json'];
/** Written after a whole build; its time is the time of the build. */
const STAMP = join(root, 'build', '.stamp');

/** Ends the process with a clear message where the Node that runs this is too old. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  fail(`Weir needs Node.js ${major}.${minor} or newer, and this is ${process.version}.`);
}

/** `npm ci`, where node_modules is missing or older than the lock file. */
export function ensureInstalled() {
  const installed = timeOf(join(root, 'node_modules', '.package-lock.json'));
  if (installed >= timeOf(join(root, 'package-lock.json'))) return;
  progress('Installing packages (npm ci) ...');
  // Whatever NODE_ENV says: the compiler is a development package, the demo's server an optional one.
  const options = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const npm = process.env['npm_execpath'];
  const isScript = npm !== undefined && /\.c?js$/.test(npm);
  run(isScript ? process.execPath : 'npm', isScript ? [npm, ...options] : options, 'npm ci failed');
}

/** Compiles, where a source is newer than the build. An installed package has no sources and stays as it is. */
export function ensureBuilt(isForced = false) {
  if (!existsSync(join(root, 'tsconfig.json'))) return;
  if (!isForced && timeOf(STAMP) > newestSource()) return;
  ensureInstalled();
  progress('Building ...');
  rmSync(join(root, 'build'), { recursive: true, force: true });
  run(
    process.execPath,
    [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'],
    'the build failed',
  );
  writeFileSync(STAMP, '');
}

/** Everything, with the elapsed time where something had to be done. */
export function setUp(isForced = false) {
  checkNode();
  ensureInstalled();
  ensureBuilt(isForced);
}

export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function run(program, args, message) {
  // The child's words go to stderr: what a command prints on stdout is only its own answer.
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(error === undefined ? message : `${message}: ${error.message}`);
}

function progress(text) {
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  process.stderr.write(`  [${seconds.padStart(5)} s] ${text}\n`);
}

function newestSource() {
  return Math.max(...SOURCES.map((name) => newestUnder(join(root, name))));
}

/** A folder's own time counts too: it changes when a file is removed. */
function newestUnder(path) {
  const own = timeOf(path);
  if (own === 0 || !statSync(path).isDirectory()) return own;
  return Math.max(own, ...readdirSync(path).map((name) => newestUnder(join(path, name))));
}

function timeOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 0 : stat.mtimeMs;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp(process.argv.includes('--force'));
