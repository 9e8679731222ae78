/** What both directions of a signed-in session share: the commands whose answers are owed, and more. */

import type { Inspection, SessionOptions, Trace } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import type { Outbox } from './outbox.ts';
import type { Refusal } from './refusal.ts';
import { ReplyReader, type ReplyShape } from './replies.ts';
import { type SessionState, type Told } from './session-state.ts';
import { NO_FACTS, type TextFacts } from './statement-text.ts';
import { type Shape, type Statement, Statements } from './statements.ts';

/** Commands that may wait for their answers; without inspection a client may send many ahead (MY-33). */
const RUNNING_MAX = 100_000;

/** A command that the server has, or gets, and that has an answer (MY-60). */
export interface Running {
  readonly command: number;
  readonly reader: ReplyReader;
  /** Set: this was refused, and what the server got instead cannot be prepared (MY-22). */
  readonly refusal: Refusal | undefined;
  readonly facts: TextFacts;
  /** For redaction: the text that fails if it fails. */
  readonly text: string | undefined;
  /** What the server says of it may quote masked data (GW-11). */
  readonly isSensitive: boolean;
  /** What the server says of it may quote a secret, which belongs in no recording (GW-16). */
  readonly isSecret: () => boolean;
  readonly traces: readonly Trace[];
  /** Of a PREPARE what it will be, of an EXECUTE and FETCH what it is. */
  readonly statement: Statement | undefined;
  /** What the server told of changes so far. */
  readonly told: Told;
  /** Name of the new default database, of COM_INIT_DB. */
  readonly database: string | undefined;
  /** Of the rows that come now; undefined: nobody decided on them. */
  shape: Shape | undefined;
  /** What is added to the sequence ids of the rest of the answer, because Weir changed something (MY-11). */
  shift: number;
  /** The client has got an error in place of the answer: the rest of it is dropped. */
  isSwallowed: boolean;
}

export interface RelayState {
  readonly out: Outbox;
  readonly options: SessionOptions;
  readonly inspection: Inspection;
  readonly capabilities: bigint;
  readonly session: SessionState;
  readonly statements: Statements;
  readonly running: Running[];
  /** The client sends a file: its packets are no commands up to an empty one (MY-34). */
  file: { readonly shift: number } | undefined;
}

export type RelayStart = Pick<
  RelayState,
  'out' | 'options' | 'inspection' | 'capabilities' | 'session'
>;

export function createRelayState(start: RelayStart): RelayState {
  return { ...start, statements: new Statements(), running: [], file: undefined };
}

type Expected = Partial<Omit<Running, 'command' | 'reader' | 'told' | 'shape' | 'isSwallowed'>> & {
  readonly asksCursor?: boolean;
};

/** From now on the server owes an answer of that shape. */
export function expectReply(
  state: RelayState,
  command: number,
  shape: ReplyShape,
  { asksCursor = false, ...expected }: Expected = {},
): Running {
  if (state.running.length >= RUNNING_MAX) {
    const what = `more than ${RUNNING_MAX} commands wait for their answers`;
    throw new ProtocolError('MYSQL_PIPELINE', 'client', what);
  }
  const reader = new ReplyReader({
    shape,
    deprecatesEof: has(state.capabilities, CAPABILITY.deprecateEof),
    asksCursor,
    hasProgress: has(state.capabilities, CAPABILITY.mariadbProgress),
  });
  const running: Running = {
    refusal: undefined,
    facts: NO_FACTS,
    text: undefined,
    isSensitive: false,
    isSecret: () => false,
    traces: [],
    statement: undefined,
    database: undefined,
    shift: 0,
    ...expected,
    command,
    reader,
    told: { database: false, charset: false },
    shape: undefined,
    isSwallowed: false,
  };
  state.running.push(running);
  return running;
}
