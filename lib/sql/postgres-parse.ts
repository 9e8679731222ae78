/**
 * libpg-query, and only what is needed of it. A RangeError or a WebAssembly fault leaves the
 * instance in a state that must not be used again (reference: libpg_query issue 339); it is told
 * apart here so that the worker can throw itself away.
 */

import { hasSqlDetails, loadModule, parsePlPgSQLSync, parseSync } from 'libpg-query';
import { as, isTree, list, type Tree, unwrap } from './postgres-tree.ts';

export interface ParsedStatement {
  readonly type: string;
  readonly tree: Tree;
  /** The text of this statement alone. */
  readonly text: string;
}

export class SqlSyntaxError extends Error {
  override readonly name = 'SqlSyntaxError';
  /** 1-based, in characters (code points). */
  readonly position: number | undefined;

  constructor(message: string, position: number | undefined) {
    super(message);
    this.position = position;
  }
}

/** The parser's instance may be corrupt from now on. */
export class ParserFaultError extends Error {
  override readonly name = 'ParserFaultError';
}

/** What the parser compiles of itself while it reads these it need not compile in a text's own time. */
const WARM_UP = `SELECT a, count(*) FROM t JOIN u USING (b) WHERE c = 'x' AND d IN (1, 2.5) ORDER BY a;
  WITH w AS (DELETE FROM t RETURNING *) INSERT INTO t (a) SELECT a FROM w ON CONFLICT DO NOTHING;
  UPDATE t SET a = b::text; CREATE TABLE t (a int PRIMARY KEY); SET a = 'b'; BEGIN; COMMIT`;
const WARM_UP_ROUTINE =
  'CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; END $$';

export async function loadParser(): Promise<void> {
  await loadModule();
  parseStatements(WARM_UP);
  parsePlpgsql(WARM_UP_ROUTINE);
}

/** All statements of a text; none for an empty text or comments only (PG-45). */
export function parseStatements(sql: string): ParsedStatement[] {
  // libpg-query refuses the empty string itself.
  if (sql === '') return [];
  const result: unknown = guarded(() => parseSync(sql), false);
  const bytes = new StatementTexts(sql);
  return list(isTree(result) ? result['stmts'] : undefined).map((entry) => {
    const raw = isTree(entry) ? entry : {};
    const node = unwrap(raw['stmt']) ?? { type: '(unknown node)', tree: {} };
    return { ...node, text: bytes.textOf(raw) };
  });
}

/** The PL/pgSQL functions in a CREATE FUNCTION or DO statement, as libpg-query's trees. */
export function parsePlpgsql(statement: string): readonly Tree[] {
  const result: unknown = guarded(() => parsePlPgSQLSync(statement), true);
  return list(isTree(result) ? result['plpgsql_funcs'] : undefined).flatMap((entry) => {
    const found = as(entry, 'PLpgSQL_function');
    return found === undefined ? [] : [found];
  });
}

function guarded<T>(parse: () => T, isPlpgsql: boolean): T {
  try {
    return parse();
  } catch (error) {
    if (hasSqlDetails(error)) {
      const cursor = error.sqlDetails?.cursorPosition;
      throw new SqlSyntaxError(error.message, cursor === undefined ? undefined : cursor + 1);
    }
    // parsePlPgSQLSync reports what it cannot read as a plain Error.
    if (isPlpgsql && error instanceof Error && error.constructor === Error)
      throw new SqlSyntaxError(error.message, undefined);
    throw new ParserFaultError('the parser failed', { cause: error });
  }
}

/** Cuts statements out of a text by the byte positions that the parser gives. */
class StatementTexts {
  readonly #sql: string;
  #bytes: Buffer | undefined;

  constructor(sql: string) {
    this.#sql = sql;
  }

  textOf(raw: Tree): string {
    const start = typeof raw['stmt_location'] === 'number' ? raw['stmt_location'] : 0;
    const length = typeof raw['stmt_len'] === 'number' ? raw['stmt_len'] : 0;
    if (start === 0 && length === 0) return this.#sql;
    this.#bytes ??= Buffer.from(this.#sql, 'utf8');
    const end = length === 0 ? this.#bytes.length : start + length;
    return this.#bytes.toString('utf8', start, end);
  }
}
