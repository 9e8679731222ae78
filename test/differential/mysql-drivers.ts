/**
 * Real MySQL drivers: each runs one script that prints what it got (rows, types, errors, warnings), direct,
 * through the gateway as another user, and with the sign-in passed on; all again over TLS. The printed
 * texts must be equal.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { targetKind } from '../support/gateway-process.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled } from './lab.ts';
import {
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  mysqlTranscript,
  openMysqlLab,
  runMysqlProgram,
} from './mysql-lab.ts';
import { MYSQL_SAMPLE } from './mysql-sample.ts';

const CONNECTOR_J = '/usr/share/java/mariadb-java-client.jar';
const PYTHON = '/usr/bin/python3';
/** Four runs of the script and a Java start on a slow machine. */
const DRIVER_TIME_MAX = 180_000;

interface Driver {
  readonly name: string;
  readonly command: readonly string[];
  /** Succeeds where the driver is installed. */
  readonly probe: readonly string[];
}

function source(name: string): string {
  return fileURLToPath(new URL(`../../../test/differential/drivers/${name}`, import.meta.url));
}

function python(name: string, module: string): Driver {
  return {
    name,
    command: [PYTHON, source('mysql_dbapi.py'), module],
    probe: [PYTHON, '-c', `import ${module}`],
  };
}

const DRIVERS: readonly Driver[] = [
  {
    name: 'mysql2 (Node)',
    command: [
      process.execPath,
      fileURLToPath(new URL('./drivers/mysql-mysql2.js', import.meta.url)),
    ],
    probe: [process.execPath, '--version'],
  },
  python('PyMySQL', 'pymysql'),
  python('mysqlclient', 'MySQLdb'),
  {
    name: 'Connector/J',
    command: ['java', '-cp', CONNECTOR_J, source('mysql_connector.java')],
    probe: ['javac', '-version'],
  },
  {
    name: 'PHP mysqli',
    command: ['php', source('mysql_mysqli.php')],
    probe: ['php', '-r', "exit(extension_loaded('mysqli') ? 0 : 1);"],
  },
  {
    name: 'mysql2 (Ruby)',
    command: ['ruby', source('mysql_ruby.rb')],
    probe: ['ruby', '-e', "require 'mysql2'"],
  },
];

async function runDriver(
  lab: MysqlLab,
  way: MysqlWay,
  driver: Driver,
  tls: boolean,
): Promise<string> {
  await lab.recreate(MYSQL_SAMPLE);
  const result = await runMysqlProgram(way, driver.command, { tls, timeMax: DRIVER_TIME_MAX });
  const text = mysqlTranscript(result, way);
  if (result.code !== 0) throw new Error(`${way.name}: ${text.slice(-2500)}`);
  return text;
}

async function runDriversWith(context: SuiteContext, tls: boolean): Promise<void> {
  // On a TLS run the gateway takes nothing else, so that no driver can fall back to a plain connection.
  // There users have no verifier for mysql_native_password either, so it is caching_sha2_password (MY-8).
  const lab = await openMysqlLab(context, { withTls: tls, tlsMode: 'require', native: !tls });
  const ways = targetKind() === 'copy' ? [lab.through] : [lab.through, await lab.passthrough()];
  for (const driver of DRIVERS) {
    const [program = '', ...args] = driver.probe;
    const isThere = await isInstalled(program, args);
    if (!isThere || (driver.name === 'Connector/J' && !existsSync(CONNECTOR_J))) {
      context.skip(driver.name, 'it is not installed');
      continue;
    }
    const title = `${driver.name}${tls ? ', TLS' : ''}`;
    context.progress(title);
    let direct = '';
    const isRunDirect = await context.check(`${title}: direct`, async () => {
      direct = await runDriver(lab, lab.direct, driver, tls);
    });
    if (!isRunDirect) continue;
    for (const way of ways) {
      await context.check(`${title}: ${way.name}`, async () => {
        assertSameText(await runDriver(lab, way, driver, tls), direct, driver.name);
      });
    }
  }
}

async function runMysqlDrivers(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-drivers')) return;
  await runDriversWith(context, false);
  await runDriversWith(context, true);
}

export const mysqlDrivers: Suite = {
  name: 'mysql-drivers',
  about: 'MySQL drivers of five languages get the same rows, errors and warnings',
  run: runMysqlDrivers,
};
