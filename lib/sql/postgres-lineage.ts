/**
 * Which names in a statement may stand for masked values, by name and over-approximating: a name
 * that is masked anywhere in the statement is masked everywhere in it. It knows no types and reads
 * no catalog; postgres-exposure.ts decides where such a name may stand.
 */

import type { SensitiveRelation } from './analysis.ts';
import { type Derived, NameTable, type Source } from './postgres-name-table.ts';
import { aliasColumns, impliedName, isStar, outputOf, starAlias } from './postgres-outputs.ts';
import { as, isTree, list, names, TooDeepError, type Tree, text, unwrap } from './postgres-tree.ts';

export type Reference =
  | 'clear'
  | 'masked'
  /** A whole row with masked columns in it. */
  | 'row'
  /** `*` with masked columns in it. */
  | 'star'
  /** Not known as a column of anything here: what it means cannot be told. */
  | 'unknown'
  /** `u.f` with no column f known: f(u) may be called with the whole row. */
  | 'call';

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  'ctid',
  'xmin',
  'cmin',
  'xmax',
  'cmax',
  'tableoid',
]);

/** Rounds of spreading; each adds at least one name, so more than the names in the text is not needed. */
const ROUNDS_MAX = 200;

export class Lineage {
  readonly #names: NameTable;
  /** Sub-selects, CTEs and joins, innermost first, so that most statements settle in one round. */
  #inner: readonly Derived[] = [];
  readonly #columnAnswers = new Map<Tree, Map<string, boolean>>();

  constructor(relations: readonly SensitiveRelation[]) {
    this.#names = new NameTable(relations);
  }

  get touched(): ReadonlySet<SensitiveRelation> {
    return this.#names.touched;
  }

  /** Takes in the names of one statement, or of a body it holds. `settle` must follow. */
  gather(type: string, tree: Tree): void {
    this.#names.gather(type, tree);
  }

