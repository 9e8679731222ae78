/** INSERT, REPLACE, UPDATE, DELETE and LOAD: no masked value may be written anywhere (MY-67). */

import type {
  ColumnAssignment,
  DeleteStatement,
  InsertStatement,
  LoadStatement,
  QualifiedName,
  UpdateStatement,
} from './ast.ts';
import type { CommonTables, Place } from './lineage-expressions.ts';
import type { Findings } from './lineage-findings.ts';
import { isSameName } from './lineage-names.ts';
import type { Queries } from './lineage-query.ts';
import type { RelationTable } from './lineage-relations.ts';
import { type Column, createScope, type Scope, type Source, unknownRun } from './lineage-scope.ts';

type Rows = readonly Column[] | undefined;

export class Writes {
  readonly #queries: Queries;
  readonly #relations: RelationTable;
  readonly #findings: Findings;

  constructor(queries: Queries, relations: RelationTable, findings: Findings) {
    this.#queries = queries;
    this.#relations = relations;
    this.#findings = findings;
  }

  insert(insert: InsertStatement, outer: Place): Rows {
    const { expressions } = this.#queries;
    const ctes = this.#with(insert, outer);
    const { place, target } = this.#target(insert.table, outer, ctes);
    const verb = insert.verb.toUpperCase();
    for (const { items } of insert.rows) expressions.store(items, place, verb);
    this.#assign(insert.set, place, verb);
    const selected = this.#select(insert, { scope: outer.scope, ctes }, verb);
    const scope = createScope(outer.scope);
    scope.sources.push(target, ...(selected?.sources ?? []), ...rowSources(insert));
    this.#assign(
      insert.onDuplicate.filter((assignment) => selected !== undefined || !isSelf(assignment)),
      { scope, ctes, isDuplicate: true },
      'ON DUPLICATE KEY UPDATE',
    );
    return this.#returning(insert.returning, place);
  }

  #select({ query }: InsertStatement, place: Place, verb: string): Scope | undefined {
    if (query === undefined) return undefined;
    const { columns, scope } = this.#queries.query(query, place);
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined) this.#findings.keep(`${verb} ... SELECT`, masked);
    return scope;
  }

  update(update: UpdateStatement, outer: Place): Rows {
    const place = this.#tables(update, outer);
    this.#assign(
      update.set.filter((assignment) => !isSelf(assignment)),
      place,
      'UPDATE',
    );
    this.#conditions(update, place);
    return this.#returning(update.returning, place);
  }

  delete(remove: DeleteStatement, outer: Place): Rows {
    const place = this.#tables(remove, outer);
    this.#conditions(remove, place);
    return this.#returning(remove.returning, place);
  }

  load(load: LoadStatement): undefined {
    const { place } = this.#target(load.table, NOWHERE, undefined);
    this.#assign(load.set, place, 'LOAD DATA');
    this.#queries.expressions.store(load.expressions, place, 'LOAD DATA');
    if (!load.isLocal && this.#relations.isMasking)
      this.#findings.refuse('LOAD DATA of a file of the server can read any data');
    return undefined;
  }

  #with(
    statement: { readonly with: InsertStatement['with'] },
    outer: Place,
  ): CommonTables | undefined {
    return statement.with === undefined ? outer.ctes : this.#queries.with(statement.with, outer);
  }

  #target(
    name: QualifiedName,
    outer: Place,
    ctes: CommonTables | undefined,
  ): { readonly place: Place; readonly target: Source } {
    const { isSensitive, schema, columns, hidden } = this.#relations.columnsOf(name);
    if (isSensitive) this.#findings.touch();
    const target: Source = { alias: name.name, schema, columns, hidden };
    const scope = createScope(outer.scope);
    scope.sources.push(target);
    scope.star = columns;
    return { place: { scope, ctes }, target };
  }

  #tables(statement: UpdateStatement | DeleteStatement, outer: Place): Place {
    const ctes = this.#with(statement, outer);
    const scope = createScope(outer.scope);
    const place: Place = { scope, ctes };
    scope.star = statement.tables.flatMap((table) => [
      ...this.#queries.tables.reference(table, place),
    ]);
    return place;
  }

  #conditions(statement: UpdateStatement | DeleteStatement, place: Place): void {
    const { expressions } = this.#queries;
    expressions.steer([statement.where], place, 'WHERE');
    expressions.steer(statement.orderBy, place, 'ORDER BY');
    expressions.steer(statement.limit, place, 'LIMIT');
  }

  #assign(assignments: readonly ColumnAssignment[], place: Place, construct: string): void {
    for (const { value } of assignments) this.#queries.expressions.store([value], place, construct);
  }

  #returning(items: InsertStatement['returning'], place: Place): Rows {
    return items === undefined ? undefined : this.#queries.items(items, place);
  }
}

const NOWHERE: Place = { scope: undefined, ctes: undefined };

/** `SET email = email` leaves every value where it is; `SET other.users.email = users.email` does not. */
function isSelf({ column, value }: ColumnAssignment): boolean {
  return (
    value.kind === 'column' &&
    isSameName(column.name, value.name) &&
    (value.table === undefined || (value.table === column.table && value.schema === column.schema))
  );
}

/** VALUES (...) AS new (a, b): what the client itself sends. */
function rowSources({ rowAlias, rowColumns }: InsertStatement): readonly Source[] {
  if (rowAlias === undefined) return [];
  const columns =
    rowColumns === undefined
      ? [{ ...unknownRun(), run: 'clear' as const }]
      : rowColumns.map(
          (name): Column => ({ name, masked: undefined, origin: undefined, run: undefined }),
        );
  return [{ alias: rowAlias, schema: undefined, columns, hidden: [] }];
}
