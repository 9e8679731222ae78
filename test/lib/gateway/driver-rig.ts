/** A session driver between two connections in memory, with a session that follows a test's script. */
import type {
  Decision,
  Operation,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  Side,
} from '../../../protocols/contract.ts';
import type { Decided } from '../../../lib/gateway/driver-parts.ts';
import { SessionDriver } from '../../../lib/gateway/session-driver.ts';
import type { SessionRecorder } from '../../../lib/recording/recording.ts';
import { createPair, type PairEnd, Received } from './duplex-pair.ts';

export type Script = (event: SessionEvent) => readonly SessionCommand[];

export class ScriptedSession implements ProtocolSession {
  isBusy = false;
  readonly events: SessionEvent[] = [];
  private readonly script: Script;

  constructor(script: Script) {
    this.script = script;
  }

  handle(event: SessionEvent): SessionCommand[] {
    this.events.push(event);
    return [...this.script(event)];
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
}

/** Says what it does in the rig's log, and fails when told to. */
export class FakeRecorder implements SessionRecorder {
  failure: Error | undefined;
  /** Appends that succeed before `failure` comes. */
  appendsLeft = 0;
  /** What `synced` gives; a test resolves it. */
  nextSync: (() => Promise<void> | undefined) | undefined;
  readonly ends: string[] = [];
  private readonly log: string[];

  constructor(log: string[]) {
    this.log = log;
  }

  append(from: Side, bytes: Buffer, by?: 'gateway'): void {
    if (this.failure !== undefined) {
      if (this.appendsLeft === 0) throw this.failure;
      this.appendsLeft -= 1;
    }
    this.log.push(
      `record ${from}${by === undefined ? '' : ` by ${by}`}: ${bytes.toString('latin1')}`,
    );
  }

  note(note: { readonly kind: string }): void {
    if (this.failure !== undefined) throw this.failure;
    this.log.push(`note ${note.kind}`);
  }

  synced(): Promise<void> | undefined {
    return this.nextSync?.();
  }

  end(reason: string): void {
    this.ends.push(reason);
  }
}

export interface RigOptions {
  readonly script: Script;
  readonly decide?: (operation: Operation) => Decided | Promise<Decided>;
  readonly startRecording?: () => SessionRecorder;
  readonly openUpstream?: () => Promise<PairEnd>;
  readonly highWaterMark?: number;
}

export function createRig(options: RigOptions) {
  const log: string[] = [];
  const client = createPair(options.highWaterMark);
  const server = createPair(options.highWaterMark);
  logWrites(client.near, 'client', log);
  logWrites(server.near, 'server', log);
  const recorder = new FakeRecorder(log);
  const session = new ScriptedSession(options.script);
  const overs: boolean[] = [];
  const troubles: unknown[] = [];
  const driver = new SessionDriver({
    session,
    client: client.near,
    openUpstream: options.openUpstream ?? (async () => server.near),
    secureClient: async (socket) => ({ socket, alpn: 'test', channelBinding: undefined }),
    secureServer: async (socket) => ({ socket, alpn: undefined, channelBinding: undefined }),
    decide: options.decide ?? (() => allow()),
    startRecording: options.startRecording ?? (() => recorder),
    onFact: (fact) => void log.push(`fact ${fact.kind}`),
    onTrouble: (error) => void troubles.push(error),
    onOver: (isAbandoned) => void overs.push(isAbandoned),
  });
  return {
    driver,
    session,
    recorder,
    log,
    overs,
    troubles,
    client: client.far,
    server: server.far,
    clientNear: client.near,
    serverNear: server.near,
    atClient: new Received(client.far),
    atServer: new Received(server.far),
  };
}

function logWrites(end: PairEnd, side: Side, log: string[]): void {
  const write = end._write.bind(end);
  end._write = (chunk, encoding, done) => {
    log.push(`write ${side}: ${chunk.toString('latin1')}`);
    write(chunk, encoding, done);
  };
}

export function allow(): Decided {
  return { decision: { kind: 'allow' }, note: undefined };
}

export function block(code: string): Decided {
  const decision: Decision = { kind: 'block', rule: 'r', code, reason: 'no' };
  return { decision, note: { kind: 'decision', operation: 'statement', outcome: 'block' } };
}

export function send(to: Side, text: string): SessionCommand {
  return { kind: 'send', to, bytes: Buffer.from(text) };
}

export function record(from: Side, text: string): SessionCommand {
  return { kind: 'record', from, bytes: Buffer.from(text) };
}

export const OPEN: SessionCommand = { kind: 'open', side: 'server' };
export const CLOSE: SessionCommand = { kind: 'close' };

let lastId = 0;

export function askStatement(text: string, holds: Side = 'client'): SessionCommand {
  lastId += 1;
  return { kind: 'decide', holds, operation: { kind: 'statement', id: lastId, text } };
}

export const SIGN_IN: SessionCommand = {
  kind: 'decide',
  holds: 'client',
  operation: {
    kind: 'sign-in',
    id: 0,
    user: 'u',
    database: 'd',
    isSecure: false,
    isReplication: false,
    settings: [],
  },
};

/**
 * Signs in and opens the server at once; then records and passes on whatever comes, in both
 * directions, `decided` tells what to do where something was asked.
 */
export function relayScript(extra: Script = () => []): Script {
  return (event) => {
    const more = extra(event);
    if (more.length > 0) return more;
    switch (event.kind) {
      case 'opened':
        return event.side === 'client' ? [SIGN_IN, OPEN] : [];
      case 'received': {
        const to: Side = event.from === 'client' ? 'server' : 'client';
        return [
          { kind: 'record', from: event.from, bytes: event.bytes },
          { kind: 'send', to, bytes: event.bytes },
        ];
      }
      case 'closed':
        return [CLOSE];
      case 'stopped':
        return [send('client', `last word ${event.code}`), CLOSE];
      default:
        return [];
    }
  };
}
