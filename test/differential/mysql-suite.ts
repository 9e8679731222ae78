/**
 * MariaDB's own test suite (Debian package mariadb-test-data): each file of a fixed list is run direct and
 * through a gateway with no rules, on two fresh servers, and what the two print is compared with each
 * other, not with `r/`: what differs there because of this machine is no concern of ours.
 */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { type Login, makeTemporary } from '../support/gateway-process.ts';
import { type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { startMysqlTarget } from '../support/mysql-gateway.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { isInstalled, runProgram } from './lab.ts';
import { isMariadbMissing } from './mysql-lab.ts';
import { SUITE_FILES } from './mysql-suite-list.ts';

export const SUITE_FOLDER = '/usr/share/mysql/mysql-test';
/** The slowest of the list takes 3 s on an idle machine. */
const FILE_TIME_MAX = 90_000;

/** Past the gateway; the tests themselves are `root` without a password, as their writers expect. */
const KEEPER: Login = { user: 'keeper', password: 'keeper-secret' };

/** What the tests expect of a server beyond its defaults. */
const SERVER_ARGS = [
  '--skip-name-resolve=0',
  '--sql-mode=',
  '--character-set-server=latin1',
  '--loose-local-infile=1',
  '--secure-file-priv=',
  `--plugin-maturity=experimental`,
  '--default-time-zone=+03:00',
];

/** Files that print something else through a gateway on purpose. */
const BY_DESIGN: ReadonlyMap<string, string> = new Map([
  ['change_user', 'accounts with the password hash of before MySQL 4.1 are refused (MY-7)'],
  ['set_password', 'accounts with the password hash of before MySQL 4.1 are refused (MY-7)'],
  ['mysql_not_windows', "the text of one error at sign-in is the gateway's own"],
]);

export interface SuitePlace {
  readonly server: MariadbServer;
  /** Where the tests connect to: the server or a gateway. */
  port: number;
  /** Of its own for each place; both have the same length, as some tests print it. */
  readonly folder: string;
  readonly mode: readonly string[];
}

export async function openSuitePlace(
  context: SuiteContext,
  mode: readonly string[] = [],
): Promise<SuitePlace> {
  const server = await startMariadb({ args: SERVER_ARGS });
  context.teardown(() => server.stop());
  await server.sql(
    `CREATE USER ${KEEPER.user}@localhost IDENTIFIED BY '${KEEPER.password}';
     GRANT ALL ON *.* TO ${KEEPER.user}@localhost WITH GRANT OPTION;
     CREATE DATABASE mtr;
     DELIMITER //
     CREATE PROCEDURE mtr.add_suppression(pattern VARCHAR(255)) BEGIN END//
     DELIMITER ;
     DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';
     ALTER USER root@localhost IDENTIFIED BY '';
     FLUSH PRIVILEGES`,
  );
  const folder = await makeTemporary(context, 'weir-suite-');
  return { server, port: server.port, folder, mode };
}

const SYSTEM_DATABASES = "'mysql', 'information_schema', 'performance_schema', 'sys', 'mtr'";

/** Everything that an earlier file may have left behind, away; an empty database `test`. */
async function tidy({ server }: SuitePlace): Promise<void> {
  // Not kept open: some tests count the sessions.
  const keeper = await mysql.createConnection({
    socketPath: server.socket,
    ...KEEPER,
    multipleStatements: true,
  });
  const [rows] = await keeper.query<mysql.RowDataPacket[]>(
    `SELECT CONCAT('DROP DATABASE \`', REPLACE(SCHEMA_NAME, '\`', '\`\`'), '\`') AS drops FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN (${SYSTEM_DATABASES})
     UNION ALL SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host)) FROM mysql.user WHERE is_role = 'N' AND User NOT IN ('root', 'mariadb.sys', '${KEEPER.user}', 'mysql')
     UNION ALL SELECT CONCAT('DROP ROLE ', QUOTE(User)) FROM mysql.user WHERE is_role = 'Y'`,
  );
  const drops = rows.map((row) => String(row['drops']));
  await keeper.query(['SET foreign_key_checks = 0', ...drops, 'CREATE DATABASE test'].join('; '));
  await keeper.end();
}

/** What the file prints, or why it broke off. */
export async function runSuiteFile(place: SuitePlace, name: string): Promise<string> {
  await tidy(place);
  const folder = join(place.folder, 'var');
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'tmp'), { recursive: true });
  const result = join(folder, 'result');
  const client = `--no-defaults --host=127.0.0.1 --port=${place.port} --user=root`;
  // Includes are looked for from the suite's own folder.
  const command = [
    'sh',
    '-c',
    'cd "$0" && exec "$@"',
    SUITE_FOLDER,
    'mariadb-test',
    '--no-defaults',
    '--host=127.0.0.1',
    `--port=${place.port}`,
    // The tests' own connections say localhost, which would be the socket.
    '--protocol=tcp',
    '--user=root',
    '--database=test',
    `--basedir=${SUITE_FOLDER}`,
    `--tmpdir=${join(folder, 'tmp')}`,
    `--logdir=${folder}`,
    `--test-file=${join(SUITE_FOLDER, 'main', `${name}.test`)}`,
    `--result-file=${result}`,
    '--record',
    '--silent',
    ...place.mode,
  ];
  const outcome = await runProgram(
    { name: 'direct', port: place.port, user: 'root', password: '' },
    command,
    {
      timeMax: FILE_TIME_MAX,
      environment: {
        MYSQL_TEST_DIR: SUITE_FOLDER,
        MYSQLTEST_VARDIR: folder,
        MYSQL_TMP_DIR: join(folder, 'tmp'),
        MYSQLD_DATADIR: place.server.dataDir,
        MASTER_MYPORT: String(place.port),
        MASTER_MYSOCK: place.server.socket,
        MYSQL: `mariadb ${client}`,
        MYSQL_DUMP: `mariadb-dump ${client}`,
        MYSQL_CHECK: `mariadb-check ${client}`,
        MYSQLADMIN: `mariadb-admin ${client}`,
        MYSQL_SHAREDIR: '/usr/share/mysql',
        CHARSETSDIR: '/usr/share/mysql/charsets',
        TZ: 'GMT-3',
      },
    },
  );
  const text = await readFile(result, 'latin1').catch(() => '(no result)');
  const errors =
    outcome.code === 0 ? '' : `\nexit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`;
  return `${text}${errors}`
    .replaceAll(place.folder, 'FOLDER')
    .replaceAll(place.server.dataDir, 'DATADIR')
    .replace(new RegExp(`\\b(?:${place.port}|${place.server.port})\\b`, 'g'), 'PORT');
}

