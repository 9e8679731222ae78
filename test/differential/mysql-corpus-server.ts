/**
 * The oracle of the corpus suite: a private MariaDB that prepares statements without running them, and
 * counts what it ran (`SHOW STATUS LIKE 'Com_%'`) for those that may run in a sandbox.
 */

import { createConnection, type Connection, type QueryError, type RowDataPacket } from 'mysql2';
import type { MariadbServer } from '../support/mariadb-server.ts';

/** Seconds that the server lets one statement take. */
const STATEMENT_TIME_MAX = 2;

export interface Prepared {
  /** 0: prepared. 1064: a syntax error. LOST: no answer. Others: the grammar is fine, and something else is not. */
  readonly errno: number;
  /** Names of the result's columns as the server gives them. */
  readonly columns: readonly string[];
}

export interface OracleAccount {
  readonly user: string;
  readonly password: string;
  readonly database?: string;
}

export const LOST = -1;

/** Losing the connection is no answer: the caller opens another. */
const isLost = (error: QueryError): boolean => error.fatal;

export class OracleConnection {
  readonly #open: () => Connection;
  #connection: Connection;

  constructor(server: MariadbServer, account: OracleAccount) {
    this.#open = () => {
      const connection = createConnection({
        host: server.host,
        port: server.port,
        ...account,
        charset: 'utf8mb4_general_ci',
        multipleStatements: true,
        rowsAsArray: true,
        flags: ['-LOCAL_FILES'],
      });
      // Said again by the command that meets it.
      connection.on('error', () => undefined);
      return connection;
    };
    this.#connection = this.#open();
  }

  prepare(sql: string): Promise<Prepared> {
    return new Promise((resolve) => {
      this.#connection.prepare(sql, (error, statement) => {
        if (error !== null) {
          resolve({ errno: this.#errorNumber(error), columns: [] });
          return;
        }
        const columns = columnNames(statement);
        this.#connection.unprepare(sql);
        resolve({ errno: 0, columns });
      });
    });
  }

  /** The error number, 0 for none. */
  run(sql: string): Promise<number> {
    return new Promise((resolve) => {
      this.#connection.query(sql, (error) => {
        if (error === null) return resolve(0);
        resolve(this.#errorNumber(error));
      });
    });
  }

  /** A lost connection has a number of the operating system's, which says nothing of the statement. */
  #errorNumber(error: QueryError): number {
    if (!isLost(error)) return error.errno ?? LOST;
    this.#connection = this.#open();
    return LOST;
  }

  rows(sql: string): Promise<readonly (readonly string[])[]> {
    return new Promise((resolve, reject) => {
      this.#connection.query<RowDataPacket[]>(sql, (error, rows) => {
        if (error !== null) return reject(error);
        resolve(rows.map((row) => Object.values(row).map(String)));
      });
    });
  }

  /** A session as new, with a limit on what a statement may take. */
  async reset(database?: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#connection.changeUser(database === undefined ? {} : { database }, (error) => {
        if (error !== null) this.#connection = this.#open();
        resolve();
      });
    });
    await this.run(`SET SESSION max_statement_time = ${STATEMENT_TIME_MAX}, sql_mode = ''`);
  }

  /** How often the server ran each kind of statement in this session, by name without `Com_`. */
  async counters(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.rows("SHOW SESSION STATUS LIKE 'Com\\_%'").catch(() => []);
    return new Map(rows.map(([name = '', count]) => [name.slice(4).toLowerCase(), Number(count)]));
  }

  close(): void {
    this.#connection.destroy();
  }
}

/** The types of mysql2 leave out what a prepared statement says of its columns. */
function columnNames(statement: object): readonly string[] {
  const columns: unknown = 'columns' in statement ? statement.columns : undefined;
  if (!Array.isArray(columns)) return [];
  return columns.map((column: { readonly name?: unknown }) => String(column.name));
}
