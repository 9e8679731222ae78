/**
 * The SQL reader of Postgres, main-thread side: limits, caches by exact text and by shape, and
 * worker threads for what is not cached. A cached answer is given at once, not as a promise.
 */

import { availableParallelism } from 'node:os';
import type { AnalysisResult, SensitiveRelations, SqlReader, ViewColumn } from './analysis.ts';
import { Lru } from './lru.ts';
import { shapeOf } from './postgres-shape.ts';
import { WorkerPool } from './worker-pool.ts';
import type { ReadTask } from './worker-protocol.ts';

export interface PostgresReaderOptions {
  /** Threads; by default one less than the cores, at least one. */
  readonly workers?: number;
  /** Largest text that is parsed, bytes of UTF-8. */
  readonly parseSizeMax?: number;
  /** Longest time that one text may take a thread, milliseconds; by default long texts have more. */
  readonly deadlineMs?: number;
}

const PARSE_SIZE_MAX = 1 << 20;
const DEADLINE_MS = 1000;
/** A large INSERT takes 1 ms for each 1,100 characters where nothing else runs: a fifth of this. */
const DEADLINE_MS_PER_CHARACTER = 0.0045;
const TEXT_CACHE = { countMax: 20_000, sizeMax: 64 << 20 };
const SHAPE_CACHE = { countMax: 5_000, sizeMax: 32 << 20 };
/** Texts over this are parsed each time: a large INSERT is not seen twice. */
const CACHED_TEXT_SIZE_MAX = 256 << 10;

export const ZERO_BYTE: AnalysisResult = {
  kind: 'refused',
  reason: 'the statement holds a zero byte',
};

export function createPostgresReader(options: PostgresReaderOptions = {}): SqlReader {
  return new PostgresReader(options);
}

class PostgresReader implements SqlReader {
  readonly #parseSizeMax: number;
  readonly #pool: WorkerPool;
  readonly #texts = new Lru<AnalysisResult>(TEXT_CACHE);
  readonly #shapes = new Lru<AnalysisResult>(SHAPE_CACHE);
  readonly #pending = new Map<string, Promise<AnalysisResult>>();

  constructor(options: PostgresReaderOptions) {
    this.#parseSizeMax = options.parseSizeMax ?? PARSE_SIZE_MAX;
    const { deadlineMs } = options;
    this.#pool = new WorkerPool({
      workers: options.workers ?? Math.max(1, availableParallelism() - 1),
      deadlineOf: (length) => deadlineMs ?? DEADLINE_MS + length * DEADLINE_MS_PER_CHARACTER,
    });
  }

  analyze(text: string, sensitive?: SensitiveRelations): AnalysisResult | Promise<AnalysisResult> {
    // libpg-query reads only up to a NUL and would miss what follows (PG-24); keys hold one, too.
    if (text.includes('\u0000')) return ZERO_BYTE;
    const key = keyOf(text, sensitive);
    const cached = this.#texts.get(key);
    if (cached !== undefined) return cached;
    const refusal = refuseText(text, this.#parseSizeMax);
    if (refusal !== undefined) return refusal;
    const shape = shapeOf(text);
    const shapeKey = shape === undefined ? undefined : keyOf(shape, sensitive);
    const shaped = shapeKey === undefined ? undefined : this.#shapes.get(shapeKey);
    // Not copied to the exact texts: each would be another text of the same shape.
    if (shaped !== undefined) return shaped;
    return this.#ask({ key, shapeKey, task: { kind: 'statement', text }, sensitive });
  }

  analyzeRoutine(
    language: string,
    definition: string,
    sensitive?: SensitiveRelations,
  ): AnalysisResult | Promise<AnalysisResult> {
    if (definition.includes('\u0000')) return ZERO_BYTE;
    const key = keyOf(`\u0000${language}\u0000${definition}`, sensitive);
    const cached = this.#texts.get(key);
    if (cached !== undefined) return cached;
    const refusal = refuseText(definition, this.#parseSizeMax);
    if (refusal !== undefined) return refusal;
    const task: ReadTask = { kind: 'routine', text: definition, language };
    return this.#ask({ key, shapeKey: undefined, task, sensitive });
  }

  async analyzeView(
    definition: string,
    sensitive: SensitiveRelations,
  ): Promise<readonly ViewColumn[] | undefined> {
    const isRefused =
      definition.includes('\u0000') || refuseText(definition, this.#parseSizeMax) !== undefined;
    if (isRefused) return undefined;
    const answer = await this.#pool.read({ kind: 'view', text: definition }, sensitive);
    return answer.kind === 'view' ? answer.columns : undefined;
  }

  async close(): Promise<void> {
    this.#texts.clear();
    this.#shapes.clear();
    await this.#pool.close();
  }

  /** Askers of the same text share one reading. */
  #ask(question: Question): Promise<AnalysisResult> {
    const { key, task, sensitive } = question;
    const running = this.#pending.get(key);
    if (running !== undefined) return running;
    const reading = this.#pool.read(task, sensitive).then((answer): AnalysisResult => {
      this.#pending.delete(key);
      if (answer.kind === 'refused') return answer;
      if (answer.kind === 'view') throw new Error('a view was read where a statement was asked');
      this.#keep(question, answer.result);
      return answer.result;
    });
    this.#pending.set(key, reading);
    return reading;
  }

  #keep({ key, shapeKey }: Question, result: AnalysisResult): void {
    const size = resultSize(result);
    if (key.length <= CACHED_TEXT_SIZE_MAX) this.#texts.set(key, result, size + key.length * 2);
    const isShaped = result.kind === 'analysis' && result.isShapeStable;
    if (isShaped && shapeKey !== undefined)
      this.#shapes.set(shapeKey, result, size + shapeKey.length * 2);
  }
}

interface Question {
  readonly key: string;
  readonly shapeKey: string | undefined;
  readonly task: ReadTask;
  readonly sensitive: SensitiveRelations | undefined;
}

/** No text holds a NUL, so no text can be taken for another text with a version. */
function keyOf(text: string, sensitive: SensitiveRelations | undefined): string {
  return sensitive === undefined ? text : `${text}\u0000${sensitive.version}`;
}

export function refuseText(text: string, sizeMax: number): AnalysisResult | undefined {
  // A UTF-16 unit takes at least one byte of UTF-8.
  if (text.length > sizeMax || Buffer.byteLength(text, 'utf8') > sizeMax)
    return { kind: 'refused', reason: `the statement is larger than ${sizeMax} bytes` };
  // Half of a surrogate pair would be another character for the parser than for the server.
  if (/\p{Surrogate}/u.test(text))
    return { kind: 'refused', reason: 'the statement is not well-formed text' };
  return undefined;
}

/** Rough bytes of a result in memory: what is in it, not its objects' headers to the byte. */
export function resultSize(result: AnalysisResult): number {
  if (result.kind !== 'analysis') return 300;
  const outputs = result.exposure?.outputs ?? [];
  const kinds = outputs.reduce((sum, kind) => sum + (kind?.length ?? 0), 0);
  return (
    600 +
    200 * result.effects.length +
    120 *
      (result.functions.length +
        result.operators.length +
        result.types.length +
        result.takenOver.length) +
    100 * (result.lexerHazards.length + result.statements.length) +
    8 * kinds
  );
}
