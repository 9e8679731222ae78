/** The description of one result, held back until it is decided what may be seen of its rows. */

import type { ResultColumn } from '../contract.ts';
import { decodeColumnDefinition } from './column-definition.ts';
import type { TakenPacket } from './packet-stream.ts';
import type { Running } from './relay-state.ts';

export class ResultShape {
  readonly running: Running;
  /** Of the packet that counts the columns: a refusal takes its place. */
  readonly sequence: number;
  readonly columns: ResultColumn[] = [];
  readonly packets: Buffer[];
  /** Bytes that are held. */
  size: number;
  /** Of the decision that is asked for; undefined: definitions are still to come. */
  id: number | undefined;
  readonly #hasExtendedMetadata: boolean;

  constructor(running: Running, count: TakenPacket, hasExtendedMetadata: boolean) {
    this.running = running;
    this.sequence = count.sequence;
    this.packets = [count.raw];
    this.size = count.raw.length;
    this.#hasExtendedMetadata = hasExtendedMetadata;
  }

  add({ raw, payload }: TakenPacket): void {
    const format = this.running.reader.isBinary ? 'binary' : 'text';
    const hasExtendedMetadata = this.#hasExtendedMetadata;
    this.size += raw.length;
    this.packets.push(raw);
    this.columns.push(decodeColumnDefinition(payload, { format, hasExtendedMetadata }));
  }
}
