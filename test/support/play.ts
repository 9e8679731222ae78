/**
 * Plays events through a session without sockets, and puts its commands into forms that can be
 * compared: how output is cut into sends is no part of the contract, everything else is.
 */

import type {
  Decision,
  ExchangeCommand,
  Operation,
  Protocol,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  Side,
} from '../../protocols/contract.ts';
import type { Transcript } from './transcript.ts';

export type Decide = (operation: Operation) => Decision | undefined;

/** Hands an event to the session and answers what it asks at once; undefined leaves it undecided. */
export function handleAll(
  session: ProtocolSession,
  event: SessionEvent,
  decide: Decide,
): SessionCommand[] {
  const log: SessionCommand[] = [];
  const todo = session.handle(event);
  for (let command = todo.shift(); command !== undefined; command = todo.shift()) {
    log.push(command);
    if (command.kind !== 'decide') continue;
    const { id } = command.operation;
    const decision = decide(command.operation);
    if (decision !== undefined) todo.push(...session.handle({ kind: 'decided', id, decision }));
  }
  return log;
}

export function playEvents(
  session: ProtocolSession,
  events: Iterable<SessionEvent>,
  decide: Decide = () => undefined,
): SessionCommand[] {
  return [...events].flatMap((event) => handleAll(session, event, decide));
}

/** Event by event, as it was: decisions come where they are written. */
export function replay(protocol: Protocol, transcript: Transcript): SessionCommand[] {
  return playEvents(protocol.createSession(transcript.options), transcript.events);
}

/** The decisions that a transcript has, by number. */
export function decisionsOf(transcript: Transcript): Decide {
  const byId = new Map<number, Decision>();
  for (const event of transcript.events) {
    if (event.kind === 'decided') byId.set(event.id, event.decision);
  }
  return ({ id }) => byId.get(id);
}

export function withoutDecisions(transcript: Transcript): SessionEvent[] {
  return transcript.events.filter(({ kind }) => kind !== 'decided');
}

/** Cuts what was received at the given offsets of each chunk; offsets outside it are ignored. */
export function cut(event: SessionEvent, offsets: readonly number[]): SessionEvent[] {
  if (event.kind !== 'received') return [event];
  const inside = offsets.filter((offset) => offset > 0 && offset < event.bytes.length);
  const cuts = [0, ...new Set(inside), event.bytes.length].toSorted((a, b) => a - b);
  // A copy each, as a socket gives it: a session must not depend on bytes beside its chunk.
  return cuts.slice(1).map((end, index) => ({
    ...event,
    bytes: Buffer.from(event.bytes.subarray(cuts[index], end)),
  }));
}

/** Neighbours of one kind joined, so that a golden file has a line for each thing that happened. */
export function mergeCommands(commands: readonly SessionCommand[]): SessionCommand[] {
  const merged: SessionCommand[] = [];
  for (const command of commands) {
    const last = merged.at(-1);
    if (command.kind === 'send' && last?.kind === 'send' && last.to === command.to) {
      merged[merged.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, command.bytes]) };
    } else if (
      command.kind === 'record' &&
      last?.kind === 'record' &&
      last.from === command.from &&
      last.by === command.by
    ) {
      merged[merged.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, command.bytes]) };
    } else {
      merged.push(command);
    }
  }
  return merged;
}

/** All bytes that were sent to a side. */
export function sentTo(side: Side, commands: readonly SessionCommand[]): Buffer {
  return Buffer.concat(
    commands.flatMap((command) =>
      command.kind === 'send' && command.to === side ? [command.bytes] : [],
    ),
  );
}

export function recordedFrom(side: Side, commands: readonly SessionCommand[]): Buffer {
  return Buffer.concat(
    commands.flatMap((command) =>
      command.kind === 'record' && command.from === side ? [command.bytes] : [],
    ),
  );
}

export function operationsIn(commands: readonly SessionCommand[]): Operation[] {
  return commands.flatMap((command) => (command.kind === 'decide' ? [command.operation] : []));
}

export function hasClosed(commands: readonly SessionCommand[]): boolean {
  return commands.some(({ kind }) => kind === 'close');
}

/**
 * What must not depend on how bytes were cut: each stream whole, the other commands in their order,
 * and how much had been sent to whom when a decision was asked for.
 */
export function summarize(commands: readonly SessionCommand[]): string {
  const sent = { client: 0, server: 0 };
  const others: string[] = [];
  for (const command of commands) {
    if (command.kind === 'send') sent[command.to] += command.bytes.length;
    else if (command.kind === 'decide')
      others.push(`${describeCommand(command)} at ${sent.client}/${sent.server}`);
    // When a side is paused depends on how its bytes were cut, and changes nothing else.
    else if (command.kind !== 'record' && command.kind !== 'reading')
      others.push(describeCommand(command));
  }
  const records = (['client', 'server'] as const).flatMap((side) =>
    mergeCommands(commands.filter((command) => command.kind === 'record' && command.from === side)),
  );
  const streams = [
    sentTo('client', commands).toString('hex'),
    sentTo('server', commands).toString('hex'),
    ...records.map((command) => describeCommand(command)),
  ];
  return [...streams, ...others].join('\n');
}

/** Commands as text, one a line, so that a changed golden file reads well in a diff. */
export function describeCommands(commands: readonly SessionCommand[]): string {
  return mergeCommands(commands)
    .map((command) => `${describeCommand(command)}\n`)
    .join('');
}

function describeCommand(command: SessionCommand): string {
  switch (command.kind) {
    case 'send':
      return `send ${command.to} ${printable(command.bytes)}`;
    case 'record':
      return `record ${command.from}${command.by === undefined ? '' : ' by gateway'} ${printable(command.bytes)}`;
    case 'decide':
      return `decide ${describeOperation(command.operation)}, holds ${command.holds}`;
    case 'secure':
      return `secure ${command.side} ${printable(command.bytes)}`;
    case 'open':
    case 'finish':
      return `${command.kind} ${command.side}`;
    case 'reading':
      return `reading ${command.side} ${command.isPaused ? 'pauses' : 'goes on'}`;
    case 'wake':
      return `wake ${command.alarm} ${command.after ?? 'never'}`;
    case 'note':
      return `note ${JSON.stringify(command.fact, showBytes)}`;
    case 'close':
      return 'close';
    default:
      return describeExchange(command);
  }
}

function describeExchange(command: ExchangeCommand): string {
  const { exchange } = command;
  switch (command.kind) {
    case 'ask':
    case 'answer':
      return `#${exchange} ${command.kind} ${JSON.stringify(command.head)}`;
    case 'body':
      return `#${exchange} body ${command.to} ${printable(command.bytes)}`;
    case 'end':
      return `#${exchange} end ${command.to} ${JSON.stringify(command.trailers)}`;
    case 'abandon':
      return `#${exchange} abandon ${command.to} ${command.code}`;
  }
}

function describeOperation(operation: Operation): string {
  const { kind, id, ...rest } = operation;
  return `#${id} ${kind} ${JSON.stringify(rest, showBytes)}`;
}

/** JSON.stringify has turned a Buffer into an object before it asks. */
function showBytes(_key: string, value: unknown): unknown {
  const isBuffer =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  if (!isBuffer || !('data' in value) || !Array.isArray(value.data)) return value;
  return Buffer.from(value.data).toString('hex');
}

function printable(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[^ -~]/g, '.');
}
