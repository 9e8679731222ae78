/**
 * Official clients of Chroma: their ordinary calls give the same through the gateway as direct, with only
 * host, port and key changed, whether nothing is in force or everything is looked at.
 */

import { fileURLToPath } from 'node:url';
import { runOrdinaryCalls } from './chroma-calls.ts';
import { type ChromaLab, type ChromaWay, isChromaMissing, openChromaLab } from './chroma-lab.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled, runProgram } from './lab.ts';

const SCRIPT = fileURLToPath(
  new URL('../../../test/differential/drivers/chroma_client.py', import.meta.url),
);
const PYTHON_TIME_MAX = 180_000;

/** Nothing of this touches what the calls do, so that every request is judged and every answer read. */
const LOOKS = `
[[rule]]
name = "no-vault"
effects = ["search", "read", "export", "count", "upsert", "delete", "alter"]
objects = ["chroma:vault"]
principals = ["alice"]
action = "block"
[[mask]]
name = "cards"
fields = ["card"]
detect = ["iban"]
mode = "strict"
except = ["free"]
`;

/** Where `chromadb` can be imported: of the environment, else of the system. */
async function findPython(): Promise<string | undefined> {
  const candidates = [process.env['WEIR_CHROMA_PYTHON'], '/usr/bin/python3', 'python3'];
  for (const python of candidates) {
    if (python !== undefined && (await isInstalled(python, ['-c', 'import chromadb'])))
      return python;
  }
  return undefined;
}

async function runPython(python: string, way: ChromaWay): Promise<string> {
  const environment = { CHROMA_PORT: String(way.port), CHROMA_KEY: way.key ?? '' };
  // libpq's variables, which it makes of these, mean nothing to this program.
  const login = { name: way.name, port: way.port, user: '', password: '' };
  const result = await runProgram(login, [python, SCRIPT], {
    environment,
    timeMax: PYTHON_TIME_MAX,
  });
  if (result.code !== 0)
    throw new Error(`${way.name}: ${result.stdout}\n${result.stderr}`.slice(-2500));
  return result.stdout.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
}

async function compare(
  context: SuiteContext,
  lab: ChromaLab,
  client: string,
  run: (way: ChromaWay) => Promise<string>,
): Promise<void> {
  let direct = '';
  const runAnew = async (way: ChromaWay): Promise<string> => {
    await lab.server.ask('POST', '/reset');
    return await run(way);
  };
  const isDone = await context.check(`${client}: direct`, async () => {
    direct = await runAnew(lab.direct);
  });
  if (!isDone) return;
  for (const user of ['free', 'alice'] as const) {
    await context.check(`${client}: ${user}, through the gateway`, async () => {
      assertSameText(await runAnew(lab.through(user)), direct, client);
    });
  }
}

async function runChromaClients(context: SuiteContext): Promise<void> {
  if (isChromaMissing(context, 'chroma-clients')) return;
  const lab = await openChromaLab(context, LOOKS);
  await compare(context, lab, 'chromadb (JavaScript)', runOrdinaryCalls);
  const python = await findPython();
  if (python === undefined)
    context.skip('chromadb (Python)', 'no Python with chromadb is installed');
  else
    await compare(context, lab, 'chromadb (Python)', async (way) => await runPython(python, way));
}

export const chromaClients: Suite = {
  name: 'chroma-clients',
  about: 'the official clients of Chroma give the same through the gateway as direct',
  run: runChromaClients,
};
