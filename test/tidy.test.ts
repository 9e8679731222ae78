/**
 * Checks on the source itself, as data: who may import whom, what protocols must not do, how long
 * files get, where tests sit, and which words do not belong. When a check is in the way, change the
 * table and docs/ARCHITECTURE.md together, or the code.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';

const LINES_MAX = 400;
const TRANSCRIPT_COUNT_MIN = 6;

interface Layer {
  /** A folder, or one file. */
  readonly place: string;
  /** The only others it may import; all of them stand above it in the table, so there are no cycles. */
  readonly mayImport: readonly string[];
}

/** From the bottom to the top. A new protocol is one row, and one word in the row of the registry. */
const LAYERS: readonly Layer[] = [
  { place: 'protocols/store.ts', mayImport: [] },
  { place: 'protocols/contract.ts', mayImport: ['protocols/store.ts'] },
  { place: 'protocols/errors.ts', mayImport: ['protocols/contract.ts'] },
  {
    place: 'protocols/wire',
    mayImport: ['protocols/contract.ts', 'protocols/store.ts', 'protocols/errors.ts'],
  },
  {
    place: 'protocols/postgres',
    mayImport: ['protocols/wire', 'protocols/contract.ts', 'protocols/errors.ts'],
  },
  {
    place: 'protocols/mysql',
    mayImport: ['protocols/wire', 'protocols/contract.ts', 'protocols/errors.ts'],
  },
  {
    place: 'protocols/chroma',
    mayImport: [
      'protocols/wire',
      'protocols/contract.ts',
      'protocols/store.ts',
      'protocols/errors.ts',
    ],
  },
  {
    place: 'protocols/qdrant',
    mayImport: [
      'protocols/wire',
      'protocols/contract.ts',
      'protocols/store.ts',
      'protocols/errors.ts',
    ],
  },
  {
    place: 'protocols/milvus',
    mayImport: [
      'protocols/wire',
      'protocols/contract.ts',
      'protocols/store.ts',
      'protocols/errors.ts',
    ],
  },
  {
    place: 'protocols/redis',
    mayImport: [
      'protocols/wire',
      'protocols/contract.ts',
      'protocols/store.ts',
      'protocols/errors.ts',
    ],
  },
  {
    place: 'protocols/registry.ts',
    mayImport: [
      'protocols/contract.ts',
      'protocols/postgres/index.ts',
      'protocols/mysql/index.ts',
      'protocols/chroma/index.ts',
      'protocols/qdrant/index.ts',
      'protocols/milvus/index.ts',
      'protocols/redis/index.ts',
    ],
  },
  { place: 'lib/errors.ts', mayImport: [] },
  { place: 'lib/log.ts', mayImport: ['lib/errors.ts'] },
  { place: 'lib/net', mayImport: ['protocols/contract.ts', 'lib/errors.ts'] },
  { place: 'lib/sql', mayImport: ['lib/errors.ts', 'protocols/contract.ts'] },
  {
    place: 'lib/identity',
    mayImport: ['protocols/store.ts', 'lib/errors.ts', 'protocols/contract.ts'],
  },
  {
    place: 'lib/config',
    mayImport: ['protocols/store.ts', 'lib/errors.ts', 'lib/sql/analysis.ts'],
  },
  {
    place: 'lib/catalog',
    mayImport: ['protocols/store.ts', 'lib/errors.ts', 'lib/sql/analysis.ts'],
  },
  {
    place: 'lib/policy',
    mayImport: [
      'protocols/store.ts',
      'lib/errors.ts',
      'protocols/contract.ts',
      'lib/sql',
      'lib/identity',
      'lib/config/config.ts',
    ],
  },
  {
    place: 'lib/masking',
    mayImport: [
      'protocols/store.ts',
      'lib/catalog/catalog.ts',
      'lib/policy/glob.ts',
      'lib/errors.ts',
      'protocols/contract.ts',
      'lib/sql',
      'lib/identity',
      'lib/config/config.ts',
    ],
  },
  {
    place: 'lib/recording',
    mayImport: [
      'protocols/wire/exchange-record.ts',
      'protocols/store.ts',
      'lib/errors.ts',
      'protocols/contract.ts',
      'lib/identity',
    ],
  },
  {
    place: 'lib/gateway',
    mayImport: [
      'protocols/store.ts',
      'lib/errors.ts',
      'lib/net',
      'lib/sql',
      'lib/identity',
      'lib/config',
      'lib/catalog',
      'lib/policy',
      'lib/masking',
      'lib/recording',
      'protocols/contract.ts',
      'protocols/errors.ts',
      'protocols/registry.ts',
    ],
  },
  {
    place: 'lib/index.ts',
    mayImport: ['lib/errors.ts', 'lib/config', 'lib/gateway', 'lib/recording'],
  },
  { place: 'lib/demo', mayImport: ['lib/errors.ts'] },
  {
    place: 'lib/cli',
    mayImport: [
      'lib/index.ts',
      'lib/errors.ts',
      'lib/demo',
      'lib/config',
      'lib/recording',
      'lib/gateway',
      'lib/identity',
      'lib/log.ts',
      'lib/net/tls.ts',
      'lib/sql/analysis.ts',
    ],
  },
];

