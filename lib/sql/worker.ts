/**
 * The thread in which statements are parsed. A fault of the parser's instance ends the thread at
 * once; the pool starts another. Only compact analyses go back, never a tree.
 */

import { isMainThread, threadId, workerData } from 'node:worker_threads';
import type { SensitiveRelations } from './analysis.ts';
import { Lru } from './lru.ts';
import * as mysql from './mysql/analysis.ts';
import * as postgres from './postgres-analysis.ts';
import { loadParser } from './postgres-parse.ts';
import {
  type ReadTask,
  SLOT_FAULT,
  SLOT_FINISHED,
  type WorkerBoard,
  type WorkerReply,
  type WorkerRequest,
} from './worker-protocol.ts';

const shared = boardOf(workerData);

if (!isMainThread) {
  if (shared.dialect === 'postgres') await loadParser();
  else mysql.warmUp();
}

function boardOf(data: unknown): WorkerBoard {
  if (typeof data !== 'object' || data === null || !('board' in data) || !('epoch' in data))
    throw new Error('a worker of the SQL reader was started without its board');
  const { board, epoch } = data;
  if (!(board instanceof Int32Array) || typeof epoch !== 'number')
    throw new Error('a worker of the SQL reader was started with another board');
  const dialect = 'dialect' in data && data.dialect === 'mysql' ? 'mysql' : 'postgres';
  return { board, epoch, dialect };
}

export function read(request: WorkerRequest): WorkerReply {
  const { board, epoch } = shared;
  const state = request.slot * 2 + 1;
  Atomics.store(board, request.slot * 2, threadId);
  Atomics.store(board, state, Date.now() - epoch + 1);
  try {
    const reply = answer(request);
    Atomics.store(board, state, SLOT_FINISHED);
    return reply;
  } catch (error) {
    // Whatever it was (out of stack, out of memory, our own bug), the instance is not used again.
    // The pool learns from the board which text did it, and asks again for the others.
    Atomics.store(board, state, SLOT_FAULT);
    process.exit(1);
    throw error;
  }
}

/** Versions of sensitive relations kept in a thread: one for each connection and set of masks in use. */
const VERSIONS_MAX = 64;

const known = new Lru<SensitiveRelations>({ countMax: VERSIONS_MAX, sizeMax: VERSIONS_MAX });

function answer(request: WorkerRequest): WorkerReply {
  const { task } = request;
  let sensitive: SensitiveRelations | undefined;
  if (request.sensitive !== undefined) {
    const given = request.sensitive;
    // All of it: readers of MySQL need the relations without masks as well.
    if (given.relations !== undefined) known.set(given.version, given, 1);
    sensitive = known.get(given.version);
    if (sensitive === undefined) return { kind: 'needs-sensitive' };
  }
  return shared.dialect === 'mysql' ? readMysql(task, sensitive) : readPostgres(task, sensitive);
}

const NOTHING: SensitiveRelations = { version: '', relations: [] };

function readPostgres(task: ReadTask, sensitive: SensitiveRelations | undefined): WorkerReply {
  const { text } = task;
  switch (task.kind) {
    case 'statement':
      return { kind: 'result', result: postgres.analyzeStatements(text, sensitive) };
    case 'routine': {
      const result = postgres.analyzeRoutineDefinition(task.language, text, sensitive);
      return { kind: 'result', result };
    }
    case 'view':
      return {
        kind: 'view',
        columns: postgres.analyzeViewDefinition(text, sensitive ?? NOTHING),
      };
  }
}

function readMysql(task: ReadTask, sensitive: SensitiveRelations | undefined): WorkerReply {
  const { text } = task;
  switch (task.kind) {
    case 'statement': {
      const context = { sensitive, reading: task.reading };
      return { kind: 'result', ...mysql.analyzeStatements(text, context) };
    }
    case 'routine': {
      const context = { sensitive, reading: task.reading };
      const result = mysql.analyzeRoutineDefinition(task.language, text, context);
      return { kind: 'result', result };
    }
    case 'view':
      return { kind: 'view', columns: mysql.analyzeViewDefinition(text, sensitive ?? NOTHING) };
  }
}
