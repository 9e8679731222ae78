/** `npm test`: from a fresh clone to tested. Arguments go to `tap`, such as a file under build/test. */
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const tap = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url));
/** In node_modules, so that a new `npm ci` takes it away together with what it stands for. */
const STAMP = fileURLToPath(new URL('../node_modules/.tap-built', import.meta.url));

setUp();
ensureTapBuilt();
process.exitCode = runTap(process.argv.slice(2));

/** `tap` has to be told once, and after each change of .taprc, which plugins its tests load. */
function ensureTapBuilt() {
  const built = statSync(STAMP, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > statSync(new URL('../.taprc', import.meta.url)).mtimeMs) return;
  const status = runTap(['build']);
  if (status !== 0) process.exit(status);
  writeFileSync(STAMP, '');
}

function runTap(args) {
  return spawnSync(process.execPath, [tap, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
}
