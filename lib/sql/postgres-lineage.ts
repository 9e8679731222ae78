/**
 * Which names in a statement may stand for masked values, by name and over-approximating: a name
 * that is masked anywhere in the statement is masked everywhere in it. It knows no types and reads
 * no catalog; postgres-exposure.ts decides where such a name may stand.
 */

import type { SensitiveRelation } from './analysis.ts';
import {
  aliasColumns,
  aliasOf,
  impliedName,
  isStar,
  outputOf,
  starAlias,
} from './postgres-outputs.ts';
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

/** What a range variable's name may stand for. */
type Source =
  | {
      readonly kind: 'sensitive';
      readonly relations: readonly SensitiveRelation[];
      readonly isRenamed: boolean;
    }
  /** A sub-select, a CTE, a join: `columns` gives what is known of it. */
  | { readonly kind: 'derived'; readonly item: Derived }
  /** Another relation, a function, the row that an INSERT proposed. */
  | { readonly kind: 'other' };

interface Derived {
  readonly query: Tree;
  readonly queryType: string;
  readonly columnAliases: readonly string[];
  isTainted: boolean;
}

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
  readonly touched = new Set<SensitiveRelation>();
  readonly #relations: ReadonlyMap<string, readonly SensitiveRelation[]>;
  readonly #sources = new Map<string, Source[]>();
  readonly #ctes = new Map<string, Derived[]>();
  readonly #byQuery = new Map<Tree, Derived>();
  /** The same, innermost first, so that most statements settle in one round. */
  #inner: readonly Derived[] = [];
  readonly #targets: { readonly name: string; readonly value: unknown }[] = [];
  readonly #renamings: { readonly aliases: readonly string[]; readonly tree: Tree }[] = [];
  readonly #masked = new Set<string>();
  readonly #clear = new Set<string>();
  /** Something in FROM has columns that are not known here. */
  #hasOther = false;
  #depth = 0;

  constructor(relations: readonly SensitiveRelation[]) {
    this.#relations = indexOf(relations);
  }

  /** Takes in the names of one statement, or of a body it holds. `settle` must follow. */
  gather(type: string, tree: Tree): void {
    if (this.#depth >= DEPTH_MAX) throw new TooDeepError('nested too deep');
    this.#depth += 1;
    this.#gatherNode(type, tree);
    forEachChild(type, tree, (childType, child, field) => {
      // FOR UPDATE OF names aliases, not relations.
      if (field !== 'lockedRels') this.gather(childType, child);
    });
    this.#depth -= 1;
  }

  #gatherNode(type: string, tree: Tree): void {
    switch (type) {
      case 'RangeVar':
        this.#gatherRelation(tree);
        return;
      case 'RangeSubselect':
        this.#gatherDerived(tree['subquery'], aliasOf(tree), aliasColumns(tree));
        return;
      case 'CommonTableExpr':
        this.#gatherCte(tree);
        return;
      case 'JoinExpr':
        this.#gatherJoin(tree);
        return;
      case 'RangeFunction':
      case 'RangeTableFunc':
      case 'JsonTable':
        this.#hasOther = true;
        this.#addSource(aliasOf(tree), { kind: 'other' });
        for (const name of aliasColumns(tree)) this.#clear.add(name);
        return;
      case 'InsertStmt':
      case 'UpdateStmt':
      case 'DeleteStmt':
      case 'MergeStmt':
        this.#gatherTarget(tree);
        return;
      case 'ResTarget':
        this.#gatherAlias(tree);
        return;
      default:
    }
  }

  #gatherRelation(tree: Tree): void {
    const name = text(tree['relname']) ?? '';
    const schema = text(tree['schemaname']);
    const matching = this.#matching(schema, name);
    for (const relation of matching) this.#touch(relation);
    const columns = aliasColumns(tree);
    const alias = aliasOf(tree) ?? name;
    if (matching.length > 0)
      this.#addSource(alias, {
        kind: 'sensitive',
        relations: matching,
        isRenamed: columns.length > 0,
      });
    // It may be a CTE, too: those are known only when all of the statement has been taken in.
    this.#renamings.push({ aliases: columns, tree });
    if (matching.length === 0) this.#addSource(alias, { kind: 'other' });
  }

  #matching(schema: string | undefined, name: string): readonly SensitiveRelation[] {
    const named = this.#relations.get(name) ?? [];
    return schema === undefined ? named : named.filter((relation) => relation.schema === schema);
  }

  #touch(relation: SensitiveRelation): void {
    this.touched.add(relation);
    for (const name of relation.masked) this.#masked.add(name);
    for (const name of relation.clear) this.#clear.add(name);
  }

  #gatherDerived(query: unknown, alias: string | undefined, columns: readonly string[]): void {
    const node = unwrap(query);
    if (node === undefined) return;
    const item: Derived = {
      query: node.tree,
      queryType: node.type,
      columnAliases: columns,
      isTainted: false,
    };
    this.#byQuery.set(node.tree, item);
    this.#addSource(alias, { kind: 'derived', item });
    for (const name of columns) this.#clear.add(name);
    // VALUES without names for its columns: column1, column2, ...
    if (node.tree['valuesLists'] !== undefined) this.#hasOther = true;
  }

  #gatherCte(tree: Tree): void {
    const name = text(tree['ctename']) ?? '';
    const node = unwrap(tree['ctequery']);
    if (node === undefined) return;
    const columns = names(tree['aliascolnames']);
    const item: Derived = {
      query: node.tree,
      queryType: node.type,
      columnAliases: columns,
      isTainted: false,
    };
    this.#byQuery.set(node.tree, item);
    this.#ctes.set(name, [...(this.#ctes.get(name) ?? []), item]);
    for (const column of columns) this.#clear.add(column);
    const search = tree['search_clause'];
    const cycle = tree['cycle_clause'];
    for (const clause of [search, cycle])
      for (const field of ['search_seq_column', 'cycle_mark_column', 'cycle_path_column']) {
        const column = isTree(clause) ? text(clause[field]) : undefined;
        // SEARCH and CYCLE put rows of the columns they follow into these.
        if (column !== undefined) this.#masked.add(column);
      }
  }

  #gatherJoin(tree: Tree): void {
    const item: Derived = {
      query: tree,
      queryType: 'JoinExpr',
      columnAliases: aliasColumns(tree),
      isTainted: false,
    };
    this.#byQuery.set(tree, item);
    this.#addSource(aliasOf(tree), { kind: 'derived', item });
    const using = tree['join_using_alias'];
    if (isTree(using)) this.#addSource(text(using['aliasname']), { kind: 'derived', item });
    for (const name of item.columnAliases) this.#clear.add(name);
  }

  /** RETURNING sees the row before and after under these names (PG 18); ON CONFLICT the proposed one. */
  #gatherTarget(tree: Tree): void {
    const relation = tree['relation'];
    if (!isTree(relation)) return;
    if (tree['onConflictClause'] !== undefined) this.#addSource('excluded', { kind: 'other' });
    const returning = tree['returningClause'];
    if (!isTree(returning)) return;
    const matching = this.#matching(text(relation['schemaname']), text(relation['relname']) ?? '');
    const source: Source =
      matching.length > 0
        ? { kind: 'sensitive', relations: matching, isRenamed: false }
        : { kind: 'other' };
    const given = list(returning['options']).flatMap(
      (entry) => text(as(entry, 'ReturningOption')?.['value']) ?? [],
    );
    for (const name of ['old', 'new', ...given]) this.#addSource(name, source);
  }

  #gatherAlias(tree: Tree): void {
    const name = text(tree['name']) ?? impliedName(tree['val']);
    if (name === undefined) return;
    this.#clear.add(name);
    this.#targets.push({ name, value: tree['val'] });
  }

  #addSource(name: string | undefined, source: Source): void {
    if (name === undefined) return;
    const known = this.#sources.get(name);
    if (known === undefined) this.#sources.set(name, [source]);
    else if (!known.some((other) => isSameSource(other, source))) known.push(source);
  }

  /** Spreads masked names through aliases until nothing changes. */
  settle(): void {
    for (const { tree } of this.#renamings) this.#linkCte(tree);
    this.#inner = [...this.#byQuery.values()].reverse();
    for (let round = 0; round < ROUNDS_MAX; round += 1) if (!this.#spread()) return;
    throw new TooDeepError('too many names');
  }

  #linkCte(rangeVar: Tree): void {
    const name = text(rangeVar['relname']) ?? '';
    if (rangeVar['schemaname'] !== undefined) return;
    const items = this.#ctes.get(name);
    if (items === undefined) {
      if (this.#matching(undefined, name).length === 0) this.#hasOther = true;
      return;
    }
    const alias = aliasOf(rangeVar) ?? name;
    for (const item of items) this.#addSource(alias, { kind: 'derived', item });
  }

  #spread(): boolean {
    const before = this.#masked.size;
    let isChanged = false;
    for (const item of this.#inner) {
      if (!item.isTainted && this.isTaintedQuery(item.queryType, item.query)) {
        item.isTainted = true;
        isChanged = true;
      }
      if (item.isTainted) this.#maskAliases(item);
    }
    for (const { name, value } of this.#targets)
      if (this.isTaintedTarget(value, undefined)) this.#masked.add(name);
    for (const { aliases, tree } of this.#renamings)
      if (aliases.length > 0 && this.isTaintedItem({ RangeVar: tree }))
        for (const name of aliases) this.#masked.add(name);
    return isChanged || this.#masked.size > before;
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
      if (!isPlain || this.isTaintedTarget(value, undefined)) this.#masked.add(name);
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
    return query !== undefined && this.#byQuery.get(query)?.isTainted === true;
  }

  #isTaintedRelation(rangeVar: Tree): boolean {
    const schema = text(rangeVar['schemaname']);
    const name = text(rangeVar['relname']) ?? '';
    if (this.#matching(schema, name).length > 0) return true;
    return schema === undefined && (this.#ctes.get(name) ?? []).some((item) => item.isTainted);
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
    if (!this.#sources.has(alias) || this.#masked.has(alias)) return undefined;
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
    const sources = this.#sources.get(alias);
    // A name that is nowhere in FROM: not understood.
    if (sources === undefined) return true;
    return sources.some(isTaintedSource);
  }

  #plainReference(name: string): Reference {
    const rows = this.#sources.get(name)?.filter(isTaintedSource) ?? [];
    if (rows.some((source) => !isColumnOf(source, name))) return 'row';
    if (this.#masked.has(name)) return 'masked';
    if (this.#clear.has(name) || SYSTEM_COLUMNS.has(name)) return 'clear';
    // It can be a column of a relation of which nothing is known, and which holds nothing masked.
    return this.#hasOther ? 'clear' : 'unknown';
  }

  #qualifiedReference(alias: string, name: string): Reference {
    const sources = this.#sources.get(alias);
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
      if (source.isRenamed && this.#masked.has(name)) return 'masked';
      const isKnown =
        SYSTEM_COLUMNS.has(name) ||
        source.relations.every((relation) => relation.clear.includes(name));
      return isKnown ? 'clear' : 'call';
    }
    if (!this.#isColumnOfDerived(source.item, name, new Set())) return 'call';
    return this.#masked.has(name) ? 'masked' : 'clear';
  }

  /** Whether a sub-select, CTE or join is known to have this column: else `s.f` may be the call f(s). */
  #isColumnOfDerived(item: Derived, name: string, seen: Set<Tree>): boolean {
    if (item.columnAliases.includes(name)) return true;
    return this.#isColumnOfQuery(item.queryType, item.query, name, seen);
  }

  #isColumnOfQuery(type: string, tree: Tree, name: string, seen: Set<Tree>): boolean {
    if (seen.has(tree)) return false;
    seen.add(tree);
    if (type === 'JoinExpr')
      return [tree['larg'], tree['rarg']].some((item) => this.#isColumnOfItem(item, name, seen));
    const left = tree['larg'];
    if (type === 'SelectStmt' && isTree(left)) return this.#isColumnOfQuery(type, left, name, seen);
    const { targets, from } = outputOf(type, tree);
    return targets.some((entry) => {
      const target = as(entry, 'ResTarget');
      const value = target?.['val'];
      if (!isStar(value)) return (text(target?.['name']) ?? impliedName(value)) === name;
      const alias = starAlias(value);
      if (alias === undefined) return from.some((item) => this.#isColumnOfItem(item, name, seen));
      return (this.#sources.get(alias) ?? []).some((source) =>
        source.kind === 'derived'
          ? this.#isColumnOfDerived(source.item, name, seen)
          : isColumnOf(source, name),
      );
    });
  }

  #isColumnOfItem(value: unknown, name: string, seen: Set<Tree>): boolean {
    const node = unwrap(value);
    if (node === undefined) return false;
    const { type, tree } = node;
    if (aliasColumns(tree).includes(name)) return true;
    if (type === 'JoinExpr') return this.#isColumnOfQuery(type, tree, name, seen);
    if (type === 'RangeTableSample') return this.#isColumnOfItem(tree['relation'], name, seen);
    if (type === 'RangeSubselect') {
      const query = unwrap(tree['subquery']);
      return query !== undefined && this.#isColumnOfQuery(query.type, query.tree, name, seen);
    }
    if (type !== 'RangeVar') return false;
    const relation = text(tree['relname']) ?? '';
    const matching = this.#matching(text(tree['schemaname']), relation);
    if (matching.some((found) => found.masked.includes(name) || found.clear.includes(name)))
      return true;
    return (this.#ctes.get(relation) ?? []).some((item) =>
      this.#isColumnOfDerived(item, name, seen),
    );
  }

  isMaskedName(name: string): boolean {
    return this.#masked.has(name);
  }
}

function isSameSource(one: Source, other: Source): boolean {
  if (one.kind === 'sensitive')
    return (
      other.kind === 'sensitive' &&
      one.isRenamed === other.isRenamed &&
      one.relations.length === other.relations.length &&
      one.relations.every((relation, index) => relation === other.relations[index])
    );
  if (one.kind === 'derived') return other.kind === 'derived' && one.item === other.item;
  return other.kind === 'other';
}

/** Relations by name, made once for each set of them: there may be thousands. */
const indexes = new WeakMap<readonly SensitiveRelation[], Map<string, SensitiveRelation[]>>();

function indexOf(relations: readonly SensitiveRelation[]): Map<string, SensitiveRelation[]> {
  let index = indexes.get(relations);
  if (index === undefined) {
    index = new Map();
    for (const relation of relations) {
      const same = index.get(relation.name);
      if (same === undefined) index.set(relation.name, [relation]);
      else same.push(relation);
    }
    indexes.set(relations, index);
  }
  return index;
}

function isTaintedSource(source: Source): boolean {
  if (source.kind === 'sensitive') return true;
  return source.kind === 'derived' && source.item.isTainted;
}

/** The relation itself has a column of the alias's name, which PostgreSQL then takes instead of the row. */
function isColumnOf(source: Source, name: string): boolean {
  if (source.kind !== 'sensitive' || source.isRenamed) return false;
  return source.relations.every(
    (relation) => relation.masked.includes(name) || relation.clear.includes(name),
  );
}