/** Built-in modules that do no I/O, which protocols may use. */
const PURE_BUILTINS: readonly string[] = ['node:assert', 'node:buffer', 'node:crypto'];

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** In code under `protocols`: whatever makes the same events give other commands. */
const IMPURE: readonly Ban[] = [
  { pattern: /\bset(?:Timeout|Interval|Immediate)\b/, instead: 'the command `wake`' },
  { pattern: /\bqueueMicrotask\b|\bawait\b|\basync\b|\bPromise\b/, instead: 'one more event' },
  { pattern: /\bnew Date\b|\bDate\.|\bperformance\./, instead: 'the time in the event `woke`' },
  { pattern: /\bprocess\./, instead: 'an option of `createSession`' },
  {
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int|FillSync)\b/,
    instead: 'an event or option',
  },
  { pattern: /\bconsole\./, instead: 'the command `note`' },
];

/** In the code of the product, comments left out. */
const BANNED_CODE: readonly Ban[] = [
  { pattern: /:\s*any\b|<any>|\bas any\b/, instead: 'unknown, and a check' },
  { pattern: /^\s*(?:export )?(?:const )?enum\b/m, instead: 'a union of string literals' },
  { pattern: /^\s*export default\b/m, instead: 'a named export' },
];

/** In the code of the product, with its comments: one that says why is what makes it right. */
const SWALLOWED: readonly Ban[] = [
  {
    pattern:
      /\bcatch\s*(?:\(\w+\))?\s*\{\s*\}|\.catch\(\(\)\s*=>\s*(?:\{\s*\}|undefined|null)\)(?!.*\/\/)(?<!\/\/[^\n]*\n[^\n]*)/,
    instead: 'handling the error, or a comment in that place that says why not',
  },
];

/** In all text, comments too, but for this file. */
const BANNED_TEXT: readonly Ban[] = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/, instead: 'doing it, or an issue' },
  { pattern: /@ts-(?:ignore|expect-error|nocheck)/, instead: 'a type that is right' },
  { pattern: /(?:eslint|oxlint)-disable|biome-ignore lint/, instead: 'code that the rule accepts' },
  { pattern: /\/(?:root|home|Users)\/[a-z]/, instead: 'no path of one machine' },
  { pattern: /registry\.[a-z]+js\.org/, instead: 'no registry host: a mirror must do' },
];

/** Words that tell nothing, as part of a file's name. */
const EMPTY_NAMES =
  /(?:^|-)(?:util|utils|helper|helpers|manager|handler|misc|common|data-processor)(?:-|\.)/;

const sources = ['lib', 'protocols'].flatMap((root) => typeScriptUnder(root));
const allCode = [...sources, ...['bench', 'test'].flatMap((root) => typeScriptUnder(root))];

function typeScriptUnder(root: string): string[] {
  if (!existsSync(root)) return [];
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(root, path))
    .toSorted();
}

const texts = new Map<string, string>();

function readText(file: string): string {
  const text = texts.get(file) ?? readFileSync(file, 'utf8');
  texts.set(file, text);
  return text;
}

