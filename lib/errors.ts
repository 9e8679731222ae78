/** The outside world failed: a file, a socket, another server. Logged; the session or the start-up ends. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError';
  /** Stable, documented: `CONFIG_INVALID`, `RECORDING_WRITE`, ... */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
