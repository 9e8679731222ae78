/**
 * Expressions over masked columns: allowed where they only steer the query through comparisons and
 * pure functions, refused where their value goes anywhere. Statements are walked by
 * postgres-exposure.ts, which also judges the sub-selects in an expression.
 */

import {
  CONSTRUCTS,
  PLAIN_OPERATORS,
  PURE_FUNCTIONS,
  STEERING_NODES,
  TEXT_TYPES,
} from './postgres-exposure-tables.ts';
import type { Lineage, Reference } from './postgres-lineage.ts';
import {
  as,
  DEPTH_MAX,
  forEachChild,
  isTree,
  list,
  names,
  text,
  TooDeepError,
  type Tree,
  unwrap,
} from './postgres-tree.ts';

export interface Use {
  /** predicate: it decides which rows there are, or their order. value: it becomes part of something. */
  readonly mode: 'predicate' | 'value';
  /** For people: "function upper()", "WHERE". */
  readonly construct: string;
  /** The construct runs code on the value, so that planning alone may run it too. */
  readonly isCode?: boolean;
}

export class ExpressionJudge {
  readonly lineage: Lineage;
  untraceable: string | undefined;
  steers: string | undefined;
  /** Under EXPLAIN without ANALYZE no value is computed but what planning computes. */
  isPlanOnly = false;
  readonly #judgeQuery: (query: unknown, use: Use) => void;
  #depth = 0;

  /** `judgeQuery` judges a sub-select in an expression. */
  constructor(lineage: Lineage, judgeQuery: (query: unknown, use: Use) => void) {
    this.lineage = lineage;
    this.#judgeQuery = judgeQuery;
  }

  refuse(reason: string): void {
    if (this.isPlanOnly) this.steer('EXPLAIN', undefined);
    else this.untraceable ??= reason;
  }

  refuseTouched(construct: string): void {
    const relation = [...this.lineage.touched][0];
    if (relation !== undefined)
      this.untraceable ??= `${construct} touches ${relation.name}, which has masked columns`;
  }

  steer(construct: string, name: string | undefined): void {
    const what = name === undefined ? 'a masked column' : `the masked column ${name}`;
    this.steers ??= `${what} is used in ${construct}`;
  }

  predicate(value: unknown, construct: string): void {
    this.check(value, { mode: 'predicate', construct });
  }

  predicates(values: unknown, construct: string): void {
    for (const value of list(values)) this.predicate(value, construct);
  }

  check(value: unknown, use: Use): void {
    if (Array.isArray(value)) {
      for (const entry of value) this.check(entry, use);
      return;
    }
    const node = unwrap(value);
    if (node === undefined) return;
    if (this.#depth >= DEPTH_MAX) throw new TooDeepError('nested too deep');
    this.#depth += 1;
    const reference = this.lineage.referenceOf(value, undefined);
    if (reference === undefined) this.#expression(node.type, node.tree, use);
    else this.useReference(reference, value, use);
    this.#depth -= 1;
  }

  useReference(reference: Reference, value: unknown, use: Use): void {
    if (reference === 'clear') return;
    const name = this.nameOf(value);
    if (reference === 'call') {
      this.refuse(`${name} is no known column and may call a function on a whole row`);
      return;
    }
    if (use.mode === 'predicate') {
      this.steer(use.construct, name);
      return;
    }
    const reason = `${use.construct} over ${name}, which is masked or cannot be told from a masked column`;
    if (use.isCode === true) this.untraceable ??= reason;
    else this.refuse(reason);
  }

  /** The name of a reference as the statement writes it. */
  nameOf(value: unknown): string {
    const node = unwrap(value);
    const column = as(value, 'ColumnRef') ?? as(node?.tree['arg'], 'ColumnRef');
    const parts = [...names(column?.['fields']), ...names(node?.tree['indirection'])];
    return parts.length === 0 ? '*' : parts.join('.');
  }

  #expression(type: string, tree: Tree, use: Use): void {
    switch (type) {
      case 'SubLink':
        return this.#subLink(tree, use);
      case 'FuncCall':
        return this.#call(tree, use);
      case 'A_Expr':
        return this.#operator(tree, use);
      case 'TypeCast':
        return this.#cast(tree, use);
      case 'SelectStmt':
        this.#judgeQuery({ SelectStmt: tree }, use);
        return undefined;
      case 'WindowDef':
        return this.#window(tree, use);
      default: {
        const isSteering = use.mode === 'predicate' && STEERING_NODES.has(type);
        const construct = CONSTRUCTS[type];
        const inner: Use =
          construct === undefined && !isSteering && use.mode === 'value'
            ? use
            : {
                mode: isSteering ? 'predicate' : 'value',
                construct: isSteering ? use.construct : (construct ?? type),
              };
        return this.children(type, tree, inner);
      }
    }
  }

