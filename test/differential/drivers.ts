/**
 * Real drivers: each runs one script that prints what it got (rows, types, tags, errors, notices), direct,
 * through the gateway as another user, and both again over TLS. The printed texts must be equal.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled, type Lab, openLab, runProgram, transcript, type Way } from './lab.ts';
import { SAMPLE } from './psql-scripts.ts';

const JDBC = '/usr/share/java/postgresql.jar';
const PYTHON = '/usr/bin/python3';
/** What the large object interfaces of the drivers print; they use FunctionCall (PG-46). */
const LARGE_OBJECT = /^LARGE OBJECT .*$/m;

interface Driver {
  readonly name: string;
  readonly command: readonly string[];
  /** Succeeds where the driver is installed. */
  readonly probe: readonly string[];
}

function source(name: string): string {
  return fileURLToPath(new URL(`../../../test/differential/drivers/${name}`, import.meta.url));
}

function python(module: string, script: string): Driver {
  return {
    name: module,
    command: [PYTHON, source(script)],
    probe: [PYTHON, '-c', `import ${module}`],
  };
}

const DRIVERS: readonly Driver[] = [
  {
    name: 'node-postgres',
    command: [process.execPath, fileURLToPath(new URL('./drivers/node-pg.js', import.meta.url))],
    probe: [process.execPath, '--version'],
  },
  python('psycopg', 'psycopg3.py'),
  // The script must not have the module's own name.
  python('psycopg2', 'psycopg2_driver.py'),
  python('asyncpg', 'asyncpg_driver.py'),
  {
    name: 'pgjdbc',
    command: ['java', '-cp', JDBC, source('Jdbc.java')],
    probe: ['javac', '-version'],
  },
  {
    name: 'PHP pgsql',
    command: ['php', source('pgsql.php')],
    probe: ['php', '-r', "exit(extension_loaded('pgsql') ? 0 : 1);"],
  },
  {
    name: 'Ruby pg',
    command: ['ruby', source('ruby_pg.rb')],
    probe: ['ruby', '-e', "require 'pg'"],
  },
];

async function runDriver(lab: Lab, way: Way, driver: Driver, tls: string): Promise<string> {
  await lab.recreate(SAMPLE);
  const result = await runProgram(way, driver.command, { environment: { PGSSLMODE: tls } });
  if (result.code !== 0) throw new Error(`${way.name}: ${transcript(result, way).slice(-1500)}`);
  // Not the error output: the drivers' own warnings there depend on timing.
  return transcript({ ...result, stderr: '' }, way);
}

async function compare(lab: Lab, driver: Driver, tls: string): Promise<void> {
  const direct = await runDriver(lab, lab.direct, driver, tls);
  const through = await runDriver(lab, lab.through, driver, tls);
  const large = LARGE_OBJECT.exec(through)?.[0];
  // A refusal is right, and so is a call that is on the gateway's list; anything else is not.
  if (large !== undefined && !/worked$|refused: 42501/.test(large)) {
    throw new Error(`a FunctionCall was neither carried out nor refused with 42501: ${large}`);
  }
  const rest = (text: string): string => text.replace(LARGE_OBJECT, 'LARGE OBJECT');
  assertSameText(rest(through), rest(direct), driver.name);
}

async function runDrivers(context: SuiteContext): Promise<void> {
  const lab = await openLab(context, { withTls: true });
  for (const driver of DRIVERS) {
    const [program = '', ...args] = driver.probe;
    const isThere = await isInstalled(program, args);
    if (!isThere || (driver.name === 'pgjdbc' && !existsSync(JDBC))) {
      context.skip(driver.name, 'it is not installed');
      continue;
    }
    context.progress(driver.name);
    for (const tls of ['disable', 'require']) {
      await context.check(`${driver.name}, sslmode ${tls}`, () => compare(lab, driver, tls));
    }
  }
}

export const drivers: Suite = {
  name: 'drivers',
  about: 'drivers of seven languages and libraries get the same rows, errors and notices',
  run: runDrivers,
};
