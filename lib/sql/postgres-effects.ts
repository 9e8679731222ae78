/**
 * Collects what the statements of a text do, at any depth (PG-55): effects with their objects, the
 * functions and operators used, and hazards to the lexer state. It does not decide anything.
 */

import type { Effect, ObjectEffect, ObjectName } from './analysis.ts';
import { functionEffect } from './postgres-functions.ts';
import { objectName, objectNames, relationName } from './postgres-names.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { SPECIAL } from './postgres-special.ts';
import { PLAIN_NODES, STATEMENTS, type StatementRule } from './postgres-statements.ts';
import {
  as,
  DEPTH_MAX,
  forEachChild,
  isTree,
  list,
  text,
  TooDeepError,
  type Tree,
} from './postgres-tree.ts';

export interface Scope {
  /** Names of the common table expressions in sight: not relations. */
  readonly ctes: ReadonlySet<string>;
  readonly via: string | undefined;
  /** Under an EXPLAIN without ANALYZE: nothing is written, locked or created. */
  readonly isPlanOnly: boolean;
  /** What the column `name` of pg_settings is in the query around, where its WHERE clause says it. */
  readonly settingName?: string | undefined;
  /** In the head of CREATE FUNCTION: a SET clause there changes the routine's settings, not the session's. */
  readonly isRoutineHead?: boolean;
  /** The text of the statement around, from which PL/pgSQL bodies are read. */
  readonly text: string;
}

const NO_CTES: ReadonlySet<string> = new Set();

/** Effects that an EXPLAIN without ANALYZE does not have: it reads the tables' definitions instead. */
const RUN_EFFECTS: ReadonlySet<Effect> = new Set(['insert', 'update', 'delete', 'create', 'lock']);

/** Nodes with nothing in them that matters here: most of a long list of values. */
const LEAVES: ReadonlySet<string> = new Set([
  'A_Const',
  'String',
  'Integer',
  'ParamRef',
  'A_Star',
  'Alias',
]);

/** Distinct effects, functions and operators of one text; beyond it the text is refused. */
const ENTRIES_MAX = 20_000;

export class EffectScan {
  readonly #effects = new Map<string, ObjectEffect>();
  readonly #functions = new Map<string, ObjectName>();
  readonly #operators = new Map<string, ObjectName>();
  readonly #types = new Map<string, ObjectName>();
  readonly #takenOver = new Map<string, ObjectName>();
  readonly #hazards = new Set<string>();
  /** Set when another literal in the same place could have given another analysis. */
  looksAtLiteral = false;
  searchesCatalogLate = false;
  #depth = 0;

