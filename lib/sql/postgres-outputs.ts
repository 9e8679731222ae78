/** The output columns of a query as it spells them: stars, names given and names implied. */

import { as, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

/** The columns that a query gives, and what a bare `*` among them stands for. */
export function outputOf(
  type: string,
  tree: Tree,
): { readonly targets: readonly unknown[]; readonly from: readonly unknown[] } {
  if (type === 'SelectStmt')
    return { targets: list(tree['targetList']), from: list(tree['fromClause']) };
  const returning = tree['returningClause'];
  const relation = tree['relation'];
  const from = [
    ...(isTree(relation) ? [{ RangeVar: relation }] : []),
    ...list(tree['fromClause']),
    ...list(tree['usingClause']),
    ...(tree['sourceRelation'] === undefined ? [] : [tree['sourceRelation']]),
  ];
  return { targets: isTree(returning) ? list(returning['exprs']) : [], from };
}

export function isStar(value: unknown): boolean {
  const column = as(value, 'ColumnRef');
  if (column !== undefined) return as(list(column['fields']).at(-1), 'A_Star') !== undefined;
  const indirection = as(value, 'A_Indirection');
  return (
    indirection !== undefined && as(list(indirection['indirection']).at(-1), 'A_Star') !== undefined
  );
}

/** The `u` of `u.*` and `(u).*`. */
export function starAlias(value: unknown): string | undefined {
  const column = as(value, 'ColumnRef') ?? as(as(value, 'A_Indirection')?.['arg'], 'ColumnRef');
  return names(column?.['fields']).at(-1);
}

export function aliasOf(tree: Tree): string | undefined {
  const alias = tree['alias'];
  return isTree(alias) ? text(alias['aliasname']) : undefined;
}

export function aliasColumns(tree: Tree): string[] {
  const alias = tree['alias'];
  return isTree(alias) ? names(alias['colnames']) : [];
}

/** The name that PostgreSQL gives to a column without one (FigureColname); undefined: none that can be used. */
export function impliedName(value: unknown): string | undefined {
  const node = unwrap(value);
  if (node === undefined || isStar(value)) return undefined;
  const { type, tree } = node;
  switch (type) {
    case 'ColumnRef':
      return names(tree['fields']).at(-1);
    case 'A_Indirection':
      return names(tree['indirection']).at(-1) ?? impliedName(tree['arg']);
    case 'FuncCall':
      return names(tree['funcname']).at(-1);
    case 'TypeCast':
      return impliedName(tree['arg']) ?? typeName(tree['typeName']);
    case 'CollateClause':
      return impliedName(tree['arg']);
    case 'CaseExpr':
      return impliedName(tree['defresult']) ?? 'case';
    case 'CoalesceExpr':
      return 'coalesce';
    case 'SubLink':
      return tree['subLinkType'] === 'EXISTS_SUBLINK' ? 'exists' : undefined;
    default:
      return undefined;
  }
}

function typeName(type: unknown): string | undefined {
  return isTree(type) ? names(type['names']).at(-1) : undefined;
}
