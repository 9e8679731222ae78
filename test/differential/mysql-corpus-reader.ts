/** The reader of MySQL as the corpus suite asks it: for one statement, its columns and its effects. */

import type { Reading } from '../../protocols/contract.ts';
import type { Effect, SensitiveRelations } from '../../lib/sql/analysis.ts';
import { analyzeStatements } from '../../lib/sql/mysql/analysis.ts';
import type { Node } from '../../lib/sql/mysql/ast.ts';
import { traceColumns } from '../../lib/sql/mysql/exposure.ts';
import { parseText } from '../../lib/sql/mysql/parse.ts';
import { forEachChild } from '../../lib/sql/mysql/walk.ts';
import { SANDBOX } from './mysql-corpus-danger.ts';

/** Debian 12's MariaDB, whose test suite the corpus is. */
const SERVER: Reading['server'] = { flavor: 'mariadb', version: 101_119 };
const READING: Reading = {
  database: SANDBOX,
  server: SERVER,
  ansiQuotes: false,
  noBackslashEscapes: false,
};
const LEXING = { server: SERVER, ansiQuotes: false, noBackslashEscapes: false, sixDigits: true };

export type ReadStatement =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'read';
      /** One for each output column, undefined where only the server knows the name; undefined: no rows, or unknown. */
      readonly columns: readonly (string | undefined)[] | undefined;
      readonly hasStar: boolean;
    };

export interface ReadWith {
  readonly database: string | undefined;
  readonly relations: SensitiveRelations;
}

export function readColumns(text: string, { database, relations }: ReadWith): ReadStatement {
  try {
    const { statements } = parseText(text, LEXING);
    const reading = { ...READING, database };
    const context = { sensitive: relations, reading, parse: () => undefined };
    const [columns] = traceColumns(statements, context);
    // Of INSERT ... RETURNING a server tells the columns only when it runs.
    const isQuery = statements[0]?.kind === 'select-statement';
    const isKnown = isQuery && columns?.every((column) => column.run === undefined) === true;
    return {
      kind: 'read',
      columns: isKnown
        ? columns.map(({ name, origin }) => (origin === undefined ? undefined : name))
        : undefined,
      hasStar: statements.some(holdsStar),
    };
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
}

function holdsStar(node: Node): boolean {
  if (node.kind === 'star' || node.kind === 'table-query') return true;
  let found = false;
  forEachChild(node, (child) => {
    found ||= holdsStar(child);
  });
  return found;
}

/** Undefined: it refuses the text. */
export function readEffects(text: string): ReadonlySet<Effect> | undefined {
  const { result } = analyzeStatements(text, { sensitive: undefined, reading: READING });
  if (result.kind !== 'analysis') return undefined;
  return new Set(result.effects.map(({ effect }) => effect));
}
