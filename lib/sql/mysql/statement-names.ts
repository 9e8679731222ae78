/** What each kind of statement is called in an analysis: the words that other dialects use as well. */

import type { Node, Statement } from './ast.ts';

const NAMES: Readonly<Record<Statement['kind'], string>> = {
  'select-statement': 'SelectStmt',
  insert: 'InsertStmt',
  update: 'UpdateStmt',
  delete: 'DeleteStmt',
  load: 'LoadStmt',
  'call-statement': 'CallStmt',
  do: 'DoStmt',
  set: 'VariableSetStmt',
  handler: 'HandlerStmt',
  show: 'ShowStmt',
  explain: 'ExplainStmt',
  prepare: 'PrepareStmt',
  execute: 'ExecuteStmt',
  deallocate: 'DeallocateStmt',
  use: 'UseStmt',
  'create-table': 'CreateStmt',
  'create-view': 'ViewStmt',
  'create-routine': 'CreateFunctionStmt',
  'create-trigger': 'CreateTrigStmt',
  'create-event': 'CreateEventStmt',
  'alter-table': 'AlterTableStmt',
  definition: 'DefineStmt',
  rename: 'RenameStmt',
  truncate: 'TruncateStmt',
  grant: 'GrantStmt',
  lock: 'LockStmt',
  utility: 'UtilityStmt',
  compound: 'CompoundStmt',
  declare: 'DeclareStmt',
  return: 'ReturnStmt',
};

export function statementName(statement: Statement): string {
  return NAMES[statement.kind];
}

export function isStatement(node: Node): node is Statement {
  return node.kind in NAMES;
}
