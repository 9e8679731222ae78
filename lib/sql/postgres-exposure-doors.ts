/**
 * Statements that open a way around masks without naming a table that has them: code of the user's own
 * under a name that conditions on masked columns rely on, new names for what masks are written for,
 * and other tables' rows under a new table (PG-62, PG-65, PG-80, PG-83). All are refused under a mask.
 */

import type { SensitiveRelation } from './analysis.ts';
import { PLAIN_OPERATORS, PURE_FUNCTIONS, TEXT_TYPES } from './postgres-exposure-tables.ts';
import { functionEffect } from './postgres-functions.ts';
import type { ParsedStatement } from './postgres-parse.ts';
import { as, forEachChild, isTree, list, names, text, type Tree } from './postgres-tree.ts';

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

const define: Door = (tree) => {
  const kind = text(tree['kind']);
  const name = names(tree['defnames']).at(-1);
  if (kind === 'OBJECT_OPERATOR') return lookalike(PLAIN_OPERATORS, name);
  if (kind === 'OBJECT_AGGREGATE') return lookalike(PURE_FUNCTIONS, name);
  return lookalike(TEXT_TYPES, name);
};

const rename: Door = (tree, relations) => {
  const kind = text(tree['renameType']) ?? '';
  const name = text(tree['newname']);
  if (CALLABLE_KINDS.has(kind)) return lookalike(PURE_FUNCTIONS, name);
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

const alterTable: Door = (tree) =>
  list(tree['cmds']).some(
    (entry) => as(entry, 'AlterTableCmd')?.['subtype'] === 'AT_GenericOptions',
  )
    ? FOREIGN
    : undefined;

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

/** The first function that shows values without naming a column (PG-79, PG-82). */
export function findRevealing(statements: readonly ParsedStatement[]): string | undefined {
  let found: string | undefined;
  const visit = (type: string, tree: Tree): void => {
    if (type === 'FuncCall') {
      const parts = names(tree['funcname']);
      const name = parts.at(-1) ?? '';
      const effect = functionEffect(parts.at(-2), name, list(tree['args']).length);
      if (effect?.reveals === true) found ??= name;
    }
    forEachChild(type, tree, visit);
  };
  for (const { type, tree } of statements) visit(type, tree);
  return found;
}
