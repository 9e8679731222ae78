/** Relations, routines, readers and catalogs for tests of decisions, without a database. */
import type {
  Catalog,
  CatalogRelation,
  CatalogRoutine,
  CatalogSnapshot,
  NamedRoutine,
} from '../../../lib/catalog/catalog.ts';
import { buildSnapshot } from '../../../lib/catalog/snapshot.ts';
import type {
  AnalysisResult,
  ObjectName,
  SensitiveRelations,
  SqlReader,
  StatementAnalysis,
} from '../../../lib/sql/analysis.ts';

export function relation(
  oid: number,
  name: string,
  more: Partial<CatalogRelation> = {},
): CatalogRelation {
  return {
    oid,
    schema: 'public',
    name,
    kind: 'r',
    columns: [{ attribute: 1, name: 'id' }],
    parents: [],
    definition: undefined,
    reads: [],
    ...more,
  };
}

export function routine(
  oid: number,
  name: string,
  more: Partial<CatalogRoutine> = {},
): CatalogRoutine {
  return { oid, schema: 'public', name, language: 'sql', definition: `body of ${name}`, ...more };
}

export interface SnapshotParts {
  readonly version?: number;
  readonly relations?: readonly CatalogRelation[];
  readonly routines?: readonly CatalogRoutine[];
  readonly operators?: readonly NamedRoutine[];
  readonly types?: readonly NamedRoutine[];
  readonly schemas?: readonly string[];
  readonly routinesOfType?: CatalogSnapshot['routinesOfType'];
  readonly routinesOnDefine?: readonly CatalogRoutine[];
}

export function snapshotOf(parts: SnapshotParts = {}): CatalogSnapshot {
  const schemas = ['pg_catalog', 'public', 'evil'];
  return buildSnapshot({
    version: 1,
    relations: [],
    routines: [],
    operators: [],
    schemas,
    ...parts,
  });
}

export function functionName(name: string, schema?: string): ObjectName {
  return { kind: 'function', schema, name };
}

export function analysis(more: Partial<StatementAnalysis> = {}): StatementAnalysis {
  return {
    kind: 'analysis',
    statements: ['SelectStmt'],
    effects: [],
    functions: [],
    operators: [],
    types: [],
    takenOver: [],
    searchesCatalogLate: false,
    lexerHazards: [],
    isShapeStable: true,
    exposure: undefined,
    ...more,
  };
}

/** Answers from a table; what is not in it is a fault of the test. `isSlow`: everything takes a turn. */
export class FakeReader implements SqlReader {
  isSlow = false;
  readonly asked: string[] = [];
  readonly sensitive: (SensitiveRelations | undefined)[] = [];
  readonly readings: unknown[] = [];
  private readonly answers: Readonly<Record<string, AnalysisResult>>;

  constructor(answers: Readonly<Record<string, AnalysisResult>>) {
    this.answers = answers;
  }

  analyze(text: string, sensitive?: SensitiveRelations, reading?: unknown) {
    this.sensitive.push(sensitive);
    this.readings.push(reading);
    return this.answer(text);
  }

  analyzeRoutine(language: string, definition: string) {
    return this.answer(`${language}: ${definition}`);
  }

  analyzeView(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private answer(key: string): AnalysisResult | Promise<AnalysisResult> {
    this.asked.push(key);
    const answer = this.answers[key];
    if (answer === undefined) throw new Error(`the fake reader knows no "${key}"`);
    return this.isSlow ? Promise.resolve(answer) : answer;
  }
}

/** A catalog whose snapshot a test sets; undefined: it cannot be read. */
export class FakeCatalog implements Catalog {
  isSlow = false;
  current: CatalogSnapshot | undefined;
  invalidations = 0;
  /** What the next snapshot after an invalidation is. */
  afterwards: CatalogSnapshot | undefined;

  constructor(current: CatalogSnapshot | undefined) {
    this.current = current;
  }

  snapshot(): CatalogSnapshot | Promise<CatalogSnapshot> {
    const { current } = this;
    if (current === undefined) return Promise.reject(new Error('permission denied'));
    return this.isSlow ? Promise.resolve(current) : current;
  }

  invalidate(): void {
    this.invalidations += 1;
    this.current = this.afterwards ?? this.current;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
