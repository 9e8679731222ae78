/**
 * PostgreSQL 15's own regression suite, direct and then through a gateway with no rules. The two
 * sets of result files are compared byte for byte with each other, not with `expected/`: what differs
 * there because of this machine is no concern of ours.
 */

import { execFile, spawn } from 'node:child_process';
import { chmod, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findUnprivilegedAccount } from '../../lib/demo/unprivileged-account.ts';
import { makeTemporary, startTarget } from '../support/gateway-process.ts';
import { debianPostgres15, debianPostgres15Missing } from '../support/servers.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';

const BIN = '/usr/lib/postgresql/15/bin';
const PG_REGRESS = '/usr/lib/postgresql/15/lib/pgxs/src/test/regress/pg_regress';
const RUN_TIME_MAX = 6 * 60_000;

/** Tests whose result files differ between two direct runs, with the reason (found by doing so). */
const VARYING: ReadonlyMap<string, string> = new Map([]);

const run = promisify(execFile);

interface SuiteRun {
  /** Folder with one .out file for each test. */
  readonly results: string;
  /** Lines of pg_regress like `test boolean ... ok`, by test. */
  readonly outcomes: ReadonlyMap<string, string>;
  readonly seconds: number;
}

async function runDirectOrThrough(
  context: SuiteContext,
  suiteFolder: string,
  way: { readonly name: string; readonly output: string; readonly isThrough: boolean },
): Promise<SuiteRun> {
  const server = await debianPostgres15(context, {
    auth: 'trust',
    settings: { max_connections: '60', max_prepared_transactions: '10', shared_buffers: '128MB' },
  });
  const upstream = { user: 'postgres', password: server.password };
  const target = way.isThrough
    ? await startTarget(context, {
        upstreamPort: server.port,
        upstream,
        auth: 'passthrough',
        durability: 'relaxed',
        // psql's \lo_unlink is a FunctionCall.
        functionCalls: true,
      })
    : undefined;
  const startedAt = Date.now();
  const port = target?.port ?? server.port;
  const outcomes = await runPgRegress(context, { suiteFolder, output: way.output, port });
  await target?.stop();
  await server.stop();
  // Both runs write into a folder of the same name, because tests print it.
  const results = `${way.output}-${way.name}`;
  await rename(join(way.output, 'results'), results);
  return { results, outcomes, seconds: (Date.now() - startedAt) / 1000 };
}

async function runPgRegress(
  context: SuiteContext,
  where: { readonly suiteFolder: string; readonly output: string; readonly port: number },
): Promise<Map<string, string>> {
  const account = await findUnprivilegedAccount();
  const options = [
    '--host=127.0.0.1',
    `--port=${where.port}`,
    '--user=postgres',
    '--dbname=regression',
    `--inputdir=${where.suiteFolder}`,
    `--outputdir=${where.output}`,
    `--bindir=${BIN}`,
    `--dlpath=${where.suiteFolder}/libraries`,
    `--schedule=${where.suiteFolder}/parallel_schedule`,
    '--max-concurrent-tests=20',
  ];
  const child = spawn(PG_REGRESS, options, {
    cwd: where.output,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', PGSSLMODE: 'disable', PGGSSENCMODE: 'disable' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  const outcomes = new Map<string, string>();
  let text = '';
  let reported = 0;
  const read = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
    for (const [, name, outcome] of text.matchAll(/^(?:test)?\s+(\S+)\s+\.\.\. (\w+)/gm)) {
      if (name !== undefined && outcome !== undefined) outcomes.set(name, outcome);
    }
    if (outcomes.size < reported + 50) return;
    reported = outcomes.size;
    context.progress(`${outcomes.size} tests`);
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const timer = setTimeout(() => child.kill('SIGTERM'), RUN_TIME_MAX);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  // 1 says that some test differs from `expected/`; anything else that the run broke off.
  if (code !== 0 && code !== 1)
    throw new Error(`pg_regress ended with ${code}: ${text.slice(-2000)}`);
  return outcomes;
}

async function makeOutput(context: SuiteContext): Promise<string> {
  const folder = await makeTemporary(context, 'weir-regress-');
  // The server and pg_regress write there under an account without rights.
  await chmod(folder, 0o777);
  return join(folder, 'out');
}

async function compare(context: SuiteContext, direct: SuiteRun, through: SuiteRun): Promise<void> {
  const files = (await readdir(direct.results)).filter((name) => name.endsWith('.out'));
  await context.check('as many tests run through the gateway as direct', () => {
    const names = (one: SuiteRun): string => [...one.outcomes.keys()].toSorted().join('\n');
    assertSameText(names(through), names(direct), 'the list of tests');
    if (files.length < 200) throw new Error(`only ${files.length} result files`);
  });
  for (const file of files.toSorted()) {
    const name = file.slice(0, -'.out'.length);
    const reason = VARYING.get(name);
    if (reason !== undefined) {
      context.skip(name, reason);
      continue;
    }
    await context.check(name, async () => {
      const [ours, theirs] = await Promise.all([
        readFile(join(direct.results, file), 'latin1'),
        readFile(join(through.results, file), 'latin1').catch(() => '(no result file)'),
      ]);
      assertSameText(theirs, ours, file);
    });
  }
}

function count(one: SuiteRun): string {
  const ok = [...one.outcomes.values()].filter((outcome) => outcome === 'ok').length;
  return `${ok} of ${one.outcomes.size} as expected, ${one.seconds.toFixed(0)} s`;
}

async function runRegress(context: SuiteContext): Promise<void> {
  const missing = debianPostgres15Missing();
  if (missing !== false) return context.skip('regress', missing);
  const script = fileURLToPath(
    new URL('../../../test/differential/fetch-regress.sh', import.meta.url),
  );
  context.progress('getting the suite (cached)');
  const fetched = await run('sh', [script]).catch((error: Error & { stderr?: string }) => error);
  if (fetched instanceof Error) {
    return context.skip('regress', fetched.stderr?.trim() ?? fetched.message);
  }
  const suiteFolder = fetched.stdout.trim();
  const output = await makeOutput(context);
  const account = await findUnprivilegedAccount();
  const makeFolder = async (): Promise<void> => {
    await run('mkdir', ['-p', output]);
    if (account !== undefined) await run('chown', [`${account.uid}:${account.gid}`, output]);
  };
  await makeFolder();
  context.progress('direct');
  const direct = await runDirectOrThrough(context, suiteFolder, {
    name: 'direct',
    output,
    isThrough: false,
  });
  context.progress(`direct: ${count(direct)}`);
  await run('rm', ['-rf', output]);
  await makeFolder();
  const isThrough = process.env['WEIR_REGRESS_TWICE_DIRECT'] === undefined;
  const through = await runDirectOrThrough(context, suiteFolder, {
    name: 'through',
    output,
    isThrough,
  });
  context.progress(`through: ${count(through)}`);
  await compare(context, direct, through);
}

export const regress: Suite = {
  name: 'regress',
  about: "PostgreSQL 15's own regression suite gives the same result files",
  run: runRegress,
};
