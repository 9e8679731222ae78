/**
 * The official Python clients of Chroma, Qdrant, Milvus and Redis, synchronous and asynchronous: ordinary calls
 * give the same through the gateway as direct, with only host, port and key changed; under masks and rules the
 * same but for what is masked, and what is refused is raised as the client's ordinary error with the rule in it.
 */

import { fileURLToPath } from 'node:url';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled, runProgram } from './lab.ts';
import {
  type OpenStore,
  type PythonStore,
  type StorePart,
  type StoreWay,
  STORES,
} from './store-python-labs.ts';

/** Four clients one after the other in one program, on a loaded machine. */
const PROGRAM_TIME_MAX = 300_000;
const DRIVERS = new URL('../../../test/differential/drivers/', import.meta.url);

/** What must not be read by alice stands in records as `secret-mail-1`, or as an address within a text. */
const SECRET = /secret-[a-z]+-\d+|[\w.]+@example\.com/g;
const RULES = /no-vault|no-destruction|contacts/;

/** The first Python that can import `module`: of CI, of milvus-lite, of the system. */
async function findPython(module: string): Promise<string | undefined> {
  const { WEIR_STORE_PYTHON, WEIR_CHROMA_PYTHON, WEIR_MILVUS_LITE } = process.env;
  const beside = WEIR_MILVUS_LITE?.replace(/[^/]+$/, 'python3');
  const candidates = [WEIR_STORE_PYTHON, WEIR_CHROMA_PYTHON, beside, '/usr/bin/python3', 'python3'];
  for (const python of candidates) {
    if (python === undefined || python === '') continue;
    if (await isInstalled(python, ['-c', `import ${module}`])) return python;
  }
  return undefined;
}

interface Client {
  readonly python: string;
  readonly store: PythonStore;
  readonly part: StorePart;
}

async function runClient({ python, store, part }: Client, way: StoreWay): Promise<string> {
  const script = fileURLToPath(new URL(store.script, DRIVERS));
  const environment = {
    STORE_PART: part,
    STORE_KIND: store.kind ?? '',
    STORE_WAY: way.name,
    STORE_PORT: String(way.port),
    STORE_GRPC_PORT: String(way.grpcPort ?? 0),
    STORE_USER: way.user,
    STORE_KEY: way.key,
    PYTHONUTF8: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  // libpq's variables, which it makes of these, mean nothing to this program.
  const login = { name: way.name, port: way.port, user: '', password: '' };
  const options = { environment, timeMax: PROGRAM_TIME_MAX };
  const { code, stdout, stderr } = await runProgram(login, [python, script], options);
  const text = Buffer.from(stdout, 'latin1').toString('utf8');
  if (code !== 0) throw new Error(`exit ${code}, ${way.name}: ${stderr.slice(-2000)}\n${text}`);
  return text;
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** A name, which may have colons, and either `raised` or JSON. */
const LINE = /^(.*?): (raised |null$|true$|false$|["[{\d-])/;

/** Only calls with `wrong` in their names fail, and all of them: with all failing alike, nothing would be compared. */
function checkWorks(text: string): void {
  const odd = linesOf(text).filter((line) => {
    const [, name = '', kind = ''] = LINE.exec(line) ?? [];
    return name === '' || /\bwrong\b/.test(name) !== (kind === 'raised ');
  });
  assertSameText(odd.join('\n'), '', 'calls that fail or do not, against their names');
}

async function compareOrdinary(context: SuiteContext, client: Client): Promise<void> {
  const { store } = client;
  const opened = await store.open(context, 'ordinary');
  let direct = '';
  const run = async (way: StoreWay): Promise<string> => {
    await opened.reset();
    return await runClient(client, way);
  };
  const isDone = await context.check(`${store.name}: direct`, async () => {
    direct = await run(opened.direct);
    checkWorks(direct);
  });
  if (!isDone) return;
  for (const user of ['free', 'alice'] as const) {
    await context.check(`${store.name}: ${user}, through the gateway`, async () => {
      assertSameText(await run(opened.through(user)), direct, store.name);
    });
  }
  context.progress(`${store.name}: ${linesOf(direct).length} calls compared`);
}

async function comparePolicy(context: SuiteContext, client: Client): Promise<void> {
  const { store } = client;
  const opened: OpenStore = await store.open(context, 'policy');
  let direct = '';
  let through = '';
  const isDone = await context.check(`${store.name}: under a policy`, async () => {
    await opened.reset();
    direct = await runClient(client, opened.direct);
    await opened.reset();
    through = await runClient(client, opened.through('alice'));
  });
  if (!isDone) return;
  const lines = linesOf(through);
  const isRefusal = (line: string): boolean => line.includes('refused:');
  await context.check(`${store.name}: nothing that is masked comes through`, () => {
    if ([...direct.matchAll(SECRET)].length < 3) throw new Error(`no secrets direct: ${direct}`);
    const leaked = lines.filter((line) => line.search(SECRET) !== -1 && !isRefusal(line));
    assertSameText(leaked.join('\n'), '', 'lines with secrets');
  });
  await context.check(`${store.name}: the same as direct but for what is masked`, () => {
    const shown = lines.filter((line) => !isRefusal(line)).join('\n');
    assertSameText(shown, linesOf(direct).join('\n').replaceAll(SECRET, '***'), store.name);
  });
  for (const line of lines.filter(isRefusal)) {
    const name = line.slice(0, line.indexOf(':', line.indexOf('refused:') + 8));
    await context.check(`${store.name}: ${name}`, () => {
      if (!line.includes(': raised ') || !RULES.test(line)) throw new Error(line);
      if (!store.errors.test(line)) throw new Error(`not the client's ordinary error: ${line}`);
    });
  }
}

async function runStorePython(context: SuiteContext): Promise<void> {
  for (const store of STORES) {
    const python = await findPython(store.module);
    const missing =
      store.missing() ?? (python === undefined ? `no Python has ${store.module}` : undefined);
    if (missing !== undefined || python === undefined) {
      context.skip(store.name, missing ?? '');
      continue;
    }
    await compareOrdinary(context, { python, store, part: 'ordinary' });
    await comparePolicy(context, { python, store, part: 'policy' });
  }
}

export const storePython: Suite = {
  name: 'store-python',
  about:
    'the official Python clients of Chroma, Qdrant, Milvus and Redis, as direct but for what is masked or refused',
  run: runStorePython,
};
