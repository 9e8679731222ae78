/**
 * From a text to its analysis: parse, collect effects, judge exposure. Runs in a worker thread; what
 * it returns is plain data, never the parse tree. Parser faults are thrown on to the worker.
 */

import type {
  AnalysisResult,
  Exposure,
  SensitiveRelations,
  StatementAnalysis,
  ViewColumn,
} from './analysis.ts';
import { EffectScan } from './postgres-effects.ts';
import { judgeExposure, judgeRoutine } from './postgres-exposure.ts';
import { type ParsedStatement, parseStatements, SqlSyntaxError } from './postgres-parse.ts';
import { readBody } from './postgres-routines.ts';
import { forEachChild, isTree, list, TooDeepError, type Tree } from './postgres-tree.ts';
import { traceView } from './postgres-view.ts';

/** Statements whose analysis is the same for every text of one shape, if no literal was looked at. */
const SHAPED: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
]);

export function analyzeStatements(sql: string, sensitive?: SensitiveRelations): AnalysisResult {
  return answering(() => {
    const statements = parseStatements(sql);
    const scan = new EffectScan();
    scan.visitStatements(statements);
    const exposure = sensitive === undefined ? undefined : judgeExposure(statements, sensitive);
    const isShaped = statements.every(
      (statement) => SHAPED.has(statement.type) && statement.tree['intoClause'] === undefined,
    );
    return {
      kind: 'analysis',
      statements: statements.map((statement) => statement.type),
      effects: scan.effects,
      ...usesOf(scan),
      isShapeStable: isShaped && statements.length > 0 && !scan.looksAtLiteral,
      exposure,
    };
  });
}

/** The effects of calling a routine, given the text of its definition; not those of creating it. */
export function analyzeRoutineDefinition(
  language: string,
  definition: string,
  sensitive?: SensitiveRelations,
): AnalysisResult {
  return answering(() => {
    const statement = parseStatements(definition)[0];
    if (statement?.type !== 'CreateFunctionStmt')
      return { kind: 'refused', reason: 'the definition of a routine cannot be read' };
    const scan = new EffectScan();
    scanBody(scan, statement, language);
    return {
      kind: 'analysis',
      statements: [],
      effects: scan.effects,
      ...usesOf(scan),
      isShapeStable: false,
      // CREATE FUNCTION over a sensitive relation is untraceable as a whole, and so is calling it.
      exposure: sensitive === undefined ? undefined : bodyExposure(statement, sensitive),
    };
  });
}

/** What a catalog is asked about, and the hazards. */
function usesOf(
  scan: EffectScan,
): Pick<
  StatementAnalysis,
  'functions' | 'operators' | 'types' | 'takenOver' | 'searchesCatalogLate' | 'lexerHazards'
> {
  return {
    functions: scan.functions,
    operators: scan.operators,
    types: scan.types,
    takenOver: scan.takenOver,
    searchesCatalogLate: scan.searchesCatalogLate,
    lexerHazards: scan.hazards,
  };
}

function bodyExposure(statement: ParsedStatement, sensitive: SensitiveRelations): Exposure {
  return { ...judgeRoutine(statement, sensitive), outputs: [] };
}

function scanBody(scan: EffectScan, statement: ParsedStatement, language: string): void {
  const options = list(statement.tree['options']);
  const scope = {
    ctes: new Set<string>(),
    via: undefined,
    isPlanOnly: false,
    text: statement.text,
  };
  const head = { ...scope, isRoutineHead: true };
  const body = readBody(options, statement.text, false);
  const isForeign = body.isForeign || (language !== 'sql' && language !== 'plpgsql');
  if (isForeign) scan.add('code', undefined, scope);
  if (isForeign || body.opaque !== undefined)
    scan.add('unknown', undefined, {
      ...scope,
      via: body.opaque ?? `code in language ${language}`,
    });
  scan.visitStatements(body.statements, scope);
  for (const type of body.types) scan.addType(type);
  // BEGIN ATOMIC and RETURN stand in the tree; argument defaults and the SET clause count as well.
  const rest: Tree = {
    sql_body: statement.tree['sql_body'],
    parameters: statement.tree['parameters'],
    options: options.filter((entry) => isTree(entry)),
  };
  forEachChild('CreateFunctionStmt', rest, (type, tree) => scan.visit(type, tree, head));
}

export function analyzeViewDefinition(
  definition: string,
  sensitive: SensitiveRelations,
): readonly ViewColumn[] | undefined {
  try {
    const statements = parseStatements(definition);
    const statement = statements[0];
    return statements.length === 1 && statement?.type === 'SelectStmt'
      ? traceView(statement, sensitive)
      : undefined;
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof TooDeepError) return undefined;
    throw error;
  }
}

function answering(analyze: () => AnalysisResult): AnalysisResult {
  try {
    return analyze();
  } catch (error) {
    if (error instanceof SqlSyntaxError)
      return { kind: 'syntax-error', message: error.message, position: error.position };
    if (error instanceof TooDeepError)
      return { kind: 'refused', reason: `the statement is ${error.message} to be read` };
    throw error;
  }
}
