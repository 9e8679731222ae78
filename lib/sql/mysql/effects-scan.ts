/**
 * Collects what the statements of a text do, at any depth: effects with their objects, the functions
 * called that may have a body, and hazards to how the server reads texts. It does not decide anything.
 */

import type { Effect, ObjectEffect, ObjectName } from '../analysis.ts';
import type { Call, Expression, Node, QualifiedName, Query, Select, Statement } from './ast.ts';
import { isBuiltinFunction, isOverridable, isSpaceSensitive } from './builtins.ts';
import { functionEffects } from './effects-functions.ts';
import { userVariableHazard } from './effects-modes.ts';
import { TooDeepError } from './errors.ts';
import { isNamedByLiteral, isTableNode, writesFile } from './query-parts.ts';
import { isStatement } from './statement-names.ts';
import type { Server } from './version-comments.ts';
import { forEachChild } from './walk.ts';

export interface Scope {
  /** Names of the common tables in sight, exactly as written: not relations. */
  readonly ctes: ReadonlySet<string>;
  readonly via: string | undefined;
  /** Under an EXPLAIN that does not run: nothing is written, locked or created. */
  readonly isPlanOnly: boolean;
  /** In SELECT ... INTO OUTFILE: what is read leaves for a file. */
  readonly isCopiedOut: boolean;
  /** Names of the select list can be used elsewhere, where a literal might become one. */
  readonly namesMatter: boolean;
  /** Texts inside of texts: PREPARE in PREPARE. */
  readonly textDepth: number;
}

export const TOP: Scope = {
  ctes: new Set(),
  via: undefined,
  isPlanOnly: false,
  isCopiedOut: false,
  namesMatter: false,
  textDepth: 0,
};

export interface ScanContext {
  readonly server: Server;
  /** Default database at the start of the text. */
  readonly database: string | undefined;
  /** The statements of an inner text; undefined: it cannot be parsed. */
  readonly parse: (text: string) => readonly Statement[] | undefined;
  /** What a statement does besides what its expressions and queries do. */
  readonly readStatement: StatementReader;
}

/** True: the statement's children were visited; false: they are to be walked as usual. */
export type StatementReader = (scan: EffectScan, statement: Statement, scope: Scope) => boolean;

/** What a statement changes in how those behind it in the same packet are read (MY-62). */
export interface Change {
  readonly what: string;
  /** It matters only if the rest of the packet holds such a character; undefined: always. */
  readonly unless: RegExp | undefined;
}

/** Effects that an EXPLAIN without ANALYZE does not have: it reads the tables' definitions instead. */
const RUN_EFFECTS: ReadonlySet<Effect> = new Set([
  'insert',
  'update',
  'delete',
  'truncate',
  'create',
  'lock',
  'copy-out',
]);

/** Through a view they change the rows of other tables. */
const THROUGH_VIEW: ReadonlySet<Effect> = new Set([
  'insert',
  'update',
  'delete',
  'truncate',
  'copy-in',
]);

/** Nodes with nothing in them that matters here: most of a long list of values. */
const LEAVES: ReadonlySet<Node['kind']> = new Set([
  'literal',
  'parameter',
  'column',
  'user-variable',
  'system-variable',
  'name',
  'star',
]);

/** Distinct effects and functions of one text; beyond it the text is refused. */
const ENTRIES_MAX = 20_000;
/** Writing there can do anything: change a routine, an account, a plugin. */
const CATALOG_SCHEMA = 'mysql';

export class EffectScan {
  readonly context: ScanContext;
  readonly #effects = new Map<string, ObjectEffect>();
  readonly #functions = new Map<string, ObjectName>();
  readonly #takenOver = new Map<string, ObjectName>();
  readonly #hazards = new Set<string>();
  /** Default database of names without one; USE changes it for what comes behind. */
  database: string | undefined;
  /** Set when another literal in the same place could have given another analysis. */
  looksAtLiteral = false;
  /** Of the statement that is being visited. */
  changes: Change[] = [];
  readonly #made = new Map<string, 'view' | 'any'>();
  #moved: string[] = [];
  #textCount = 0;

  constructor(context: ScanContext) {
    this.context = context;
    this.database = context.database;
  }

