/** The commands of one `handle` call in the making. Every send to the client is recorded first. */

import type { Fact, Operation, SessionCommand, Side } from '../contract.ts';
import { encodeError, type Refusal } from './refusal.ts';

export class Outbox {
  #commands: SessionCommand[] = [];
  #nextId = 1;
  /** True once `close` was asked for: nothing more may follow. */
  isClosing = false;
  /** True where the client must not get a last word. */
  isMute = false;

  take(): SessionCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  /** A new operation number, unique in the session. */
  nextId(): number {
    return this.#nextId++;
  }

  push(command: SessionCommand): void {
    if (!this.isClosing) this.#commands.push(command);
  }

  decide(operation: Operation, holds: Side): void {
    this.push({ kind: 'decide', operation, holds });
  }

  note(fact: Fact): void {
    this.push({ kind: 'note', fact });
  }

  /** What the client sent, secrets already removed. */
  recordClient(bytes: Buffer): void {
    this.push({ kind: 'record', from: 'client', bytes });
  }

  toServer(bytes: Buffer): void {
    this.push({ kind: 'send', to: 'server', bytes });
  }

  /** The server's bytes; `shown` is what the recording keeps of them, where they hold a secret. */
  toClient(bytes: Buffer, shown: Buffer = bytes): void {
    this.push({ kind: 'record', from: 'server', bytes: shown });
    this.push({ kind: 'send', to: 'client', bytes });
  }

  /** Bytes that Weir made itself. */
  answer(bytes: Buffer): void {
    this.push({ kind: 'record', from: 'server', bytes, by: 'gateway' });
    this.push({ kind: 'send', to: 'client', bytes });
  }

  close(): void {
    this.push({ kind: 'close' });
    this.isClosing = true;
  }

  /** A last word to the client, then the end. */
  refuse(refusal: Refusal, isUtf8 = true): void {
    this.note({ kind: 'refused', code: refusal.code, reason: refusal.message });
    if (!this.isMute) this.answer(encodeError('FATAL', refusal, isUtf8));
    this.close();
  }
}
