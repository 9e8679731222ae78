/**
 * The commands of one `handle` call in the making. Every send to the client is recorded first. It knows
 * the sequence id that the client expects next, so that a last word can be said at any time (MY-11).
 */

import type { Fact, Operation, SessionCommand, Side } from '../contract.ts';
import { type Refusal, encodeErr, errTextOf, shownError } from './refusal.ts';

export class Outbox {
  #commands: SessionCommand[] = [];
  #nextId = 1;
  /** True once `close` was asked for: nothing more may follow. */
  isClosing = false;
  /** Sequence id of the next packet to the client, should Weir have to say something now. */
  sequence = 0;
  /** The client has said that it speaks protocol 4.1, so ERR packets have a SQLSTATE (MY-15). */
  hasState = false;

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

  /** What the client sent, headers included, secrets already removed (GW-16). */
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
  answer(bytes: Buffer, shown: Buffer = bytes): void {
    this.push({ kind: 'record', from: 'server', bytes: shown, by: 'gateway' });
    this.push({ kind: 'send', to: 'client', bytes });
  }

  /** A refusal, and the session goes on. Its text may quote the statement, and a secret in that (GW-16). */
  answerError(refusal: Refusal, sequence: number, isSecret: boolean): void {
    const packet = encodeErr(errTextOf(refusal), sequence, true);
    this.answer(packet, shownError(packet, isSecret));
  }

  close(): void {
    this.push({ kind: 'close' });
    this.isClosing = true;
  }

  /** A last word to the client, then the end. */
  refuse(refusal: Refusal): void {
    this.note({ kind: 'refused', code: refusal.code, reason: refusal.message });
    this.answer(encodeErr(errTextOf(refusal), this.sequence, this.hasState));
    this.close();
  }
}
