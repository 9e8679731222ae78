/**
 * The names in a statement: what its range variables may stand for, which names are given to what.
 * Taken in before anything is judged, whatever the scope a name stands in.
 */

import type { SensitiveRelation } from './analysis.ts';
import { aliasColumns, aliasOf, impliedName } from './postgres-outputs.ts';
import {
  as,
  DEPTH_MAX,
  forEachChild,
  isTree,
  list,
  names,
  TooDeepError,
  type Tree,
  text,
  unwrap,
} from './postgres-tree.ts';

/** What a range variable's name may stand for. */
export type Source =
  | {
      readonly kind: 'sensitive';
      readonly relations: readonly SensitiveRelation[];
      /** Names that the range variable gives to the first columns; they hide the relation's own. */
      readonly renamed: readonly string[];
    }
  /** A sub-select, a CTE, a join: `columns` gives what is known of it. */
  | { readonly kind: 'derived'; readonly item: Derived }
  /** Another relation, a function, the row that an INSERT proposed. */
  | { readonly kind: 'other' };

export interface Derived {
  readonly query: Tree;
  readonly queryType: string;
  readonly columnAliases: readonly string[];
  isTainted: boolean;
}

export class NameTable {
  readonly touched = new Set<SensitiveRelation>();
  /** By the alias or name that FROM gives. */
  readonly sources = new Map<string, Source[]>();
  readonly ctes = new Map<string, Derived[]>();
  readonly derived = new Map<Tree, Derived>();
  /** Names of output columns and what they are names of. */
  readonly targets: { readonly name: string; readonly value: unknown }[] = [];
  readonly rangeVars: { readonly columns: readonly string[]; readonly tree: Tree }[] = [];
  readonly masked = new Set<string>();
  readonly clear = new Set<string>();
  /** Something in FROM has columns that are not known here. */
  hasOther = false;
  readonly #relations: ReadonlyMap<string, readonly SensitiveRelation[]>;
  #depth = 0;

  constructor(relations: readonly SensitiveRelation[]) {
    this.#relations = indexOf(relations);
  }

  /** Takes in the names of one statement, or of a body it holds. `linkCtes` must follow. */
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
        this.hasOther = true;
        this.#addSource(aliasOf(tree), { kind: 'other' });
        for (const name of aliasColumns(tree)) this.clear.add(name);
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
    const matching = this.matching(schema, name);
    for (const relation of matching) this.#touch(relation);
    const columns = aliasColumns(tree);
    const alias = aliasOf(tree) ?? name;
    if (matching.length > 0)
      this.#addSource(alias, {
        kind: 'sensitive',
        relations: matching,
        renamed: columns,
      });
    // It may be a CTE, too: those are known only when all of the statement has been taken in.
    this.rangeVars.push({ columns, tree });
    if (matching.length === 0) this.#addSource(alias, { kind: 'other' });
  }

  matching(schema: string | undefined, name: string): readonly SensitiveRelation[] {
    const named = this.#relations.get(name) ?? [];
    return schema === undefined ? named : named.filter((relation) => relation.schema === schema);
  }

  #touch(relation: SensitiveRelation): void {
    this.touched.add(relation);
    for (const name of relation.masked) this.masked.add(name);
    for (const name of relation.clear) this.clear.add(name);
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
    this.derived.set(node.tree, item);
    this.#addSource(alias, { kind: 'derived', item });
    for (const name of columns) this.clear.add(name);
    // VALUES without names for its columns: column1, column2, ...
    if (node.tree['valuesLists'] !== undefined) this.hasOther = true;
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
    this.derived.set(node.tree, item);
    this.ctes.set(name, [...(this.ctes.get(name) ?? []), item]);
    for (const column of columns) this.clear.add(column);
    const search = tree['search_clause'];
    const cycle = tree['cycle_clause'];
    for (const clause of [search, cycle])
      for (const field of ['search_seq_column', 'cycle_mark_column', 'cycle_path_column']) {
        const column = isTree(clause) ? text(clause[field]) : undefined;
        // SEARCH and CYCLE put rows of the columns they follow into these.
        if (column !== undefined) this.masked.add(column);
      }
  }

  #gatherJoin(tree: Tree): void {
    const item: Derived = {
      query: tree,
      queryType: 'JoinExpr',
      columnAliases: aliasColumns(tree),
      isTainted: false,
    };
    this.derived.set(tree, item);
    this.#addSource(aliasOf(tree), { kind: 'derived', item });
    const using = tree['join_using_alias'];
    if (isTree(using)) this.#addSource(text(using['aliasname']), { kind: 'derived', item });
    for (const name of item.columnAliases) this.clear.add(name);
  }

  /** RETURNING sees the row before and after under these names (PG 18); ON CONFLICT the proposed one. */
  #gatherTarget(tree: Tree): void {
    const relation = tree['relation'];
    if (!isTree(relation)) return;
    if (tree['onConflictClause'] !== undefined) this.#addSource('excluded', { kind: 'other' });
    const returning = tree['returningClause'];
    if (!isTree(returning)) return;
    const matching = this.matching(text(relation['schemaname']), text(relation['relname']) ?? '');
    const source: Source =
      matching.length > 0
        ? { kind: 'sensitive', relations: matching, renamed: [] }
        : { kind: 'other' };
    const given = list(returning['options']).flatMap(
      (entry) => text(as(entry, 'ReturningOption')?.['value']) ?? [],
    );
    for (const name of ['old', 'new', ...given]) this.#addSource(name, source);
  }

  #gatherAlias(tree: Tree): void {
    const name = text(tree['name']) ?? impliedName(tree['val']);
    if (name === undefined) return;
    this.clear.add(name);
    this.targets.push({ name, value: tree['val'] });
  }

  #addSource(name: string | undefined, source: Source): void {
    if (name === undefined) return;
    const known = this.sources.get(name);
    if (known === undefined) this.sources.set(name, [source]);
    else if (!known.some((other) => isSameSource(other, source))) known.push(source);
  }

  /** Links names in FROM to the CTEs that they may mean; after everything has been taken in. */
  linkCtes(): void {
    for (const { tree } of this.rangeVars) this.#linkCte(tree);
  }

  #linkCte(rangeVar: Tree): void {
    const name = text(rangeVar['relname']) ?? '';
    if (rangeVar['schemaname'] !== undefined) return;
    const items = this.ctes.get(name);
    if (items === undefined) {
      if (this.matching(undefined, name).length === 0) this.hasOther = true;
      return;
    }
    const alias = aliasOf(rangeVar) ?? name;
    for (const item of items) this.#addSource(alias, { kind: 'derived', item });
  }
}

function isSameSource(one: Source, other: Source): boolean {
  if (one.kind === 'sensitive')
    return (
      other.kind === 'sensitive' &&
      one.renamed.length === other.renamed.length &&
      one.renamed.every((name, index) => name === other.renamed[index]) &&
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
