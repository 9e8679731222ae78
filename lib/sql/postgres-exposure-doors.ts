/**
 * Statements that open a way around masks without naming a table that has them: code of the user's own
 * under a name that conditions on masked columns rely on, new names for what masks are written for,
 * and other tables' rows under a new table (PG-62, PG-65, PG-80, PG-83). All are refused under a mask.
 */

import type { SensitiveRelation } from './analysis.ts';
import { PLAIN_OPERATORS, PURE_FUNCTIONS, TEXT_TYPES } from './postgres-exposure-tables.ts';
import { SPELLED_OPERATORS } from './postgres-expressions.ts';
import { functionEffect } from './postgres-functions.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { bodyOf } from './postgres-routines.ts';
import { as, forEachChild, isTree, list, names, text, type Tree, unwrap } from './postgres-tree.ts';

type Door = (tree: Tree, relations: readonly SensitiveRelation[]) => string | undefined;

const CALLABLE_KINDS: ReadonlySet<string> = new Set([
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
]);

/** An unqualified name may come to mean this one instead of the server's own. */
function lookalike(known: ReadonlySet<string>, name: string | undefined): string | undefined {
  if (name === undefined || !known.has(name)) return undefined;
  return `something of the name ${name} would be given masked values by conditions that use the built-in one`;
}

function lastName(value: unknown): string | undefined {
  return names(isTree(value) ? value['names'] : value).at(-1);
}

/** Known by its name alone: under another one nothing would tell what it shows (PG-82). */
function revealer(value: unknown): string | undefined {
  const parts = names(value);
  const name = parts.at(-1) ?? '';
  const isRevealing = REVEALING_CALLS.some(
    (count) => functionEffect(parts.at(-2), name, count)?.reveals === true,
  );
  return isRevealing ? `${name}() can show the values of any table` : undefined;
}

/** Of one function the number of its arguments matters. */
const REVEALING_CALLS = [1, 2] as const;

const define: Door = (tree) => {
  const kind = text(tree['kind']);
  for (const entry of list(tree['definition'])) {
    const type = as(as(entry, 'DefElem')?.['arg'], 'TypeName');
    const reason = revealer(type?.['names']);
    if (reason !== undefined) return reason;
  }
  const name = names(tree['defnames']).at(-1);
  if (kind === 'OBJECT_OPERATOR') return lookalike(PLAIN_OPERATORS, name);
  if (kind === 'OBJECT_AGGREGATE') return lookalike(PURE_FUNCTIONS, name);
  return lookalike(TEXT_TYPES, name);
};

const rename: Door = (tree, relations) => {
  const kind = text(tree['renameType']) ?? '';
  const name = text(tree['newname']);
  if (CALLABLE_KINDS.has(kind))
    return (
      revealer(as(tree['object'], 'ObjectWithArgs')?.['objname']) ?? lookalike(PURE_FUNCTIONS, name)
    );
  if (kind === 'OBJECT_TYPE' || kind === 'OBJECT_DOMAIN') return lookalike(TEXT_TYPES, name);
  const old = text(tree['subname']);
  const isSchema = kind === 'OBJECT_SCHEMA' && relations.some(({ schema }) => schema === old);
  // Columns of tables that are made OF a type have the names of its attributes.
  const isAttribute =
    kind === 'OBJECT_ATTRIBUTE' &&
    relations.some(({ masked, isGone }) => isGone !== true && masked.includes(old ?? ''));
  if (!isSchema && !isAttribute) return undefined;
  return `masks are written for the name ${old ?? ''}, so it may not be changed`;
};

const copyIn: Door = (tree) =>
  tree['is_from'] === true && (tree['filename'] !== undefined || tree['is_program'] === true)
    ? 'COPY ... FROM a file or program of the server can read any data'
    : undefined;

const alterTable: Door = (tree, relations) => {
  for (const entry of list(tree['cmds'])) {
    const command = as(entry, 'AlterTableCmd');
    const subtype = text(command?.['subtype']);
    if (subtype === 'AT_GenericOptions') return FOREIGN;
    // ALTER TYPE ... CASCADE casts the columns of the tables made OF it, and checks what comes out.
    const name = text(command?.['name']) ?? '';
    const isMasked =
      subtype === 'AT_AlterColumnType' && relations.some(({ masked }) => masked.includes(name));
    if (isMasked && tree['objtype'] === 'OBJECT_TYPE')
      return `values of a masked column may be in the attribute ${name}, and would be cast`;
  }
  return undefined;
};

