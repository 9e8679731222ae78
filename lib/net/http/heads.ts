/**
 * Heads of requests and answers between Node's form and ours, for both HTTPs: what concerns one hop only stays
 * on its hop, and what two readers could understand in two ways is refused (request smuggling).
 */
import type { HeaderList, RequestHead, ResponseHead } from '../../../protocols/contract.ts';
import { HEADER_COUNT_MAX } from './limits.ts';

/** RFC 9110, 7.6.1, and what only proxies say to each other. Names that `connection` adds go as well. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
  // A store that names another address of its own would lead clients past the gateway.
  'alt-svc',
]);
/** Twice in one request they mean two things to two readers; Node's HTTP/2 would throw on most of them. */
const SINGLE: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'grpc-encoding',
  'grpc-timeout',
]);
/** Path and query, ASCII without blanks; the form with a whole URL belongs to proxies, `*` to nobody here. */
const TARGET = /^\/[\x21-\x7e]*$/;
const CONTENT_LENGTH = /^\d{1,15}$/;

/** Why a request cannot be an exchange. */
export interface BadHead {
  readonly status: number;
  readonly reason: string;
}

export interface ReadRequestHead {
  readonly head: RequestHead;
  readonly expectsContinue: boolean;
}

export function isBadHead(read: ReadRequestHead | BadHead): read is BadHead {
  return 'status' in read;
}

export interface Http1RequestLine {
  readonly method: string;
  readonly target: string;
  /** Minor version: 0 or 1. */
  readonly minor: number;
}

/** `raw`: names and values in turns, as Node gives them. */
export function readHttp1Request(
  { method, target, minor }: Http1RequestLine,
  raw: readonly string[],
): ReadRequestHead | BadHead {
  const lines = pairUp(raw);
  const bad = checkLines(lines, target);
  if (bad !== undefined) return bad;
  const encoding = valueOf(lines, 'transfer-encoding');
  if (encoding !== undefined) {
    // Older readers take such a body for none.
    if (minor === 0) return { status: 400, reason: 'transfer-encoding in HTTP/1.0' };
    if (encoding.trim().toLowerCase() !== 'chunked' || countOf(lines, 'transfer-encoding') > 1) {
      return { status: 501, reason: 'transfer-encoding other than chunked' };
    }
  }
  const upgrades = tokensOf(lines, 'upgrade').filter((token) => token !== 'h2c');
  // Clients that could do HTTP/2 ask for h2c and go on without; nothing else may leave HTTP.
  if (upgrades.length > 0) return { status: 501, reason: 'upgrade to another protocol' };
  const length = valueOf(lines, 'content-length');
  if (length !== undefined && !CONTENT_LENGTH.test(length)) {
    return { status: 400, reason: 'content-length is no number' };
  }
  const isWhole = encoding === undefined && (length === undefined || Number(length) === 0);
  const dropped = new Set(tokensOf(lines, 'connection'));
  const head: RequestHead = {
    version: '1.1',
    method,
    target,
    authority: valueOf(lines, 'host') ?? '',
    headers: lines.filter(([name]) => name !== 'host' && isKept(name, dropped)),
    isWhole,
  };
  return { head, expectsContinue: expectsContinue(lines) };
}

/** `raw` holds pseudo headers as well. */
export function readHttp2Request(
  raw: readonly string[],
  isWhole: boolean,
): ReadRequestHead | BadHead {
  const lines = pairUp(raw);
  const target = valueOf(lines, ':path') ?? '';
  const method = valueOf(lines, ':method') ?? '';
  if (method === 'CONNECT') return { status: 501, reason: 'CONNECT' };
  const bad = checkLines(lines, target);
  if (bad !== undefined) return bad;
  const host = valueOf(lines, 'host');
  const authority = valueOf(lines, ':authority') ?? host ?? '';
  if (host !== undefined && host !== authority) {
    return { status: 400, reason: 'host is not :authority' };
  }
  const head: RequestHead = {
    version: '2',
    method,
    target,
    authority,
    headers: lines.filter(([name]) => name !== 'host' && !name.startsWith(':') && isKept(name)),
    isWhole,
  };
  return { head, expectsContinue: expectsContinue(lines) };
}

export function readResponse(
  status: number,
  reason: string | undefined,
  raw: readonly string[],
): ResponseHead {
  const lines = pairUp(raw);
  const dropped = new Set(tokensOf(lines, 'connection'));
  const headers = lines.filter(([name]) => !name.startsWith(':') && isKept(name, dropped));
  return reason === undefined || reason === '' ? { status, headers } : { status, reason, headers };
}

export function readTrailers(raw: readonly string[]): HeaderList {
  return pairUp(raw).filter(([name]) => !name.startsWith(':') && isKept(name));
}

/** As Node's HTTP/2 takes them; lines of the same name stay lines of their own. */
export function toHttp2Headers(headers: HeaderList): Record<string, string | string[]> {
  const all = new Map<string, string | string[]>();
  for (const [name, value] of headers) {
    const known = all.get(name);
    if (known === undefined) all.set(name, value);
    else if (typeof known === 'string') all.set(name, [known, value]);
    else known.push(value);
  }
  return Object.fromEntries(all);
}

/** Names and values in turns. */
export function toHttp1Headers(headers: HeaderList): string[] {
  return headers.flatMap(([name, value]) => [name, value]);
}

/** Names and values in pairs, as Node's HTTP/1.1 takes trailers. */
export function toHttp1Trailers(trailers: HeaderList): [string, string][] {
  return trailers.map(([name, value]) => [name, value]);
}

export function isGrpc(headers: HeaderList): boolean {
  return valueOf(headers, 'content-type')?.toLowerCase().startsWith('application/grpc') === true;
}

export function valueOf(headers: HeaderList, name: string): string | undefined {
  return headers.find(([other]) => other === name)?.[1];
}

function pairUp(raw: readonly string[]): HeaderList {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    pairs.push([(raw[index] ?? '').toLowerCase(), raw[index + 1] ?? '']);
  }
  return pairs;
}

function checkLines(lines: HeaderList, target: string): BadHead | undefined {
  if (lines.length > HEADER_COUNT_MAX) return { status: 431, reason: 'too many headers' };
  if (!TARGET.test(target)) return { status: 400, reason: 'a target that is no path' };
  const seen = new Set<string>();
  for (const [name, value] of lines) {
    // What else may be expected nobody knows (RFC 9110, 10.1.1); Node would answer it without a word to us.
    if (name === 'expect' && !isContinue(value)) {
      return { status: 417, reason: 'an unknown expectation' };
    }
    if (SINGLE.has(name) && seen.has(name)) return { status: 400, reason: `${name} twice` };
    seen.add(name);
  }
  return undefined;
}

function isKept(name: string, dropped?: ReadonlySet<string>): boolean {
  return !HOP_BY_HOP.has(name) && dropped?.has(name) !== true;
}

function tokensOf(lines: HeaderList, name: string): string[] {
  const tokens: string[] = [];
  for (const [other, value] of lines) {
    if (other !== name) continue;
    for (const token of value.split(',')) {
      const trimmed = token.trim().toLowerCase();
      // What frames a body is never taken away by a word in another header.
      if (trimmed !== '' && trimmed !== 'content-length') tokens.push(trimmed);
    }
  }
  return tokens;
}

function countOf(lines: HeaderList, name: string): number {
  return lines.filter(([other]) => other === name).length;
}

function expectsContinue(lines: HeaderList): boolean {
  return isContinue(valueOf(lines, 'expect') ?? '');
}

function isContinue(expectation: string): boolean {
  return expectation.trim().toLowerCase() === '100-continue';
}
