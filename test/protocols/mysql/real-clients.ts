/** Clients that people use, for one sign-in and one statement each: mysql2, MariaDB's program, PyMySQL. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
/** Generous: machines that run tests are slow and loaded. */
const TIME_MAX = 60_000;

export interface Visit {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly isSecure: boolean;
  readonly database?: string;
  readonly statement?: string;
}

export interface RealClient {
  readonly name: string;
  /** What the statement gave, or `error 1045: ...`. */
  visit(visit: Visit): Promise<string>;
}

const mysql2: RealClient = {
  name: 'mysql2',
  visit: async ({ port, user, password, isSecure, database, statement = 'do 1' }) => {
    try {
      const connection = await createConnection({
        host: '127.0.0.1',
        port,
        user,
        password,
        ...(database === undefined ? {} : { database }),
        ...(isSecure ? { ssl: { rejectUnauthorized: false } } : {}),
      });
      const [rows] = await connection.query({ sql: statement, rowsAsArray: true });
      await connection.end();
      return Array.isArray(rows) ? rows.map(String).join('\n') : 'done';
    } catch (error) {
      return describe(error);
    }
  },
};

const mariadb: RealClient = {
  name: 'mariadb',
  visit: async ({ port, user, password, isSecure, database, statement = 'do 1' }) => {
    const target = ['--no-defaults', '--host=127.0.0.1', `--port=${port}`, `--user=${user}`];
    const tls = isSecure ? ['--ssl', '--disable-ssl-verify-server-cert'] : ['--skip-ssl'];
    const args = [...target, ...tls, '-N', '-B', `--execute=${statement}`];
    try {
      const { stdout } = await run('mariadb', [...args, database ?? ''].filter(Boolean), {
        timeout: TIME_MAX,
        env: { PATH: process.env['PATH'] ?? '', MYSQL_PWD: password },
      });
      return stdout.trim() === '' ? 'done' : stdout.trim();
    } catch (error) {
      return describe(error);
    }
  },
};

const PYMYSQL_SCRIPT = `
import sys, pymysql, ssl
port, user, password, secure, database, statement = sys.argv[1:]
tls = {"ssl": {"check_hostname": False}} if secure == "1" else {}
try:
    c = pymysql.connect(host="127.0.0.1", port=int(port), user=user, password=password, database=database or None, **tls)
    with c.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall()
    c.close()
    print("\\n".join(",".join(str(v) for v in row) for row in rows) or "done")
except pymysql.MySQLError as e:
    print("error %s: %s" % (e.args[0], e.args[1] if len(e.args) > 1 else ""))
`;

const pymysql: RealClient = {
  name: 'pymysql',
  visit: async ({ port, user, password, isSecure, database = '', statement = 'do 1' }) => {
    const words = [String(port), user, password, isSecure ? '1' : '0', database, statement];
    const { stdout } = await run(PYTHON, ['-c', PYMYSQL_SCRIPT, ...words], { timeout: TIME_MAX });
    return stdout.trim();
  },
};

/** Those that are installed here; mysql2 always is. */
export async function findClients(): Promise<RealClient[]> {
  const clients = [mysql2];
  if (await works('mariadb', ['--version'])) clients.push(mariadb);
  if (existsSync(PYTHON) && (await works(PYTHON, ['-c', 'import pymysql']))) clients.push(pymysql);
  return clients;
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, [...args], { timeout: TIME_MAX });
    return true;
  } catch {
    return false; // It is not installed, whatever the reason.
  }
}

function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('stderr' in error && typeof error.stderr === 'string') {
    const match = /ERROR (\d+) \(\w+\)[^:]*: (.*)/.exec(error.stderr);
    return match === null ? error.stderr : `error ${match[1]}: ${match[2]}`;
  }
  const errno = 'errno' in error ? error.errno : 'none';
  return `error ${String(errno)}: ${'message' in error ? String(error.message) : ''}`;
}