  get effects(): readonly ObjectEffect[] {
    return [...this.#effects.values()];
  }

  get functions(): readonly ObjectName[] {
    return [...this.#functions.values()];
  }

  get operators(): readonly ObjectName[] {
    return [...this.#operators.values()];
  }

  get types(): readonly ObjectName[] {
    return [...this.#types.values()];
  }

  get takenOver(): readonly ObjectName[] {
    return [...this.#takenOver.values()];
  }

  get hazards(): readonly string[] {
    return [...this.#hazards];
  }

  visitStatements(statements: readonly ParsedStatement[], scope?: Scope): void {
    for (const statement of statements) {
      const before = this.#effects.size;
      this.visit(statement.type, statement.tree, {
        ctes: NO_CTES,
        via: scope?.via,
        isPlanOnly: scope?.isPlanOnly ?? false,
        text: statement.text,
      });
      // SELECT 1 reads nothing that has a name, yet it is a read and not nothing.
      if (statement.type === 'SelectStmt' && this.#effects.size === before)
        this.#put({ effect: 'read', object: undefined });
    }
  }

  visit(type: string, tree: Tree, scope: Scope): void {
    if (LEAVES.has(type)) return;
    if (this.#depth >= DEPTH_MAX) throw new TooDeepError('nested too deep');
    this.#depth += 1;
    if (type === 'RangeVar') this.#read(tree, scope);
    else this.#visitNode(type, tree, scope);
    this.#depth -= 1;
  }

  #visitNode(type: string, tree: Tree, scope: Scope): void {
    const rule = STATEMENTS[type];
    const special = SPECIAL[type];
    if (rule !== undefined && !isObjectByReader(rule, special)) this.#apply(rule, tree, scope);
    const walk = special?.(this, tree, scope);
    if (rule === undefined && walk === undefined && !PLAIN_NODES.has(type))
      this.add('unknown', undefined, { ...scope, via: `parse node ${type}` });
    const inner = this.#withCtes(tree, walk?.scope ?? scope);
    const skip = walk?.skip;
    forEachChild(type, tree, (childType, child, field) => {
      if (field === 'withClause' || skip?.includes(field) === true) return;
      if (field === rule?.field && childType === 'RangeVar') return;
      this.visit(childType, child, inner);
    });
  }

  #apply(rule: StatementRule, tree: Tree, scope: Scope): void {
    const kind = rule.kind ?? 'other';
    const value = rule.field === undefined ? undefined : tree[rule.field];
    const objects: readonly (ObjectName | undefined)[] =
      rule.isList === true ? objectNames(value, kind) : [objectName(value, kind)];
    for (const effect of rule.effects)
      for (const object of objects.length === 0 ? [undefined] : objects)
        this.add(effect, object, scope);
  }

  /** Visits the CTEs of a statement; gives the scope in which the rest of it stands. */
  #withCtes(tree: Tree, scope: Scope): Scope {
    const clause = tree['withClause'];
    if (!isTree(clause)) return scope;
    const ctes: Tree[] = [];
    for (const entry of list(clause['ctes'])) {
      const cte = as(entry, 'CommonTableExpr');
      if (cte !== undefined) ctes.push(cte);
    }
    let inner = scope;
    if (clause['recursive'] === true) inner = inSight(scope, ctes);
    for (const cte of ctes) {
      // Without RECURSIVE a CTE sees those before it, and a table of its own name is a table.
      this.visit('CommonTableExpr', cte, inner);
      if (clause['recursive'] !== true) inner = inSight(inner, [cte]);
    }
    return inner;
  }

  #read(rangeVar: Tree, scope: Scope): void {
    const name = relationName(rangeVar);
    if (name.schema === undefined && scope.ctes.has(name.name)) return;
    this.add('read', name, scope);
  }

  add(effect: Effect, object: ObjectName | undefined, scope: Scope): void {
    const shown = scope.isPlanOnly && RUN_EFFECTS.has(effect) ? 'read' : effect;
    this.#put({ effect: shown, object, ...(scope.via === undefined ? {} : { via: scope.via }) });
  }

  #put(entry: ObjectEffect): void {
    // The first way in which an effect comes about is shown; a second one changes no decision.
    const key = `${entry.effect}|${entry.object === undefined ? '' : nameKey(entry.object)}`;
    if (this.#effects.has(key)) return;
    if (this.#effects.size >= ENTRIES_MAX) throw new TooDeepError('too many objects');
    this.#effects.set(key, entry);
  }

  addCall(name: ObjectName, argumentCount: number, scope: Scope): void {
    this.addFunction(name);
    const known = functionEffect(name.schema, name.name, argumentCount);
    if (known === undefined) return;
    // What such a function does hangs on its arguments, literals among them.
    this.looksAtLiteral = true;
    for (const effect of known.effects)
      this.add(effect, name, { ...scope, via: `function ${name.name}()`, isPlanOnly: false });
  }

  addFunction(name: ObjectName | undefined): void {
    if (name !== undefined) put(this.#functions, name);
  }

  addOperator(parts: readonly string[]): void {
    const name = parts[parts.length - 1];
    if (name !== undefined)
      put(this.#operators, { kind: 'operator', schema: parts[parts.length - 2], name });
  }

  addType(name: ObjectName | undefined): void {
    if (name !== undefined && name.schema !== 'pg_catalog') put(this.#types, name);
  }

  addTakenOver(name: ObjectName | undefined): void {
    if (name !== undefined) put(this.#takenOver, name);
  }

  addHazard(hazard: string | undefined): void {
    this.looksAtLiteral = true;
    if (hazard !== undefined) this.#hazards.add(hazard);
  }
}

/** A reader that finds the object itself has a rule only for effects that have none. */
function isObjectByReader(rule: StatementRule, special: unknown): boolean {
  return special !== undefined && rule.field === undefined && rule.effects.length === 1;
}

function inSight(scope: Scope, ctes: readonly Tree[]): Scope {
  const names = ctes.flatMap((cte) => text(cte['ctename']) ?? []);
  return { ...scope, ctes: new Set([...scope.ctes, ...names]) };
}

function nameKey(name: ObjectName): string {
  return `${name.kind}|${name.schema ?? ''}|${name.name}`;
}

function put(map: Map<string, ObjectName>, name: ObjectName): void {
  const key = nameKey(name);
  if (map.has(key)) return;
  if (map.size >= ENTRIES_MAX) throw new TooDeepError('too many functions, operators or types');
  map.set(key, name);
}
