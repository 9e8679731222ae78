/**
 * Exchanges for tests: events by few words, and what a session made of them in a form that does not depend
 * on how bodies were cut.
 */

import type {
  Decision,
  ExchangeCommand,
  ExchangeEvent,
  HeaderList,
  RequestHead,
  SessionCommand,
  SessionEvent,
  Side,
} from '../../protocols/contract.ts';
import { ExchangeRecordReader } from '../../protocols/wire/exchange-record.ts';

export type RequestFacts = Partial<Omit<RequestHead, 'headers'>> & { headers?: HeaderList };

export function requestHead(line: string, facts: RequestFacts = {}): RequestHead {
  const [method = '', target = ''] = line.split(' ');
  return {
    version: '1.1',
    method,
    target,
    authority: 'store.test',
    headers: [],
    isWhole: false,
    ...facts,
  };
}

/** One request, with its end. */
export function asks(
  exchange: number,
  line: string,
  body?: Buffer | string,
  facts: RequestFacts = {},
): ExchangeEvent[] {
  const head = requestHead(line, { isWhole: body === undefined, ...facts });
  return [
    { kind: 'request', exchange, head },
    ...piece(exchange, 'client', body),
    { kind: 'ended', exchange, from: 'client', trailers: [] },
  ];
}

/** One answer, with its end. */
export function answers(
  exchange: number,
  status: number,
  body?: Buffer | string,
  ...[headers = [], trailers = []]: readonly HeaderList[]
): ExchangeEvent[] {
  return [
    { kind: 'response', exchange, head: { status, headers } },
    ...piece(exchange, 'server', body),
    { kind: 'ended', exchange, from: 'server', trailers },
  ];
}

export function piece(
  exchange: number,
  from: Side,
  body: Buffer | string | undefined,
): ExchangeEvent[] {
  if (body === undefined || body.length === 0) return [];
  return [{ kind: 'body', exchange, from, bytes: Buffer.from(body) }];
}

export const GRPC_HEADERS: HeaderList = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

export const GRPC_ANSWER: HeaderList = [['content-type', 'application/grpc']];

/** An allowance that masks e-mails by `***`. */
export const MASKED: Decision = {
  kind: 'allow',
  store: {
    restrictions: undefined,
    masks: {
      maskOf: (path) => (path.includes('email') ? () => '***' : undefined),
      mayMaskBelow: () => true,
      detect: (text) => text.replaceAll(/[\w.]+@[\w.]+/g, '***'),
    },
    login: { user: undefined, secret: 'of the store' },
  },
};

export function cutBody(event: SessionEvent, offsets: readonly number[]): SessionEvent[] {
  if (event.kind !== 'body') return [event];
  const inside = offsets.filter((offset) => offset > 0 && offset < event.bytes.length);
  const cuts = [0, ...new Set(inside), event.bytes.length].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, index) => ({
    ...event,
    bytes: Buffer.from(event.bytes.subarray(cuts[index], end)),
  }));
}

export function everyByte(event: SessionEvent): SessionEvent[] {
  return event.kind === 'body' ? cutBody(event, [...event.bytes.keys()]) : [event];
}

/** What one exchange came to, as text; bodies joined. */
export function tellExchange(commands: readonly SessionCommand[], exchange: number): string {
  const lines: string[] = [];
  const bodies = { client: '', server: '' };
  for (const command of commands) {
    if (!('exchange' in command) || command.exchange !== exchange) continue;
    switch (command.kind) {
      case 'body':
        bodies[command.to] += command.bytes.toString('latin1');
        break;
      case 'ask':
      case 'answer':
        lines.push(`${command.kind} ${JSON.stringify(command.head)}`);
        break;
      case 'end':
        lines.push(`end ${command.to} ${JSON.stringify(command.trailers)}`);
        break;
      case 'abandon':
        lines.push(`abandon ${command.to} ${command.code}`);
        break;
      case 'decide':
        lines.push(`decide ${JSON.stringify(command.operation)}`);
        break;
      case 'reading':
    }
  }
  return [...lines, `to server: ${bodies.server}`, `to client: ${bodies.client}`].join('\n');
}

/** Everything that must not depend on how bodies were cut. */
export function tellAll(commands: readonly SessionCommand[]): string {
  const numbers = new Set(
    commands.flatMap((one) => ('exchange' in one ? [one.exchange ?? 0] : [])),
  );
  const exchanges = [...numbers].map((one) => `#${one}\n${tellExchange(commands, one)}`);
  const facts = commands.flatMap((one) => (one.kind === 'note' ? [JSON.stringify(one.fact)] : []));
  return [...exchanges, ...facts, tellRecords(commands)].join('\n');
}

/** The records of both sides as the reader of recordings finds them; the pieces of each body joined. */
export function tellRecords(commands: readonly SessionCommand[]): string {
  const lines: string[] = [];
  for (const side of ['client', 'server'] as const) {
    const reader = new ExchangeRecordReader();
    const bodies = new Map<number, string>();
    for (const command of commands) {
      if (command.kind !== 'record' || command.from !== side) continue;
      for (const record of reader.push(command.bytes)) {
        if (record.kind === 'body') {
          const known = bodies.get(record.exchange) ?? '';
          bodies.set(record.exchange, known + record.bytes.toString('latin1'));
        } else {
          lines.push(`${side} ${JSON.stringify(record)}`);
        }
      }
    }
    for (const [exchange, body] of bodies) lines.push(`${side} #${exchange} body ${body}`);
  }
  return lines.join('\n');
}

/** Undefined: every exchange was talked about in an order that HTTP has. */
export function findDisorder(commands: readonly SessionCommand[]): string | undefined {
  const stages = new Map<string, Stage>();
  for (const command of commands) {
    if (!isSaid(command)) continue;
    const to = sideOf(command);
    const key = `${command.exchange} ${to}`;
    const stage = stages.get(key);
    const next = stageAfter(command.kind, stage, to);
    if (next === undefined)
      return `#${command.exchange}: ${command.kind} to the ${to} when ${stage}`;
    stages.set(key, next);
  }
  return undefined;
}

type Stage = 'open' | 'ended' | 'abandoned';

/** Undefined: that may not come now. */
function stageAfter(
  kind: ExchangeCommand['kind'],
  stage: Stage | undefined,
  to: Side,
): Stage | undefined {
  switch (kind) {
    case 'ask':
    case 'answer':
      return stage === undefined ? 'open' : undefined;
    case 'body':
      return stage === 'open' ? 'open' : undefined;
    case 'end':
      return stage === 'open' ? 'ended' : undefined;
    case 'abandon': {
      const isAsked = stage === 'open' || (stage === 'ended' && to === 'server');
      return isAsked || (stage === undefined && to === 'client') ? 'abandoned' : undefined;
    }
  }
}

function isSaid(command: SessionCommand): command is ExchangeCommand {
  return ['ask', 'answer', 'body', 'end', 'abandon'].includes(command.kind);
}

function sideOf(command: ExchangeCommand): Side {
  if (command.kind === 'ask') return 'server';
  return command.kind === 'answer' ? 'client' : command.to;
}
