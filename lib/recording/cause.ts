/** What a caught value says: JavaScript can throw anything, the file functions throw errors. */
export function describeCause(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
