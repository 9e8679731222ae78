/** What the parts of one query tell at a glance, for effects-scan.ts. */

import type { Node, Query, Select } from './ast.ts';

export function writesFile(query: Query): boolean {
  const intos = query.body.kind === 'select' ? [...query.into, ...query.body.into] : query.into;
  return intos.some(({ kind }) => kind === 'into-file');
}

/** An item whose name is its text: `SELECT 1` makes a column `1`. */
export function isNamedByLiteral(item: Select['items'][number]): boolean {
  const { alias, value, text } = item;
  if (alias !== undefined || value.kind === 'column' || value.kind === 'star') return false;
  return /['"0-9]/.test(text);
}

const TABLE_NODES: ReadonlySet<string> = new Set(['select', 'join', 'table-list', 'set-operation']);

/** What tables of one query expression hang in, subqueries and derived tables left out. */
export function isTableNode(node: Node): boolean {
  return TABLE_NODES.has(node.kind);
}
