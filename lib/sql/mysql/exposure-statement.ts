/**
 * One statement against the masked columns. Queries are traced; a write that takes a masked value, a
 * definition that names a masked table, and code or cursors whose rows come later are refused.
 */

import type {
  CompoundStatement,
  ExecuteStatement,
  ExplainStatement,
  Expression,
  HandlerStatement,
  PrepareStatement,
  QualifiedName,
  Query,
  ReturnStatement,
  SetItem,
  SetStatement,
  Statement,
  UtilityStatement,
} from './ast.ts';
import { Definitions } from './exposure-definitions.ts';
import { showRows } from './exposure-show.ts';
import { Writes } from './exposure-writes.ts';
import type { Place } from './lineage-expressions.ts';
import type { Findings } from './lineage-findings.ts';
import { Queries } from './lineage-query.ts';
import { maskedRun, type RelationTable } from './lineage-relations.ts';
import { type Column, createScope, unknownRun } from './lineage-scope.ts';

export interface Judging {
  readonly findings: Findings;
  readonly relations: RelationTable;
  readonly parse: (text: string) => readonly Statement[] | undefined;
  /** Names without explanation are variables. */
  readonly isRoutine: boolean;
}

/** The rows that a statement gives; undefined: none of its own. */
export type Rows = readonly Column[] | undefined;

const NOWHERE: Place = { scope: undefined, ctes: undefined };

export class StatementJudge {
  readonly #judging: Judging;
  readonly #queries: Queries;
  readonly #writes: Writes;
  readonly #definitions: Definitions;

