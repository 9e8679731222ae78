/**
 * The client's packets on their way to the server and into the recording: in pieces, so that none has
 * to be held that nobody reads, and with the secrets of statements blanked where they are recorded.
 */

import { Outflow } from '../wire/outflow.ts';
import type { Outbox } from './outbox.ts';
import { HEADER_SIZE } from './packet.ts';
import { PacketStream } from './packet-stream.ts';
import { renumber } from './rows.ts';
import { SecretBlanker } from './statement-secrets.ts';

/** How a packet passes. */
export interface Way {
  readonly to: 'server' | 'nowhere';
  /** Undefined: the recording shows all of it. */
  readonly blanker: SecretBlanker | undefined;
  /** Payload bytes that are shown whatever the blanker says. */
  readonly shownSize: number;
  /** Added to the sequence ids (MY-11). */
  readonly shift: number;
  /** To be called when its last byte has passed. */
  readonly onPassed: () => void;
}

const STRAIGHT: Way = {
  to: 'server',
  blanker: undefined,
  shownSize: 0,
  shift: 0,
  onPassed: () => undefined,
};

export class ClientPackets {
  readonly stream = new PacketStream('client');
  readonly #out: Outbox;
  readonly #toServer = new Outflow();
  readonly #recorded = new Outflow();
  #way: Way | undefined;
  #shownLeft = 0;

  constructor(out: Outbox) {
    this.#out = out;
  }

  /** True while a packet passes that is not here whole. */
  get isPassing(): boolean {
    return this.#way !== undefined;
  }

  /** The next packet goes its way as its pieces come; its header is here. */
  startPassing(own: Partial<Way> = {}): void {
    this.#way = { ...STRAIGHT, ...own };
    this.#shownLeft = this.#way.shownSize;
    this.#passHeader(this.#way);
  }

  /** False: nothing more of it is here. */
  pass(): boolean {
    const way = this.#way;
    if (way === undefined) return false;
    const { stream } = this;
    if (!stream.isInPart) {
      // The packet goes on behind a full part; an empty part ends it (MY-13).
      if (!stream.peek()) return false;
      this.#passHeader(way);
      return true;
    }
    const size = stream.takePart();
    if (size === 0) return false;
    const start = stream.offset - size;
    this.#record(way, start);
    if (way.to === 'server') this.#toServer.addRange(stream.view, start, stream.offset);
    this.#endIfPassed(way);
    return true;
  }

  /** Packets that were taken whole. */
  send(bytes: Buffer): void {
    this.#toServer.add(bytes);
  }

  record(bytes: Buffer): void {
    this.#recorded.add(bytes);
  }

  /** Records whole packets of one statement; true where its text holds a secret. */
  recordStatement(raw: Buffer): boolean {
    const blanker = new SecretBlanker();
    for (let at = 0; at < raw.length; ) {
      const end = at + HEADER_SIZE + raw.readUIntLE(at, 3);
      const payload = raw.subarray(at + HEADER_SIZE, end);
      const shown = blanker.push(payload);
      if (shown === payload) {
        this.#recorded.addRange(raw, at, end);
      } else {
        this.#recorded.add(raw.subarray(at, at + HEADER_SIZE));
        this.#recorded.add(shown);
      }
      at = end;
    }
    return blanker.isTriggered;
  }

  flush(): void {
    for (const bytes of this.#recorded.take()) this.#out.recordClient(bytes);
    for (const bytes of this.#toServer.take()) this.#out.toServer(bytes);
  }

  #passHeader(way: Way): void {
    const { stream } = this;
    const start = stream.offset;
    const end = start + HEADER_SIZE;
    stream.takeHeader();
    this.#recorded.addRange(stream.view, start, end);
    if (way.to === 'server') {
      if ((way.shift & 0xff) === 0) this.#toServer.addRange(stream.view, start, end);
      else this.#toServer.add(renumber(stream.view.subarray(start, end), way.shift));
    }
    this.#endIfPassed(way);
  }

  #record({ blanker }: Way, start: number): void {
    const { view, offset } = this.stream;
    const shownEnd = blanker === undefined ? offset : Math.min(offset, start + this.#shownLeft);
    this.#shownLeft -= shownEnd - start;
    this.#recorded.addRange(view, start, shownEnd);
    if (blanker === undefined || shownEnd === offset) return;
    const piece = view.subarray(shownEnd, offset);
    const shown = blanker.push(piece);
    if (shown === piece) this.#recorded.addRange(view, shownEnd, offset);
    else this.#recorded.add(shown);
  }

  #endIfPassed(way: Way): void {
    if (this.stream.isMidPacket) return;
    this.#way = undefined;
    way.onPassed();
  }
}
