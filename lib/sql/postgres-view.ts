/** How each output column of a view comes about, from the text of its definition. */

import type { SensitiveRelations, ViewColumn } from './analysis.ts';
import { judgeExposure } from './postgres-exposure.ts';
import { Lineage } from './postgres-lineage.ts';
import { isStar } from './postgres-outputs.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { as, forEachChild, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

/** Undefined: a set operation, VALUES, `*`: it cannot be told. */
export function traceView(
  statement: ParsedStatement,
  sensitive: SensitiveRelations,
): readonly ViewColumn[] | undefined {
  const { tree } = statement;
  const targets = list(tree['targetList']);
  if (tree['larg'] !== undefined || targets.length === 0) return undefined;
  const lineage = new Lineage(sensitive.relations);
  lineage.gather(statement.type, tree);
  lineage.settle();
  // In a sub-select or CTE of FROM a masked column may become anything, which lineage does not follow.
  const isFollowed = judgeExposure([statement], sensitive).untraceable === undefined;
  const bases = baseRelations(list(tree['fromClause']), cteNames(tree));
  const columns: ViewColumn[] = [];
  for (const entry of targets) {
    const value = as(entry, 'ResTarget')?.['val'];
    if (isStar(value)) return undefined;
    const column = viewColumn(value, lineage, bases);
    const isHidden = column.kind === 'expression' && !bases.isComplete && !isFollowed;
    columns.push(isHidden ? { kind: 'expression', isTainted: true } : column);
  }
  return columns;
}

interface Bases {
  /** Alias to relation, of the relations that stand in FROM themselves. */
  readonly byAlias: ReadonlyMap<string, string>;
  /** All of FROM is relations: a name without an alias is a column of one of them. */
  readonly isComplete: boolean;
}

function viewColumn(value: unknown, lineage: Lineage, bases: Bases): ViewColumn {
  const parts = names(as(value, 'ColumnRef')?.['fields']);
  const name = parts.at(-1);
  const reference = lineage.referenceOf(value, undefined);
  // A whole row, or a function called by the notation of a column, is no column.
  if (name !== undefined && (reference === 'clear' || reference === 'masked')) {
    const alias = parts.at(-2);
    if (alias !== undefined && bases.byAlias.has(alias))
      return { kind: 'column', name, relation: bases.byAlias.get(alias) };
    if (alias === undefined && bases.isComplete)
      return { kind: 'column', name, relation: onlyRelation(bases) };
  }
  return { kind: 'expression', isTainted: isTainted(value, lineage) };
}

function onlyRelation(bases: Bases): string | undefined {
  const relations = [...bases.byAlias.values()];
  return relations.length === 1 ? relations[0] : undefined;
}

/** A masked value anywhere below, conditions of sub-selects included. */
function isTainted(value: unknown, lineage: Lineage): boolean {
  const node = unwrap(value);
  if (node === undefined) return false;
  let found = false;
  const visit = (type: string, tree: Tree): void => {
    const from = type === 'SelectStmt' ? list(tree['fromClause']) : undefined;
    for (const target of from === undefined ? [] : list(tree['targetList'])) {
      const reference = lineage.referenceOf(as(target, 'ResTarget')?.['val'], from);
      if (reference !== undefined && reference !== 'clear') found = true;
    }
    const reference = lineage.referenceOf({ [type]: tree }, undefined);
    if (reference !== undefined && reference !== 'clear') found = true;
    if (!found) forEachChild(type, tree, visit);
  };
  visit(node.type, node.tree);
  return found;
}

function cteNames(tree: Tree): ReadonlySet<string> {
  const clause = tree['withClause'];
  const ctes = isTree(clause) ? list(clause['ctes']) : [];
  return new Set(ctes.flatMap((entry) => text(as(entry, 'CommonTableExpr')?.['ctename']) ?? []));
}

function baseRelations(from: readonly unknown[], ctes: ReadonlySet<string>): Bases {
  const byAlias = new Map<string, string>();
  let isComplete = true;
  const visit = (item: unknown): void => {
    const node = unwrap(item);
    if (node?.type === 'JoinExpr') {
      if (node.tree['alias'] !== undefined) isComplete = false;
      visit(node.tree['larg']);
      visit(node.tree['rarg']);
      return;
    }
    const alias = as(item, 'RangeVar')?.['alias'];
    const relation = text(as(item, 'RangeVar')?.['relname']);
    const aliasTree = unwrap({ Alias: alias })?.tree;
    // With new names for its columns it is no longer told which is which.
    if (relation === undefined || ctes.has(relation) || aliasTree?.['colnames'] !== undefined)
      isComplete = false;
    else byAlias.set(text(aliasTree?.['aliasname']) ?? relation, relation);
  };
  for (const item of from) visit(item);
  return { byAlias, isComplete };
}
