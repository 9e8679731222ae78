/**
 * The programs that come with PostgreSQL (psql, pgbench, pg_dump, pg_restore, vacuumdb, ...), each with
 * the same input direct and through the gateway: output, errors and exit code must be the same bytes.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporary, targetKind } from '../support/gateway-process.ts';
import { debianPostgres15Missing } from '../support/servers.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import {
  isInstalled,
  type Lab,
  openLab,
  type ProgramOptions,
  runProgram,
  transcript,
  type Way,
} from './lab.ts';
import { PIPELINE_SCRIPT, PSQL_SCRIPTS, SAMPLE } from './psql-scripts.ts';

const PSQL = ['psql', '-X', '-a', '-v', 'VERBOSITY=verbose', '-P', 'pager=off', '-f', '-'];

async function runBoth(
  lab: Lab,
  command: readonly string[],
  options: ProgramOptions = {},
): Promise<void> {
  const texts: string[] = [];
  for (const way of [lab.direct, lab.through]) {
    await lab.recreate(SAMPLE);
    texts.push(transcript(await runProgram(way, command, options), way));
  }
  const [direct = '', through = ''] = texts;
  if (direct.startsWith('exit null')) throw new Error(`no end in time, even direct: ${direct}`);
  assertSameText(through, direct, command[0] ?? '');
}

async function checkPsql(context: SuiteContext, lab: Lab): Promise<void> {
  for (const [name, script] of Object.entries(PSQL_SCRIPTS)) {
    await context.check(`psql: ${name}`, () => runBoth(lab, PSQL, { input: script }));
  }
  await context.check('psql: SIGINT cancels the statement that runs', async () => {
    // Longer than a program may run: one that is not cancelled does not end as it does direct.
    await runBoth(lab, ['psql', '-X', '-c', 'SELECT pg_sleep(600)', '-c', "SELECT 'goes on'"], {
      whileRunning: async (child) => {
        await waitForStatement(lab, 'SELECT pg_sleep(600)');
        child.kill('SIGINT');
      },
    });
  });
}

/** Waits until a session runs exactly this text. */
async function waitForStatement(lab: Lab, text: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const rows = await lab.admin(
      `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = '${text}'`,
    );
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody runs ${text}`);
}

const PGBENCH_TOTALS = `SELECT (SELECT sum(abalance) FROM pgbench_accounts) AS a,
  (SELECT sum(bbalance) FROM pgbench_branches) AS b, (SELECT sum(tbalance) FROM pgbench_tellers) AS t,
  (SELECT sum(delta) FROM pgbench_history) AS h, (SELECT count(*) FROM pgbench_history) AS n`;

async function checkPgbench(context: SuiteContext, lab: Lab): Promise<void> {
  await context.check('pgbench: initialises through the gateway', async () => {
    await lab.recreate();
    const result = await runProgram(lab.through, [
      'pgbench',
      '-i',
      '-q',
      '-I',
      'dtgvpf',
      '-s',
      '1',
    ]);
    if (result.code !== 0) throw new Error(result.stderr);
  });
  let expected = 0;
  for (const mode of ['simple', 'extended', 'prepared']) {
    await context.check(`pgbench: 400 transactions, ${mode}, all booked once`, async () => {
      const options = ['-n', '-M', mode, '-c', '4', '-j', '2', '-t', '100'];
      const result = await runProgram(lab.through, ['pgbench', ...options]);
      if (result.code !== 0 || !result.stdout.includes('processed: 400/400')) {
        throw new Error(result.stdout + result.stderr);
      }
      expected += 400;
      const [row] = await lab.admin(PGBENCH_TOTALS);
      const sums = new Set([row?.['a'], row?.['b'], row?.['t'], row?.['h']].map(String));
      if (sums.size !== 1 || Number(row?.['n']) !== expected) throw new Error(JSON.stringify(row));
    });
  }
  await context.check('pgbench: pipelines', async () => {
    const folder = await makeTemporary(context, 'weir-pgbench-');
    await writeFile(join(folder, 'pipeline.sql'), PIPELINE_SCRIPT);
    const options = [
      '-n',
      '-M',
      'prepared',
      '-c',
      '4',
      '-t',
      '100',
      '-f',
      join(folder, 'pipeline.sql'),
    ];
    const result = await runProgram(lab.through, ['pgbench', ...options]);
    if (result.code !== 0 || !result.stdout.includes('processed: 400/400')) {
      throw new Error(result.stdout + result.stderr);
    }
  });
}

async function checkDump(context: SuiteContext, lab: Lab): Promise<void> {
  await context.check('pg_dump: plain', () => runBoth(lab, ['pg_dump']));
  await context.check('pg_dump: as INSERTs', () => runBoth(lab, ['pg_dump', '--inserts']));
  await context.check('pg_dumpall: globals', () =>
    runBoth(lab, ['pg_dumpall', '--globals-only', '--no-role-passwords']),
  );
  await context.check('pg_dump | pg_restore: what went through twice is the same', async () => {
    await lab.recreate(SAMPLE);
    const folder = await makeTemporary(context, 'weir-dump-');
    const dumpDirect = async (): Promise<string> =>
      transcript(await runProgram(lab.direct, ['pg_dump']), lab.direct);
    const before = await dumpDirect();
    const dumped = await runProgram(lab.through, [
      'pg_dump',
      '-Fd',
      '-j',
      '2',
      '-f',
      join(folder, 'dump'),
    ]);
    if (dumped.code !== 0) throw new Error(dumped.stderr);
    await lab.recreate();
    const restored = await runProgram(lab.through, [
      'pg_restore',
      '-j',
      '2',
      '-d',
      'lab',
      join(folder, 'dump'),
    ]);
    if (restored.code !== 0) throw new Error(restored.stderr);
    assertSameText(await dumpDirect(), before, 'the restored database');
  });
  for (const command of [
    ['vacuumdb', '--analyze', '-t', 'people', '-e'],
    ['reindexdb', '-t', 'people', '-e'],
    ['clusterdb', '-t', 'people', '-e'],
    ['createdb', '-e', 'lab_made', '--maintenance-db=lab'],
    ['dropdb', '-e', '--if-exists', 'lab_made', '--maintenance-db=lab'],
    ['pg_isready'],
  ]) {
    await context.check(command[0] ?? '', async () => {
      await lab.admin('DROP DATABASE IF EXISTS lab_made', 'postgres');
      if (command[0] !== 'createdb') return runBoth(lab, command);
      const texts: string[] = [];
      for (const way of [lab.direct, lab.through]) {
        texts.push(transcript(await runProgram(way, command), way));
        await lab.admin('DROP DATABASE lab_made', 'postgres');
      }
      assertSameText(texts[1] ?? '', texts[0] ?? '', 'createdb');
    });
  }
}

/** PG-53: a replication connection would go past every mask. */
async function checkReplication(context: SuiteContext, lab: Lab): Promise<void> {
  if (targetKind() === 'copy') return context.skip('replication', 'a byte copy refuses nothing');
  const folder = await makeTemporary(context, 'weir-backup-');
  for (const command of [
    ['pg_basebackup', '-D', join(folder, 'base')],
    ['pg_receivewal', '-D', folder, '--no-loop'],
    ['pg_recvlogical', '-d', 'lab', '-S', 'slot', '--create-slot'],
  ]) {
    await context.check(`${command[0]} is refused by the gateway at sign-in (PG-53)`, async () => {
      const result = await runProgram(lab.through, command);
      if (result.code !== 1 || !/replication/i.test(result.stderr)) {
        throw new Error(`exit ${result.code}: ${result.stderr}`);
      }
      if (!/weir|gateway/i.test(result.stderr))
        throw new Error(`not by the gateway: ${result.stderr}`);
    });
  }
}

async function checkTls(context: SuiteContext, lab: Lab): Promise<void> {
  const script = PSQL_SCRIPTS['errors and notices'] ?? '';
  for (const environment of [
    { PGSSLMODE: 'require' },
    { PGSSLMODE: 'require', PGCHANNELBINDING: 'require' },
    { PGSSLMODE: 'require', PGCHANNELBINDING: 'disable' },
    { PGSSLMODE: 'prefer', PGSSLMINPROTOCOLVERSION: 'TLSv1.3' },
    { PGSSLMODE: 'prefer', PGSSLMAXPROTOCOLVERSION: 'TLSv1.2' },
  ]) {
    const name = Object.values(environment).join(', ');
    await context.check(`psql over TLS: ${name}`, () =>
      runBoth(lab, PSQL, { input: script, environment }),
    );
  }
  await context.check('pg_dump over TLS', () =>
    runBoth(lab, ['pg_dump'], { environment: { PGSSLMODE: 'require' } }),
  );
  await context.check('a wrong password is refused with the words of a server', async () => {
    const wrong = (way: Way): Way => ({ ...way, password: 'wrong' });
    const refused = await runProgram(wrong(lab.through), ['psql', '-X', '-c', 'SELECT 1']);
    if (!refused.stderr.includes(`password authentication failed for user "${lab.through.user}"`)) {
      throw new Error(refused.stderr);
    }
  });
}

async function runClients(context: SuiteContext): Promise<void> {
  const missing = debianPostgres15Missing();
  if (missing !== false) return context.skip('clients', missing);
  if (!(await isInstalled('psql'))) return context.skip('clients', 'psql is not installed');
  const lab = await openLab(context, { withTls: true });
  context.progress('psql');
  await checkPsql(context, lab);
  context.progress('pgbench');
  await checkPgbench(context, lab);
  context.progress('pg_dump and its like');
  await checkDump(context, lab);
  await checkReplication(context, lab);
  context.progress('TLS');
  await checkTls(context, lab);
}

export const clients: Suite = {
  name: 'clients',
  about: 'psql, pgbench, pg_dump and their like give the same output',
  run: runClients,
};
