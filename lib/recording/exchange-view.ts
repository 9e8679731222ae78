/**
 * HTTP and gRPC sessions as events for people and programs: heads, bodies, messages, trailers of each
 * exchange. Bodies are told whole (up to a limit), as text or as the fields of a message; shortening them is
 * the matter of whoever prints them (`playback-exchange.ts`).
 */

import type { Side } from '../../protocols/contract.ts';
import {
  type ExchangeItem,
  ExchangeItemReader,
  headerOf,
  type HeldBody,
} from './exchange-items.ts';
import { parseJson } from './json-tree.ts';
import { readFields } from './protobuf-tree.ts';
import { decodeCutText, decodeText } from './value-text.ts';
import type { View, ViewEvent, ViewExchangeFact } from './view.ts';

/** Of bytes that are no text: their hex is for a first look, the recording has all of them. */
const HEX_SIZE_MAX = 4096;

export function createExchangeView(): View {
  return new ExchangeView();
}

class ExchangeView implements View {
  readonly #items = new ExchangeItemReader();

  get heldSize(): number {
    return this.#items.heldSize;
  }

  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ViewEvent[] {
    return this.#items.push(from, bytes, by).map((item) => {
      const event = describe(item);
      // A cancel of one side ends what the other one has said as well.
      const { from: speaker, by: author } = item;
      return { ...event, from: speaker, ...(author !== undefined && { by: author }) };
    });
  }
}

function describe(item: ExchangeItem): ViewExchangeFact {
  const { exchange } = item;
  switch (item.kind) {
    case 'request': {
      const { method, target, authority, version, headers } = item.head;
      return { event: 'request', exchange, method, target, authority, version, headers };
    }
    case 'answer': {
      const { status, reason, headers } = item.head;
      return {
        event: 'answer',
        exchange,
        status,
        ...(reason !== undefined && { reason }),
        headers,
      };
    }
    case 'body': {
      const contentType = headerOf(item.headers, 'content-type');
      return { event: 'body', exchange, ...describeBody(item.body, contentType) };
    }
    case 'message': {
      const { bytes, isCoded } = item.body;
      const fields = isCoded ? undefined : readFields(bytes);
      const size = sizeOf(item.body);
      if (fields !== undefined) return { event: 'grpc-message', exchange, ...size, fields };
      return { event: 'grpc-message', exchange, ...size, text: toHexHead(bytes) };
    }
    case 'end':
      return { event: 'end', exchange, trailers: item.trailers };
    case 'cancel': {
      const { code, reason } = item;
      return { event: 'cancelled', exchange, ...(code !== undefined && { code }), reason };
    }
    case 'damage':
      return { event: 'out-of-step', problem: item.problem };
  }
}

type BodyFacts = Omit<Extract<ViewExchangeFact, { event: 'body' }>, 'event' | 'exchange'>;

function describeBody(body: HeldBody, contentType: string | undefined): BodyFacts {
  const size = sizeOf(body);
  const text = body.isCut ? decodeCutText(body.bytes) : decodeText(body.bytes);
  if (body.isCoded || text.startsWith('\\x')) {
    return { ...size, format: 'binary', text: toHexHead(body.bytes) };
  }
  // Some clients and servers leave the content type out.
  const mayBeJson = contentType === undefined || contentType.includes('json');
  const isJson = mayBeJson && !body.isCut && parseJson(text) !== undefined;
  return { ...size, format: isJson ? 'json' : 'text', text };
}

function sizeOf({ size, isCut }: HeldBody): { size: number; cut?: true } {
  return isCut ? { size, cut: true } : { size };
}

function toHexHead(bytes: Buffer): string {
  const more = bytes.length > HEX_SIZE_MAX ? '…' : '';
  return `\\x${bytes.subarray(0, HEX_SIZE_MAX).toString('hex')}${more}`;
}
