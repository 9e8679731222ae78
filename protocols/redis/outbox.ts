/**
 * The commands of one `handle` call in the making. What passes unchanged is gathered by ranges, so that
 * thousands of small answers in one chunk leave as one write. Everything for the client is recorded first.
 */

import type { Fact, Operation, SessionCommand, Side } from '../contract.ts';
import type { Refusal } from './refusal.ts';
import { encodeRefusal } from './refusal.ts';

export class Outbox {
  #commands: SessionCommand[] = [];
  #nextId = 1;
  #view: Buffer | undefined;
  #start = 0;
  #end = 0;
  /** True once `close` was asked for: nothing more may follow. */
  isClosing = false;

  take(): SessionCommand[] {
    this.#flush();
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  /** A new operation number, unique in the session. */
  nextId(): number {
    return this.#nextId++;
  }

  push(command: SessionCommand): void {
    this.#flush();
    if (!this.isClosing) this.#commands.push(command);
  }

  decide(operation: Operation, holds: Side): void {
    this.push({ kind: 'decide', operation, holds });
  }

  note(fact: Fact): void {
    this.push({ kind: 'note', fact });
  }

  /** What the client sent, secrets already removed (GW-16). */
  recordClient(bytes: Buffer): void {
    this.push({ kind: 'record', from: 'client', bytes });
  }

  toServer(bytes: Buffer): void {
    this.push({ kind: 'send', to: 'server', bytes });
  }

  /** A range of the server's bytes, as they came. */
  pass(view: Buffer, start: number, end: number): void {
    if (start === end) return;
    if (this.#view === view && this.#end === start) {
      this.#end = end;
      return;
    }
    this.#flush();
    this.#view = view;
    this.#start = start;
    this.#end = end;
  }

  /** The server's bytes, masked; `shown` is what the recording keeps of them, where they hold a secret. */
  toClient(bytes: Buffer, shown: Buffer = bytes): void {
    this.push({ kind: 'record', from: 'server', bytes: shown });
    this.push({ kind: 'send', to: 'client', bytes });
  }

  /** Bytes that Weir made itself. */
  answer(bytes: Buffer): void {
    this.push({ kind: 'record', from: 'server', bytes, by: 'gateway' });
    this.push({ kind: 'send', to: 'client', bytes });
  }

  setReading(isPaused: boolean): void {
    this.push({ kind: 'reading', side: 'client', isPaused });
  }

  close(): void {
    this.push({ kind: 'close' });
    this.isClosing = true;
  }

  /** A last word to the client, then the end. */
  refuse(refusal: Refusal): void {
    this.note({ kind: 'refused', code: refusal.code, reason: refusal.message });
    this.answer(encodeRefusal(refusal));
    this.close();
  }

  #flush(): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#view = undefined;
    if (this.isClosing) return;
    const bytes = view.subarray(this.#start, this.#end);
    this.#commands.push({ kind: 'record', from: 'server', bytes });
    this.#commands.push({ kind: 'send', to: 'client', bytes });
  }
}
