/**
 * The output columns of a query and the masked column behind each (MY-64): through aliases, derived
 * and common tables, joins, set operations and subqueries. `*` is expanded here, not by the server,
 * because the server no longer tells where a column of a derived table comes from.
 */

import type {
  Query,
  QueryBody,
  Select,
  SelectItem,
  SetOperation,
  TableQuery,
  Values,
  With,
} from './ast.ts';
import { type CommonTables, Expressions, type Place } from './lineage-expressions.ts';
import type { Findings } from './lineage-findings.ts';
import { growColumns, mergeArms, spanOf } from './lineage-merge.ts';
import { shownAlias } from './lineage-names.ts';
import type { RelationTable } from './lineage-relations.ts';
import {
  type Column,
  COLUMNS_MAX,
  createScope,
  expandStar,
  LineageTooLargeError,
  renameColumns,
  type Scope,
  unknownRun,
} from './lineage-scope.ts';
import { Tables } from './lineage-tables.ts';

export interface QueryResult {
  readonly columns: readonly Column[];
  /** What ORDER BY, and ON DUPLICATE KEY UPDATE of INSERT ... SELECT, can name. */
  readonly scope: Scope;
  /** INTO or PROCEDURE: the rows do not come as the columns of the query. */
  readonly isDiverted: boolean;
}

/** A text may nest common tables that name each other; each round masks at least one more column. */
const ROUNDS_MAX = 500;

const PENDING: Column = { name: '*', masked: undefined, origin: undefined, run: 'pending' };

export class Queries {
  readonly #findings: Findings;
  readonly expressions: Expressions;
  readonly tables: Tables;

  constructor(relations: RelationTable, findings: Findings, isRoutine: boolean) {
    this.#findings = findings;
    this.expressions = new Expressions({
      findings,
      isMasking: relations.isMasking,
      server: relations.server,
      unexplained: { isMaskedName: (name) => relations.isMaskedName(name), isRoutine },
      columnsOf: (query, place) => this.query(query, place).columns,
    });
    this.tables = new Tables({
      findings,
      relations,
      expressions: this.expressions,
      columnsOf: (query, place) => this.query(query, place).columns,
    });
  }

  query(query: Query, outer: Place): QueryResult {
    this.#findings.spend();
    const ctes = query.with === undefined ? outer.ctes : this.with(query.with, outer);
    const place: Place = { scope: outer.scope, ctes };
    const result = this.#body(query.body, place);
    const { scope, columns } = result;
    scope.showsAliases = true;
    this.#order(query.orderBy, columns, { scope, ctes }, 'ORDER BY');
    this.expressions.steer(query.limit, place, 'LIMIT');
    this.#into(query.into, columns);
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (query.procedure !== undefined && masked !== undefined)
      this.#findings.refuse(`PROCEDURE shows values of ${masked}`);
    const isDiverted = result.isDiverted || query.into.length > 0 || query.procedure !== undefined;
    return { columns, scope, isDiverted };
  }

