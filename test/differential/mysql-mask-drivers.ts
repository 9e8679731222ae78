/** Drivers read masked values of every type: each becomes the same kind of value as direct (GW-8, MY-69). */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assertSameText, type SuiteContext } from './harness.ts';
import { isInstalled } from './lab.ts';
import { type MysqlLab, type MysqlWay, mysqlTranscript, runMysqlProgram } from './mysql-lab.ts';

const CONNECTOR_J = '/usr/share/java/mariadb-java-client.jar';
const PYTHON = '/usr/bin/python3';
const DRIVER_TIME_MAX = 120_000;

function source(name: string): string {
  return fileURLToPath(new URL(`../../../test/differential/drivers/${name}`, import.meta.url));
}

/** The command, and one that succeeds where the driver is installed. */
const DECODERS: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  'mysql2 (Node)': [
    [process.execPath, fileURLToPath(new URL('./drivers/mysql-decode.js', import.meta.url))],
    [process.execPath, '--version'],
  ],
  PyMySQL: [
    [PYTHON, source('mysql_decode.py'), 'pymysql'],
    [PYTHON, '-c', 'import pymysql'],
  ],
  mysqlclient: [
    [PYTHON, source('mysql_decode.py'), 'MySQLdb'],
    [PYTHON, '-c', 'import MySQLdb'],
  ],
  'Connector/J': [
    ['java', '-cp', CONNECTOR_J, source('mysql_decode.java')],
    ['javac', '-version'],
  ],
};

async function decode(way: MysqlWay, command: readonly string[]): Promise<string> {
  const result = await runMysqlProgram(way, command, { timeMax: DRIVER_TIME_MAX });
  if (result.code !== 0) throw new Error(mysqlTranscript(result, way).slice(-2000));
  // NULL stands for a member of an ENUM, a JSON text for a JSON document (MY-70).
  return result.stdout.replace(/^(c_enum|c_json): \w+$/gm, '$1');
}

export async function checkMaskedDrivers(context: SuiteContext, lab: MysqlLab): Promise<void> {
  for (const [name, [command, [program = '', ...args]]] of Object.entries(DECODERS)) {
    const isThere = await isInstalled(program, args);
    if (!isThere || (name === 'Connector/J' && !existsSync(CONNECTOR_J))) {
      context.skip(`decode: ${name}`, 'it is not installed');
      continue;
    }
    await context.check(`decode: ${name} reads masked values of every type`, async () => {
      const direct = await decode(lab.direct, command);
      const through = await decode(lab.through, command);
      if (/not a number|invalid date/.test(through)) throw new Error(through);
      assertSameText(through, direct, name);
    });
  }
}
