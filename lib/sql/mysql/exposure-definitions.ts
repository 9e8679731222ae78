/**
 * Statements that define something. Under a mask none may change what is known of a masked table, put
 * masked values under another name, or hide a table behind one of its name (MY-45, MY-46, MY-67).
 */

import type {
  AlterTableStatement,
  CreateTableStatement,
  CreateViewStatement,
  DefinitionStatement,
  QualifiedName,
  RenameStatement,
  Statement,
  TableOption,
} from './ast.ts';
import type { Place } from './lineage-expressions.ts';
import type { Findings } from './lineage-findings.ts';
import { foldName } from './lineage-names.ts';
import type { Queries } from './lineage-query.ts';
import type { RelationTable } from './lineage-relations.ts';
import { createScope, unknownRun } from './lineage-scope.ts';

export interface DefinitionContext {
  readonly findings: Findings;
  readonly relations: RelationTable;
  readonly queries: Queries;
  /** Judges code that is going to run later. */
  body(statement: Statement): void;
}

/** Engines whose tables show the rows of other tables, servers or files. */
const FOREIGN_ENGINES: ReadonlySet<string> = new Set([
  'federated',
  'federatedx',
  'connect',
  'spider',
  'merge',
  'mrg_myisam',
  'mrg_isam',
  'sphinx',
  's3',
]);

/** Options that point to something outside of the database. */
const FOREIGN_OPTIONS: ReadonlySet<string> = new Set(['CONNECTION', 'DATA DIRECTORY', 'UNION']);

const RELATION_OBJECTS: ReadonlySet<string> = new Set(['TABLE', 'VIEW', 'SEQUENCE']);

const NOWHERE: Place = { scope: undefined, ctes: undefined };

type Ties = Pick<CreateTableStatement, 'foreignKeys' | 'unions' | 'options'>;

export class Definitions {
  readonly #context: DefinitionContext;

  constructor(context: DefinitionContext) {
    this.#context = context;
  }

  judge(statement: Statement): void {
    switch (statement.kind) {
      case 'create-table':
        return this.#createTable(statement);
      case 'create-view':
        return this.#createView(statement);
      case 'create-routine':
        return this.#code(statement, `CREATE ${statement.type.toUpperCase()}`);
      case 'create-trigger':
        return this.#code(statement, 'CREATE TRIGGER');
      case 'create-event':
        return this.#code(statement, `${statement.verb.toUpperCase()} EVENT`);
      case 'alter-table':
        return this.#alterTable(statement);
      case 'rename':
        return this.#rename(statement);
      case 'definition':
        return this.#definition(statement);
      default:
        return;
    }
  }

