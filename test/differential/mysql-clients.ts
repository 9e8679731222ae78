/**
 * MariaDB's programs (mariadb, mariadb-dump, mariadb-admin, mariadb-check, mariadb-import, mariadb-slap) and
 * sysbench, each with the same input direct and through the gateway: output, errors and exit code must be
 * the same bytes.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeTemporary, targetKind } from '../support/gateway-process.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { DATABASE, isInstalled, type ProgramOptions } from './lab.ts';
import {
  isMariadbMissing,
  loginArgs,
  type MysqlLab,
  type MysqlWay,
  mysqlTranscript,
  openMysqlLab,
  runMysqlProgram,
} from './mysql-lab.ts';
import { MYSQL_SAMPLE } from './mysql-sample.ts';
import { CLI_SCRIPTS } from './mysql-scripts.ts';

/** One program's start takes 0.1 s; a slow machine under load is given hundreds of times that. */
const PROGRAM_TIME_MAX = 120_000;
const SYSBENCH_EVENTS = 150;

interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly tls?: boolean;
}

async function runOne(
  way: MysqlWay,
  { program, args, tls }: Invocation,
  options: ProgramOptions = {},
): Promise<string> {
  // The program that makes load has no such option, and no text worth it.
  const charset = program === 'mariadb-slap' ? [] : ['--default-character-set=utf8mb4'];
  const command = [program, ...loginArgs(way, tls), ...charset, ...args];
  const result = await runMysqlProgram(way, command, { timeMax: PROGRAM_TIME_MAX, ...options });
  return steady(mysqlTranscript(result, way));
}

/** Without what differs from one run to the next: connection numbers, counters, times, ciphers' sessions. */
function steady(text: string): string {
  return (
    text
      .replace(/(Connection id:\s+)\d+/gi, '$1N')
      .replace(/^(Uptime:).*$/gm, '$1 N')
      // Of tables; nobody asks for these through another way.
      .replace(/ (?:Create|Update|Check)_time="[^"]*"/g, '')
      .replace(/^(Threads: ).*$/gm, '$1 N')
      .replace(/(Ctrl-C -- query killed\.?).*/g, '$1')
      .replace(
        /^(\s*<field name="Create_time">|.*(?:Average|Minimum|Maximum) number of seconds).*$/gm,
        '$1',
      )
  );
}

async function compare(
  lab: MysqlLab,
  invocation: Invocation,
  options: ProgramOptions = {},
  through: MysqlWay = lab.through,
): Promise<void> {
  const texts: string[] = [];
  for (const way of [lab.direct, through]) {
    await lab.recreate(MYSQL_SAMPLE);
    texts.push(await runOne(way, invocation, options));
  }
  const [direct = '', other = ''] = texts;
  if (direct.startsWith('exit null')) throw new Error(`no end in time, even direct: ${direct}`);
  assertSameText(other, direct, invocation.program);
}

async function checkCli(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const [name, { args, input }] of Object.entries(CLI_SCRIPTS)) {
    await context.check(`mariadb: ${name}`, () =>
      compare(lab, { program: 'mariadb', args: [...args, DATABASE] }, { input }),
    );
  }
  for (const name of ['batch', 'several statements at once', 'large values']) {
    const script = CLI_SCRIPTS[name];
    if (script === undefined) throw new Error(`no script ${name}`);
    const invocation = { program: 'mariadb', args: [...script.args, DATABASE], tls: true };
    await context.check(`mariadb, TLS: ${name}`, () =>
      compare(lab, invocation, { input: script.input }),
    );
    if (targetKind() === 'copy') continue;
    await context.check(`mariadb, TLS, sign-in passed on: ${name}`, async () =>
      compare(lab, invocation, { input: script.input }, await lab.passthrough()),
    );
  }
  await context.check('mariadb: SIGINT kills the statement that runs (MY-17)', async () => {
    const args = ['--force', '-t', DATABASE];
    const input = "SELECT SLEEP(50) AS s;\nSELECT 'goes on';\n";
    await compare(
      lab,
      { program: 'mariadb', args },
      {
        input,
        whileRunning: async (child) => {
          await waitForStatement(lab, 'SELECT SLEEP(50) AS s');
          child.kill('SIGINT');
        },
      },
    );
  });
  await checkRehash(context, lab);
}