/** A new check of a domain is given the values of all its columns at once, without a table being named. */
const alterDomain: Door = (tree) => {
  const check = as(tree['def'], 'Constraint')?.['raw_expr'];
  const node = unwrap(check);
  return node !== undefined && runsCode(node.type, node.tree) ? CODE : undefined;
};

function isPlain(value: unknown, known: ReadonlySet<string>): boolean {
  const parts = names(value);
  return known.has(parts.at(-1) ?? '') && (parts.length === 1 || parts[0] === 'pg_catalog');
}

/** Anything but comparisons and functions that only compute. */
function runsCode(type: string, tree: Tree): boolean {
  const castTo = tree['typeName'];
  if (type === 'FuncCall' && !isPlain(tree['funcname'], PURE_FUNCTIONS)) return true;
  if (type === 'A_Expr' && SPELLED_OPERATORS.has(text(tree['kind']) ?? ''))
    if (!isPlain(tree['name'], PLAIN_OPERATORS)) return true;
  if (type === 'TypeCast' && !isPlain(isTree(castTo) ? castTo['names'] : undefined, TEXT_TYPES))
    if (unwrap(tree['arg'])?.type !== 'A_Const') return true;
  let isCode = false;
  forEachChild(type, tree, (childType, child) => {
    isCode ||= runsCode(childType, child);
  });
  return isCode;
}

const FOREIGN = 'a foreign table may hold the rows of any other';
const CODE = 'code of this kind may be given masked values by conditions';

const DOORS: Readonly<Record<string, Door>> = {
  CreateFunctionStmt: (tree) => lookalike(PURE_FUNCTIONS, names(tree['funcname']).at(-1)),
  DefineStmt: define,
  CreateDomainStmt: (tree) => lookalike(TEXT_TYPES, lastName(tree['domainname'])),
  CreateEnumStmt: (tree) => lookalike(TEXT_TYPES, lastName(tree['typeName'])),
  CreateRangeStmt: (tree) => lookalike(TEXT_TYPES, lastName(tree['typeName'])),
  RenameStmt: rename,
  CreateCastStmt: () => CODE,
  CreateOpClassStmt: () => CODE,
  AlterOpFamilyStmt: () => CODE,
  CopyStmt: copyIn,
  AlterTableStmt: alterTable,
  AlterDomainStmt: alterDomain,
  CreateForeignTableStmt: () => FOREIGN,
  ImportForeignSchemaStmt: () => FOREIGN,
  AlterForeignServerStmt: () => FOREIGN,
  CreateSubscriptionStmt: () => FOREIGN,
  AlterSubscriptionStmt: () => FOREIGN,
};

/** Why the statements may not run where something is masked; undefined: nothing of the kind. */
export function findDoor(
  statements: readonly ParsedStatement[],
  relations: readonly SensitiveRelation[],
): string | undefined {
  let found: string | undefined;
  const visit = (type: string, tree: Tree): void => {
    found ??= DOORS[type]?.(tree, relations);
    if (found === undefined) forEachChild(type, tree, visit);
  };
  for (const { type, tree } of statements) visit(type, tree);
  return found;
}

/** The first thing that shows values without naming a column (PG-79, PG-82). */
export function findRevealing(statement: ParsedStatement): string | undefined {
  const body = bodyOf(statement);
  if (body?.fetches === true) return 'FETCH from a cursor that was opened elsewhere';
  const statements = [statement, ...(body?.statements ?? [])];
  let found: string | undefined;
  const visit = (type: string, tree: Tree): void => {
    if (type === 'FuncCall') {
      const parts = names(tree['funcname']);
      const name = parts.at(-1) ?? '';
      const effect = functionEffect(parts.at(-2), name, list(tree['args']).length);
      if (effect?.reveals === true) found ??= `${name}()`;
    }
    forEachChild(type, tree, visit);
  };
  for (const { type, tree } of statements) visit(type, tree);
  return found;
}
