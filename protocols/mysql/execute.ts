/**
 * The beginning of COM_STMT_EXECUTE and of the other commands that name a prepared statement; their
 * parameters are relayed and never needed (MY-21).
 *
 *   0x17 | 4 statement | 1 flags | 4 iterations | NULL bitmap, new types, values
 *   0x18 | 4 statement | 2 parameter | data          0x19, 0x1a | 4 statement
 *   0x1c | 4 statement | 4 rows                      0xfa | 4 statement | 2 flags | types, rows
 */

import { COMMAND } from './commands.ts';

/** CURSOR_TYPE_READ_ONLY, FOR_UPDATE and SCROLLABLE. */
const CURSOR_FLAGS = 0x07;
/** How much of a payload `readPrepared` wants. */
export const PREPARED_HEAD_SIZE = 10;

export interface PreparedCommand {
  readonly command: number;
  readonly statementId: number;
  readonly asksCursor: boolean;
}

/** Undefined: too short to name a statement; the server answers it with an error, or ignores it. */
export function readPrepared(head: Buffer): PreparedCommand | undefined {
  if (head.length < 5) return undefined;
  const command = head.readUInt8(0);
  const asksCursor = command === COMMAND.execute && ((head[5] ?? 0) & CURSOR_FLAGS) !== 0;
  return { command, statementId: head.readUInt32LE(1), asksCursor };
}