  /** Judges every child, sub-selects and references included. */
  children(type: string, tree: Tree, use: Use): void {
    forEachChild(type, tree, (childType, child) => this.check({ [childType]: child }, use));
  }

  #subLink(tree: Tree, use: Use): void {
    const type = text(tree['subLinkType']);
    if (type === 'EXISTS_SUBLINK') {
      this.#judgeQuery(tree['subselect'], { mode: 'predicate', construct: 'EXISTS' });
      return;
    }
    const isComparison = type === 'ANY_SUBLINK' || type === 'ALL_SUBLINK';
    const isPlain = isComparison && isPlainOperator(tree['operName'], ['=']);
    let inner = use;
    if (use.mode === 'value')
      inner = { ...use, construct: isComparison ? 'a comparison' : 'a scalar sub-select' };
    else if (isComparison && !isPlain)
      inner = { mode: 'value', construct: 'an operator of unknown meaning', isCode: true };
    this.check(tree['testexpr'], inner);
    this.#judgeQuery(tree['subselect'], inner);
  }

  #call(tree: Tree, use: Use): void {
    const parts = names(tree['funcname']);
    const name = parts.at(-1) ?? '';
    const isPure = PURE_FUNCTIONS.has(name) && (parts.length === 1 || parts[0] === 'pg_catalog');
    const isSteering = use.mode === 'predicate' && isPure;
    const inner: Use = isSteering
      ? use
      : { mode: 'value', construct: `function ${parts.join('.')}()`, isCode: !isPure };
    this.check(tree['args'], inner);
    // WITHIN GROUP gives values of the order's own column; ORDER BY in an aggregate only orders.
    const order: Use =
      tree['agg_within_group'] === true ? inner : { mode: 'predicate', construct: 'ORDER BY' };
    this.check(tree['agg_order'], order);
    this.predicate(tree['agg_filter'], 'FILTER');
    const over = tree['over'];
    if (isTree(over)) this.#window(over, { mode: 'predicate', construct: 'OVER' });
  }

  /** How many rows a frame has can be counted: its ends are values, not conditions. */
  #window(tree: Tree, use: Use): void {
    const condition: Use = { mode: 'predicate', construct: use.construct };
    for (const field of ['partitionClause', 'orderClause']) this.check(tree[field], condition);
    for (const field of ['startOffset', 'endOffset'])
      this.check(tree[field], { mode: 'value', construct: 'a window frame' });
  }

  #operator(tree: Tree, use: Use): void {
    // LIKE, IN, BETWEEN and the like spell operators that are plain; of `a <> ANY (b)` it may be any.
    const isSpelled = SPELLED_OPERATORS.has(text(tree['kind']) ?? '');
    const isPlain = !isSpelled || isPlainOperator(tree['name'], []);
    const isKnown = isPlain && (names(tree['name']).length < 2 || isCatalogName(tree['name']));
    let inner = use;
    const label = names(tree['name']).join('.');
    if (!isKnown) inner = { mode: 'value', construct: `the operator ${label}`, isCode: true };
    else if (use.mode === 'value') inner = { ...use, construct: `the operator ${label}` };
    this.check(tree['lexpr'], inner);
    this.check(tree['rexpr'], inner);
  }

  /** A cast to text changes nothing; another may fail, and its message shows the value (PG-81). */
  #cast(tree: Tree, use: Use): void {
    const type = tree['typeName'];
    const parts = names(isTree(type) ? type['names'] : undefined);
    const isText =
      TEXT_TYPES.has(parts.at(-1) ?? '') && (parts.length === 1 || parts[0] === 'pg_catalog');
    const inner: Use =
      use.mode === 'predicate' && isText
        ? use
        : { mode: 'value', construct: `a cast to ${parts.at(-1) ?? 'a type'}`, isCode: !isText };
    this.check(tree['arg'], inner);
  }
}

export const SPELLED_OPERATORS: ReadonlySet<string> = new Set([
  'AEXPR_OP',
  'AEXPR_OP_ANY',
  'AEXPR_OP_ALL',
]);

function isCatalogName(value: unknown): boolean {
  return names(value)[0] === 'pg_catalog';
}

function isPlainOperator(value: unknown, implied: readonly string[]): boolean {
  const spelled = names(value);
  const parts = spelled.length === 0 ? implied : spelled;
  return (
    PLAIN_OPERATORS.has(parts.at(-1) ?? '') && (parts.length === 1 || parts[0] === 'pg_catalog')
  );
}