  #isSensitive(names: readonly (QualifiedName | undefined)[]): boolean {
    const { relations, findings } = this.#context;
    const isSensitive = names.some(
      (name) => name !== undefined && relations.sensitive(name).length > 0,
    );
    if (isSensitive) findings.touch();
    return isSensitive;
  }

  #refuseSensitive(names: readonly (QualifiedName | undefined)[], what: string): void {
    if (!this.#isSensitive(names)) return;
    this.#context.findings.refuse(`${what} changes what is known of a table with masked columns`);
  }

  /** Whatever it does with a masked table, it does later and for everyone who may call it. */
  #code(statement: Statement, what: string): void {
    const { findings } = this.#context;
    const isOn = statement.kind === 'create-trigger' && this.#isSensitive([statement.table]);
    this.#context.body(statement);
    if (isOn || findings.touches)
      findings.refuse(`${what} would read or write a table with masked columns`);
  }

  #createTable(create: CreateTableStatement): void {
    const { findings, relations, queries } = this.#context;
    this.#isSensitive([create.table]);
    if (relations.isMasking && create.isTemporary && relations.isKnown(create.table))
      findings.refuse('a temporary table would hide the table of its name');
    this.#refuseSensitive([create.like], 'CREATE TABLE ... LIKE');
    this.#ties(create, 'CREATE TABLE');
    queries.expressions.store(create.expressions, ownColumns(), 'CREATE TABLE');
    if (create.query === undefined) return;
    const { columns } = queries.query(create.query, NOWHERE);
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined) findings.keep('CREATE TABLE ... SELECT', masked);
  }

  /**
   * What a table has to do with others. ON UPDATE CASCADE copies a foreign key, and an error tells
   * whether a value is there, so the columns it refers to must be named and clear ones.
   */
  #ties({ foreignKeys, unions, options }: Ties, what: string): void {
    const { relations, findings } = this.#context;
    this.#isSensitive(foreignKeys.map(({ table }) => table));
    this.#refuseSensitive(unions, `${what} ... UNION`);
    this.#options(options);
    for (const { table, columns } of foreignKeys) {
      const masked = relations
        .sensitive(table)
        .flatMap((relation) =>
          columns.length === 0 ? relation.masked : relation.masked.filter(isIn(columns)),
        );
      if (masked[0] !== undefined) findings.keep('a foreign key', masked[0]);
    }
  }

  #options(options: readonly TableOption[]): void {
    const { relations, findings } = this.#context;
    if (!relations.isMasking) return;
    for (const { name, value } of options) {
      const isForeign =
        FOREIGN_OPTIONS.has(name) || (name === 'ENGINE' && FOREIGN_ENGINES.has(foldName(value)));
      if (isForeign) findings.refuse(`${name}: such a table may hold the rows of any other`);
    }
  }

  /** Of a view over clear columns alone nothing is to be said; it is no masked one then, either. */
  #createView({ view, query, verb }: CreateViewStatement): void {
    const { findings, queries } = this.#context;
    const what = `${verb.toUpperCase()} VIEW`;
    this.#refuseSensitive([view], what);
    const before = findings.steerCount;
    const { columns } = queries.query(query, NOWHERE);
    const masked = columns.find((column) => column.masked !== undefined)?.masked;
    if (masked !== undefined) findings.keep(what, masked);
    else if (findings.steerCount > before) findings.refuse(`${what} would hide ${findings.steers}`);
  }

  #alterTable({ table, actions }: AlterTableStatement): void {
    const { queries } = this.#context;
    this.#refuseSensitive([table], 'ALTER TABLE');
    for (const action of actions) {
      this.#refuseSensitive([action.other], `ALTER TABLE ... ${action.action}`);
      if (action.other !== undefined && action.action.startsWith('RENAME'))
        this.#refuseHiding(table, action.other);
      this.#ties(action, 'ALTER TABLE');
      queries.expressions.store(action.expressions, ownColumns(), 'ALTER TABLE');
    }
  }

  #rename({ object, pairs }: RenameStatement): void {
    if (object !== 'table') return;
    for (const { from, to } of pairs) {
      this.#refuseSensitive([from, to], 'RENAME TABLE');
      this.#refuseHiding(from, to);
    }
  }

  /** A temporary table can be given the name of one that is there. */
  #refuseHiding(from: QualifiedName, to: QualifiedName): void {
    const { relations, findings } = this.#context;
    if (relations.isMasking && !relations.isKnown(from) && relations.isKnown(to))
      findings.refuse('a table of which nothing is known would hide the table of its new name');
  }

  #definition({ verb, object, names, table, expressions }: DefinitionStatement): void {
    const { relations, findings, queries } = this.#context;
    const named = RELATION_OBJECTS.has(object) ? [...names, table] : [table];
    if (verb === 'drop' && object !== 'INDEX') this.#isSensitive(named);
    else this.#refuseSensitive(named, `${verb.toUpperCase()} ${object}`);
    if (relations.isMasking && object === 'SERVER' && verb !== 'drop')
      findings.refuse('a server can be read as a table, which may hold the rows of any other');
    queries.expressions.store(expressions, ownColumns(), `${verb.toUpperCase()} ${object}`);
  }
}

function isIn(names: readonly string[]): (name: string) => boolean {
  const folded = new Set(names.map(foldName));
  return (name) => folded.has(foldName(name));
}

/** Expressions of a definition name the columns that it defines. */
function ownColumns(): Place {
  const scope = createScope(undefined);
  const columns = [{ ...unknownRun(), run: 'clear' as const }];
  scope.sources.push({ alias: undefined, schema: undefined, columns, hidden: [] });
  return { scope, ctes: undefined };
}
