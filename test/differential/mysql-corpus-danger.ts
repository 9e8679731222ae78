/**
 * Does the reader ever call a statement less than it is? An independent classifier answers: a real
 * server counts each kind of statement that it begins to run, even one that it then denies. Statements
 * run as a user who may do nothing outside of one database.
 */

import { randomBytes } from 'node:crypto';
import type { Effect } from '../../lib/sql/analysis.ts';
import type { MariadbServer } from '../support/mariadb-server.ts';
import { OracleConnection } from './mysql-corpus-server.ts';

export const SANDBOX = 'weir_sandbox';
const SANDBOX_USER = 'weir_sandbox';

/** Tables that come and go are put back after so many statements. */
const CASES_PER_SANDBOX = 50;

/** They wait, end the server's session, or leave code behind that would be counted for others. */
const NOT_RUN =
  /^\W*(?:kill|shutdown)\b|\b(?:sleep|benchmark|get_lock|backup)\b|\bwait\b|\bcreate\b.{0,120}\b(?:trigger|procedure|function|event|package)\b/is;

/** What must be among the effects when the server has counted this; any one of them is enough. */
const COUNTED: readonly (readonly [RegExp, readonly Effect[]])[] = [
  [/^delete(?:_multi)?$/, ['delete']],
  [/^truncate$/, ['truncate']],
  [/^update(?:_multi)?$/, ['update']],
  [/^(?:insert|replace)(?:_select)?$/, ['insert']],
  [/^load$/, ['insert', 'copy-in', 'file']],
  [/^drop_temporary_table$/, ['drop', 'session']],
  [/^drop_(?:user|role)$/, ['drop', 'grant', 'admin']],
  [/^drop_/, ['drop']],
  [/^alter_user$/, ['alter', 'grant', 'admin']],
  [/^(?:alter_|rename_table)/, ['alter']],
  [/^rename_user$/, ['alter', 'grant', 'admin']],
  [/^create_(?:user|role)$/, ['create', 'grant', 'admin']],
  [/^create_(?:procedure|function|trigger|event|package|udf)/, ['create', 'code']],
  [/^create_/, ['create']],
  [/^(?:grant|revoke)/, ['grant']],
  [/^call_procedure$/, ['call']],
  [/^set_option$/, ['session', 'grant', 'admin']],
  [/^lock_tables$/, ['lock']],
  [/^(?:ha_read|ha_open)$/, ['read']],
  // Of EXECUTE IMMEDIATE the statement inside is counted as well.
  [/^execute_sql$/, ['call', 'unknown']],
  [
    /^(?:flush|reset|purge|install_plugin|uninstall_plugin|kill|shutdown)/,
    ['admin', 'replication'],
  ],
  [
    /^(?:change_master|start_slave|stop_slave|start_all|stop_all|binlog$)/,
    ['replication', 'admin', 'unknown'],
  ],
];

export interface DangerCase {
  readonly text: string;
  /** The effects that the reader tells; undefined: it refuses the text. */
  readonly effects: ReadonlySet<Effect> | undefined;
}

export interface Judgement {
  /** What the reader keeps back; undefined: it tells all. */
  readonly untold: string | undefined;
}

/** The same statement where somebody who wants to hide it would put it (MY-38, MY-41..43). */
export function disguises(statement: string): string[] {
  const isOne = !statement.includes(';') && !/\/\*|--|#/.test(statement);
  if (!isOne) return [statement];
  return [
    statement,
    `SELECT 1; ${statement}`,
    `/*!50000 ${statement} */`,
    `/*! ${statement} */`,
    `/*M!100100 ${statement} */; SELECT 2`,
    `/* a */ ${statement.replace(' ', '/**/ ')} -- b`,
    `BEGIN NOT ATOMIC ${statement}; END`,
    `IF 1 = 1 THEN ${statement}; END IF`,
    `SET STATEMENT max_statement_time = 1 FOR ${statement}`,
    `ANALYZE ${statement}`,
    `EXECUTE IMMEDIATE ${JSON.stringify(statement)}`,
  ];
}

export function mayRun(statement: string): boolean {
  return !NOT_RUN.test(statement);
}

export class Sandbox {
  readonly #server: MariadbServer;
  readonly #connection: OracleConnection;
  #count = 0;

  private constructor(server: MariadbServer, connection: OracleConnection) {
    this.#server = server;
    this.#connection = connection;
  }

  static async open(server: MariadbServer): Promise<Sandbox> {
    const password = randomBytes(12).toString('hex');
    await server.sql(`CREATE DATABASE ${SANDBOX};
CREATE USER ${SANDBOX_USER}@'127.0.0.1' IDENTIFIED BY '${password}';
GRANT ALL ON ${SANDBOX}.* TO ${SANDBOX_USER}@'127.0.0.1';`);
    const account = { user: SANDBOX_USER, password, database: SANDBOX };
    return new Sandbox(server, new OracleConnection(server, account));
  }

  /** Compares what the server counted with what the reader tells; undefined: nothing was counted. */
  async judge({ text, effects }: DangerCase): Promise<Judgement | undefined> {
    if (effects === undefined) return undefined;
    // A new session holds no locks, for which the restoring would wait.
    await this.#connection.reset(SANDBOX);
    if (this.#count % CASES_PER_SANDBOX === 0) {
      await this.#restore();
      await this.#connection.reset(SANDBOX);
    }
    this.#count += 1;
    const before = await this.#connection.counters();
    await this.#connection.run(text);
    const after = await this.#connection.counters();
    let isCounted = false;
    for (const [name, count] of after) {
      const expected = COUNTED.find(([pattern]) => pattern.test(name))?.[1];
      if (expected === undefined || count <= (before.get(name) ?? 0)) continue;
      isCounted = true;
      if (!expected.some((effect) => effects.has(effect)))
        return { untold: `counted as ${name}, told as ${[...effects].join(' ') || 'nothing'}` };
    }
    return isCounted ? { untold: undefined } : undefined;
  }

  async #restore(): Promise<void> {
    await this.#server.sql(`DROP DATABASE IF EXISTS ${SANDBOX}; CREATE DATABASE ${SANDBOX};
USE ${SANDBOX};
CREATE TABLE t1 (a int, b int, c int); INSERT INTO t1 VALUES (1, 2, 3);
CREATE TABLE t2 (a int, b int, c int); INSERT INTO t2 VALUES (1, 2, 3);
CREATE TABLE t3 (a int, b int, c int); CREATE VIEW v1 AS SELECT * FROM t1;`);
  }

  close(): void {
    this.#connection.close();
  }
}
