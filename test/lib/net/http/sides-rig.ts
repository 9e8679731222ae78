/** Client sides on a real port, with what they tell in a log of words, and a script that answers. */
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { HeaderList, RequestHead } from '../../../../protocols/contract.ts';
import type {
  ClientHalf,
  ClientSide,
  ClientSideEvents,
  Half,
  ServerHalfEvents,
  ServerSide,
} from '../../../../lib/net/http/half.ts';
import { listenOn } from '../../gateway/exchange-servers.ts';
import type { Teardown } from '../../../support/servers.ts';

export const HELD_SIZE_MAX: number = 8 * 1024 * 1024;

/** One request as it was told, with the half to answer it on. */
export interface Told {
  readonly head: RequestHead;
  readonly half: ClientHalf;
  body: string;
  size: number;
  trailers: HeaderList | undefined;
  cancelled: string | undefined;
  code: number | undefined;
  drains: number;
  isDone: boolean;
}

export interface ToldClient {
  readonly side: ClientSide;
  readonly socket: Duplex;
  readonly asked: Told[];
  readonly refused: string[];
  /** What `onClosed` said, in a list of at most one. */
  readonly closed: (string | undefined)[];
}

export type Answering = (told: Told, what: 'head' | 'ended') => void;
type Serve = (socket: Duplex, events: ClientSideEvents) => ClientSide;

/** Bodies longer than this are counted and not kept. */
const BODY_KEPT_MAX = 1024 * 1024;

export async function startClientSides(t: Teardown, serve: Serve, answer: Answering) {
  const clients: ToldClient[] = [];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const told: Omit<ToldClient, 'side'> = { socket, asked: [], refused: [], closed: [] };
    const side = serve(socket, {
      onRequest: (half, head) => listenTo(told.asked, half, head, answer),
      onRefused: (reason) => void told.refused.push(reason),
      onClosed: (reason) => void told.closed.push(reason),
    });
    clients.push({ ...told, side });
  });
  const port = await listenOn(t, server);
  return { port, clients, asked: () => clients.flatMap(({ asked }) => asked) };
}

function listenTo(asked: Told[], half: ClientHalf, head: RequestHead, answer: Answering) {
  const told: Told = {
    head,
    half,
    body: '',
    size: 0,
    trailers: undefined,
    cancelled: undefined,
    code: undefined,
    drains: 0,
    isDone: false,
  };
  asked.push(told);
  queueMicrotask(() => answer(told, 'head'));
  return {
    onBody: (bytes: Buffer) => {
      told.size += bytes.length;
      if (told.size <= BODY_KEPT_MAX) told.body += bytes.toString('latin1');
    },
    onEnded: (trailers: HeaderList) => {
      told.trailers = trailers;
      answer(told, 'ended');
    },
    onCancelled: (code: number | undefined, reason: string) => {
      told.cancelled = reason;
      told.code = code;
    },
    onDrain: () => void (told.drains += 1),
    onDone: () => void (told.isDone = true),
  };
}

/** Says 200 and its body back, once the request is whole. */
export function echo({ half, head, body, trailers }: Told, what: 'head' | 'ended'): void {
  if (what === 'head') return;
  half.answer({ status: 200, headers: [['x-target', head.target]] });
  if (body !== '') half.send(Buffer.from(body, 'latin1'));
  half.end(trailers ?? []);
}

/** What a server side told of one answer. */
export interface Heard {
  readonly half: Half;
  status: number;
  reason: string | undefined;
  headers: HeaderList;
  body: string;
  size: number;
  trailers: HeaderList | undefined;
  cancelled: string | undefined;
  code: number | undefined;
  drains: number;
}

export function requestOf(line: string, facts: Partial<RequestHead> = {}): RequestHead {
  const [method = '', target = ''] = line.split(' ');
  const head = { method, target, authority: 'client.test', headers: [] };
  return { version: '1.1', ...head, isWhole: true, ...facts };
}

export function askSide(side: ServerSide, head: RequestHead): Heard {
  const events: ServerHalfEvents = {
    onResponse: ({ status, reason, headers }) => {
      heard.status = status;
      heard.reason = reason;
      heard.headers = headers;
    },
    onBody: (bytes) => {
      heard.size += bytes.length;
      if (heard.size <= BODY_KEPT_MAX) heard.body += bytes.toString('latin1');
    },
    onEnded: (trailers) => void (heard.trailers = trailers),
    onCancelled: (code, reason) => {
      heard.cancelled = reason;
      heard.code = code;
    },
    onDrain: () => void (heard.drains += 1),
  };
  const heard: Heard = {
    half: side.ask(head, events),
    status: 0,
    reason: undefined,
    headers: [],
    body: '',
    size: 0,
    trailers: undefined,
    cancelled: undefined,
    code: undefined,
    drains: 0,
  };
  if (head.isWhole) heard.half.end([]);
  return heard;
}
