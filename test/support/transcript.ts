/**
 * Transcripts: what happened to one session, one event a line, as text that a person can read and
 * change. They are fixtures of the conformance suite and of the golden tests.
 *
 *   # a comment                         options {"auth":"passthrough"}
 *   opened client                       C 51000000...    the client sent these bytes
 *   secured client postgresql 0a0b...   S 540000...      the server did
 *   decided 2 {"kind":"allow"}          closed server    woke sign-in    stopped 57P01 why
 */

import { createHash, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  Decision,
  MaskingPlan,
  SessionEvent,
  SessionOptions,
  Side,
  Verifier,
} from '../../protocols/contract.ts';

export interface Transcript {
  readonly options: SessionOptions;
  readonly events: readonly SessionEvent[];
  /** The random source of `options` from its beginning, for one more session. */
  readonly newRandom: () => SessionOptions['random'];
}

/** What a transcript may set; the rest is the same for all of them. */
export type TranscriptOptions = Partial<
  Pick<
    SessionOptions,
    'auth' | 'clientTls' | 'upstreamTls' | 'statementSizeMax' | 'rowSizeMax' | 'signInTimeout'
  >
>;

export function sessionOptions(own: TranscriptOptions = {}): SessionOptions {
  return {
    auth: 'passthrough',
    clientTls: 'off',
    upstreamTls: false,
    statementSizeMax: 1024 * 1024,
    signInTimeout: 10_000,
    rowSizeMax: 1024 * 1024,
    random: countingRandom(),
    deriveKey: (password, salt, iterations) => pbkdf2Sync(password, salt, iterations, 32, 'sha256'),
    ...own,
  };
}

/** The same bytes in every run, other ones at every call. */
function countingRandom(): (size: number) => Buffer {
  let count = 0;
  return (size) => {
    count += 1;
    return createHash('sha512').update(`transcript ${count}`).digest().subarray(0, size);
  };
}

export function readTranscript(path: string): Transcript {
  return parseTranscript(readFileSync(path, 'utf8'));
}

export function parseTranscript(text: string): Transcript {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const optionLine = lines.find((line) => line.startsWith('options '));
  const own: TranscriptOptions = optionLine === undefined ? {} : JSON.parse(optionLine.slice(8));
  const events = lines.filter((line) => line !== optionLine).map(parseEvent);
  return { options: sessionOptions(own), events, newRandom: countingRandom };
}

function parseEvent(line: string): SessionEvent {
  const [word = '', first = '', ...rest] = line.split(' ');
  const reason = rest.join(' ');
  switch (word) {
    case 'C':
    case 'S':
      if (!/^(?:[0-9a-f]{2})+$/.test(first)) throw new Error(`not hex: ${line}`);
      return {
        kind: 'received',
        from: word === 'C' ? 'client' : 'server',
        bytes: Buffer.from(first, 'hex'),
      };
    case 'opened':
      return { kind: 'opened', side: sideOf(first) };
    case 'closed':
      return reason === ''
        ? { kind: 'closed', side: sideOf(first) }
        : { kind: 'closed', side: sideOf(first), reason };
    case 'secured':
      return parseSecured(sideOf(first), rest);
    case 'decided':
      return { kind: 'decided', id: Number(first), decision: parseDecision(reason) };
    case 'woke':
      return { kind: 'woke', alarm: first };
    case 'stopped':
      return { kind: 'stopped', code: first, reason };
    default:
      throw new Error(`not a transcript line: ${line}`);
  }
}

function parseSecured(side: Side, [alpn = '-', hash = '-']: readonly string[]): SessionEvent {
  const channelBinding = hash === '-' ? undefined : Buffer.from(hash, 'hex');
  return { kind: 'secured', side, alpn: alpn === '-' ? undefined : alpn, channelBinding };
}

function sideOf(text: string): Side {
  if (text === 'client' || text === 'server') return text;
  throw new Error(`not a side: ${text}`);
}

export function formatEvent(event: SessionEvent): string {
  switch (event.kind) {
    case 'received':
      return `${event.from === 'client' ? 'C' : 'S'} ${event.bytes.toString('hex')}`;
    case 'opened':
      return `opened ${event.side}`;
    case 'closed':
      return `closed ${event.side}${event.reason === undefined ? '' : ` ${event.reason}`}`;
    case 'secured':
      return `secured ${event.side} ${event.alpn ?? '-'} ${event.channelBinding?.toString('hex') ?? '-'}`;
    case 'decided':
      return `decided ${event.id} ${formatDecision(event.decision)}`;
    case 'woke':
      return `woke ${event.alarm}`;
    case 'stopped':
      return `stopped ${event.code} ${event.reason}`;
    default:
      throw new Error('exchanges are written as scripts (test/conformance/exchange-scripts.ts)');
  }
}

/** In text a mask is the constant that it puts in every value's place. */
export function constantMask(text: string): (value: Buffer) => Buffer {
  const mask = (): Buffer => Buffer.from(text);
  constants.set(mask, text);
  return mask;
}

const constants = new WeakMap<object, string>();

function formatDecision(decision: Decision): string {
  if (decision.kind === 'prove') {
    const { verifier } = decision;
    return JSON.stringify({ ...decision, verifier: formatVerifier(verifier) });
  }
  if (decision.kind === 'block' || decision.plan === undefined) return JSON.stringify(decision);
  const plan = decision.plan.map((mask) => (mask === undefined ? null : constants.get(mask)));
  return JSON.stringify({ ...decision, plan });
}

function parseDecision(text: string): Decision {
  // JSON.parse gives `any`: the shape is what formatDecision wrote; a wrong one fails in the session.
  const { verifier, plan, ...rest } = JSON.parse(text);
  if (verifier !== undefined) return { ...rest, verifier: parseVerifier(verifier) };
  return plan === undefined ? rest : { ...rest, plan: parsePlan(plan) };
}

function parsePlan(masks: readonly (string | null)[]): MaskingPlan {
  return masks.map((mask) => (mask === null ? undefined : constantMask(mask)));
}

function formatVerifier({ iterations, salt, storedKey, serverKey }: Verifier): string {
  const [saltText, stored, server] = [salt, storedKey, serverKey].map((key) =>
    key.toString('base64'),
  );
  return `SCRAM-SHA-256$${iterations}:${saltText}$${stored}:${server}`;
}

export function parseVerifier(text: string): Verifier {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(text);
  if (match === null) throw new Error('not a SCRAM verifier');
  const [, iterations, salt = '', storedKey = '', serverKey = ''] = match;
  return {
    iterations: Number(iterations),
    salt: Buffer.from(salt, 'base64'),
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  };
}
