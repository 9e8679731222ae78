/**
 * Two ends of a connection in memory, each a half-open Duplex as a socket is: what one end writes the
 * other reads, a turn of the event loop later, and a reader that stops makes the writer full.
 */
import { Duplex } from 'node:stream';

export class PairEnd extends Duplex {
  peer: PairEnd | undefined;
  /** Waits until the peer reads on. */
  private waiting: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const { peer } = this;
    if (peer === undefined || peer.destroyed) return void setImmediate(done);
    setImmediate(() => {
      if (peer.destroyed || peer.push(chunk)) done();
      else this.waiting = done;
    });
  }

  override _read(): void {
    const { peer } = this;
    const done = peer?.waiting;
    if (peer === undefined || done === undefined) return;
    peer.waiting = undefined;
    setImmediate(done);
  }

  override _final(done: () => void): void {
    setImmediate(() => {
      if (this.peer?.destroyed === false) this.peer.push(null);
      done();
    });
  }

  /** As a network would end it: the peer gets an error. */
  reset(): void {
    const { peer } = this;
    this.destroy();
    setImmediate(() => peer?.destroy(new Error('read ECONNRESET')));
  }
}

export function createPair(highWaterMark = 16 * 1024): { near: PairEnd; far: PairEnd } {
  const near = new PairEnd({ allowHalfOpen: true, highWaterMark });
  const far = new PairEnd({ allowHalfOpen: true, highWaterMark });
  near.peer = far;
  far.peer = near;
  // A test looks at what became of an end; its errors are no surprise there.
  far.on('error', () => undefined);
  return { near, far };
}

/** Everything that an end has received so far, as text. */
export class Received {
  text = '';
  hasEnded = false;
  isClosed = false;

  constructor(end: Duplex) {
    end.on('data', (bytes: Buffer) => (this.text += bytes.toString('latin1')));
    end.on('end', () => (this.hasEnded = true));
    end.on('close', () => (this.isClosed = true));
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A few turns of the event loop: time for bytes in memory to arrive. */
export async function settle(turns = 8): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export async function until(isTrue: () => boolean, wait = 20_000): Promise<boolean> {
  const end = Date.now() + wait;
  while (!isTrue() && Date.now() < end) await pause(2);
  return isTrue();
}

/** A promise that the test settles. */
export function createGate<Value>() {
  let open: (value: Value) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const passed = new Promise<Value>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { passed, open, fail };
}
