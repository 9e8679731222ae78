/** A command of the client's that waits for its decision, and the text that stands in for a blocked one. */

import type { Reading } from '../contract.ts';
import { COMMAND } from './commands.ts';
import type { Refusal } from './refusal.ts';
import type { ReplyShape } from './replies.ts';
import type { Statement } from './statements.ts';

export interface Held {
  readonly id: number;
  readonly command: number;
  readonly shape: ReplyShape;
  readonly text: string;
  readonly reading: Reading;
  /** The packets as they came; undefined: they have not been walked, and pass once allowed. */
  readonly raw: Buffer | undefined;
  /** Of an EXECUTE. */
  readonly statement: Statement | undefined;
  readonly asksCursor: boolean;
  /** Of COM_INIT_DB: the name. */
  readonly database: string | undefined;
  readonly hasSecret: boolean;
}

/** What only some of them have. */
export const NOTHING_HELD = {
  raw: undefined,
  statement: undefined,
  asksCursor: false,
  database: undefined,
  hasSecret: false,
} as const;

/** A statement that nobody decided on. */
export const UNINSPECTED = {
  text: undefined,
  reading: undefined,
  isSensitive: false,
  trace: undefined,
} as const;

/**
 * A COM_STMT_PREPARE that fails in the server's parser whatever its settings: no statement starts with
 * ")". Rule names are plain by configuration; anything else is left out of what
 * the server may log.
 */
export function poisonPrepare(refusal: Refusal): Buffer {
  const rule = (refusal.rule ?? '').replaceAll(/[^\w-]/g, '');
  const text = rule === '' ? ') refused by Weir' : `) refused by Weir, rule ${rule}`;
  return Buffer.concat([Buffer.of(COMMAND.prepare), Buffer.from(text)]);
}
