/** What stands in FROM, UPDATE and DELETE: tables, derived and common tables, joins (MY-64). */

import type { DerivedTable, Join, Query, Table, TableReference } from './ast.ts';
import type { CommonTables, Expressions, Place } from './lineage-expressions.ts';
import type { Findings } from './lineage-findings.ts';
import { joinColumns } from './lineage-merge.ts';
import { foldName, mayBeSameName } from './lineage-names.ts';
import type { RelationTable } from './lineage-relations.ts';
import { type Column, renameColumns, type Source, unknownRun } from './lineage-scope.ts';

export interface TablesContext {
  readonly findings: Findings;
  readonly relations: RelationTable;
  readonly expressions: Expressions;
  columnsOf(query: Query, place: Place): readonly Column[];
}

export class Tables {
  readonly #context: TablesContext;

  constructor(context: TablesContext) {
    this.#context = context;
  }

  /** Puts what it names into the scope; gives the columns that `*` stands for. */
  reference(reference: TableReference, place: Place): readonly Column[] {
    this.#context.findings.spend();
    switch (reference.kind) {
      case 'table':
        return this.#add(this.#table(reference, place), place);
      case 'derived':
        return this.#add(this.#derived(reference, place), place);
      case 'json-table': {
        const masked = this.#context.expressions.value(reference.value, place);
        // How many rows there are, and whether it is JSON at all, tells of the document.
        if (masked !== undefined) this.#context.findings.steer('JSON_TABLE', masked);
        const columns = reference.columns.map(
          (name): Column => ({ name, masked, origin: undefined, run: undefined }),
        );
        return this.#add({ ...NAMELESS, alias: reference.alias, columns }, place);
      }
      case 'table-function': {
        const masked = this.#context.expressions.value(reference.call, place);
        if (masked !== undefined) this.#context.findings.keep('a table function', masked);
        return this.#add({ ...NAMELESS, alias: reference.alias, columns: [unknownRun()] }, place);
      }
      case 'table-list': {
        const columns = reference.tables.flatMap((table) => [...this.reference(table, place)]);
        if (reference.alias === undefined) return columns;
        return this.#add({ ...NAMELESS, alias: reference.alias, columns }, place);
      }
      case 'join':
        return this.#join(reference, place);
    }
  }

  #add(source: Source, place: Place): readonly Column[] {
    place.scope?.sources.push(source);
    return source.columns;
  }

  #table(table: Table, place: Place): Source {
    const { findings, relations, expressions } = this.#context;
    expressions.steer(table.period, place, 'FOR SYSTEM_TIME');
    const alias = table.alias ?? table.name.name;
    const common =
      table.name.schema === undefined ? findCommonTable(place.ctes, table.name.name) : undefined;
    if (common !== undefined)
      return { alias, schema: undefined, columns: common.columns, hidden: [] };
    const { isSensitive, schema, columns, hidden } = relations.columnsOf(table.name);
    if (isSensitive) findings.touch();
    findings.spend(columns.length);
    // An alias hides the schema: `db.alias.column` is nothing.
    return { alias, schema: table.alias === undefined ? schema : undefined, columns, hidden };
  }

  #derived({ query, alias, columns: names }: DerivedTable, place: Place): Source {
    const columns = renameColumns(this.#context.columnsOf(query, place), names);
    return { alias, schema: undefined, columns, hidden: [] };
  }

  #join(join: Join, place: Place): readonly Column[] {
    const left = this.reference(join.left, place);
    const right = this.reference(join.right, place);
    this.#context.expressions.steer(join.on, place, 'JOIN ... ON');
    if (!join.isNatural && join.using === undefined) return [...left, ...right];
    this.#steerMerged(join, [...left, ...right]);
    const isOrderKnown = this.#context.relations.isMariadb;
    return joinColumns({ left, right, isRight: join.type === 'right', isOrderKnown }, join.using);
  }

  /** Merged columns are compared with each other. */
  #steerMerged({ isNatural, using }: Join, columns: readonly Column[]): void {
    const { findings } = this.#context;
    const isMerged = (column: Column): boolean =>
      isNatural || using?.some((name) => mayBeSameName(name, column.name)) === true;
    const masked = columns.find((column) => column.masked !== undefined && isMerged(column));
    if (masked !== undefined)
      findings.steer(isNatural ? 'NATURAL JOIN' : 'JOIN USING', masked.masked);
  }
}

const NAMELESS = { alias: undefined, schema: undefined, hidden: [] } as const;

/** The common table of this name; a name with a schema is never one. */
function findCommonTable(ctes: CommonTables | undefined, name: string): CommonTables | undefined {
  for (let frame = ctes; frame !== undefined; frame = frame.outer)
    if (foldName(frame.name) === foldName(name)) return frame;
  return undefined;
}
