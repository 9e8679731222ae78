/** The tables that a test file of the corpus makes, made in an oracle, and their columns for the reader. */

import type { PlainRelation, SensitiveRelations } from '../../lib/sql/analysis.ts';
import type { OracleConnection } from './mysql-corpus-server.ts';

const DATABASE = 'weir_corpus';

/** Nothing else is run: these make the tables that queries of the same file name. */
const MAKES_TABLES =
  /^\s*(?:create\s+(?:or\s+replace\s+)?(?:temporary\s+)?(?:table|view|sequence|database|schema|algorithm|definer|sql\s+security|(?:unique\s+)?index)\b|drop\s+(?:temporary\s+)?(?:table|view|sequence|database|schema)\b|alter\s+(?:table|view)\b|rename\s+table\b|use\b)/i;

/** The server's own tables stay as they are. */
const SERVERS_OWN = /\b(?:mysql|sys|performance_schema|information_schema)\b/i;

const SYSTEM_DATABASES = "'mysql', 'sys', 'performance_schema', 'information_schema'";

const COLUMNS_QUERY = `SELECT table_schema, table_name, column_name FROM information_schema.columns
WHERE table_schema NOT IN (${SYSTEM_DATABASES}) AND extra NOT LIKE '%INVISIBLE%'
ORDER BY table_schema, table_name, ordinal_position`;

/** Distinct contents need distinct versions. */
let version = 0;

export class CorpusSchema {
  readonly #oracle: OracleConnection;
  #relations: SensitiveRelations | undefined;
  #database: string | undefined = DATABASE;
  #hasChanged = true;

  constructor(oracle: OracleConnection) {
    this.#oracle = oracle;
  }

  get database(): string | undefined {
    return this.#database;
  }

  async begin(): Promise<void> {
    await this.#oracle.reset();
    const databases = await this.#oracle.rows(
      `SELECT schema_name FROM information_schema.schemata
       WHERE schema_name NOT IN (${SYSTEM_DATABASES}, 'weir_sandbox')`,
    );
    for (const [name = ''] of databases)
      await this.#oracle.run(`DROP DATABASE IF EXISTS \`${name.replaceAll('`', '``')}\``);
    await this.#oracle.run(`CREATE DATABASE ${DATABASE} CHARACTER SET utf8mb4`);
    await this.#oracle.run(`USE ${DATABASE}`);
  }

  /** Runs what makes or changes tables. */
  async follow(statement: string): Promise<void> {
    if (!MAKES_TABLES.test(statement) || SERVERS_OWN.test(statement)) return;
    const errno = await this.#oracle.run(statement);
    if (errno !== 0) return;
    this.#hasChanged = true;
    this.#relations = undefined;
  }

  /** Columns matter only where a star is expanded. */
  async relations(statement: string): Promise<SensitiveRelations> {
    if (!statement.includes('*') || !/\bfrom\b/i.test(statement)) return NOTHING;
    if (this.#hasChanged) {
      const rows = await this.#oracle.rows('SELECT DATABASE()').catch(() => []);
      const [[name = 'null'] = []] = rows;
      this.#database = name === 'null' ? undefined : name;
      this.#hasChanged = false;
    }
    this.#relations ??= await this.#load();
    return this.#relations;
  }

  async #load(): Promise<SensitiveRelations> {
    const plain: (PlainRelation & { readonly columns: string[] })[] = [];
    for (const [schema = '', name = '', column = ''] of await this.#oracle.rows(COLUMNS_QUERY)) {
      const last = plain.at(-1);
      if (last?.schema === schema && last.name === name) last.columns.push(column);
      else plain.push({ schema, name, columns: [column] });
    }
    version += 1;
    return { version: String(version), relations: [], plain };
  }
}

const NOTHING: SensitiveRelations = { version: '0', relations: [], plain: [] };
