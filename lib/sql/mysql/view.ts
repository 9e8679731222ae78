/** How each output column of a view comes about, from the text of its definition (MY-64). */

import type { ViewColumn } from '../analysis.ts';
import type { Statement } from './ast.ts';
import { type ExposureContext, traceColumns } from './exposure.ts';

/** Undefined: it is no query, or the number of its columns cannot be told. */
export function traceView(
  statements: readonly Statement[],
  context: ExposureContext,
): readonly ViewColumn[] | undefined {
  const [statement] = statements;
  if (statement === undefined || statements.length > 1) return undefined;
  const query = queryOf(statement);
  if (query === undefined) return undefined;
  const [columns] = traceColumns([query], context);
  if (columns === undefined || columns.some((column) => column.run !== undefined)) return undefined;
  return columns.map(({ masked, origin }): ViewColumn => {
    if (origin === undefined) return { kind: 'expression', isTainted: masked !== undefined };
    return { kind: 'column', name: origin.column, relation: origin.relation };
  });
}

/** The server stores either the query alone or the statement that made the view. */
function queryOf(statement: Statement): Statement | undefined {
  if (statement.kind === 'select-statement') return statement;
  if (statement.kind === 'create-view') return { kind: 'select-statement', query: statement.query };
  return undefined;
}
