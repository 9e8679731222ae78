/**
 * A Postgres session without sockets, brought to where a test begins, and told what client and server say.
 * Each call gives the commands that it caused.
 */

import type {
  Decision,
  Inspection,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
  Side,
} from '../../protocols/contract.ts';
import { postgres } from '../../protocols/postgres/index.ts';
import { type Decide, handleAll } from './play.ts';
import { cstring, int16, int32, message, startup } from './raw-postgres.ts';
import { sessionOptions, type TranscriptOptions } from './transcript.ts';

export const INSPECT_ALL: Inspection = { statements: true, results: true };
export const INSPECT_NOTHING: Inspection = { statements: false, results: false };
export const ready = (status = 'I'): Buffer => message('Z', Buffer.from(status));
export const authenticationOk = (): Buffer => message('R', int32(0));
export const parameterStatus = (name: string, value: string): Buffer =>
  message('S', cstring(name), cstring(value));
export const complete = (tag: string): Buffer => message('C', cstring(tag));
export const PARSED = message('1');
export const BOUND = message('2');
export const CLOSED = message('3');
export const NO_DATA = message('n');

export function errorOf(code: string, text: string, fields: Record<string, string> = {}): Buffer {
  const all = { S: 'ERROR', V: 'ERROR', C: code, M: text, ...fields };
  return message(
    'E',
    ...Object.entries(all).map(([letter, value]) => cstring(`${letter}${value}`)),
    Buffer.of(0),
  );
}

/** RowDescription of text columns that come from table 1000, in order. */
export function description(...names: readonly string[]): Buffer {
  const columns = names.map((name, index) =>
    Buffer.concat([
      cstring(name),
      int32(1000),
      int16(index + 1),
      int32(25),
      Buffer.of(0xff, 0xff),
      int32(-1),
      Buffer.of(0, 0),
    ]),
  );
  return message('T', int16(names.length), ...columns);
}

export function row(...values: readonly (string | null)[]): Buffer {
  const parts = values.map((value) =>
    value === null
      ? int32(-1)
      : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]),
  );
  return message('D', int16(values.length), ...parts);
}

export class SessionTalk {
  readonly session: ProtocolSession;
  /** Everything since the beginning. */
  readonly log: SessionCommand[] = [];
  decide: Decide;

  constructor(
    own: TranscriptOptions | SessionOptions = {},
    decide: Decide = () => ({ kind: 'allow' }),
  ) {
    this.session = postgres.createSession(sessionOptions(own));
    this.decide = decide;
  }

  event(event: SessionEvent): SessionCommand[] {
    const commands = handleAll(this.session, event, this.decide);
    this.log.push(...commands);
    return commands;
  }

  opened(side: Side): SessionCommand[] {
    return this.event({ kind: 'opened', side });
  }

  client(...parts: readonly Buffer[]): SessionCommand[] {
    return this.event({ kind: 'received', from: 'client', bytes: Buffer.concat(parts) });
  }

  server(...parts: readonly Buffer[]): SessionCommand[] {
    return this.event({ kind: 'received', from: 'server', bytes: Buffer.concat(parts) });
  }

  decided(id: number, decision: Decision): SessionCommand[] {
    return this.event({ kind: 'decided', id, decision });
  }
}

export interface SignedInOptions {
  readonly inspection?: Inspection;
  readonly options?: TranscriptOptions;
  /** What the server says of itself before its first ReadyForQuery. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Decides on everything but the sign-in. */
  readonly decide?: Decide;
}

/** A session whose first ReadyForQuery has come, without a password. */
export function signedIn({
  inspection = INSPECT_ALL,
  options,
  parameters,
  decide,
}: SignedInOptions = {}): SessionTalk {
  const talk = new SessionTalk(options, (operation) =>
    operation.kind === 'sign-in' ? { kind: 'allow', inspection } : undefined,
  );
  talk.opened('client');
  talk.client(startup({ user: 'ann', database: 'shop' }));
  talk.opened('server');
  const told = { client_encoding: 'UTF8', standard_conforming_strings: 'on', ...parameters };
  const statuses = Object.entries(told).map(([name, value]) => parameterStatus(name, value));
  talk.server(authenticationOk(), ...statuses, ready());
  talk.decide = decide ?? (() => ({ kind: 'allow', isSensitive: false }));
  talk.log.length = 0;
  return talk;
}