  #body(body: QueryBody, place: Place): QueryResult {
    switch (body.kind) {
      case 'select':
        return this.#select(body, place);
      case 'set-operation':
        return this.#setOperation(body, place);
      case 'values':
        return this.#values(body, place);
      case 'table-query':
        return this.#tableQuery(body, place);
      case 'query':
        return this.query(body, place);
    }
  }

  #select(select: Select, outer: Place): QueryResult {
    const scope = createScope(outer.scope);
    const place: Place = { scope, ctes: outer.ctes };
    scope.star = select.from.flatMap((table) => [...this.tables.reference(table, place)]);
    const columns = this.items(select.items, place);
    this.expressions.steer([select.where], place, 'WHERE');
    scope.showsAliases = true;
    this.#order(select.groupBy, columns, place, 'GROUP BY');
    this.expressions.steer([select.having], place, 'HAVING');
    for (const window of select.windows) this.expressions.window(window, place);
    if (select.isDistinct) this.#compare(columns, 'DISTINCT');
    this.#into(select.into, columns);
    return { columns, scope, isDiverted: select.into.length > 0 };
  }

  /** A select list, or that of RETURNING. */
  items(items: readonly SelectItem[], place: Place): Column[] {
    const columns: Column[] = [];
    for (const { value, alias, text } of items) {
      const found =
        value.kind === 'star'
          ? this.#star(value, place)
          : [this.#item(value, alias === undefined ? alias : shownAlias(alias), text, place)];
      this.#findings.spend(found.length);
      columns.push(...found);
      if (columns.length > COLUMNS_MAX) throw new LineageTooLargeError('too many columns');
      place.scope?.aliases.push(...found.filter((column) => column.run === undefined));
    }
    return columns;
  }

  #star(star: Parameters<typeof expandStar>[0], place: Place): readonly Column[] {
    const columns = place.scope === undefined ? undefined : expandStar(star, place.scope);
    const found = columns ?? [unknownRun()];
    if (found.some((column) => column.masked !== undefined)) this.#findings.touch();
    return found;
  }

  #item(
    value: Exclude<SelectItem['value'], { kind: 'star' }>,
    alias: string | undefined,
    text: string,
    place: Place,
  ): Column {
    if (value.kind === 'column') {
      this.#findings.spend();
      const { masked, origin, name } = this.expressions.resolve(value, place);
      return { name: alias ?? name, masked, origin, run: undefined };
    }
    const masked = this.expressions.value(value, place);
    const isGuessed = alias === undefined;
    return { name: alias ?? text, isGuessed, masked, origin: undefined, run: undefined };
  }

  #setOperation(operation: SetOperation, place: Place): QueryResult {
    const arms = operation.queries.map((body) => this.#body(body, place));
    const columns = mergeArms(arms.map((arm) => arm.columns));
    const isPlain = operation.operators.every(
      (operator, index) => operator === 'union' && operation.isAll[index] === true,
    );
    if (!isPlain) this.#compare(columns, 'a set operation');
    return {
      columns,
      scope: scopeOver(columns, place.scope),
      isDiverted: arms.some((arm) => arm.isDiverted),
    };
  }

  #values(values: Values, place: Place): QueryResult {
    const rows = values.rows.map(({ items }) =>
      items.map((item, index): Column => {
        const masked = this.expressions.value(item, place);
        // MySQL's names; MariaDB takes the expressions of the first row.
        const name = `column_${index}`;
        return { name, isGuessed: true, masked, origin: undefined, run: undefined };
      }),
    );
    const columns = mergeArms(rows);
    return { columns, scope: scopeOver(columns, place.scope), isDiverted: false };
  }

  #tableQuery({ table }: TableQuery, outer: Place): QueryResult {
    const scope = createScope(outer.scope);
    scope.star = this.tables.reference(
      { kind: 'table', name: table, alias: undefined, period: [], isHistoric: false },
      { scope, ctes: outer.ctes },
    );
    return { columns: scope.star, scope, isDiverted: false };
  }

  /** Common tables see those before them; with RECURSIVE all of them, themselves as well. */
  with(clause: With, outer: Place): CommonTables | undefined {
    let frame = outer.ctes;
    if (!clause.isRecursive) {
      for (const { name, columns, query } of clause.tables) {
        const result = this.query(query, { scope: outer.scope, ctes: frame });
        frame = { name, columns: renameColumns(result.columns, columns), outer: frame };
      }
      return frame;
    }
    const frames = clause.tables.map(({ name }): CommonTables => {
      frame = { name, columns: [PENDING], outer: frame };
      return frame;
    });
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      if (!this.#spread(clause, frames, { scope: outer.scope, ctes: frame })) return frame;
    }
    throw new LineageTooLargeError('too many rounds');
  }

  /** True: something changed, so another round is needed. */
  #spread(clause: With, frames: readonly CommonTables[], place: Place): boolean {
    let isChanged = false;
    clause.tables.forEach(({ columns: names, query }, index) => {
      const frame = frames[index];
      if (frame === undefined) return;
      const columns = renameColumns(this.query(query, place).columns, names);
      const grown = growColumns(frame.columns, columns);
      if (spanOf(grown) !== spanOf(frame.columns)) isChanged = true;
      frame.columns = grown;
    });
    return isChanged;
  }

  /**
   * An output column can be named by its alias or its position. Which position it is must not count:
   * one analysis serves all texts of a shape (lib/sql/mysql/shape.ts).
   */
  #order(list: Select['groupBy'], columns: readonly Column[], place: Place, what: string): void {
    if (list.some((entry) => entry.kind === 'literal')) this.#compare(columns, what);
    this.expressions.steer(list, place, what);
  }

  #compare(columns: readonly Column[], construct: string): void {
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined) this.#findings.steer(construct, masked);
  }

  /** INTO @v, INTO OUTFILE: from there values can be read again (MY-40, MY-67). */
  #into(into: Query['into'], columns: readonly Column[]): void {
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (into.length > 0 && masked !== undefined) this.#findings.keep('SELECT ... INTO', masked);
  }
}

/** ORDER BY after a set operation sees its columns only. */
function scopeOver(columns: readonly Column[], outer: Scope | undefined): Scope {
  const scope = createScope(outer);
  scope.sources.push({ alias: undefined, schema: undefined, columns, hidden: [] });
  return scope;
}
