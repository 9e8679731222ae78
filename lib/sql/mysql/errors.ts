/** The ways in which a text is not read: it is no SQL, it is more than will be read, or nobody can be sure of it. */

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

/** The server may take it for another text; unlike a syntax error it is so in all ways to read it. */
export class UnsureError extends Error {
  override readonly name = 'UnsureError';
}

export function syntaxErrorAt(message: string, text: string, index: number): MysqlSyntaxError {
  return new MysqlSyntaxError(message, Array.from(text.slice(0, index)).length + 1);
}
