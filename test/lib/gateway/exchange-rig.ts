/** Exchange drivers on a real port, in front of a server of the test's own, with a session that follows a script. */
import net from 'node:net';
import type {
  Operation,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  Side,
} from '../../../protocols/contract.ts';
import { GatewayError } from '../../../lib/errors.ts';
import type { Decided, Secured } from '../../../lib/gateway/driver-parts.ts';
import { ExchangeDriver } from '../../../lib/gateway/exchange-driver.ts';
import type { HttpUpstream } from '../../../lib/gateway/exchange-upstreams.ts';
import { Http1Server } from '../../../lib/net/http/http1-client-side.ts';
import { connectUpstream } from '../../../lib/net/upstream.ts';
import type { SessionRecorder } from '../../../lib/recording/recording.ts';
import type { Teardown } from '../../support/servers.ts';
import { FakeRecorder, allow } from './driver-rig.ts';
import { until } from './duplex-pair.ts';

export type Answer = (event: SessionEvent) => readonly SessionCommand[] | undefined;

/** Passes on whatever comes, in both directions, and records it; `first` may say otherwise. */
export class RelaySession implements ProtocolSession {
  readonly events: SessionEvent[] = [];
  readonly #first: Answer;
  readonly #open = new Set<number>();

  constructor(first: Answer = () => undefined) {
    this.#first = first;
  }

  get isBusy(): boolean {
    return this.#open.size > 0;
  }

  handle(event: SessionEvent): SessionCommand[] {
    this.events.push(event);
    return [...(this.#first(event) ?? this.#relay(event))];
  }

  #relay(event: SessionEvent): SessionCommand[] {
    switch (event.kind) {
      case 'request':
        this.#open.add(event.exchange);
        return [
          record('client', `${event.head.method} ${event.head.target}`),
          { ...event, kind: 'ask' },
        ];
      case 'response':
        return [record('server', `${event.head.status}`), { ...event, kind: 'answer' }];
      case 'body': {
        const { exchange, bytes, from } = event;
        const to = from === 'client' ? 'server' : 'client';
        return [
          { kind: 'record', from, bytes },
          { kind: 'body', exchange, to, bytes },
        ];
      }
      case 'ended': {
        const { exchange, trailers, from } = event;
        if (from === 'server') this.#open.delete(exchange);
        return [{ kind: 'end', exchange, to: from === 'client' ? 'server' : 'client', trailers }];
      }
      case 'cancelled': {
        this.#open.delete(event.exchange);
        const { exchange, from, code } = event;
        return [abandon(exchange, from, code)];
      }
      case 'stopped':
        return [...this.#open].flatMap((exchange) => refuse(exchange, 503, event.reason));
      default:
        return [];
    }
  }
}

function abandon(exchange: number, from: Side, code: number | undefined): SessionCommand {
  return from === 'client'
    ? { kind: 'abandon', exchange, to: 'server', code: code ?? 8 }
    : { kind: 'abandon', exchange, to: 'client', code: code ?? 2 };
}

export function record(from: 'client' | 'server', text: string): SessionCommand {
  return { kind: 'record', from, bytes: Buffer.from(text) };
}

export function refuse(exchange: number, status: number, text: string): SessionCommand[] {
  const bytes = Buffer.from(text);
  const headers = [['content-length', `${bytes.length}`]] as const;
  return [
    { kind: 'record', from: 'server', bytes, by: 'gateway' },
    { kind: 'answer', exchange, head: { status, headers } },
    { kind: 'body', exchange, to: 'client', bytes },
    { kind: 'end', exchange, to: 'client', trailers: [] },
  ];
}

export interface ExchangeRigOptions {
  readonly upstreamPort: number;
  readonly grpcPort?: number;
  readonly session?: () => RelaySession;
  readonly decide?: (operation: Operation) => Decided | Promise<Decided>;
  readonly startRecording?: () => SessionRecorder;
  readonly clientTls?: 'off' | 'allow' | 'require';
  readonly secureClient?: (socket: net.Socket) => Promise<Secured>;
  readonly open?: (version: '1.1' | '2') => Promise<net.Socket>;
  readonly signInTimeout?: number;
  readonly isQuiet?: boolean;
  readonly heldSizeMax?: number;
}

export async function startExchanges(t: Teardown, options: ExchangeRigOptions) {
  const log: string[] = [];
  const drivers: ExchangeDriver[] = [];
  const sessions: RelaySession[] = [];
  const recorders: FakeRecorder[] = [];
  const troubles: unknown[] = [];
  const facts: string[] = [];
  const http1 = new Http1Server();
  let overCount = 0;
  const upstream = (port: number): HttpUpstream => ({
    scheme: 'http',
    authority: `127.0.0.1:${port}`,
    open: options.open ?? (() => connectUpstream({ host: '127.0.0.1', port, timeoutMs: 20_000 })),
  });
  const rest = upstream(options.upstreamPort);
  const grpc = options.grpcPort === undefined ? rest : upstream(options.grpcPort);
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => undefined);
    const session = options.session?.() ?? new RelaySession();
    const recorder = new FakeRecorder(options.isQuiet === true ? new Sink() : log);
    const driver = new ExchangeDriver({
      session,
      client,
      secureClient: async (socket) => {
        if (options.secureClient === undefined || !(socket instanceof net.Socket)) {
          throw new GatewayError('CLIENT_TLS', 'no TLS here');
        }
        return options.secureClient(socket);
      },
      decide: options.decide ?? (() => allow()),
      startRecording: options.startRecording ?? (() => recorder),
      onFact: (fact) => void facts.push(fact.kind === 'refused' ? fact.reason : fact.kind),
      onTrouble: (error) => void troubles.push(error),
      onOver: () => void (overCount += 1),
      clientTls: options.clientTls ?? 'off',
      http1,
      upstreamOf: (isGrpc) => (isGrpc ? grpc : rest),
      heldSizeMax: options.heldSizeMax ?? 64 * 1024 * 1024,
      signInTimeout: options.signInTimeout ?? 60_000,
    });
    drivers.push(driver);
    sessions.push(session);
    recorders.push(recorder);
    driver.start();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.close();
    for (const driver of drivers) driver.destroy('test over');
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    log,
    drivers,
    sessions,
    recorders,
    troubles,
    facts,
    overs: () => overCount,
    /** Of all clients, in their order. */
    events: () => sessions.flatMap(({ events }) => events),
    kinds: () => sessions.flatMap(({ events }) => events.map(({ kind }) => kind)),
    allOver: () => until(() => overCount === drivers.length),
  };
}

/** Keeps nothing: for large bodies. */
class Sink extends Array<string> {
  override push(): number {
    return 0;
  }
}