  /** Spreads masked names through aliases until nothing changes. */
  settle(): void {
    this.#names.linkCtes();
    this.#inner = [...this.#names.derived.values()].toReversed();
    for (let round = 0; round < ROUNDS_MAX; round += 1) if (!this.#spread()) return;
    throw new TooDeepError('too many names');
  }

  #spread(): boolean {
    const before = this.#names.masked.size;
    let isChanged = false;
    for (const item of this.#inner) {
      if (!item.isTainted && this.isTaintedQuery(item.queryType, item.query)) {
        item.isTainted = true;
        isChanged = true;
      }
      if (item.isTainted) this.#maskAliases(item);
    }
    for (const { name, value } of this.#names.targets)
      if (this.isTaintedTarget(value, undefined)) this.#names.masked.add(name);
    for (const { columns, tree } of this.#names.rangeVars)
      if (columns.length > 0 && this.isTaintedItem({ RangeVar: tree }))
        for (const name of columns) this.#names.masked.add(name);
    return isChanged || this.#names.masked.size > before;
  }

  /** Names given to the columns of something tainted: by position where that is plain, else all of them. */
  #maskAliases(item: Derived): void {
    const targets = list(item.query['targetList']);
    const isPlain =
      item.queryType === 'SelectStmt' &&
      targets.length > 0 &&
      targets.every((entry) => !isStar(as(entry, 'ResTarget')?.['val']));
    item.columnAliases.forEach((name, index) => {
      const value = as(targets[index], 'ResTarget')?.['val'];
      if (!isPlain || this.isTaintedTarget(value, undefined)) this.#names.masked.add(name);
    });
  }

  /** Gives out masked values in its columns. Only bare columns count: anything else is refused. */
  isTaintedQuery(type: string, tree: Tree): boolean {
    if (type === 'JoinExpr')
      return this.isTaintedItem(tree['larg']) || this.isTaintedItem(tree['rarg']);
    if (type === 'SelectStmt') {
      const arms = [tree['larg'], tree['rarg']].filter(isTree);
      if (arms.some((arm) => this.isTaintedQuery('SelectStmt', arm))) return true;
    }
    const { targets, from } = outputOf(type, tree);
    return targets.some((entry) => this.isTaintedTarget(as(entry, 'ResTarget')?.['val'], from));
  }

  isTaintedTarget(value: unknown, from: readonly unknown[] | undefined): boolean {
    const reference = this.referenceOf(value, from);
    return reference !== undefined && reference !== 'clear' && reference !== 'unknown';
  }

  isTaintedItem(value: unknown): boolean {
    const node = unwrap(value);
    if (node === undefined) return false;
    const { type, tree } = node;
    if (type === 'RangeVar') return this.#isTaintedRelation(tree);
    if (type === 'RangeTableSample') return this.isTaintedItem(tree['relation']);
    // Settled before, from the inside out: looking again at each level would take exponential time.
    const query = type === 'RangeSubselect' ? unwrap(tree['subquery'])?.tree : tree;
    return query !== undefined && this.#names.derived.get(query)?.isTainted === true;
  }

  #isTaintedRelation(rangeVar: Tree): boolean {
    const schema = text(rangeVar['schemaname']);
    const name = text(rangeVar['relname']) ?? '';
    if (this.#names.matching(schema, name).length > 0) return true;
    return (
      schema === undefined && (this.#names.ctes.get(name) ?? []).some((item) => item.isTainted)
    );
  }

  /**
   * What a bare column, whole row, `*` or `(row).column` may be; undefined: it is an expression.
   * `from` is what a bare `*` stands for.
   */
  referenceOf(value: unknown, from: readonly unknown[] | undefined): Reference | undefined {
    const column = as(value, 'ColumnRef');
    if (column !== undefined) return this.#columnReference(column, from);
    const indirection = as(value, 'A_Indirection');
    if (indirection === undefined) return undefined;
    const parts = names(as(indirection['arg'], 'ColumnRef')?.['fields']);
    const steps = list(indirection['indirection']);
    const alias = parts[0];
    // (u).email is u.email; (s.u).email, (u).address.street and the like are expressions.
    if (parts.length !== 1 || steps.length !== 1 || alias === undefined) return undefined;
    // A column comes before a range variable of its name: (email).lower is lower(email).
    if (!this.#names.sources.has(alias) || this.#names.masked.has(alias)) return undefined;
    if (as(steps[0], 'A_Star') !== undefined) return this.#isTaintedAlias(alias) ? 'star' : 'clear';
    const name = names(steps)[0];
    return name === undefined ? undefined : this.#qualifiedReference(alias, name);
  }

  #columnReference(column: Tree, from: readonly unknown[] | undefined): Reference {
    const fields = list(column['fields']);
    const parts = names(fields);
    if (as(fields[fields.length - 1], 'A_Star') !== undefined) {
      const alias = parts[parts.length - 1];
      const isTainted =
        alias === undefined
          ? (from ?? []).some((item) => this.isTaintedItem(item))
          : this.#isTaintedAlias(alias);
      return isTainted ? 'star' : 'clear';
    }
    const name = parts[parts.length - 1] ?? '';
    const alias = parts[parts.length - 2];
    return alias === undefined ? this.#plainReference(name) : this.#qualifiedReference(alias, name);
  }

  #isTaintedAlias(alias: string): boolean {
    const sources = this.#names.sources.get(alias);
    // A name that is nowhere in FROM: not understood.
    if (sources === undefined) return true;
    return sources.some(isTaintedSource);
  }

  #plainReference(name: string): Reference {
    const rows = this.#names.sources.get(name)?.filter(isTaintedSource) ?? [];
    if (rows.some((source) => !isColumnOf(source, name))) return 'row';
    if (this.#names.masked.has(name)) return 'masked';
    if (this.#names.clear.has(name) || SYSTEM_COLUMNS.has(name)) return 'clear';
    // The row of a sub-select or CTE that gives out nothing masked.
    if (this.#names.sources.get(name)?.every((source) => !isTaintedSource(source)) === true)
      return 'clear';
    // It can be a column of a relation of which nothing is known, and which holds nothing masked.
    return this.#names.hasOther ? 'clear' : 'unknown';
  }

  #qualifiedReference(alias: string, name: string): Reference {
    const sources = this.#names.sources.get(alias);
    if (sources === undefined) return 'call';
    let worst: Reference = 'clear';
    for (const source of sources) {
      const reference = this.#sourceReference(source, name);
      if (reference === 'call') return 'call';
      if (reference === 'masked') worst = 'masked';
    }
    return worst;
  }

  #sourceReference(source: Source, name: string): Reference {
    if (source.kind === 'other' || !isTaintedSource(source)) return 'clear';
    if (source.kind === 'sensitive') {
      if (source.relations.some((relation) => relation.masked.includes(name))) return 'masked';
      // Only a name that is given here: one that is masked elsewhere may be a function, as in u.to_json.
      if (source.renamed.includes(name) && this.#names.masked.has(name)) return 'masked';
      // Given names hide the first columns' own, and a hidden column's name may be a function's as well.
      const isKnown =
        SYSTEM_COLUMNS.has(name) ||
        (source.renamed.length > 0
          ? source.renamed.includes(name)
          : source.relations.every((relation) => relation.clear.includes(name)));
      return isKnown ? 'clear' : 'call';
    }
    if (!this.#isColumnOfDerived(source.item, name)) return 'call';
    return this.#names.masked.has(name) ? 'masked' : 'clear';
  }

  /** Whether a sub-select, CTE or join is known to have this column: else `s.f` may be the call f(s). */
  #isColumnOfDerived(item: Derived, name: string): boolean {
    if (item.columnAliases.includes(name)) return true;
    return this.#isColumnOfQuery(item.queryType, item.query, name);
  }

  /** Each query is asked once for a name. Inside a cycle the answer is no, which is the strict one. */
  #isColumnOfQuery(type: string, tree: Tree, name: string): boolean {
    let answers = this.#columnAnswers.get(tree);
    if (answers === undefined)
      this.#columnAnswers.set(tree, (answers = new Map<string, boolean>()));
    const known = answers.get(name);
    if (known !== undefined) return known;
    answers.set(name, false);
    const answer = this.#findColumn(type, tree, name);
    answers.set(name, answer);
    return answer;
  }

  #findColumn(type: string, tree: Tree, name: string): boolean {
    if (type === 'JoinExpr')
      return [tree['larg'], tree['rarg']].some((item) => this.#isColumnOfItem(item, name));
    const left = tree['larg'];
    if (type === 'SelectStmt' && isTree(left)) return this.#isColumnOfQuery(type, left, name);
    const { targets, from } = outputOf(type, tree);
    return targets.some((entry) => {
      const target = as(entry, 'ResTarget');
      const value = target?.['val'];
      if (!isStar(value)) return (text(target?.['name']) ?? impliedName(value)) === name;
      const alias = starAlias(value);
      if (alias === undefined) return from.some((item) => this.#isColumnOfItem(item, name));
      return (this.#names.sources.get(alias) ?? []).some((source) =>
        source.kind === 'derived'
          ? this.#isColumnOfDerived(source.item, name)
          : isColumnOf(source, name),
      );
    });
  }

  #isColumnOfItem(value: unknown, name: string): boolean {
    const node = unwrap(value);
    if (node === undefined) return false;
    const { type, tree } = node;
    if (aliasColumns(tree).includes(name)) return true;
    if (type === 'JoinExpr') return this.#isColumnOfQuery(type, tree, name);
    if (type === 'RangeTableSample') return this.#isColumnOfItem(tree['relation'], name);
    if (type === 'RangeSubselect') {
      const query = unwrap(tree['subquery']);
      return query !== undefined && this.#isColumnOfQuery(query.type, query.tree, name);
    }
    if (type !== 'RangeVar') return false;
    const relation = text(tree['relname']) ?? '';
    const matching = this.#names.matching(text(tree['schemaname']), relation);
    if (matching.some((found) => found.masked.includes(name) || found.clear.includes(name)))
      return true;
    return (this.#names.ctes.get(relation) ?? []).some((item) =>
      this.#isColumnOfDerived(item, name),
    );
  }

  isMaskedName(name: string): boolean {
    return this.#names.masked.has(name);
  }
}

function isTaintedSource(source: Source): boolean {
  if (source.kind === 'sensitive') return true;
  return source.kind === 'derived' && source.item.isTainted;
}

/** The relation itself has a column of the alias's name, which PostgreSQL then takes instead of the row. */
function isColumnOf(source: Source, name: string): boolean {
  if (source.kind !== 'sensitive' || source.renamed.length > 0) return false;
  return source.relations.every(
    (relation) => relation.masked.includes(name) || relation.clear.includes(name),
  );
}
