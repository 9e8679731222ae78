/** HTTP/2 frame by frame (RFC 9113), for what node:http2 would not say itself. Headers are literal HPACK (RFC 7541, 6.2.2). */
import net from 'node:net';

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
const HEAD_SIZE = 9;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_SIZE);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** An integer with a prefix of seven bits, then the text (RFC 7541, 5.1 and 5.2). */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const size: number[] = [];
  if (bytes.length < 127) {
    size.push(bytes.length);
  } else {
    size.push(127);
    let rest = bytes.length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) size.push((rest % 128) + 128);
    size.push(rest);
  }
  return Buffer.concat([Buffer.from(size), bytes]);
}

export type Lines = readonly (readonly [name: string, value: string])[];

export function hpack(lines: Lines): Buffer {
  return Buffer.concat(
    lines.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]),
  );
}

export const GET: Lines = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'a'],
  [':path', '/'],
];

export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** One end of a connection that says frames and keeps those that it hears. */
export class RawHttp2 {
  readonly socket: net.Socket;
  readonly heard: RawFrame[] = [];
  isClosed = false;
  #held: Buffer = Buffer.alloc(0);

  /** Of a server the client's preface is still to come. */
  constructor(socket: net.Socket, skip = 0) {
    this.socket = socket;
    let left = skip;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
    socket.on('data', (bytes: Buffer) => {
      const cut = Math.min(left, bytes.length);
      left -= cut;
      this.#held = Buffer.concat([this.#held, bytes.subarray(cut)]);
      this.#read();
    });
  }

  static connect(port: number): RawHttp2 {
    const raw = new RawHttp2(net.connect({ host: '127.0.0.1', port, noDelay: true }));
    raw.socket.write(PREFACE);
    raw.say(FRAME.settings, 0, 0);
    return raw;
  }

  say(type: number, flags: number, stream: number, payload?: Buffer): boolean {
    return this.socket.destroyed || this.socket.write(frame(type, flags, stream, payload));
  }

  /** A request without a body. */
  ask(stream: number, lines: Lines = GET): void {
    this.say(FRAME.headers, END_HEADERS | END_STREAM, stream, hpack(lines));
  }

  /** Frames of a type, on a stream where one is given. */
  of(type: number, stream?: number): RawFrame[] {
    return this.heard.filter(
      (one) => one.type === type && (stream === undefined || one.stream === stream),
    );
  }

  /** The code of the reset or of the end of all; undefined: neither came. */
  codeOf(stream: number): number | undefined {
    const [reset] = this.of(FRAME.reset, stream);
    const [goaway] = this.of(FRAME.goaway);
    return reset?.payload.readUInt32BE(0) ?? goaway?.payload.readUInt32BE(4);
  }

  #read(): void {
    while (this.#held.length >= HEAD_SIZE) {
      const size = this.#held.readUIntBE(0, 3);
      if (this.#held.length < HEAD_SIZE + size) return;
      this.heard.push({
        type: this.#held[3] ?? 0,
        flags: this.#held[4] ?? 0,
        stream: this.#held.readUInt32BE(5) & 0x7fffffff,
        payload: this.#held.subarray(HEAD_SIZE, HEAD_SIZE + size),
      });
      this.#held = this.#held.subarray(HEAD_SIZE + size);
    }
  }
}
