/**
 * Exchanges of HTTP and gRPC on a screen: the request, what came back, and of both what a person can take
 * in. Vectors and long texts are shortened (`[0.12, 0.98, ... 768 numbers]`); the JSON format has all of it.
 */

import type { HeaderList } from '../../protocols/contract.ts';
import { headerOf } from './exchange-items.ts';
import { parseJson, toTree } from './json-tree.ts';
import { shorten } from './printable.ts';
import { fieldsToTree } from './protobuf-tree.ts';
import { layOut } from './tree.ts';
import type { ExchangeFact, ViewEvent } from './view.ts';

const LINE_WIDTH = 110;
const LINES_MAX = 40;
const TEXT_LENGTH_MAX = 400;
const VALUE_LENGTH_MAX = 200;
/** JSON of this size is laid out; more of it would only be read to be left out. */
const LAID_OUT_SIZE_MAX = 8 * 1024 * 1024;

/** What changes the meaning of a request, beside its line. Secrets among them were never recorded. */
const HEADERS_SHOWN: readonly string[] = [
  'content-encoding',
  'grpc-encoding',
  'grpc-timeout',
  'dbname',
  'range',
  'if-match',
  'if-none-match',
];
const EXCHANGE_EVENTS: ReadonlySet<string> = new Set([
  'request',
  'answer',
  'body',
  'grpc-message',
  'end',
  'cancelled',
]);

export interface Shown {
  /** With its time; undefined: nothing, or only `more`. */
  readonly first: string | undefined;
  readonly more: readonly string[];
  readonly isBad: boolean;
}

type ExchangeEvent = ViewEvent & ExchangeFact;

export function isExchange(message: ViewEvent): message is ExchangeEvent {
  return EXCHANGE_EVENTS.has(message.event);
}

export function describeRequest(message: ViewEvent & { event: 'request' }): string {
  const { exchange, method, target, headers } = message;
  return `#${exchange} ${method} ${target}${describeHeaders(headers)}`;
}

export function describeExchange(message: ExchangeEvent): Shown {
  switch (message.event) {
    case 'request':
      return { first: describeRequest(message), more: [], isBad: false };
    case 'answer': {
      const { exchange, status, reason } = message;
      const named = reason === undefined ? '' : ` ${shorten(reason, VALUE_LENGTH_MAX)}`;
      const maker = message.by === 'gateway' ? ' (from Weir)' : '';
      const first = `#${exchange} answer ${status}${named}${maker}`;
      return { first, more: [], isBad: status >= 400 };
    }
    case 'body':
      return { first: undefined, more: describeBody(message), isBad: false };
    case 'grpc-message':
      return { first: undefined, more: describeMessage(message), isBad: false };
    case 'end':
      return describeEnd(message);
    case 'cancelled': {
      const code = message.code === undefined ? '' : ` (code ${message.code})`;
      const reason = shorten(message.reason, VALUE_LENGTH_MAX);
      const first = `#${message.exchange} given up by the ${message.from}${code}: ${reason}`;
      return { first, more: [], isBad: true };
    }
  }
}

function describeHeaders(headers: HeaderList): string {
  const shown = HEADERS_SHOWN.flatMap((name) => {
    const value = headerOf(headers, name);
    return value === undefined ? [] : [`${name}: ${shorten(value, VALUE_LENGTH_MAX)}`];
  });
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** With exchanges beside each other, it must be said whose body it is. */
function mark(message: ExchangeEvent): string {
  const what = message.from === 'client' ? 'request' : 'answer';
  return `#${message.exchange} ${what}`;
}

function describeBody(message: ViewEvent & { event: 'body' }): readonly string[] {
  const { format, text, size, cut } = message;
  const more = cut === true ? ` (${size} bytes, the rest is not shown)` : '';
  const json = format === 'json' && text.length <= LAID_OUT_SIZE_MAX ? parseJson(text) : undefined;
  if (json === undefined) return [`${mark(message)}: ${shorten(text, TEXT_LENGTH_MAX)}${more}`];
  return withMark(mark(message), layOut(toTree(json), LINE_WIDTH, LINES_MAX));
}

function describeMessage(message: ViewEvent & { event: 'grpc-message' }): readonly string[] {
  const { fields, text = '', size } = message;
  if (fields !== undefined) {
    return withMark(mark(message), layOut(fieldsToTree(fields), LINE_WIDTH, LINES_MAX));
  }
  return [`${mark(message)}, ${size} bytes that are no message: ${shorten(text, TEXT_LENGTH_MAX)}`];
}

function withMark(name: string, [first = '', ...rest]: readonly string[]): string[] {
  return [`${name}: ${first}`, ...rest];
}

/** The status of gRPC; ends without trailers say nothing that the body did not. */
function describeEnd(message: ViewEvent & { event: 'end' }): Shown {
  const { exchange, trailers } = message;
  if (trailers.length === 0) return { first: undefined, more: [], isBad: false };
  const status = headerOf(trailers, 'grpc-status');
  const shown = trailers.map(([name, value]) => {
    const text = name === 'grpc-message' ? decodePercent(value) : value;
    return `${name}: ${shorten(text, VALUE_LENGTH_MAX)}`;
  });
  const isBad = status !== undefined && status !== '0';
  const maker = message.by === 'gateway' ? ' (from Weir)' : '';
  return { first: `#${exchange} ${shown.join(', ')}${maker}`, more: [], isBad };
}

function decodePercent(text: string): string {
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
