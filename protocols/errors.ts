import type { Side } from './contract.ts';

/**
 * A peer sent bytes that its protocol does not allow. This is hostile or broken input, never a
 * bug of ours: the driver closes the session and records why.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** Stable, documented: `PG_MESSAGE_LENGTH`, ... */
  readonly code: string;
  /** Who sent the bytes. */
  readonly blame: Side;

  constructor(code: string, blame: Side, message: string) {
    super(message);
    this.code = code;
    this.blame = blame;
  }
}
