/** Tells by its first bytes what a client speaks: TLS, HTTP/2 by prior knowledge, or HTTP/1.1 (vector.md 2.9, 4). */
import type { Duplex } from 'node:stream';

export type Spoken = 'tls' | '1.1' | '2';

/** RFC 9113, 3.4. `PRI` is no method of HTTP/1.1, so these three are enough; a lone `P` may be POST. */
const PREFACE_START = Buffer.from('PRI', 'latin1');
/** A TLS record of type handshake. */
const TLS_HANDSHAKE = 0x16;

/** Undefined: too few to tell. */
export function tellSpoken(bytes: Buffer): Spoken | undefined {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  const count = Math.min(bytes.length, PREFACE_START.length);
  if (!bytes.subarray(0, count).equals(PREFACE_START.subarray(0, count))) return '1.1';
  return count === PREFACE_START.length ? '2' : undefined;
}

/**
 * Calls `onTold` once, with all bytes back in the socket, in the same turn in which it was read: whoever takes
 * the socket over must do so there. Never called for a client that says too little; it may close, or be closed.
 */
export function readSpoken(socket: Duplex, onTold: (spoken: Spoken) => void): void {
  let held: Buffer | undefined;
  const look = (): void => {
    const bytes: unknown = socket.read();
    if (!(bytes instanceof Buffer)) return;
    held = held === undefined ? bytes : Buffer.concat([held, bytes]);
    const spoken = tellSpoken(held);
    // Put back now, they would be found again at once, for ever.
    if (spoken === undefined) return;
    socket.removeListener('readable', look);
    socket.unshift(held);
    onTold(spoken);
  };
  socket.on('readable', look);
}
