/**
 * The tree of a MySQL or MariaDB text. It is a superset of the grammar, not a check of it: whatever a
 * server may run has a node for every relation, column, function, variable and query in it.
 *
 * Every node has `kind`, and children stand in fields as nodes or arrays of nodes and nowhere else,
 * so that a walk over all fields (walk.ts) misses nothing. Names are as written, unquoted but not
 * case folded. Chains (`a + b + c`, `UNION`, `AND`) are flat: only parentheses, subqueries and joins
 * nest, and no tree is deeper than NESTING_MAX in parse-base.ts.
 */

import type {
  CommonTable,
  Expression,
  Into,
  QualifiedName,
  Query,
  QueryBody,
  SelectItem,
  Star,
  TableReference,
  WindowSpecification,
  With,
} from './ast-query.ts';
import type {
  AlterAction,
  ColumnAssignment,
  ForeignKey,
  RenamePair,
  SetItem,
  Statement,
  TableOption,
} from './ast-statements.ts';

export type * from './ast-query.ts';
export type * from './ast-statements.ts';

export type Node =
  | QualifiedName
  | Expression
  | WindowSpecification
  | Query
  | QueryBody
  | With
  | CommonTable
  | SelectItem
  | Star
  | Into
  | TableReference
  | Statement
  | ColumnAssignment
  | SetItem
  | ForeignKey
  | TableOption
  | AlterAction
  | RenamePair;
