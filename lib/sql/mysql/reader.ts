/**
 * The SQL reader of MySQL and MariaDB, main-thread side: limits, caches by exact text and by shape, and
 * worker threads for what is not cached. What a text means depends on the session as well (its default
 * database, modes and server), so that is part of every key.
 */

import { availableParallelism } from 'node:os';
import type { Reading } from '../../../protocols/contract.ts';
import type { AnalysisResult, SensitiveRelations, SqlReader, ViewColumn } from '../analysis.ts';
import { Lru } from '../lru.ts';
import { refuseText, resultSize, ZERO_BYTE } from '../reader.ts';
import { WorkerPool } from '../worker-pool.ts';
import type { ReadTask } from '../worker-protocol.ts';
import { shapeOf } from './shape.ts';

export interface MysqlReaderOptions {
  /** Threads; by default one less than the cores, at least one. */
  readonly workers?: number;
  /** Largest text that is parsed, bytes of UTF-8. */
  readonly parseSizeMax?: number;
  /** Longest time that one text may take a thread, milliseconds; by default long texts have more. */
  readonly deadlineMs?: number;
}

export interface MysqlReader extends SqlReader {
  /** How often the second reader saw what the first did not, since the start. */
  readonly disagreements: number;
}

const PARSE_SIZE_MAX = 1 << 20;
const DEADLINE_MS = 1000;
/** A large INSERT takes 1 ms for each 10,000 characters where nothing else runs: a small part of this. */
const DEADLINE_MS_PER_CHARACTER = 0.0045;
const TEXT_CACHE = { countMax: 20_000, sizeMax: 64 << 20 };
const SHAPE_CACHE = { countMax: 5_000, sizeMax: 32 << 20 };
/** Texts over this are parsed each time: a large INSERT is not seen twice. */
const CACHED_TEXT_SIZE_MAX = 256 << 10;

export function createMysqlReader(options: MysqlReaderOptions = {}): MysqlReader {
  return new CachingReader(options);
}

class CachingReader implements MysqlReader {
  disagreements = 0;
  readonly #parseSizeMax: number;
  readonly #pool: WorkerPool;
  readonly #texts = new Lru<AnalysisResult>(TEXT_CACHE);
  readonly #shapes = new Lru<AnalysisResult>(SHAPE_CACHE);
  readonly #pending = new Map<string, Promise<AnalysisResult>>();

  constructor(options: MysqlReaderOptions) {
    const { deadlineMs } = options;
    this.#parseSizeMax = options.parseSizeMax ?? PARSE_SIZE_MAX;
    this.#pool = new WorkerPool({
      dialect: 'mysql',
      workers: options.workers ?? Math.max(1, availableParallelism() - 1),
      deadlineOf: (length) => deadlineMs ?? DEADLINE_MS + length * DEADLINE_MS_PER_CHARACTER,
    });
  }

  analyze(
    text: string,
    sensitive?: SensitiveRelations,
    reading?: Reading,
  ): AnalysisResult | Promise<AnalysisResult> {
    // The server reads on behind a NUL (MY-35), and keys hold one.
    if (text.includes('\u0000')) return ZERO_BYTE;
    const context = contextKey(sensitive, reading);
    const key = `${text}${context}`;
    const cached = this.#texts.get(key);
    if (cached !== undefined) return cached;
    const refusal = refuseText(text, this.#parseSizeMax);
    if (refusal !== undefined) return refusal;
    const shape = shapeOf(text);
    const shapeKey = shape === undefined ? undefined : `${shape}${context}`;
    const shaped = shapeKey === undefined ? undefined : this.#shapes.get(shapeKey);
    // Not copied to the exact texts: each would be another text of the same shape.
    if (shaped !== undefined) return shaped;
    const task: ReadTask = {
      kind: 'statement',
      text,
      ...(reading === undefined ? {} : { reading }),
    };
    return this.#ask({ key, shapeKey, task, sensitive });
  }

  analyzeRoutine(
    language: string,
    definition: string,
    sensitive?: SensitiveRelations,
    reading?: Reading,
  ): AnalysisResult | Promise<AnalysisResult> {
    if (definition.includes('\u0000')) return ZERO_BYTE;
    const key = `\u0000${language}\u0000${definition}${contextKey(sensitive, reading)}`;
    const cached = this.#texts.get(key);
    if (cached !== undefined) return cached;
    const refusal = refuseText(definition, this.#parseSizeMax);
    if (refusal !== undefined) return refusal;
    const task: ReadTask = {
      kind: 'routine',
      text: definition,
      language,
      ...(reading === undefined ? {} : { reading }),
    };
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
    const asked = this.#pool.read(task, sensitive).then((answer): AnalysisResult => {
      this.#pending.delete(key);
      if (answer.kind === 'refused') return answer;
      if (answer.kind === 'view') throw new Error('a view was read where a statement was asked');
      this.disagreements += answer.disagreements ?? 0;
      this.#keep(question, answer.result);
      return answer.result;
    });
    this.#pending.set(key, asked);
    return asked;
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

/**
 * No text holds a NUL, so no text can be taken for another one with something behind it. The database's
 * name may hold anything and comes last. Made for each statement, so it is no JSON.
 */
function contextKey(
  sensitive: SensitiveRelations | undefined,
  reading: Reading | undefined,
): string {
  const relations = sensitive === undefined ? '' : `v${sensitive.version}`;
  if (reading === undefined) return `\u0000${relations}`;
  const { database, server, ansiQuotes, noBackslashEscapes } = reading;
  const own = `${server.flavor} ${server.version} ${server.isLookalike === true}`;
  const modes = `${own} ${ansiQuotes} ${noBackslashEscapes}`;
  const place = database === undefined ? '' : `d${database}`;
  return `\u0000${relations}\u0000${modes}\u0000${place}`;
}
