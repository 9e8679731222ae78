/** What answers of the server change in what is known of the session: its state, its statements. */

import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { COMMAND } from './commands.ts';
import { FieldReader } from './fields.ts';
import { parseOk } from './ok-packet.ts';
import type { RelayState, Running } from './relay-state.ts';

/** An EOF packet: header, warnings, status. */
const EOF_SIZE = 5;

/** Follows an OK or EOF; true where it is an OK, which an EOF of old servers is not (MY-29). */
export function followOk(
  state: RelayState,
  running: Running,
  kind: 'ok' | 'end',
  payload: Buffer,
): boolean {
  const { session, capabilities } = state;
  const isEof =
    kind === 'end' && (payload.length === EOF_SIZE || !has(capabilities, CAPABILITY.deprecateEof));
  if (isEof) {
    if (payload.length < EOF_SIZE)
      throw new ProtocolError('MYSQL_EOF', 'server', 'an EOF packet is too short');
    const status = payload.readUInt16LE(3);
    session.followStatus(status);
    running.reader.onEnd(status);
    return false;
  }
  const { status, tracked } = parseOk(payload, capabilities);
  session.followStatus(status);
  session.followTracked(tracked);
  running.told.database ||= tracked.schema !== undefined;
  running.told.charset ||= tracked.variables.has('character_set_client');
  if (kind === 'ok') running.reader.onOk(status);
  else running.reader.onEnd(status);
  return true;
}

/**
 * PREPARE_OK: 0x00 | 4 statement | 2 columns | 2 parameters | 1 unused | 2 warnings. The number is known
 * from here on, as the client may use it at once.
 */
export function onPrepared(state: RelayState, running: Running, payload: Buffer): void {
  if (running.refusal !== undefined) {
    const what = 'the server has prepared a text that cannot be prepared';
    throw new ProtocolError('MYSQL_POISON', 'server', what);
  }
  const reader = new FieldReader(payload, 'server', 1);
  const id = reader.u32();
  const columns = reader.u16();
  const parameters = reader.u16();
  running.reader.onPrepared(parameters, columns);
  if (running.statement !== undefined) state.statements.add(id, running.statement);
}

/** The answer is over; `isDone`: not by an error. */
export function onAnswered(state: RelayState, running: Running, isDone: boolean): void {
  const { session, statements, out } = state;
  state.running.shift();
  out.sequence = state.running.length === 0 ? 0 : 1;
  session.followAnswer(running.facts, isDone, running.told);
  if (running.facts.changesSchema) out.note({ kind: 'schema-changed' });
  if (running.command === COMMAND.prepare && !isDone) statements.onFailed();
  if (!isDone) return;
  if (running.command === COMMAND.resetConnection) {
    statements.clear();
    session.reset();
  } else if (running.database !== undefined && !running.told.database) {
    session.followDatabase(running.database);
  }
}
