/**
 * Whether a masked value could reach the client in a form that the server no longer traces to its
 * column (PG-76..PG-81). A masked column may stand bare in an output, where RowDescription tells its
 * origin, and in conditions made of known comparisons. Anywhere else the statement is untraceable.
 */

import type { Exposure, OutputKind, SensitiveRelation, SensitiveRelations } from './analysis.ts';
import { ExpressionJudge, type Use } from './postgres-expressions.ts';
import { Lineage } from './postgres-lineage.ts';
import { isStar, outputOf } from './postgres-outputs.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { bodyOf } from './postgres-routines.ts';
import { findDoor, findRevealing } from './postgres-exposure-doors.ts';
import {
  HARMLESS_STATEMENTS,
  RUNS_CODE_ON_ANY,
  statementLabel,
} from './postgres-exposure-tables.ts';
import { as, forEachChild, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

/** What the columns of a query are for: given out as they are, or used in something. */
type QueryUse = { readonly mode: 'output' } | Use;

const OUTPUT: QueryUse = { mode: 'output' };

export function judgeExposure(
  statements: readonly ParsedStatement[],
  sensitive: SensitiveRelations,
): Exposure {
  const { relations } = sensitive;
  return joinExposures(
    statements.map((statement) => {
      const exposure = judgeStatement(statement, relations);
      if (relations.length === 0) return exposure;
      const door = findDoor([statement, ...bodiesOf(statement)], relations);
      if (door !== undefined) return { ...exposure, touches: true, untraceable: door };
      return RUNS_CODE_ON_ANY.has(statement.type) ? { ...exposure, touches: true } : exposure;
    }),
  );
}

/** Of a routine that is there: that it was once defined under its name is nobody's attempt. */
export function judgeRoutine(definition: ParsedStatement, sensitive: SensitiveRelations): Exposure {
  const door = findDoor(bodiesOf(definition), sensitive.relations);
  const exposure = judgeStatement(definition, sensitive.relations);
  return door === undefined ? exposure : { ...exposure, touches: true, untraceable: door };
}

function joinExposures(judged: readonly Exposure[]): Exposure {
  return {
    touches: judged.some((exposure) => exposure.touches),
    untraceable: judged.find((exposure) => exposure.untraceable !== undefined)?.untraceable,
    steers: judged.find((exposure) => exposure.steers !== undefined)?.steers,
    outputs: judged.flatMap((exposure) => exposure.outputs),
  };
}

function judgeStatement(
  statement: ParsedStatement,
  relations: readonly SensitiveRelation[],
): Exposure {
  const lineage = new Lineage(relations);
  lineage.gather(statement.type, statement.tree);
  const bodies = bodiesOf(statement);
  for (const body of bodies) lineage.gather(body.type, body.tree);
  const touches = lineage.touched.size > 0;
  if (touches) lineage.settle();
  const judge = new StatementJudge(lineage);
  const outputs = judge.statement(statement.type, statement.tree);
  const revealing = relations.length === 0 ? undefined : findRevealing(statement);
  if (revealing !== undefined)
    return {
      touches: true,
      untraceable: `${revealing} can show the values of any table`,
      steers: judge.steers,
      outputs: [outputs],
    };
  if (!touches) return { touches, untraceable: undefined, steers: undefined, outputs: [outputs] };
  return { touches, untraceable: judge.untraceable, steers: judge.steers, outputs: [outputs] };
}

function bodiesOf(statement: ParsedStatement): readonly ParsedStatement[] {
  return bodyOf(statement)?.statements ?? [];
}

/** Walks one statement; the expressions in it are judged by ExpressionJudge. */
class StatementJudge {
  readonly #lineage: Lineage;
  readonly #expressions: ExpressionJudge;

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
    this.#expressions = new ExpressionJudge(lineage, (query, use) => {
      this.query(query, use);
    });
  }

  get untraceable(): string | undefined {
    return this.#expressions.untraceable;
  }

  get steers(): string | undefined {
    return this.#expressions.steers;
  }

  /** The kinds of the result's columns; undefined where the statement gives no rows of its own. */
  statement(type: string, tree: Tree): readonly OutputKind[] | undefined {
    switch (type) {
      case 'SelectStmt':
        return this.#topSelect(tree);
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        return this.#write(type, tree);
      case 'ExplainStmt':
        return this.#explain(tree);
      case 'PrepareStmt':
      case 'DeclareCursorStmt':
        return this.#discard(this.query(tree['query'], OUTPUT));
      case 'CreateTableAsStmt':
        return this.#discard(this.#createTableAs(tree));
      case 'CopyStmt':
        return this.#discard(this.#copy(tree));
      case 'CallStmt':
        this.#expressions.children(type, tree, { mode: 'value', construct: 'CALL' });
        return undefined;
      case 'VariableShowStmt':
        return text(tree['name']) === 'all' ? ['clear', 'clear', 'clear'] : ['clear'];
      default:
        this.#refuseUnlessHarmless(type, tree);
        return undefined;
    }
  }

  /** Every other statement that names a sensitive relation changes what is known of it. */
  #refuseUnlessHarmless(type: string, tree: Tree): void {
    const isHarmless =
      HARMLESS_STATEMENTS.has(type) || (type === 'CreateStmt' && this.#isReferenceOnly(tree));
    if (!isHarmless) this.#expressions.refuseTouched(statementLabel(type));
  }

  #topSelect(tree: Tree): readonly OutputKind[] | undefined {
    if (tree['intoClause'] === undefined) return this.select(tree, OUTPUT);
    return this.#discard(this.select(tree, { mode: 'value', construct: 'SELECT INTO' }));
  }

  /**
   * A new table whose only tie to sensitive ones are foreign keys to named clear columns. Without names
   * the key is the primary key, which may be masked, and a masked key would be copied by ON UPDATE CASCADE.
   */
  #isReferenceOnly(tree: Tree): boolean {
    let isSafe = true;
    const visit = (type: string, child: Tree, field?: string): void => {
      if (type === 'Constraint' && isTree(child['pktable'])) {
        const keys = names(child['pk_attrs']);
        if (keys.length === 0 || keys.some((key) => this.#lineage.isMaskedName(key)))
          isSafe = false;
        return;
      }
      const isOther = type === 'RangeVar' && field !== 'relation';
      if (isOther || type === 'TableLikeClause') isSafe = false;
      forEachChild(type, child, visit);
    };
    forEachChild('CreateStmt', tree, visit);
    return isSafe;
  }

  #discard(_kinds: unknown): undefined {
    return undefined;
  }

  query(query: unknown, use: QueryUse): readonly OutputKind[] {
    const node = unwrap(query);
    if (node === undefined) return [];
    if (node.type === 'SelectStmt') return this.select(node.tree, use);
    return this.statement(node.type, node.tree) ?? [];
  }

  select(tree: Tree, use: QueryUse): readonly OutputKind[] {
    this.#with(tree);
    const arms = [tree['larg'], tree['rarg']].filter(isTree);
    let kinds: readonly OutputKind[];
    if (arms.length > 0) kinds = this.#setOperation(arms, use);
    else if (tree['valuesLists'] !== undefined) kinds = this.#values(tree, use);
    else kinds = this.#targets(list(tree['targetList']), list(tree['fromClause']), use);
    for (const item of list(tree['fromClause'])) this.#fromItem(item);
    this.#expressions.predicate(tree['whereClause'], 'WHERE');
    this.#expressions.predicate(tree['havingClause'], 'HAVING');
    this.#expressions.predicates(tree['windowClause'], 'a window');
    this.#order(tree, kinds);
    for (const field of ['limitCount', 'limitOffset'])
      this.#expressions.check(tree[field], { mode: 'value', construct: 'LIMIT' });
    return kinds;
  }

  /** Columns of a set operation are no longer traced, even of the same column twice (PG-76). */
  #setOperation(arms: readonly Tree[], use: QueryUse): readonly OutputKind[] {
    const armUse: Use =
      use.mode === 'output' ? { mode: 'value', construct: 'a set operation' } : use;
    const kinds = arms.map((arm) => this.select(arm, armUse));
    return kinds[0] ?? [];
  }

  #values(tree: Tree, use: QueryUse): readonly OutputKind[] {
    const rows = list(tree['valuesLists']);
    const inner: Use = use.mode === 'output' ? { mode: 'value', construct: 'VALUES' } : use;
    for (const row of rows) this.#expressions.check(row, inner);
    return list(as(rows[0], 'List')?.['items']).map(() => 'clear' as const);
  }

  #with(tree: Tree): void {
    const clause = tree['withClause'];
    if (!isTree(clause)) return;
    for (const entry of list(clause['ctes']))
      this.query(as(entry, 'CommonTableExpr')?.['ctequery'], OUTPUT);
  }

  #targets(
    targets: readonly unknown[],
    from: readonly unknown[],
    use: QueryUse,
  ): readonly OutputKind[] {
    return targets.map((entry) => {
      const value = as(entry, 'ResTarget')?.['val'];
      const reference = this.#lineage.referenceOf(value, from);
      if (use.mode !== 'output') {
        if (reference === undefined) this.#expressions.check(value, use);
        else this.#expressions.useReference(reference, value, use);
        return isStar(value) ? 'star' : 'clear';
      }
      if (reference === undefined) {
        this.#expressions.check(value, { mode: 'value', construct: 'an expression in the output' });
        return 'clear';
      }
      return this.#output(reference, value);
    });
  }

  #output(reference: string, value: unknown): OutputKind {
    if (isStar(value)) return 'star';
    if (reference === 'masked') return 'masked';
    if (reference !== 'clear')
      this.#expressions.refuse(
        `${this.#expressions.nameOf(value)} in the output cannot be traced to one column`,
      );
    return 'clear';
  }

  #order(tree: Tree, kinds: readonly OutputKind[]): void {
    const lists = [
      ['sortClause', 'ORDER BY'],
      ['groupClause', 'GROUP BY'],
      ['distinctClause', 'DISTINCT'],
    ] as const;
    for (const [field, construct] of lists) {
      for (const entry of list(tree[field])) {
        const node = as(entry, 'SortBy')?.['node'] ?? entry;
        // These mean the output columns.
        if (isOutputReference(node) && kinds.some((kind) => kind !== 'clear'))
          this.#expressions.steer(construct, undefined);
        this.#expressions.predicate(entry, construct);
      }
    }
  }

  #fromItem(item: unknown): void {
    const node = unwrap(item);
    if (node === undefined) return;
    const { type, tree } = node;
    if (type === 'RangeVar') return;
    if (type === 'RangeSubselect') this.query(tree['subquery'], OUTPUT);
    else if (type === 'JoinExpr') this.#join(tree);
    else if (type === 'RangeTableSample') {
      this.#fromItem(tree['relation']);
      for (const field of ['args', 'repeatable'])
        this.#expressions.check(tree[field], { mode: 'value', construct: 'TABLESAMPLE' });
    } else
      this.#expressions.children(type, tree, { mode: 'value', construct: 'a function in FROM' });
  }

  /**
   * The merged column of an inner JOIN USING is one side's column as it is; of an outer one it may be
   * a conversion, which the server does not trace. When both sides are masked, it may be one in an
   * inner join as well, unless they are the same relation.
   */
  #join(tree: Tree): void {
    this.#fromItem(tree['larg']);
    this.#fromItem(tree['rarg']);
    this.#expressions.predicate(tree['quals'], 'JOIN');
    const using = names(tree['usingClause']);
    const masked = using.filter((name) => this.#lineage.isMaskedName(name));
    const sides = [tree['larg'], tree['rarg']];
    const tainted = sides.filter((side) => this.#lineage.isTaintedItem(side));
    const isNatural = tree['isNatural'] === true;
    if (tainted.length === 0 || (masked.length === 0 && !isNatural)) return;
    const what = masked[0] ?? 'the columns of a NATURAL JOIN';
    this.#expressions.steer(isNatural ? 'NATURAL JOIN' : 'JOIN USING', what);
    const isSame =
      relationOf(sides[0]) !== undefined && relationOf(sides[0]) === relationOf(sides[1]);
    if (tree['jointype'] !== 'JOIN_INNER' || (tainted.length > 1 && !isSame))
      this.#expressions.refuse(`${what} merged by a JOIN cannot be traced to one column`);
  }

  #write(type: string, tree: Tree): readonly OutputKind[] | undefined {
    this.#with(tree);
    const construct = statementLabel(type);
    if (tree['selectStmt'] !== undefined)
      this.query(tree['selectStmt'], { mode: 'value', construct: `${construct} ... SELECT` });
    this.#assignments(tree['targetList'], construct);
    this.#assignments(tree['cols'], construct);
    const conflict = tree['onConflictClause'];
    if (isTree(conflict)) {
      this.#assignments(conflict['targetList'], 'ON CONFLICT DO UPDATE');
      this.#arbiter(conflict['infer']);
      this.#expressions.predicate(conflict['whereClause'], 'ON CONFLICT');
    }
    for (const field of ['fromClause', 'usingClause'])
      for (const item of list(tree[field])) this.#fromItem(item);
    this.#fromItem(tree['sourceRelation']);
    this.#expressions.predicate(tree['whereClause'], 'WHERE');
    this.#expressions.predicate(tree['joinCondition'], 'MERGE ... ON');
    for (const entry of list(tree['mergeWhenClauses'])) {
      const clause = as(entry, 'MergeWhenClause');
      this.#expressions.predicate(clause?.['condition'], 'MERGE ... WHEN');
      this.#assignments(clause?.['targetList'], 'MERGE');
      this.#expressions.check(clause?.['values'], { mode: 'value', construct: 'MERGE' });
    }
    if (!isTree(tree['returningClause'])) return undefined;
    const { targets, from } = outputOf(type, tree);
    return this.#targets(targets, from, OUTPUT);
  }

  /** ON CONFLICT (email) tells whether somebody has this value. */
  #arbiter(infer: unknown): void {
    if (!isTree(infer)) return;
    for (const entry of list(infer['indexElems'])) {
      const name = text(as(entry, 'IndexElem')?.['name']);
      if (name !== undefined && this.#lineage.isMaskedName(name))
        this.#expressions.steer('ON CONFLICT', name);
      this.#expressions.predicate(as(entry, 'IndexElem')?.['expr'], 'ON CONFLICT');
    }
  }

  #assignments(targets: unknown, construct: string): void {
    for (const entry of list(targets)) {
      const target = as(entry, 'ResTarget');
      this.#expressions.check(target?.['val'], { mode: 'value', construct });
      // SET a[(SELECT ...)] = 1: a subscript is a value as well, and can be read back.
      this.#expressions.check(target?.['indirection'], { mode: 'value', construct: 'a subscript' });
    }
  }

  /** It shows constants, estimates and row counts, not values; with ANALYZE the statement runs. */
  #explain(tree: Tree): readonly OutputKind[] {
    this.#expressions.steer('EXPLAIN', undefined);
    const isAnalyze = list(tree['options']).some((entry) => {
      const element = as(entry, 'DefElem');
      return text(element?.['defname'])?.toLowerCase() === 'analyze';
    });
    // ANALYZE false is taken for a run as well: stricter, and nobody writes it.
    this.#expressions.isPlanOnly = !isAnalyze;
    this.query(tree['query'], OUTPUT);
    this.#expressions.isPlanOnly = false;
    return ['clear'];
  }

  #createTableAs(tree: Tree): void {
    if (tree['objtype'] === 'OBJECT_MATVIEW')
      this.#expressions.refuseTouched('CREATE MATERIALIZED VIEW');
    this.query(tree['query'], { mode: 'value', construct: 'CREATE TABLE AS' });
  }

  #copy(tree: Tree): void {
    // Rows that come in are the client's own.
    if (tree['is_from'] === true) return;
    this.#expressions.refuseTouched('COPY ... TO');
  }
}

/** DISTINCT without ON, an ordinal, or an ordinal in a grouping set. */
function isOutputReference(value: unknown): boolean {
  const node = unwrap(value);
  if (node === undefined || node.type === 'A_Const') return true;
  const isSet = node.type === 'GroupingSet' || node.type === 'List' || node.type === 'RowExpr';
  const parts = [
    ...list(node.tree['content']),
    ...list(node.tree['items']),
    ...list(node.tree['args']),
  ];
  return isSet && parts.some((part) => isOutputReference(part));
}

/** The one relation that a FROM item is, by the name it is written with. */
function relationOf(item: unknown): string | undefined {
  const relation = as(item, 'RangeVar');
  return relation === undefined
    ? undefined
    : `${text(relation['schemaname']) ?? ''}.${text(relation['relname']) ?? ''}`;
}
