/**
 * The golden folder test/fixtures/config: for each `x.toml` what comes of it is in `x.expected`.
 * A case is a file; UPDATE_GOLDEN=1 writes the expectations anew, and the diff is reviewed.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import { ConfigError } from '../../../lib/config/errors.ts';
import { loadConfig, parseConfig } from '../../../lib/config/load.ts';
import { configWarnings } from '../../../lib/config/warnings.ts';
import { GatewayError } from '../../../lib/errors.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const FOLDER = join(ROOT, 'test/fixtures/config');
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';

/** The configuration and its warnings, or the error, without what depends on the machine. */
function renderOutcome(toml: string): string {
  try {
    const config = parseConfig(toml, 'weir.toml');
    const { file: _file, version: _version, ...rest } = config;
    const shown = { ...rest, dataDir: relative('.', config.dataDir) || '.' };
    if (rest.dataDir.startsWith('/var')) shown.dataDir = rest.dataDir;
    const warnings = configWarnings(config).map((text) => `warning: ${text}\n`);
    return `${JSON.stringify(shown, undefined, 2)}\n${warnings.join('')}`;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.message}\n`;
  }
}

const cases = readdirSync(FOLDER).filter((name) => name.endsWith('.toml'));

t.test('every case of the golden folder gives what is expected', async (t) => {
  t.ok(cases.length >= 25, `${cases.length} cases`);
  for (const name of cases) {
    const outcome = renderOutcome(readFileSync(join(FOLDER, name), 'utf8'));
    const file = join(FOLDER, name.replace(/toml$/, 'expected'));
    if (isUpdate) writeFileSync(file, outcome);
    t.ok(existsSync(file), `${name} has an expectation`);
    t.equal(outcome, readFileSync(file, 'utf8'), name);
  }
  const lone = readdirSync(FOLDER).filter(
    (name) => name.endsWith('.expected') && !cases.includes(name.replace(/expected$/, 'toml')),
  );
  t.same(lone, [], 'no expectation without its case');
});

t.test('no message shows a password of the fixtures', async (t) => {
  const telling = cases.filter((name) => {
    return renderOutcome(readFileSync(join(FOLDER, name), 'utf8')).includes('hunter2');
  });
  t.same(telling, []);
});

t.test('the example of the repository is valid and without a warning', async (t) => {
  const config = loadConfig(join(ROOT, 'config.example.toml'));
  t.same(configWarnings(config), []);
  t.ok(config.rules.length > 0 && config.masks.length > 0);
});

t.test('a file is read as bytes: version, absolute paths, encoding', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'weir.toml');
  const minimal = readFileSync(join(FOLDER, 'minimal.toml'));

  writeFileSync(file, minimal);
  const config = loadConfig(file);
  t.equal(config.file, file);
  t.equal(config.version, createHash('sha256').update(minimal).digest('hex'));
  t.equal(config.dataDir, resolve('weir-data'));

  writeFileSync(file, Buffer.from('data_dir = "\xff"', 'latin1'));
  t.throws(() => loadConfig(file), {
    message: `${file}: expected UTF-8, found other bytes. Save it as UTF-8.`,
  });
  writeFileSync(file, Buffer.alloc(5 * 2 ** 20, '#'));
  t.throws(() => loadConfig(file), { message: /expected at most 4194304 bytes/ });
});

t.test('a file that cannot be read is a ConfigError, too', async (t) => {
  t.throws(() => loadConfig('no/such.toml'), {
    name: 'ConfigError',
    code: 'CONFIG_INVALID',
    message:
      'no/such.toml: there is no such file. Name another with -c FILE, or copy config.example.toml.',
  });
  t.throws(() => loadConfig(FOLDER), { message: `${FOLDER}: this is a folder, not a file.` });
  t.ok(new ConfigError('f', []) instanceof GatewayError);
});

t.test(
  'a file that may not be read says so',
  { skip: process.getuid?.() === 0 && 'root reads all' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'weir.toml');
    writeFileSync(file, '');
    chmodSync(file, 0);
    t.throws(() => loadConfig(file), { message: /not allowed/ });
  },
);

t.test('whatever is written, the outcome is a configuration or a ConfigError', async (t) => {
  const lines = cases.flatMap((name) => readFileSync(join(FOLDER, name), 'utf8').split('\n'));
  const text = fc.array(fc.oneof(fc.constantFrom(...lines), fc.string()), { maxLength: 12 });
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(text, (parts) => {
      const outcome = renderOutcome(parts.join('\n'));
      return outcome.startsWith('{') || /^weir\.toml(:\d+)?: /.test(outcome);
    }),
    { seed, numRuns: 500 },
  );
  t.pass('held');
});
