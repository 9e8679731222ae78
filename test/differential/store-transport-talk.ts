/** Clients of the transport suite: bytes over HTTP/1.1, streams over HTTP/2, and answers in a form that compares. */

import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import net from 'node:net';
import { KEY, STREAMING, type Way } from './store-transport-lab.ts';

/** No event after this, milliseconds: a loaded machine takes its time. */
export const TIME_MAX = 60_000;
/** What only the one hop says. */
const OWN = /^(?:connection|keep-alive|date|trailer):/i;

export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const end = Date.now() + TIME_MAX;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`it did not come: ${what}`);
    await pause(3);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A request of HTTP/1.1 as bytes. */
export function say(line: string, more = '', body = '', key = KEY): string {
  return `${line} HTTP/1.1\r\nhost: store\r\napi-key: ${key}\r\n${more}\r\n${body}`;
}

export class Talk {
  readonly socket: net.Socket;
  text = '';
  size = 0;
  hasEnded = false;
  isClosed = false;

  constructor({ restPort }: Way, isKept = true) {
    this.socket = net.connect({ host: '127.0.0.1', port: restPort, noDelay: true });
    this.socket.allowHalfOpen = true;
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes: Buffer) => {
      this.size += bytes.length;
      if (isKept) this.text += bytes.toString('latin1');
    });
    this.socket.on('end', () => (this.hasEnded = true));
    this.socket.on('close', () => (this.isClosed = true));
  }

  /** Answers to `count` requests, in a form that is the same whoever frames them. */
  async answers(count: number): Promise<string[]> {
    await until(
      () => split(this.text).length >= count || this.hasEnded || this.isClosed,
      'answers',
    );
    const all = split(this.text);
    this.text = '';
    return all.map(({ head, body }) => {
      const lines = head.split('\r\n').filter((line) => !OWN.test(line));
      const [status = '', ...others] = lines;
      return [status, ...others.map((line) => line.toLowerCase()).toSorted(), body].join('\n');
    });
  }
}

/** Whole answers only: with a length, in chunks, or without a body. */
function split(text: string): { head: string; body: string }[] {
  const all: { head: string; body: string }[] = [];
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end === -1) return all;
    const head = text.slice(at, end);
    const body = bodyAt(text, end + 4, head);
    if (body === undefined) return all;
    all.push({ head, body: body.text });
    at = body.end;
  }
}

function bodyAt(
  text: string,
  start: number,
  head: string,
): { text: string; end: number } | undefined {
  const size = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (!/\r\ntransfer-encoding: chunked/i.test(head)) {
    const hasNone = / (?:1\d\d|204|304) /.test(head.slice(0, 14));
    const end = hasNone ? start : start + size;
    return end <= text.length ? { text: text.slice(start, end), end } : undefined;
  }
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const chunk = Number.parseInt(text.slice(at, lineEnd), 16);
    if (chunk === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd);
      const trailers = text.slice(lineEnd + 2, Math.max(end, lineEnd + 2)).toLowerCase();
      return end === -1 ? undefined : { text: `${body}|${trailers}`, end: end + 4 };
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + chunk);
    at = lineEnd + 4 + chunk;
  }
}

/** One gRPC call, message for message. */
export class Call {
  readonly stream: ClientHttp2Stream;
  readonly headers: string[] = [];
  size = 0;
  trailers = '';
  isClosed = false;

  constructor(session: ClientHttp2Session, how: string, more: Record<string, string> = {}) {
    this.stream = session.request({
      ':method': 'POST',
      ':path': STREAMING,
      'content-type': 'application/grpc',
      te: 'trailers',
      'api-key': KEY,
      'x-how': how,
      ...more,
    });
    const show = (found: object): string =>
      Object.entries(found)
        .filter(([name]) => name !== 'date')
        .map(([name, value]) => `${name}: ${String(value)}`)
        .toSorted()
        .join(', ');
    this.stream.on('response', (headers) => this.headers.push(show(headers)));
    this.stream.on('trailers', (trailers) => (this.trailers = show(trailers)));
    this.stream.on('data', (bytes: Buffer) => (this.size += bytes.length));
    this.stream.on('error', () => undefined);
    this.stream.on('close', () => (this.isClosed = true));
  }

  /** How it ended, once it has. */
  async shown(): Promise<string> {
    await until(() => this.isClosed, 'the end of a call');
    const { rstCode } = this.stream;
    return `${this.headers.join()} | ${this.size} | ${this.trailers} | ${rstCode}`;
  }
}

export function openGrpc({ grpcPort, scheme = 'http' }: Way): ClientHttp2Session {
  const session = http2.connect(`${scheme}://127.0.0.1:${grpcPort}`, {
    settings: { initialWindowSize: 1024 * 1024 },
    // The suite's own server has a certificate of its own making.
    rejectUnauthorized: false,
  });
  session.on('error', () => undefined);
  return session;
}
