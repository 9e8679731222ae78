/** The two ways in which a text is not read: it is no SQL, or it is more than will be read. */

/** The server would refuse it too, or it is read in more than one way; it is never let through. */
export class MysqlSyntaxError extends Error {
  override readonly name = 'MysqlSyntaxError';
  /** 1-based, in characters (code points). */
  readonly position: number | undefined;

  constructor(message: string, position: number | undefined) {
    super(message);
    this.position = position;
  }
}

/** Nested too deep, or too much of something. */
export class TooDeepError extends Error {
  override readonly name = 'TooDeepError';
}

export function syntaxErrorAt(message: string, text: string, index: number): MysqlSyntaxError {
  return new MysqlSyntaxError(message, Array.from(text.slice(0, index)).length + 1);
}