  get effects(): readonly ObjectEffect[] {
    return [...this.#effects.values()];
  }

  get functions(): readonly ObjectName[] {
    return [...this.#functions.values()];
  }

  get takenOver(): readonly ObjectName[] {
    return [...this.#takenOver.values()];
  }

  get hazards(): readonly string[] {
    return [...this.#hazards];
  }

  // --- Walking

  /** A statement of its own, or the body of a routine: nobody sees what that prepares or executes. */
  visitTop(statement: Statement, isBody = false): void {
    this.changes = [];
    this.#moved = [];
    this.#textCount = 0;
    this.visitStatement(statement, TOP);
    // A block can change how the texts are read that it prepares; one that is a text itself does no harm.
    const isText = !isBody && (statement.kind === 'prepare' || statement.kind === 'execute');
    if (this.#moved.length > 0 && this.#textCount > (isText ? 1 : 0))
      this.addHazard(`${this.#moved[0] ?? ''} beside PREPARE or EXECUTE IMMEDIATE in one block`);
  }

  /** Later texts of the same block would be read in another way (MY-62). */
  moveTexts(what: string): void {
    this.#moved.push(what);
  }

  countText(): void {
    this.#textCount += 1;
  }

  visitStatement(statement: Statement, scope: Scope): void {
    const before = this.#effects.size;
    if (!this.context.readStatement(this, statement, scope)) this.visitChildren(statement, scope);
    // SELECT 1 reads nothing that has a name, yet it is a read and not nothing.
    if (statement.kind === 'select-statement' && this.#effects.size === before)
      this.add('read', undefined, scope);
  }

  visitChildren(node: Node, scope: Scope, except?: readonly string[]): void {
    forEachChild(node, (child, field) => {
      if (except?.includes(field) !== true) this.visit(child, scope);
    });
  }

  visitAll(nodes: readonly Node[], scope: Scope): void {
    for (const node of nodes) this.visit(node, scope);
  }

  visit(node: Node, scope: Scope): void {
    if (LEAVES.has(node.kind)) return;
    if (isStatement(node)) this.visitStatement(node, scope);
    else this.#visitOther(node, scope);
  }

  #visitOther(node: Exclude<Node, Statement>, scope: Scope): void {
    switch (node.kind) {
      case 'query':
        return this.#visitQuery(node, scope);
      case 'select':
        return this.#visitSelect(node, scope);
      case 'table':
        this.read(node.name, scope);
        return this.visitAll(node.period, scope);
      case 'table-query':
        return this.read(node.table, scope);
      case 'derived':
        return this.visitChildren(node, { ...scope, namesMatter: true });
      case 'subquery':
        return this.visitChildren(node, { ...scope, namesMatter: false });
      case 'call':
        this.#call(node, scope);
        return this.visitChildren(node, scope);
      case 'sequence':
        return this.#sequence(node, scope);
      case 'assign':
        this.#assign(node.target, node.value);
        return this.visit(node.value, scope);
      case 'into-variables':
        for (const target of node.targets) this.#assign(target, undefined);
        return undefined;
      default:
        return this.visitChildren(node, scope);
    }
  }

  #visitQuery(query: Query, scope: Scope): void {
    const inner = this.withCommonTables(query.with, {
      ...scope,
      isCopiedOut: scope.isCopiedOut || writesFile(query),
      namesMatter: scope.namesMatter || query.orderBy.length > 0,
    });
    if (writesFile(query)) this.add('file', undefined, { ...scope, via: 'INTO OUTFILE' });
    if (query.isLocking) this.#lock(query, inner);
    this.#ordinals(query.orderBy);
    // PROCEDURE ANALYSE() is no function.
    this.visitChildren(query, inner, ['with', 'procedure']);
    if (query.procedure !== undefined) this.visitAll(query.procedure.args, inner);
  }

  /** Visits the common tables; gives the scope in which the rest of the statement stands. */
  withCommonTables(clause: Query['with'], scope: Scope): Scope {
    if (clause === undefined) return scope;
    const names = clause.tables.map(({ name }) => name);
    let inner: Scope = clause.isRecursive ? inSight(scope, names) : scope;
    for (const table of clause.tables) {
      // Without RECURSIVE a common table sees those before it, and a table of its own name is a table.
      this.visit(table.query, { ...inner, namesMatter: true });
      if (!clause.isRecursive) inner = inSight(inner, [table.name]);
    }
    return inner;
  }

  #visitSelect(select: Select, scope: Scope): void {
    const namesMatter =
      scope.namesMatter || select.groupBy.length > 0 || select.having !== undefined;
    if (namesMatter && select.items.some(isNamedByLiteral)) this.looksAtLiteral = true;
    this.#ordinals(select.groupBy);
    this.visitChildren(select, scope);
  }

  /** ORDER BY 1: another number means another column. */
  #ordinals(items: readonly Expression[]): void {
    if (items.some(({ kind }) => kind === 'literal')) this.looksAtLiteral = true;
  }

  #lock(query: Query, scope: Scope): void {
    let isNamed = false;
    const visit = (node: Node): void => {
      if (node.kind === 'table') {
        if (this.#isCommonTable(node.name, scope)) return;
        this.add('lock', this.relation(node.name), scope);
        isNamed = true;
      } else if (isTableNode(node)) forEachChild(node, visit);
    };
    visit(query.body);
    if (!isNamed) this.add('lock', undefined, scope);
  }

  // --- Names

  /** A body is of its own database, whichever the session's is. */
  inDatabase(database: string | undefined, visit: () => void): void {
    const before = this.database;
    this.database = database;
    visit();
    this.database = before;
  }

  /** With the default database where the statement gives none. */
  relation(name: QualifiedName): ObjectName {
    return this.object(name, 'relation');
  }

  object(name: QualifiedName, kind: ObjectName['kind']): ObjectName {
    return { kind, schema: name.schema ?? this.database, name: name.name };
  }

  #isCommonTable(name: QualifiedName, scope: Scope): boolean {
    return name.schema === undefined && scope.ctes.has(name.name);
  }

  read(name: QualifiedName, scope: Scope): void {
    if (this.#isCommonTable(name, scope)) return;
    const relation = this.relation(name);
    this.add('read', relation, scope);
    if (scope.isCopiedOut) this.add('copy-out', relation, { ...scope, via: 'INTO OUTFILE' });
  }

  // --- Effects

  add(effect: Effect, object: ObjectName | undefined, scope: Scope): void {
    const shown = scope.isPlanOnly && RUN_EFFECTS.has(effect) ? 'read' : effect;
    // The first way in which an effect comes about is shown; a second one changes no decision.
    const key = `${shown}|${object === undefined ? '' : nameKey(object)}`;
    if (this.#effects.has(key)) return;
    if (this.#effects.size >= ENTRIES_MAX) throw new TooDeepError('too many objects');
    const { via } = scope;
    this.#effects.set(key, { effect: shown, object, ...(via === undefined ? {} : { via }) });
    const isMade = object !== undefined && this.#made.get(nameKey(object).toLowerCase());
    if (isMade === 'any' || (isMade === 'view' && THROUGH_VIEW.has(shown)))
      this.add('unknown', object, { ...scope, via: 'an object that the same text makes' });
  }

  /**
   * What a name means from here on no catalog tells: `view`, writing to it writes elsewhere; `any`, it is
   * another object by a new name, with triggers and tables of its own.
   */
  noteMade(object: ObjectName, as: 'view' | 'any'): void {
    this.#made.set(nameKey(object).toLowerCase(), as);
  }

  /** A change of rows. */
  addWrite(effect: Effect, name: QualifiedName, scope: Scope): void {
    const relation = this.relation(name);
    this.add(effect, relation, scope);
    if (relation.schema?.toLowerCase() === CATALOG_SCHEMA)
      this.add('unknown', relation, { ...scope, via: 'a write to the system tables' });
  }

  #call(call: Call, scope: Scope): void {
    const { schema } = call.name;
    const name = call.name.name.toLowerCase();
    // The name alone decides: `load_file`(x) and mariadb_schema.load_file(x) are the built-in function.
    for (const effect of functionEffects(name)) {
      this.looksAtLiteral = true;
      this.add(effect, undefined, { ...scope, via: `function ${name}()`, isPlanOnly: false });
    }
    const isBuiltin = schema === undefined && isBuiltinFunction(name, this.context.server);
    const isOther = isOverridable(name) || (call.isSpaced && isSpaceSensitive(name));
    if (!isBuiltin || call.isQuoted || isOther) this.addFunction(call.name);
  }

  addFunction(name: QualifiedName): void {
    const object = this.object(name, 'function');
    put(this.#functions, object);
    // `a.f()` may be a function of the package a in the default database.
    const { schema } = name;
    if (schema !== undefined)
      put(this.#functions, { kind: 'other', schema: this.database, name: schema });
  }

  addTakenOver(name: ObjectName): void {
    put(this.#takenOver, name);
  }

  #sequence(node: Extract<Node, { kind: 'sequence' }>, scope: Scope): void {
    const effect = node.form === 'set' ? 'update' : 'read';
    this.add(effect, this.relation(node.sequence), { ...scope, via: 'a sequence' });
  }

  // --- Hazards

  addHazard(hazard: string | undefined): void {
    this.looksAtLiteral = true;
    if (hazard !== undefined) this.#hazards.add(hazard);
  }

  addChange(change: Change): void {
    this.looksAtLiteral = true;
    this.changes.push(change);
  }

  /** A variable that gets a value; `value` undefined: one that comes from rows or a routine. */
  #assign(target: Node, value: Expression | undefined): void {
    if (target.kind === 'user-variable')
      this.addVariableHazard(userVariableHazard(target.name, value));
    else if (target.kind === 'system-variable')
      this.addHazard(`an assignment to @@${target.name} inside of an expression`);
  }

  /** Only a name that is watched looks at a literal. */
  addVariableHazard(hazard: string | undefined): void {
    if (hazard !== undefined) this.addHazard(hazard);
  }

  assignTargets(targets: readonly Node[]): void {
    for (const target of targets) this.#assign(target, undefined);
  }
}

function inSight(scope: Scope, names: readonly string[]): Scope {
  return { ...scope, ctes: new Set([...scope.ctes, ...names]) };
}

function nameKey(name: ObjectName): string {
  return `${name.kind}|${name.schema ?? ''}|${name.name}`;
}

function put(map: Map<string, ObjectName>, name: ObjectName): void {
  const key = nameKey(name);
  if (map.has(key)) return;
  if (map.size >= ENTRIES_MAX) throw new TooDeepError('too many functions');
  map.set(key, name);
}
