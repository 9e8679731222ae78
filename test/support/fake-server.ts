/**
 * Which answers PostgreSQL gives to a pipeline of messages, and in which order, without what they say:
 * errors that skip to the next Sync, COPY FROM that ignores Syncs (PG-28, PG-29, PG-50). Written from
 * the server's main loop (PostgresMain, CopyGetData), not from our queue.
 */

export interface FakeMessage {
  readonly kind:
    | 'query'
    | 'query-error'
    | 'query-copy'
    | 'query-copy-fails'
    | 'parse'
    | 'parse-error'
    | 'bind'
    | 'execute'
    | 'execute-error'
    | 'execute-copy'
    | 'execute-copy-fails'
    | 'call'
    | 'sync'
    | 'flush'
    | 'copy-data'
    | 'copy-done'
    | 'copy-fail';
  readonly number: number;
}

export interface FakeAnswer {
  readonly kind: 'done' | 'complete' | 'error' | 'ready' | 'copy-in';
  /** Which message it answers. */
  readonly number: number;
  readonly of?: 'sync' | 'copy';
}

/** What has the same answer wherever it is not dropped. FunctionCallResponse comes before its ready. */
const ANSWERS: Readonly<Partial<Record<FakeMessage['kind'], readonly FakeAnswer['kind'][]>>> = {
  query: ['complete', 'ready'],
  'query-error': ['error', 'ready'],
  call: ['complete', 'ready'],
  parse: ['done'],
  bind: ['done'],
  execute: ['complete'],
  'parse-error': ['error'],
  'execute-error': ['error'],
};
const IGNORED_IN_COPY: ReadonlySet<string> = new Set(['sync', 'flush', 'copy-data']);

export class FakeServer {
  /** A COPY failed: from outside it cannot be told which of the Syncs sent behind it were ignored. */
  hasFailedCopy = false;
  isFatal = false;
  readonly #answers: FakeAnswer[] = [];
  #isSkipping = false;
  #copy: { readonly number: number; readonly isSimple: boolean } | undefined;

  receive(message: FakeMessage): void {
    if (this.isFatal) return;
    if (this.#copy !== undefined) this.#receiveInCopy(message, this.#copy);
    else if (this.#isSkipping && message.kind !== 'sync') return;
    else this.#receiveIdle(message);
  }

  /** The next `count` answers, as far as there are any. */
  take(count: number): FakeAnswer[] {
    return this.#answers.splice(0, count);
  }

  #receiveIdle({ kind, number }: FakeMessage): void {
    // Flush, and stray messages of a COPY, have no answer.
    if (kind in ANSWERS)
      for (const answer of ANSWERS[kind] ?? []) this.#say({ kind: answer, number });
    else if (kind.includes('-copy')) this.#startCopy(number, kind);
    else if (kind === 'sync') this.#say({ kind: 'ready', number, of: 'sync' });
    this.#isSkipping ||= kind === 'parse-error' || kind === 'execute-error';
    if (kind === 'sync') this.#isSkipping = false;
  }

  #receiveInCopy(
    { kind }: FakeMessage,
    { number, isSimple }: { readonly number: number; readonly isSimple: boolean },
  ): void {
    if (IGNORED_IN_COPY.has(kind)) return;
    if (kind === 'copy-done') {
      this.#copy = undefined;
      this.#say({ kind: 'complete', number });
      if (isSimple) this.#say({ kind: 'ready', number });
      return;
    }
    this.#failCopy(number, isSimple);
    // "unexpected message type during COPY from stdin": the message is lost, then the connection.
    this.isFatal = kind !== 'copy-fail';
  }

  #startCopy(number: number, kind: FakeMessage['kind']): void {
    const isSimple = kind.startsWith('query');
    this.#copy = { number, isSimple };
    this.#say({ kind: 'copy-in', number });
    if (kind.endsWith('-fails')) this.#failCopy(number, isSimple);
  }

  #failCopy(number: number, isSimple: boolean): void {
    this.#copy = undefined;
    this.hasFailedCopy = true;
    this.#say({ kind: 'error', number, of: 'copy' });
    if (isSimple) this.#say({ kind: 'ready', number });
    else this.#isSkipping = true;
  }

  #say(...answers: readonly FakeAnswer[]): void {
    this.#answers.push(...answers);
  }
}
