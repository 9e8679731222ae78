/** Turns whatever was thrown into one line for people; never a stack. */

export function readReason(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    // Node tries every address of a name and its own message for "all failed" is empty.
    return error.errors.map(readReason).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}
