/**
 * Turns the recorded bytes of both directions of a Redis session into readable events: commands as a person
 * types them, answers as rows. It decides nothing and never throws on what it reads.
 */

import type { Side } from '../../protocols/contract.ts';
import { RedisSplitter, type RedisMessage, type RedisValue } from './redis-values.ts';
import type { View, ViewEvent, ViewFact, ViewValue } from './view.ts';

/** Shown of one cell that has levels of its own. */
const CELL_LENGTH_MAX = 16 * 1024;
const DEPTH_SHOWN_MAX = 16;

export function createRedisView(): View {
  return new RedisView();
}

class RedisView implements View {
  readonly #splitters = { client: new RedisSplitter(), server: new RedisSplitter() };
  readonly #isLost = { client: false, server: false };

  get heldSize(): number {
    return this.#splitters.client.heldSize + this.#splitters.server.heldSize;
  }

  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ViewEvent[] {
    if (this.#isLost[from]) return [];
    const splitter = this.#splitters[from];
    const events = splitter.push(bytes, by).flatMap((message) => {
      const facts = from === 'client' ? [describeCommand(message)] : describeReply(message);
      const maker = message.by === undefined ? {} : { by: message.by };
      return facts.map((fact): ViewEvent => ({ ...fact, from, ...maker }));
    });
    const { problem } = splitter;
    if (problem === undefined) return events;
    this.#isLost[from] = true;
    return [...events, { event: 'out-of-step', problem, from }];
  }
}

function describeCommand(message: RedisMessage): ViewFact {
  const { value, size } = message;
  const words = 'items' in value ? value.items.map(quoteWord) : [quoteWord(value)];
  return { event: 'query', text: words.join(' '), size, ...cut(message) };
}

/** As in redis-cli: bare where that is plain, in double quotes otherwise. */
function quoteWord(value: RedisValue): string {
  const text = textOf(value) ?? '(nil)';
  return /^[^\s"'\\\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}

function describeReply(message: RedisMessage): ViewFact[] {
  const { value, size } = message;
  switch (value.kind) {
    case 'status':
      return [{ event: 'complete', tag: value.text }];
    case 'error':
      return [describeError(value.text)];
    case 'push':
      return describePush(value.items, message);
    case 'text':
    case 'number':
    case 'null':
      return [row([textOf(value)], message), { event: 'ready', status: 'idle' }];
    case 'list':
    case 'map': {
      const step = value.kind === 'map' ? 2 : 1;
      const rows: ViewFact[] = [];
      for (let at = 0; at < value.items.length; at += step) {
        rows.push(row(value.items.slice(at, at + step).map(cell), { ...message, size }));
      }
      const count = `${rows.length} item${rows.length === 1 ? '' : 's'}`;
      return [...rows, { event: 'complete', tag: count }];
    }
  }
}

function describeError(text: string): ViewFact {
  const [, code = '', message = text] = /^([A-Z][A-Z0-9]*) (.*)$/s.exec(text) ?? [];
  return { event: 'error', severity: 'ERROR', code, message };
}

/** Messages of channels; other pushes are shown as rows. */
function describePush(items: readonly RedisValue[], message: RedisMessage): ViewFact[] {
  const [kind, first, second, third] = items.map((item) => textOf(item) ?? '');
  if (kind === 'message' || kind === 'smessage') {
    return [{ event: 'notification', channel: first ?? '', payload: second ?? '' }];
  }
  if (kind === 'pmessage') {
    return [{ event: 'notification', channel: second ?? '', payload: third ?? '' }];
  }
  return [row(items.map(cell), message), { event: 'ready', status: 'idle' }];
}

function row(values: readonly ViewValue[], message: RedisMessage): ViewFact {
  return { event: 'row', values, size: message.size, ...cut(message) };
}

function cut({ isCut }: RedisMessage): { cut?: true } {
  return isCut ? { cut: true } : {};
}

function cell(value: RedisValue): ViewValue {
  if (!('items' in value)) return textOf(value);
  const text = nested(value, 0);
  return text.length > CELL_LENGTH_MAX ? `${text.slice(0, CELL_LENGTH_MAX)}…` : text;
}

function nested(value: RedisValue, depth: number): string {
  if (value.kind === 'null') return 'null';
  if (!('items' in value)) return value.kind === 'number' ? value.text : JSON.stringify(value.text);
  if (depth >= DEPTH_SHOWN_MAX) return '…';
  const items = value.items.map((item) => nested(item, depth + 1));
  if (value.kind !== 'map') return `[${items.join(', ')}]`;
  const pairs = items.flatMap((item, index) =>
    index % 2 === 0 ? [`${item}: ${items[index + 1] ?? ''}`] : [],
  );
  return `{${pairs.join(', ')}}`;
}

function textOf(value: RedisValue): string | null {
  if (value.kind === 'null') return null;
  return 'items' in value ? nested(value, 0) : value.text;
}