/** Text protocol for all, and for some also prepared statements and cursors, which are binary. */
const MODES: readonly (readonly [string, readonly string[], number])[] = [
  ['text', [], 1],
  ['prepared', ['--ps-protocol'], 5],
  ['cursor', ['--ps-protocol', '--cursor-protocol'], 10],
];

async function runMode(
  context: SuiteContext,
  name: string,
  { mode, every }: { readonly mode: readonly string[]; readonly every: number },
): Promise<void> {
  const [direct, through] = [
    await openSuitePlace(context, mode),
    await openSuitePlace(context, mode),
  ];
  const target = await startMysqlTarget(context, {
    upstreamPort: through.server.port,
    upstream: KEEPER,
    auth: 'passthrough',
    durability: 'relaxed',
    localInfile: true,
  });
  through.port = target.port;
  const files = SUITE_FILES.filter((_, index) => index % every === 0);
  for (const [index, file] of files.entries()) {
    const reason = BY_DESIGN.get(file);
    if (reason !== undefined) {
      context.skip(`${name}: ${file}`, reason);
      continue;
    }
    if (index % 40 === 0) context.progress(`${name}: file ${index + 1} of ${files.length}`);
    const [expected, actual] = await Promise.all([
      runSuiteFile(direct, file),
      runSuiteFile(through, file),
    ]);
    if (/^exit 62$/m.test(expected) && mode.length > 0) {
      context.skip(`${name}: ${file}`, 'by its own word not for this protocol');
      continue;
    }
    await context.check(`${name}: ${file}`, () => {
      if (/^exit /m.test(expected)) throw new Error(`fails even direct: ${expected.slice(-600)}`);
      assertSameText(actual, expected, file);
    });
  }
  await target.stop();
  await direct.server.stop();
  await through.server.stop();
}

async function runMysqlSuite(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-suite')) return;
  if (!existsSync(join(SUITE_FOLDER, 'main')) || !(await isInstalled('mariadb-test'))) {
    return context.skip('mysql-suite', 'mariadb-test and mariadb-test-data are not installed');
  }
  for (const [name, mode, every] of MODES) await runMode(context, name, { mode, every });
}

export const mysqlSuite: Suite = {
  name: 'mysql-suite',
  about: "files of MariaDB's own test suite print the same through the gateway",
  run: runMysqlSuite,
};
