/**
 * The worker threads that parse SQL. It sees to three things that piscina does not: a text that
 * breaks or hangs the parser is refused and its thread thrown away, texts that only waited behind it
 * are asked again once, and a deadline counts from when a thread begins, not from when it was asked.
 *
 * piscina's own AbortSignal is not used for the deadline: with one, a thread takes a single task at
 * a time, which costs three quarters of the throughput. The thread is ended by hand instead.
 */

import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { SensitiveRelations } from './analysis.ts';
import {
  type Dialect,
  type ReadTask,
  SLOT_FAULT,
  type WorkerBoard,
  type WorkerReply,
  type WorkerRequest,
} from './worker-protocol.ts';

export interface WorkerPoolOptions {
  readonly workers: number;
  /** How long a text of this many UTF-16 units may take a thread, milliseconds. */
  readonly deadlineOf: (length: number) => number;
  /** By default that of Postgres. */
  readonly dialect?: Dialect;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly reason: string;
}

/** What a caller gets. */
export type Answer = Exclude<WorkerReply, { readonly kind: 'needs-sensitive' }> | Refusal;

/** Texts asked at once; each session asks one at a time, so this is a limit on sessions in effect. */
const TASKS_MAX = 8192;
/** A thread runs one at a time; the others wait in its mailbox, which saves the hop (measured 3x). */
const TASKS_PER_WORKER = 8;
/** More than 16 overruns the parser's own stack instead of V8's (libpg_query issue 339). */
const WORKER_STACK_MB = 8;
/**
 * How long a text may wait without a thread having begun with it. No deadline is in it: on a slow
 * machine a new thread alone takes seconds, and that is nothing that the text has done.
 */
const WAIT_TIME_MAX = 60_000;
/** How often it is looked whether a waiting text has been begun. */
const WAIT_STEP = 250;
/** A text whose thread died under it, perhaps through what ran there before, is given one more. */
const ATTEMPTS_MAX = 2;
/** One that only waited there: each of the others in a full mailbox may take a thread with it. */
const LOSSES_MAX = TASKS_PER_WORKER;

export class WorkerPool {
  readonly #pool: Piscina<WorkerRequest, WorkerReply>;
  readonly #board: Int32Array;
  readonly #epoch = Date.now();
  readonly #deadlineOf: (length: number) => number;
  readonly #freeSlots: number[] = [];
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    this.#deadlineOf = options.deadlineOf;
    this.#board = new Int32Array(
      new SharedArrayBuffer(TASKS_MAX * 2 * Int32Array.BYTES_PER_ELEMENT),
    );
    for (let slot = TASKS_MAX - 1; slot >= 0; slot -= 1) this.#freeSlots.push(slot);
    const { dialect = 'postgres' } = options;
    const shared: WorkerBoard = { board: this.#board, epoch: this.#epoch, dialect };
    this.#pool = new Piscina<WorkerRequest, WorkerReply>({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      name: 'read',
      minThreads: options.workers,
      maxThreads: options.workers,
      concurrentTasksPerWorker: TASKS_PER_WORKER,
      recordTiming: false,
      idleTimeout: Number.POSITIVE_INFINITY,
      resourceLimits: { stackSizeMb: WORKER_STACK_MB },
      workerData: shared,
    });
    // A thread that dies with no task of its own is replaced; there is nobody to tell.
    this.#pool.on('error', () => {});
  }

  /** Never rejects: what cannot be read is refused. */
  async read(task: ReadTask, sensitive: SensitiveRelations | undefined): Promise<Answer> {
    let sent: WorkerRequest['sensitive'] =
      sensitive === undefined ? undefined : { version: sensitive.version };
    for (let failures = 0, losses = 0; failures < ATTEMPTS_MAX && losses < LOSSES_MAX; ) {
      if (this.#isClosed) return refuse('the reader is closed');
      const slot = this.#freeSlots.pop();
      if (slot === undefined) return refuse('too many statements are waiting to be read');
      const outcome = await this.#attempt({ task, sensitive: sent, slot });
      if (outcome === 'failed') failures += 1;
      else if (outcome === 'lost') losses += 1;
      else if (outcome.kind !== 'needs-sensitive') return outcome;
      else sent = sensitive;
    }
    return refuse('the parser failed while this statement was waiting');
  }

  /** `failed`: its thread died, no one knows why; `lost`: before it had begun with this text. */
  async #attempt(request: WorkerRequest): Promise<WorkerReply | Refusal | 'failed' | 'lost'> {
    const { slot, task } = request;
    Atomics.store(this.#board, slot * 2, 0);
    Atomics.store(this.#board, slot * 2 + 1, 0);
    const watch = this.#watch(slot, this.#deadlineOf(task.text.length));
    const run = this.#pool.run(request);
    // Not before the thread has let go of the slot, even when the deadline was first.
    const free = (): void => {
      this.#freeSlots.push(slot);
    };
    try {
      return await Promise.race([run, watch.expired]);
    } catch {
      const state = Atomics.load(this.#board, slot * 2 + 1);
      if (state === SLOT_FAULT) return refuse('the parser failed on this statement');
      if (watch.isLate()) return refuse('reading the statement took too long');
      return state > 0 ? 'failed' : 'lost';
    } finally {
      watch.stop();
      run.then(free, free);
    }
  }

  #watch(slot: number, deadline: number): Watch {
    const askedAt = performance.now();
    let timer: NodeJS.Timeout;
    let isLate = false;
    let expire: ((refusal: Refusal) => void) | undefined;
    const expired = new Promise<Refusal>((resolve) => {
      expire = resolve;
    });
    const check = (): void => {
      const state = Atomics.load(this.#board, slot * 2 + 1);
      const spent = state > 0 ? Date.now() - this.#epoch + 1 - state : 0;
      if (state > 0 && spent >= deadline) {
        isLate = true;
        this.#endThread(Atomics.load(this.#board, slot * 2));
        expire?.(refuse('reading the statement took too long'));
      } else if (state === 0 && performance.now() - askedAt >= WAIT_TIME_MAX)
        expire?.(refuse('no parser was free in time'));
      else timer = setTimeout(check, state > 0 ? deadline - spent : WAIT_STEP);
    };
    timer = setTimeout(check, Math.min(deadline, WAIT_STEP));
    return { expired, isLate: () => isLate, stop: () => clearTimeout(timer) };
  }

  #endThread(threadId: number): void {
    const thread = this.#pool.threads.find((candidate) => candidate.threadId === threadId);
    // Its other texts are rejected by the pool when it is gone, and asked again.
    if (thread !== undefined) void thread.terminate();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool.destroy();
  }
}

interface Watch {
  readonly expired: Promise<Refusal>;
  isLate(): boolean;
  stop(): void;
}

function refuse(reason: string): Refusal {
  return { kind: 'refused', reason };
}
