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
    switch (kind) {
      case 'query':
        this.#say({ kind: 'complete', number }, { kind: 'ready', number });
        return;
      case 'query-error':
        this.#say({ kind: 'error', number }, { kind: 'ready', number });
        return;
      case 'call':
        // FunctionCallResponse comes first.
        this.#say({ kind: 'complete', number }, { kind: 'ready', number });
        return;
      case 'parse':
      case 'bind':
        this.#say({ kind: 'done', number });
        return;
      case 'execute':
        this.#say({ kind: 'complete', number });
        return;
      case 'parse-error':
      case 'execute-error':
        this.#say({ kind: 'error', number });
        this.#isSkipping = true;
        return;
      case 'query-copy':
      case 'execute-copy':
        this.#startCopy(number, kind === 'query-copy');
        return;
      case 'query-copy-fails':
      case 'execute-copy-fails':
        this.#startCopy(number, kind === 'query-copy-fails');
        this.#failCopy(number, kind === 'query-copy-fails');
        return;
      case 'sync':
        this.#isSkipping = false;
        this.#say({ kind: 'ready', number, of: 'sync' });
        return;
      case 'flush':
      case 'copy-data':
      case 'copy-done':
      case 'copy-fail':
    }
  }

  #receiveInCopy(message: FakeMessage, copy: { readonly number: number; readonly isSimple: boolean }): void {
    switch (message.kind) {
      case 'sync':
      case 'flush':
      case 'copy-data':
        return;
      case 'copy-done':
        this.#copy = undefined;
        this.#say({ kind: 'complete', number: copy.number });
        if (copy.isSimple) this.#say({ kind: 'ready', number: copy.number });
        return;
      case 'copy-fail':
        this.#failCopy(copy.number, copy.isSimple);
        return;
      case 'parse':
      case 'parse-error':
      case 'bind':
      case 'execute':
      case 'execute-error':
      case 'execute-copy':
      case 'execute-copy-fails':
      case 'query':
      case 'query-error':
      case 'query-copy':
      case 'query-copy-fails':
      case 'call':
        // "unexpected message type during COPY from stdin": the message is lost, then the connection.
        this.#say({ kind: 'error', number: copy.number, of: 'copy' });
        this.#copy = undefined;
        this.hasFailedCopy = true;
        this.isFatal = true;
    }
  }

  #startCopy(number: number, isSimple: boolean): void {
    this.#copy = { number, isSimple };
    this.#say({ kind: 'copy-in', number });
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