/** Good enough for checks: a `//` inside a string also ends its line. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:])\/\/.*$/gm, '$1');
}

/** Static, dynamic and side-effect imports, and the files that worker threads start from. */
function importsOf(file: string): string[] {
  const text = withoutComments(readText(file));
  const patterns = [
    /^\s*(?:import|export)\b[^;'"]*?\bfrom\s+'([^']+)'/gm,
    /^\s*import\s+'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'/g,
    /\bnew URL\(\s*'([^']+\.[jt]s)'/g,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, path = '']) => path));
}

function isIn(file: string, place: string): boolean {
  return file === place || file.startsWith(`${place}/`);
}

function layerOf(file: string): Layer | undefined {
  return LAYERS.find(({ place }) => isIn(file, place));
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function findBanned(files: readonly string[], bans: readonly Ban[], isCode: boolean): string[] {
  return files.flatMap((file) => {
    const text = isCode ? withoutComments(readText(file)) : readText(file);
    return bans.flatMap(({ pattern, instead }) => {
      const match = pattern.exec(text);
      if (match === null) return [];
      const place = isCode ? file : `${file}:${lineOf(text, match.index)}`;
      return [`${place}: "${match[0].trim()}"; instead: ${instead}`];
    });
  });
}

t.test('the table of layers has no cycles: every arrow points up the table', async (t) => {
  for (const [index, { place, mayImport }] of LAYERS.entries()) {
    for (const target of mayImport) {
      const above = LAYERS.slice(0, index).some((layer) => isIn(target, layer.place));
      t.ok(above, `${target} stands above ${place}`);
    }
  }
});

t.test('imports follow the table', async (t) => {
  const wrong: string[] = [];
  for (const file of sources) {
    const layer = layerOf(file);
    if (layer === undefined) wrong.push(`${file} belongs to no layer`);
    for (const path of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = normalize(join(dirname(file), path)).replace(/\.js$/, '.ts');
      const isAllowed =
        layerOf(target) === layer || layer?.mayImport.some((place) => isIn(target, place)) === true;
      if (!isAllowed) wrong.push(`${file} may not import ${target}`);
    }
  }
  t.same(wrong, []);
  t.ok(sources.length > 20, 'the sources were found');
});

t.test('protocols do no I/O and depend on nothing but their events', async (t) => {
  const files = typeScriptUnder('protocols');
  const modules = files.flatMap((file) =>
    importsOf(file)
      .filter((path) => !path.startsWith('.') && !PURE_BUILTINS.includes(path))
      .map((path) => `${file} imports ${path}`),
  );
  t.same(modules, []);
  t.same(findBanned(files, IMPURE, true), []);
});

t.test('files stay short', async (t) => {
  const long = allCode
    .map((file) => ({ file, lines: readText(file).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ file, lines }) => `${file} has ${lines} lines, and ${LINES_MAX} is the limit`);
  t.same(long, []);
});

t.test('a file opens by saying what it is, and its name says something', async (t) => {
  const silent = sources.filter(
    (file) => !/^(?:#!.*\n)?\s*(?:\/\*\*|\/\/|import)/.test(readText(file)),
  );
  t.same(silent, []);
  const named = sources.filter((file) => EMPTY_NAMES.test(file.replace(/^.*\//, '')));
  t.same(named, []);
});

t.test('each test file mirrors a source file', async (t) => {
  const strays = typeScriptUnder('test')
    .filter((test) => /^test\/(?:lib|protocols|bench)\/.*\.test\.ts$/.test(test))
    .filter((test) => !existsSync(test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts')));
  t.same(strays, []);
});

t.test('words that do not belong are not there', async (t) => {
  t.same(findBanned(sources, BANNED_CODE, true), []);
  t.same(findBanned(sources, SWALLOWED, false), []);
  const others = allCode.filter((file) => file !== 'test/tidy.test.ts');
  t.same(findBanned(others, BANNED_TEXT, false), []);
});

t.test('the checks can fail', async (t) => {
  const [impure] = IMPURE;
  t.match('const timer = setTimeout(f, 1)', impure?.pattern ?? /never/);
  t.equal(withoutComments('a /* b */ c // d\ne'), 'a  c \ne');
  t.equal(layerOf('protocols/postgres/session.ts')?.place, 'protocols/postgres');
  t.equal(layerOf('lib/nowhere/file.ts'), undefined);
});

const protocols = readdirSync('protocols', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'wire')
  .map(({ name }) => name);

for (const name of protocols) {
  t.test(`${name} is complete: entry, registry, transcripts, page`, async (t) => {
    t.ok(existsSync(join('protocols', name, 'index.ts')), 'it has an entry');
    t.match(readText('protocols/registry.ts'), `./${name}/index.ts`, 'the registry knows it');
    t.ok(existsSync(join('docs', 'protocols', `${name}.md`)), 'it has a page');
    if (/transport: 'http'/.test(readText(join('protocols', name, 'index.ts')))) {
      const scripts = readText('test/conformance/store-scripts.ts');
      t.match(scripts, `protocol: ${name},`, 'the conformance suite plays a talk with it');
      return;
    }
    const folder = join('test', 'fixtures', 'transcripts', name);
    const names = existsSync(folder) ? readdirSync(folder) : [];
    const count = names.filter((file) => file.endsWith('.transcript')).length;
    t.ok(count >= TRANSCRIPT_COUNT_MIN, `${count} transcripts, ${TRANSCRIPT_COUNT_MIN} wanted`);
  });
}

t.test('the lock file names no host, so that any registry serves', async (t) => {
  t.notMatch(readText('package-lock.json'), '"resolved": "http');
});
