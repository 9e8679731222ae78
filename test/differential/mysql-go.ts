/**
 * The own test suite of go-sql-driver/mysql, direct and through the gateway both with its own sign-in and
 * with the client's passed on: each test must end the same way. The suite comes through Go's module
 * proxy when this runs; nothing of it is kept here.
 */

import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeTemporary, targetKind } from '../support/gateway-process.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { DATABASE, isInstalled } from './lab.ts';
import {
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
  runMysqlProgram,
} from './mysql-lab.ts';

/** The last that Debian 12's own Go (1.19) can build. */
const MODULE = 'github.com/go-sql-driver/mysql@v1.8.1';
/** Fetching and building take half a minute, each run of the suite a few seconds. */
const BUILD_TIME_MAX = 240_000;
const RUN_TIME_MAX = 180_000;
/** Fewer would mean that the suite did not run; 1.8.1 has over 150 with a database. */
const TESTS_MIN = 120;

const run = promisify(execFile);

/** Dials an address outside and dies where there is no answer. */
const LEFT_OUT = new Set(['TestConnectorReturnsTimeout']);

interface GoSuite {
  readonly binary: string;
  readonly folder: string;
  /** The tests to run, as -test.run wants them; older Go has no -test.skip. */
  readonly pattern: string;
}

/** The compiled tests and the folder they want to run in, or why there are none. */
async function build(context: SuiteContext): Promise<GoSuite | string> {
  if (!(await isInstalled('go', ['version']))) return 'Go is not installed';
  const folder = join(await makeTemporary(context, 'weir-go-'), 'mysql');
  try {
    const fetched = await run('go', ['mod', 'download', '-json', MODULE], {
      timeout: BUILD_TIME_MAX,
    });
    const { Dir }: { Dir: string } = JSON.parse(fetched.stdout);
    await cp(Dir, folder, { recursive: true });
    // What the module cache holds cannot be written to.
    await run('chmod', ['-R', 'u+w', folder]);
    const binary = join(folder, 'suite.test');
    await run('go', ['test', '-mod=mod', '-c', '-o', binary, '.'], {
      cwd: folder,
      timeout: BUILD_TIME_MAX,
    });
    const listed = await run(binary, ['-test.list', '^Test'], { cwd: folder });
    const names = listed.stdout
      .split('\n')
      .filter((name) => name.startsWith('Test') && !LEFT_OUT.has(name));
    return { binary, folder, pattern: `^(${names.join('|')})$` };
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return `the module cannot be fetched or built: ${text.trim().split('\n').at(-1)}`;
  }
}

interface GoRun {
  readonly name: string;
  /** How each test ended, one on a line. */
  readonly outcomes: string;
  readonly count: number;
  readonly log: string;
}

async function runGo(lab: MysqlLab, way: MysqlWay, suite: GoSuite): Promise<GoRun> {
  const database = `${DATABASE}_${way.name}`;
  await lab.admin(`CREATE DATABASE ${database}`);
  const command = ['sh', '-c', 'cd "$0" && exec "$@"', suite.folder, suite.binary];
  const result = await runMysqlProgram(
    way,
    [...command, '-test.v', '-test.timeout=170s', `-test.run=${suite.pattern}`],
    {
      timeMax: RUN_TIME_MAX,
      environment: {
        MYSQL_TEST_USER: way.user,
        MYSQL_TEST_PASS: way.password,
        MYSQL_TEST_PROT: 'tcp',
        MYSQL_TEST_ADDR: `127.0.0.1:${way.port}`,
        MYSQL_TEST_DBNAME: database,
        MYSQL_TEST_CONCURRENT: '1',
      },
    },
  );
  const found = [...result.stdout.matchAll(/^\s*--- (PASS|FAIL|SKIP): (\S+)/gm)];
  const outcomes = found.map(([, outcome, name]) => `${name} ${outcome}`).toSorted();
  return {
    name: way.name,
    outcomes: outcomes.join('\n'),
    count: outcomes.length,
    log: result.stdout + result.stderr,
  };
}

/** What the tests that end otherwise said. */
function explain(log: string, theirs: string, ours: string): string {
  const other = theirs.split('\n').filter((line) => !ours.split('\n').includes(line));
  return other
    .slice(0, 5)
    .map((line) => {
      const at = log.indexOf(`--- ${line.split(' ')[1]}: ${line.split(' ')[0]} `);
      return `${line}: ${log.slice(Math.max(0, at - 600), at + 200)}`;
    })
    .join('\n');
}

async function runMysqlGo(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-go')) return;
  context.progress('fetching and building');
  const suite = await build(context);
  if (typeof suite === 'string') return context.skip('mysql-go', suite);
  const lab = await openMysqlLab(context, {
    withTls: true,
    localInfile: true,
    // One test asks the server for the cipher.
    upstreamTls: 'require',
    grant: 'ALL ON *.*',
  });
  const passing = targetKind() === 'copy' ? [] : [await lab.passthrough()];
  context.progress('running');
  // All at once, each in a database of its own: the tests mostly wait.
  const [direct, ...others] = await Promise.all(
    [lab.direct, lab.through, ...passing].map((way) => runGo(lab, way, suite)),
  );
  if (direct === undefined) throw new Error('the direct run gives a result');
  const passed = direct.outcomes.split('\n').filter((line) => line.endsWith(' PASS')).length;
  context.progress(`direct: ${passed} of ${direct.count} tests pass`);
  await context.check('the suite runs direct', () => {
    if (passed < TESTS_MIN) throw new Error(direct.log.slice(-2000));
  });
  for (const through of others) {
    await context.check(
      `go-sql-driver: ${direct.count} tests end the same way, ${through.name}`,
      () => {
        if (through.outcomes === direct.outcomes) return;
        console.log(explain(through.log, through.outcomes, direct.outcomes));
        assertSameText(through.outcomes, direct.outcomes, 'the list of tests');
      },
    );
  }
}

export const mysqlGo: Suite = {
  name: 'mysql-go',
  about: "go-sql-driver's own tests end the same through the gateway",
  run: runMysqlGo,
};
