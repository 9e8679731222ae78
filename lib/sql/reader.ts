/**
 * The SQL reader of Postgres, main-thread side: limits, caches by exact text and by shape, and
 * worker threads for what is not cached. A cached answer is given at once, not as a promise.
 */

import { availableParallelism } from 'node:os';
import type {
  AnalysisResult,
  SensitiveRelations,
  SqlReader,
  StatementAnalysis,
  ViewColumn,
} from './analysis.ts';
import { Lru } from './lru.ts';
import { shapeOf } from './postgres-shape.ts';
import { WorkerPool } from './worker-pool.ts';
import type { ReadTask } from './worker-protocol.ts';

export interface PostgresReaderOptions {
  /** Threads; by default one less than the cores, at least one. */
  readonly workers?: number;
  /** Largest text that is parsed, bytes of UTF-8. */
  readonly parseSizeMax?: number;
  /** Longest time that one text may take a thread, milliseconds. */
  readonly deadlineMs?: number;
}

const PARSE_SIZE_MAX = 1 << 20;
const DEADLINE_MS = 1000;
const TEXT_CACHE = { countMax: 20_000, sizeMax: 64 << 20 };
const SHAPE_CACHE = { countMax: 5_000, sizeMax: 32 << 20 };
/** Texts over this are parsed each time: a large INSERT is not seen twice. */
const CACHED_TEXT_SIZE_MAX = 256 << 10;

const EMPTY: StatementAnalysis = {
  kind: 'analysis',
  statements: [],
  effects: [],
  functions: [],
  operators: [],
  lexerHazards: [],
  isShapeStable: false,
  exposure: undefined,
};

const ZERO_BYTE: AnalysisResult = { kind: 'refused', reason: 'the statement holds a zero byte' };

export function createPostgresReader(options: PostgresReaderOptions = {}): SqlReader {
  const parseSizeMax = options.parseSizeMax ?? PARSE_SIZE_MAX;
  const pool = new WorkerPool({
    workers: options.workers ?? Math.max(1, availableParallelism() - 1),
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
  });
  const texts = new Lru<AnalysisResult>(TEXT_CACHE);
  const shapes = new Lru<AnalysisResult>(SHAPE_CACHE);
  const pending = new Map<string, Promise<AnalysisResult>>();

  function ask(
    key: string,
    shapeKey: string | undefined,
    task: ReadTask,
    sensitive: SensitiveRelations | undefined,
  ): Promise<AnalysisResult> {
    const running = pending.get(key);
    if (running !== undefined) return running;
    const reading = pool.read(task, sensitive).then((answer): AnalysisResult => {
      pending.delete(key);
      if (answer.kind === 'refused') return answer;
      if (answer.kind === 'view') throw new Error('a view was read where a statement was asked');
      keep(key, shapeKey, answer.result);
      return answer.result;
    });
    pending.set(key, reading);
    return reading;
  }

  function keep(key: string, shapeKey: string | undefined, result: AnalysisResult): void {
    const size = resultSize(result);
    if (key.length <= CACHED_TEXT_SIZE_MAX) texts.set(key, result, size + key.length * 2);
    const isShaped = result.kind === 'analysis' && result.isShapeStable;
    if (isShaped && shapeKey !== undefined)
      shapes.set(shapeKey, result, size + shapeKey.length * 2);
  }

  return {
    analyze(text, sensitive) {
      // libpg-query reads only up to a NUL and would miss what follows (PG-24); keys hold one, too.
      if (text.includes('\u0000')) return ZERO_BYTE;
      const key = keyOf(text, sensitive);
      const cached = texts.get(key);
      if (cached !== undefined) return cached;
      const refusal = refuseText(text, parseSizeMax);
      if (refusal !== undefined) return refusal;
      if (text === '' && sensitive === undefined) return EMPTY;
      const shape = shapeOf(text);
      const shapeKey = shape === undefined ? undefined : keyOf(shape, sensitive);
      const shaped = shapeKey === undefined ? undefined : shapes.get(shapeKey);
      // Not copied to the exact texts: each would be another text of the same shape.
      if (shaped !== undefined) return shaped;
      return ask(key, shapeKey, { kind: 'statement', text }, sensitive);
    },

    analyzeRoutine(language, definition, sensitive) {
      if (definition.includes('\u0000')) return ZERO_BYTE;
      const key = keyOf(`\u0000${language}\u0000${definition}`, sensitive);
      const cached = texts.get(key);
      if (cached !== undefined) return cached;
      const refusal = refuseText(definition, parseSizeMax);
      if (refusal !== undefined) return refusal;
      return ask(key, undefined, { kind: 'routine', text: definition, language }, sensitive);
    },

    async analyzeView(definition, sensitive): Promise<readonly ViewColumn[] | undefined> {
      const isRefused =
        definition.includes('\u0000') || refuseText(definition, parseSizeMax) !== undefined;
      if (isRefused) return undefined;
      const answer = await pool.read({ kind: 'view', text: definition }, sensitive);
      return answer.kind === 'view' ? answer.columns : undefined;
    },

    async close() {
      texts.clear();
      shapes.clear();
      await pool.close();
    },
  };
}

/** No text holds a NUL, so no text can be taken for another text with a version. */
function keyOf(text: string, sensitive: SensitiveRelations | undefined): string {
  return sensitive === undefined ? text : `${text}\u0000${sensitive.version}`;
}

function refuseText(text: string, sizeMax: number): AnalysisResult | undefined {
  // A UTF-16 unit takes at least one byte of UTF-8.
  if (text.length > sizeMax || Buffer.byteLength(text, 'utf8') > sizeMax)
    return { kind: 'refused', reason: `the statement is larger than ${sizeMax} bytes` };
  // Half of a surrogate pair would be another character for the parser than for the server.
  if (/\p{Surrogate}/u.test(text))
    return { kind: 'refused', reason: 'the statement is not well-formed text' };
  return undefined;
}

/** Rough bytes of a result in memory: what is in it, not its objects' headers to the byte. */
function resultSize(result: AnalysisResult): number {
  if (result.kind !== 'analysis') return 300;
  const outputs = result.exposure?.outputs ?? [];
  const kinds = outputs.reduce((sum, kind) => sum + (kind?.length ?? 0), 0);
  return (
    600 +
    200 * result.effects.length +
    120 * (result.functions.length + result.operators.length) +
    100 * (result.lexerHazards.length + result.statements.length) +
    8 * kinds
  );
}