/** Waits until a session runs exactly this text. */
async function waitForStatement(lab: MysqlLab, text: string): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const found = await lab.admin(
      `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = '${text}'`,
    );
    if (found.trim() !== '0') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody runs ${text}`);
}

/** On a terminal the program asks for each table's columns with COM_FIELD_LIST (MY-19) and shows progress (MY-31). */
async function checkRehash(context: SuiteContext, lab: MysqlLab): Promise<void> {
  if (!(await isInstalled('script'))) {
    return context.skip('mariadb on a terminal', 'the script program is not installed');
  }
  await context.check('mariadb on a terminal: names for completion, and progress', async () => {
    for (const way of [lab.direct, lab.through]) {
      await lab.recreate(MYSQL_SAMPLE);
      const line = ['mariadb', ...loginArgs(way), '--auto-rehash', DATABASE].join(' ');
      const result = await runMysqlProgram(way, ['script', '-qec', line, '/dev/null'], {
        input:
          "use lab\nALTER TABLE people ALGORITHM=COPY, ADD COLUMN x INT;\nSELECT CONCAT('an', 'swer') AS a;\nexit\n",
        timeMax: PROGRAM_TIME_MAX,
        environment: { TERM: 'dumb' },
      });
      const text = result.stdout + result.stderr;
      for (const expected of ['Reading table information', 'Records: 300', '| answer |']) {
        if (!text.includes(expected)) throw new Error(`${way.name}: no ${expected} in: ${text}`);
      }
    }
  });
}

async function checkLocalInfile(context: SuiteContext, lab: MysqlLab): Promise<void> {
  const folder = await makeTemporary(context, 'weir-infile-');
  const file = join(folder, 'sink.txt');
  const rows = Array.from({ length: 5000 }, (_, index) => `${index}\trow ${index}\n`).join('');
  await writeFile(file, rows);
  const load = `LOAD DATA LOCAL INFILE '${file}' INTO TABLE sink (n, v);`;
  const input = `${load}\nSELECT COUNT(*), SUM(n), MAX(v) FROM sink;\nSELECT 1; ${load}\nLOAD DATA LOCAL INFILE '${folder}/missing' INTO TABLE sink (n, v);\nSELECT COUNT(*) FROM sink;\n`;
  const invocation = {
    program: 'mariadb',
    args: ['--local-infile=1', '--force', '-vvv', DATABASE],
  };
  await context.check(
    'LOAD DATA LOCAL is refused unless allowed, and nothing is read (MY-34, MY-40)',
    async () => {
      await lab.recreate(MYSQL_SAMPLE);
      const text = await runOne(lab.through, invocation, { input });
      const count = (await lab.admin('SELECT COUNT(*) FROM sink')).trim();
      if (count !== '0') throw new Error(`${count} rows were loaded`);
      if (!/ERROR \d+ \(\w+\) at line 1/.test(text)) throw new Error(`no error: ${text}`);
      if (!text.includes('COUNT(*)')) throw new Error(`the session did not go on: ${text}`);
    },
  );
  const open = await openMysqlLab(context, { localInfile: true });
  await context.check('LOAD DATA LOCAL where it is allowed (MY-34)', () =>
    compare(open, invocation, { input }),
  );
  await context.check('mariadb-import', async () => {
    await compare(open, {
      program: 'mariadb-import',
      args: ['--local', '--columns=n,v', DATABASE, file],
    });
    const count = (await open.admin('SELECT COUNT(*) FROM sink')).trim();
    if (count !== '5000') throw new Error(`${count} rows were loaded`);
  });
}

const DUMPS: Readonly<Record<string, readonly string[]>> = {
  plain: ['--skip-dump-date'],
  everything: ['--skip-dump-date', '--routines', '--triggers', '--events', '--hex-blob'],
  'without optimisation': ['--skip-dump-date', '--skip-opt', '--complete-insert'],
  'in one transaction': [
    '--skip-dump-date',
    '--single-transaction',
    '--quick',
    '--order-by-primary',
  ],
  XML: ['--xml', '--skip-dump-date'],
};

/** Through a shell, since a dump is bytes and not text. Empty when it went well. */
async function restore(way: MysqlWay, file: string): Promise<string> {
  const command = ['sh', '-c', 'exec "$0" "$@" < "$DUMP_FILE"', 'mariadb', ...loginArgs(way)];
  const result = await runMysqlProgram(
    way,
    [...command, '--default-character-set=utf8mb4', '--binary-mode', DATABASE],
    { timeMax: PROGRAM_TIME_MAX, environment: { DUMP_FILE: file } },
  );
  return result.code === 0 ? '' : mysqlTranscript(result, way);
}

async function checkDump(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const [name, args] of Object.entries(DUMPS)) {
    await context.check(`mariadb-dump: ${name}`, () =>
      compare(lab, { program: 'mariadb-dump', args: [...args, DATABASE] }),
    );
  }
  await context.check('mariadb-dump, TLS', () =>
    compare(lab, { program: 'mariadb-dump', args: ['--skip-dump-date', DATABASE], tls: true }),
  );
  await context.check('mariadb-dump | mariadb: what went through twice is the same', async () => {
    const args = ['--skip-dump-date', '--routines', '--skip-definer', DATABASE];
    await lab.recreate(MYSQL_SAMPLE);
    const folder = await makeTemporary(context, 'weir-dump-');
    const file = join(folder, 'dump.sql');
    const dump = {
      program: 'mariadb-dump',
      args: [`--result-file=${file}`, ...args.slice(0, 2), DATABASE],
    };
    const before = await runOne(lab.through, dump);
    if (!before.startsWith('exit 0')) throw new Error(before);
    const first = await readFile(file, 'latin1');
    await lab.recreate();
    // The definers are other users than the one that restores.
    const input = first.replace(/DEFINER=`\w+`@`[^`]+`/g, '');
    await writeFile(file, input, 'latin1');
    const restored = await restore(lab.through, file);
    if (restored !== '') throw new Error(restored);
    await runOne(lab.direct, dump);
    const second = (await readFile(file, 'latin1')).replace(/DEFINER=`\w+`@`[^`]+`/g, '');
    assertSameText(second, input, 'the restored database');
  });
}

const PROGRAMS: readonly Invocation[] = [
  { program: 'mariadb-admin', args: ['ping'] },
  { program: 'mariadb-admin', args: ['status'] },
  { program: 'mariadb-admin', args: ['version'] },
  { program: 'mariadb-admin', args: ['drop', '--force', 'not_there'] },
  { program: 'mariadb-admin', args: ['create', 'lab_other'] },
  { program: 'mariadb-check', args: ['--check', DATABASE] },
  { program: 'mariadb-check', args: ['--analyze', '--optimize', DATABASE] },
  { program: 'mariadb-show', args: ['--keys', DATABASE, 'people'] },
];

async function checkPrograms(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const one of PROGRAMS) {
    await context.check(`${one.program} ${one.args.join(' ')}`, () => compare(lab, one));
  }
  await context.check('mariadb-admin processlist shows the own sessions', async () => {
    const text = await runOne(lab.through, { program: 'mariadb-admin', args: ['processlist'] });
    if (!text.startsWith('exit 0') || !/\bapp\b/.test(text)) throw new Error(text);
  });
  await context.check('mariadb-slap: 400 statements on 4 connections', async () => {
    await lab.recreate(MYSQL_SAMPLE);
    const query = 'INSERT INTO sink (n) VALUES (1);SELECT COUNT(*) FROM people';
    const args = [
      '--concurrency=4',
      '--number-of-queries=400',
      '--delimiter=;',
      `--query=${query}`,
    ];
    const text = await runOne(lab.through, {
      program: 'mariadb-slap',
      args: [...args, `--create-schema=${DATABASE}`, '--no-drop'],
    });
    if (!text.startsWith('exit 0')) throw new Error(text);
    const count = (await lab.admin('SELECT COUNT(*) FROM sink')).trim();
    if (count !== '200') throw new Error(`${count} rows instead of 200`);
  });
}

async function checkSysbench(context: SuiteContext, lab: MysqlLab): Promise<void> {
  if (!(await isInstalled('sysbench'))) return context.skip('sysbench', 'it is not installed');
  const { port, user, password } = lab.through;
  const common = [
    '--db-driver=mysql',
    '--mysql-host=127.0.0.1',
    `--mysql-port=${port}`,
    `--mysql-user=${user}`,
    `--mysql-password=${password}`,
    `--mysql-db=${DATABASE}`,
    '--tables=2',
    '--table-size=1000',
  ];
  const sysbench = async (args: readonly string[]): Promise<string> => {
    const command = ['sysbench', ...common, ...args];
    const result = await runMysqlProgram(lab.through, command, { timeMax: PROGRAM_TIME_MAX });
    if (result.code !== 0) throw new Error(result.stdout + result.stderr);
    return result.stdout;
  };
  await lab.recreate();
  const isPrepared = await context.check(
    'sysbench: prepares its tables through the gateway',
    async () => {
      await sysbench(['oltp_read_write', 'prepare']);
      const count = (await lab.admin('SELECT COUNT(*) FROM sbtest2')).trim();
      if (count !== '1000') throw new Error(`${count} rows instead of 1000`);
    },
  );
  if (!isPrepared) return;
  for (const test of ['oltp_point_select', 'oltp_read_write']) {
    for (const mode of ['auto', 'disable']) {
      await context.check(`sysbench: ${test}, --db-ps-mode=${mode}`, async () => {
        const limits = ['--threads=4', `--events=${SYSBENCH_EVENTS}`, '--time=0', '--rand-seed=7'];
        const text = await sysbench([test, ...limits, `--db-ps-mode=${mode}`, 'run']);
        // A deadlock is the server's affair and is tried again.
        const count = /transactions: +(\d+)/.exec(text)?.[1];
        if (count !== String(SYSBENCH_EVENTS)) throw new Error(text);
      });
    }
  }
}

async function runMysqlClients(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-clients')) return;
  const lab = await openMysqlLab(context, {
    withTls: true,
    grant: 'ALL ON *.*',
  });
  context.progress('mariadb');
  await checkCli(context, lab);
  context.progress('LOAD DATA LOCAL');
  await checkLocalInfile(context, lab);
  context.progress('mariadb-dump');
  await checkDump(context, lab);
  context.progress('other programs');
  await checkPrograms(context, lab);
  context.progress('sysbench');
  await checkSysbench(context, lab);
}

export const mysqlClients: Suite = {
  name: 'mysql-clients',
  about: "MariaDB's programs and sysbench say the same through the gateway",
  run: runMysqlClients,
};
