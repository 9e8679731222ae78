/**
 * Who saw a record: goes through one recording of a store and tells each answer that a record came back
 * in, with who asked and how. It looks at what the client saw, so masks and refusals are in it.
 */

import {
  type ExchangeItem,
  ExchangeItemReader,
  headerOf,
  type HeldBody,
} from './exchange-items.ts';
import { parseJson, toTree } from './json-tree.ts';
import { shorten } from './printable.ts';
import { RedisSightings } from './redis-sightings.ts';
import { fieldsToTree, readFields } from './protobuf-tree.ts';
import type { Recording, WireEvent } from './reader.ts';
import { idsInJson, idsInMessage } from './record-ids.ts';
import type { RecordedNote } from './recording.ts';
import { describeFinish, stateOf } from './state.ts';
import { toLine } from './tree.ts';

export interface Question {
  /** Parts from the right: `customers`, `sales/customers`. */
  readonly collection: string;
  readonly id: string;
  /** Name of the field that holds the ids in JSON, where it is not `id` (Milvus). */
  readonly field: string | undefined;
}

export interface Sighting {
  readonly kind: 'sighting';
  /** ISO 8601, UTC: when the answer was given. */
  readonly at: string;
  readonly principal: string;
  readonly session: string;
  readonly client: string;
  readonly exchange: number;
  readonly route: string;
  /** The request in short. */
  readonly query: string;
}

/** Something could not be searched: the answer to the question is not complete. */
export interface Gap {
  readonly kind: 'gap';
  readonly problem: string;
}

/** Protocols whose recordings can be searched. */
export const SEARCHED_PROTOCOLS: ReadonlySet<string> = new Set([
  'chroma',
  'qdrant',
  'milvus',
  'redis',
]);

const QUERY_LENGTH_MAX = 160;
/** Exchanges under way; beyond it the oldest one is given up, which is told as a gap. */
const EXCHANGES_MAX = 4000;

type DecisionNote = Extract<RecordedNote, { kind: 'decision' }>;

interface Asked {
  readonly target: string;
  query: string;
  note: DecisionNote | undefined;
  isTold: boolean;
}

/** Reads the recording to its end. */
export async function* whoSaw(
  recording: Recording,
  question: Question,
): AsyncGenerator<Sighting | Gap, void, undefined> {
  const search =
    recording.header.protocol === 'redis'
      ? new KeySearch(recording, question)
      : new Search(recording, question);
  for await (const event of recording.events()) {
    switch (event.kind) {
      case 'wire':
        yield* search.read(event);
        break;
      case 'note':
        search.note(event.note);
        break;
      case 'finish': {
        const state = stateOf(recording.header, event);
        if (state !== 'ended' && state !== 'open') {
          yield { kind: 'gap', problem: describeFinish(event, state) };
        }
      }
    }
  }
}

/** Redis has no exchanges: commands are counted. */
class KeySearch {
  readonly #header: Recording['header'];
  readonly #sightings: RedisSightings;

  constructor({ header }: Recording, { collection, id }: Question) {
    this.#header = header;
    this.#sightings = new RedisSightings(collection, id);
  }

  note(note: RecordedNote): void {
    this.#sightings.note(note);
  }

  read(event: WireEvent): (Sighting | Gap)[] {
    return this.#sightings.read(event).map((found) => {
      if (found.kind === 'gap') return found;
      const { at, principal = '-', ...rest } = found;
      return { ...sightingAt(this.#header, at), ...rest, kind: 'sighting', principal };
    });
  }
}

function sightingAt(
  { startedAt, session, clientAddress }: Recording['header'],
  at: number,
): Pick<Sighting, 'at' | 'session' | 'client'> {
  return {
    at: new Date(Date.parse(startedAt) + at / 1000).toISOString(),
    session,
    client: clientAddress,
  };
}

class Search {
  readonly #header: Recording['header'];
  readonly #question: Question;
  readonly #wanted: readonly string[];
  readonly #items = new ExchangeItemReader();
  readonly #asked = new Map<number, Asked>();

  constructor({ header }: Recording, question: Question) {
    this.#header = header;
    this.#question = question;
    this.#wanted = question.collection.split('/');
  }

