/**
 * Who saw a key of Redis: goes through one recording, pairs answers with their commands, and tells those that gave
 * something of the key, or the key itself (a search). Pairing is as a client does it; masks and refusals are in it.
 */

import type { RecordedNote } from './recording.ts';
import type { WireEvent } from './reader.ts';
import { type RedisMessage, RedisSplitter, type RedisValue } from './redis-values.ts';
import { shorten } from './printable.ts';

/** A key that was given, and by which command. */
export interface RedisSighting {
  readonly kind: 'seen';
  /** Microseconds since the start of the session. */
  readonly at: number;
  /** Which command of the session. */
  readonly exchange: number;
  readonly principal: string | undefined;
  readonly route: string;
  readonly query: string;
}

export type RedisFinding = RedisSighting | { readonly kind: 'gap'; readonly problem: string };

interface Asked {
  readonly exchange: number;
  readonly words: readonly string[];
  principal: string | undefined;
  /** SUBSCRIBE and the like: confirmations that are still to come. */
  left: number;
}

const QUERY_LENGTH_MAX = 160;
/** Commands without an answer; beyond it the recording cannot be followed. */
const ASKED_MAX = 100_000;
const SUBSCRIPTION = /^[ps]?(?:un)?subscribe$/;
/** Their answers hold values, not names of keys, however long they are. */
const GIVES_VALUES =
  /^(?:m?get|get(?:ex|del|range)|h(?:get|mget|getall|vals|scan)|[lzx]range|smembers|json\.m?get|dump)$/;
const MESSAGE = /^(?:[ps]?message|[ps]?(?:un)?subscribe)$/;

export class RedisSightings {
  readonly #splitters = { client: new RedisSplitter(), server: new RedisSplitter() };
  readonly #wanted: readonly string[];
  readonly #index: string | undefined;
  readonly #id: string;
  readonly #asked: Asked[] = [];
  readonly #queued: Asked[] = [];
  #last: Asked | undefined;
  #count = 0;
  #principal: string | undefined;
  #hasSubscribed = false;
  #version = 2;
  #isLost = false;

  /** `user:*` and 42: the key user:42. Without a star: `user:42`, or the document 42 of the index of that name. */
  constructor(collection: string, id: string) {
    const hasStar = collection.includes('*');
    this.#wanted = [hasStar ? collection.replace('*', () => id) : `${collection}:${id}`];
    this.#index = hasStar ? undefined : collection;
    this.#id = id;
  }

  note(note: RecordedNote): void {
    if (note.kind !== 'decision' || note.principal === undefined) return;
    this.#principal = note.principal;
    if (this.#last !== undefined) this.#last.principal = note.principal;
  }

  read({ at, from, bytes, by }: WireEvent): RedisFinding[] {
    if (this.#isLost) return [];
    const splitter = this.#splitters[from];
    const found = splitter.push(bytes, by).flatMap((message) => {
      if (from === 'server') return this.#onAnswer(at, message);
      this.#onCommand(message.value);
      return [];
    });
    const isTooMuch = this.#asked.length > ASKED_MAX;
    if (splitter.problem === undefined && !isTooMuch) return found;
    this.#isLost = true;
    return [...found, { kind: 'gap', problem: splitter.problem ?? 'too many commands at once' }];
  }

  #onCommand(value: RedisValue): void {
    this.#count += 1;
    const words = 'items' in value ? value.items.map(textOf) : [textOf(value)];
    const isSubscription = SUBSCRIPTION.test(nameOf(words));
    this.#hasSubscribed ||= isSubscription;
    const left = isSubscription ? Math.max(words.length - 1, 1) : 0;
    this.#last = { exchange: this.#count, words, principal: this.#principal, left };
    this.#asked.push(this.#last);
  }

  #onAnswer(at: number, message: RedisMessage): RedisFinding[] {
    const { value, by } = message;
    if (this.#isMessage(value)) return [];
    const head = this.#asked.shift();
    if (head === undefined) return [];
    if (by === 'gateway' || value.kind === 'error') {
      if (isEndOfMulti(head)) this.#queued.length = 0;
      return [];
    }
    if (value.kind === 'status' && value.text === 'QUEUED') {
      this.#queued.push(head);
      return [];
    }
    const [, version] = head.words;
    if (nameOf(head.words) === 'hello' && version !== undefined) this.#version = Number(version);
    else if (nameOf(head.words) === 'reset') this.#version = 2;
    return this.#judge(at, head, message);
  }

  /** In RESP3 messages are pushes, so a list that looks like one is an answer. */
  #isMessage(value: RedisValue): boolean {
    const kind = value.kind === 'list' || value.kind === 'push' ? textOf(value.items[0]) : '';
    const mayBeList = this.#hasSubscribed && this.#version === 2;
    if (value.kind !== 'push' && !(mayBeList && MESSAGE.test(kind))) return false;
    const [head] = this.#asked;
    if (head !== undefined && head.left > 0 && SUBSCRIPTION.test(kind)) {
      head.left -= 1;
      if (head.left === 0) this.#asked.shift();
    }
    return true;
  }

  #judge(at: number, head: Asked, { value, isCut }: RedisMessage): RedisFinding[] {
    const parts: (readonly [Asked, RedisValue])[] = [];
    if (isEndOfMulti(head)) {
      const items = 'items' in value ? value.items : [];
      for (const [index, asked] of this.#queued.splice(0).entries()) {
        const item = items[index];
        if (item !== undefined) parts.push([asked, item]);
      }
    } else parts.push([head, value]);
    const seen = parts.filter(([asked, part]) => this.#isSeen(asked, part));
    if (seen.length === 0 && isCut && !GIVES_VALUES.test(nameOf(head.words))) {
      return [
        { kind: 'gap', problem: `the answer to #${head.exchange} is too long to be searched` },
      ];
    }
    return seen.map(([{ exchange, words, principal }]) => ({
      kind: 'seen',
      at,
      exchange,
      principal,
      route: nameOf(words).toUpperCase(),
      query: shorten(words.join(' '), QUERY_LENGTH_MAX),
    }));
  }

  #isSeen({ words }: Asked, value: RedisValue): boolean {
    const isIndex = words[1] === this.#index && nameOf(words).startsWith('ft.');
    const wanted = isIndex ? [...this.#wanted, this.#id] : this.#wanted;
    if (holdsText(value, (text) => wanted.includes(text))) return true;
    return words.slice(1).some((word) => wanted.includes(word)) && holdsText(value, () => true);
  }
}

function isEndOfMulti({ words }: Asked): boolean {
  return /^(?:exec|discard|reset)$/.test(nameOf(words));
}

function nameOf(words: readonly string[]): string {
  return (words[0] ?? '').toLowerCase();
}

function textOf(value: RedisValue | undefined): string {
  return value !== undefined && 'text' in value ? value.text : '';
}

/** Numbers and statuses tell of a key, but give nothing of it. */
function holdsText(value: RedisValue, fits: (text: string) => boolean): boolean {
  if ('items' in value) return value.items.some((item) => holdsText(item, fits));
  return value.kind === 'text' && fits(value.text);
}