  constructor(judging: Judging) {
    this.#judging = judging;
    const { relations, findings, isRoutine } = judging;
    this.#queries = new Queries(relations, findings, isRoutine);
    this.#writes = new Writes(this.#queries, relations, findings);
    this.#definitions = new Definitions({
      findings,
      relations,
      queries: this.#queries,
      body: (statement) => this.#routine().body(statement),
    });
  }

  statement(statement: Statement, place: Place = NOWHERE): Rows {
    this.#judging.findings.spend();
    switch (statement.kind) {
      case 'select-statement': {
        const { columns, isDiverted } = this.#queries.query(statement.query, place);
        return isDiverted ? undefined : columns;
      }
      case 'insert':
        return this.#writes.insert(statement, place);
      case 'update':
        return this.#writes.update(statement, place);
      case 'delete':
        return this.#writes.delete(statement, place);
      case 'load':
        return this.#writes.load(statement);
      case 'set':
        return this.#set(statement, place);
      case 'explain':
        return this.#explain(statement, place);
      case 'execute':
        return this.#execute(statement, place);
      case 'show':
        return showRows(statement, this.#judging, (where) => this.#steerShow(where));
      default:
        this.#quiet(statement, place);
        return undefined;
    }
  }

  /** What is in a routine, trigger or event; its rows come among others and cannot be told apart. */
  body(statement: Statement): void {
    switch (statement.kind) {
      case 'create-routine':
        this.store(statement.expressions, NOWHERE, 'a routine');
        if (statement.body !== undefined) this.body(statement.body);
        return;
      case 'create-event':
        this.store(statement.expressions, NOWHERE, 'an event');
        if (statement.body !== undefined) this.body(statement.body);
        return;
      case 'create-trigger':
        this.touch([statement.table]);
        this.body(statement.body);
        return;
      case 'create-view':
        this.#refuseRows(this.#queries.query(statement.query, NOWHERE).columns);
        return;
      default:
        this.#refuseRows(this.statement(statement));
    }
  }

  touch(names: readonly QualifiedName[]): boolean {
    const isSensitive = names.some((name) => this.#judging.relations.sensitive(name).length > 0);
    if (isSensitive) this.#judging.findings.touch();
    return isSensitive;
  }

  store(expressions: readonly (Expression | undefined)[], place: Place, what: string): void {
    this.#queries.expressions.store(expressions, place, what);
  }

  /** Statements that never give rows. */
  #quiet(statement: Statement, place: Place): void {
    const { expressions } = this.#queries;
    switch (statement.kind) {
      case 'call-statement':
        return this.store(statement.args, place, 'CALL');
      case 'do':
        for (const { value } of statement.items)
          if (value.kind !== 'star') expressions.steer([value], place, 'DO');
        return;
      case 'handler':
        return this.#handler(statement, place);
      case 'prepare':
        return this.#prepare(statement, place);
      case 'truncate':
        return void this.touch(statement.tables);
      case 'lock':
        return void this.touch(statement.tables.map(({ name }) => name));
      case 'grant':
        return void this.touch(statement.object === undefined ? [] : [statement.object]);
      case 'utility':
        return this.#utility(statement, place);
      case 'compound':
        return this.#compound(statement, place);
      case 'declare':
        this.store(statement.expressions, place, 'a variable');
        return this.#cursor(statement.cursor, place);
      case 'return':
        return this.#return(statement, place);
      default:
        return this.#definitions.judge(statement);
    }
  }

  #routine(): StatementJudge {
    return this.#judging.isRoutine
      ? this
      : new StatementJudge({ ...this.#judging, isRoutine: true });
  }

  #refuseRows(rows: Rows): void {
    const masked = rows?.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined)
      this.#judging.findings.refuse(
        `rows with ${masked} come among others and cannot be told apart`,
      );
  }

  #set({ items, statement }: SetStatement, place: Place): Rows {
    for (const item of items) this.store(valuesOf(item), place, 'SET');
    return statement === undefined ? undefined : this.statement(statement, place);
  }

  #compound(compound: CompoundStatement, place: Place): void {
    const { expressions } = this.#queries;
    // The first bound of FOR becomes the value of its variable.
    if (compound.form === 'for') this.store(compound.expressions, place, 'FOR');
    else expressions.steer(compound.expressions, place, compound.form.toUpperCase());
    for (const query of compound.queries) this.#cursor(query, place);
    const judge = this.#routine();
    for (const statement of compound.statements)
      judge.#refuseRows(judge.statement(statement, place));
  }

  #cursor(query: Query | undefined, place: Place): void {
    if (query === undefined) return;
    const { columns } = this.#queries.query(query, place);
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined) this.#judging.findings.keep('a cursor', masked);
  }

  #return({ form, expressions }: ReturnStatement, place: Place): void {
    const { findings, relations } = this.#judging;
    // Messages of earlier errors and warnings quote values (MY-66).
    if (relations.isMasking && form.startsWith('GET'))
      findings.refuse('GET DIAGNOSTICS copies messages, which may quote masked values');
    this.store(expressions, place, form);
  }

  /** Rows come by position in an index and with every column, in later statements (MY-47). */
  #handler({ table, expressions }: HandlerStatement, place: Place): void {
    if (this.touch([table])) this.#judging.findings.refuse('HANDLER reads whole rows of the table');
    this.#queries.expressions.steer(expressions, place, 'HANDLER');
  }

  #utility({ verb, tables, expressions }: UtilityStatement, place: Place): void {
    const isSensitive = this.touch(tables);
    if (isSensitive && verb.startsWith('CHECKSUM'))
      this.#judging.findings.refuse('CHECKSUM TABLE tells of the values of every column');
    this.store(expressions, place, verb);
  }

  /** EXECUTE comes in another packet, where nobody knows the columns (MY-39). */
  #prepare({ from }: PrepareStatement, place: Place): void {
    const { findings } = this.#judging;
    for (const statement of this.#inner(from, place, 'PREPARE')) {
      const masked = this.statement(statement)?.find((column) => column.masked !== undefined);
      if (masked?.masked !== undefined)
        findings.refuse(`PREPARE ... FROM a text that gives out ${masked.masked}`);
    }
  }

  #execute({ from, using }: ExecuteStatement, place: Place): Rows {
    this.store(using, place, 'EXECUTE ... USING');
    if (from === undefined) return undefined;
    const inner = this.#inner(from, place, 'EXECUTE IMMEDIATE');
    const rows = inner.map((statement) => this.statement(statement));
    if (rows.length > 1) for (const some of rows) this.#refuseRows(some);
    return rows.length === 1 ? rows[0] : undefined;
  }

  #inner(from: Expression, place: Place, what: string): readonly Statement[] {
    const { findings, relations, parse } = this.#judging;
    this.store([from], place, what);
    if (!relations.isMasking) return [];
    const isText = from.kind === 'literal' && from.type === 'string' && !from.isOpaque;
    const statements = isText ? parse(from.value) : undefined;
    if (statements === undefined) findings.refuse(`${what} of a text that cannot be read here`);
    return statements ?? [];
  }

  /** A plan tells of masked values by its estimates; as JSON or a tree it also quotes them (MY-66). */
  #explain(explain: ExplainStatement, place: Place): Rows {
    const { findings, relations } = this.#judging;
    this.touch(explain.table === undefined ? [] : [explain.table]);
    if (explain.isForConnection) return relations.isMasking ? [UNTOLD] : undefined;
    if (explain.statement === undefined) return undefined;
    const before = findings.steerCount;
    const rows = this.statement(explain.statement, place);
    const masked = rows?.find((column) => column.masked !== undefined)?.masked;
    if (masked === undefined && findings.steerCount === before) return undefined;
    findings.steer('EXPLAIN', masked);
    const { format } = explain;
    // MySQL has a variable for the format of those that name none.
    const isTabular = format === 'TRADITIONAL' || (format === undefined && relations.isMariadb);
    return isTabular ? undefined : [UNTOLD];
  }

  #steerShow(where: Expression): void {
    const scope = createScope(undefined);
    const columns = [{ ...unknownRun(), run: 'clear' as const }];
    scope.sources.push({ alias: undefined, schema: undefined, columns, hidden: [] });
    this.#queries.expressions.steer([where], { scope, ctes: undefined }, 'SHOW');
  }
}

/** One masked column where a statement gives one or many: then all of them are masked. */
const UNTOLD: Column = maskedRun('a plan');

function valuesOf(item: SetItem): readonly (Expression | undefined)[] {
  return item.kind === 'set-other' ? item.expressions : [item.value];
}