  note(note: RecordedNote): void {
    if (note.kind !== 'decision' || note.exchange === undefined) return;
    const asked = this.#asked.get(note.exchange);
    if (asked !== undefined) asked.note = note;
  }

  read({ at, from, bytes, by }: WireEvent): (Sighting | Gap)[] {
    return this.#items.push(from, bytes, by).flatMap((item) => this.#take(at, item));
  }

  #take(at: number, item: ExchangeItem): (Sighting | Gap)[] {
    const asked = this.#asked.get(item.exchange);
    switch (item.kind) {
      case 'request':
        return this.#open(
          item.exchange,
          item.head.target,
          `${item.head.method} ${item.head.target}`,
        );
      case 'body':
      case 'message':
        if (asked === undefined) return [];
        if (item.from === 'server') return this.#look(at, item, asked);
        asked.query = shorten(`${asked.query} ${describeQuery(item)}`, QUERY_LENGTH_MAX);
        return [];
      case 'end':
      case 'cancel':
        if (item.from === 'server' || item.kind === 'cancel') this.#asked.delete(item.exchange);
        return [];
      case 'damage':
        return [{ kind: 'gap', problem: `what the ${item.from} said: ${item.problem}` }];
      case 'answer':
        return [];
    }
  }

  #open(exchange: number, target: string, query: string): Gap[] {
    const [oldest] = this.#asked.keys();
    const isFull = this.#asked.size >= EXCHANGES_MAX && oldest !== undefined;
    if (isFull) this.#asked.delete(oldest);
    this.#asked.set(exchange, {
      target,
      query: shorten(query, QUERY_LENGTH_MAX),
      note: undefined,
      isTold: false,
    });
    return isFull ? [{ kind: 'gap', problem: `the answer to #${oldest} never ended` }] : [];
  }

  #look(
    at: number,
    item: ExchangeItem & { kind: 'body' | 'message' },
    asked: Asked,
  ): (Sighting | Gap)[] {
    const { note } = asked;
    if (item.by === 'gateway' || note === undefined || note.outcome === 'block') return [];
    if (asked.isTold || !this.#isAbout(note.objects ?? [])) return [];
    const ids = idsIn(item, asked.target, this.#question.field);
    if (ids === undefined) {
      const problem = `the answer to #${item.exchange} (${item.body.size} bytes) cannot be searched`;
      return [{ kind: 'gap', problem }];
    }
    if (!ids.includes(this.#question.id)) return [];
    asked.isTold = true;
    return [this.#sighting(at, item.exchange, asked, note)];
  }

  /** The object of a note: `qdrant:customers`, `chroma:tenant/database/customers`. */
  #isAbout(objects: readonly string[]): boolean {
    return objects.some((object) => {
      const parts = object.slice(object.indexOf(':') + 1).split('/');
      const tail = parts.slice(-this.#wanted.length);
      return (
        tail.length === this.#wanted.length && tail.every((one, at) => one === this.#wanted[at])
      );
    });
  }

  #sighting(at: number, exchange: number, asked: Asked, note: DecisionNote): Sighting {
    return {
      kind: 'sighting',
      ...sightingAt(this.#header, at),
      principal: note.principal ?? '-',
      exchange,
      route: note.route ?? asked.target,
      query: asked.query,
    };
  }
}

function idsIn(
  item: ExchangeItem & { kind: 'body' | 'message' },
  target: string,
  field: string | undefined,
): string[] | undefined {
  const { body } = item;
  if (body.isCut || body.isCoded) return undefined;
  if (item.kind === 'message') return idsInMessage(target, body.bytes);
  const text = body.bytes.toString('utf8');
  const isJson = headerOf(item.headers, 'content-type')?.includes('json') ?? true;
  // Metrics and the like are no records; what should be JSON and is not, nobody can search.
  return isJson ? idsInJson(text, field) : [];
}

function describeQuery(item: {
  readonly kind: 'body' | 'message';
  readonly body: HeldBody;
}): string {
  const { bytes, isCut } = item.body;
  if (isCut) return '…';
  if (item.kind === 'message') {
    const fields = readFields(bytes);
    return fields === undefined ? '' : toLine(fieldsToTree(fields), QUERY_LENGTH_MAX);
  }
  const json = parseJson(bytes.toString('utf8'));
  return json === undefined ? '' : toLine(toTree(json), QUERY_LENGTH_MAX);
}
