/**
 * Turns the recorded bytes of both directions of a PostgreSQL session into readable events. It
 * follows just enough of the protocol to name things: which statement an Execute runs, which
 * columns and formats its rows have. It decides nothing and never throws on what it reads.
 */

import type { Side } from '../../protocols/contract.ts';
import { MessageSplitter, type SplitMessage } from './message-splitter.ts';
import {
  BodyReader,
  type BoundPortal,
  CANCEL_REQUEST_CODE,
  decodeBackend,
  decodeBind,
  decodeColumns,
  decodeFrontend,
  decodeRow,
  decodeStartup,
  GSSENC_REQUEST_CODE,
  SSL_REQUEST_CODE,
} from './postgres-messages.ts';
import type { View, ViewColumn, ViewEvent, ViewFact } from './view.ts';

/** Statements and portals whose text and columns are remembered; the oldest go first. */
const NAMES_COUNT_MAX = 500;
/** Kept of each statement's text to show it again at Execute, characters. */
const TEXT_LENGTH_MAX = 16 * 1024;
/** Replies that are awaited at once; a client that pipelines more only loses column names. */
const AWAITED_COUNT_MAX = 20_000;

interface KnownStatement {
  readonly text: string;
  columns: readonly ViewColumn[] | undefined;
}

interface KnownPortal extends BoundPortal {
  readonly source: KnownStatement | undefined;
  columns: readonly ViewColumn[] | undefined;
}

/** Requests whose replies tell something about columns, in the order in which they are answered. */
type Awaited =
  | {
      readonly kind: 'describe';
      readonly of: 'statement';
      readonly target: KnownStatement | undefined;
    }
  | { readonly kind: 'describe'; readonly of: 'portal'; readonly target: KnownPortal | undefined }
  | { readonly kind: 'execute'; readonly portal: KnownPortal | undefined }
  | { readonly kind: 'query' | 'sync' };

export function createPostgresView(): View {
  return new PostgresView();
}

class PostgresView implements View {
  readonly #client = new MessageSplitter(true);
  readonly #server = new MessageSplitter(false);
  readonly #statements = new Map<string, KnownStatement>();
  readonly #portals = new Map<string, KnownPortal>();
  #awaited: Awaited[] = [];
  /** One-byte replies that the server may still give (PG-2). */
  #negotiations = 0;
  #isCopyingIn = false;
  readonly #lost = new Set<Side>();
  /** Those of the rows that come now. */
  #columns: readonly ViewColumn[] | undefined;

  get heldSize(): number {
    return this.#client.heldSize + this.#server.heldSize;
  }

  push(from: Side, bytes: Buffer, by: 'gateway' | undefined): ViewEvent[] {
    const splitter = from === 'client' ? this.#client : this.#server;
    const events: ViewEvent[] = [];
    const emit = (fact: ViewFact, maker: 'gateway' | undefined): void => {
      events.push(maker === undefined ? { ...fact, from } : { ...fact, from, by: maker });
    };
    let offset = 0;
    while (offset < bytes.length && splitter.problem === undefined) {
      if (from === 'server' && this.#isNegotiationReply(bytes[offset])) {
        emit({ event: 'negotiation-reply', reply: String.fromCharCode(bytes[offset] ?? 0) }, by);
        this.#negotiations -= 1;
        offset += 1;
        continue;
      }
      const found = splitter.next(bytes, offset, by);
      if (found === undefined) break;
      offset = found.offset;
      const facts =
        from === 'client' ? this.#readFrontend(found.message) : this.#readBackend(found.message);
      for (const fact of facts) emit(fact, found.message.by);
    }
    if (splitter.problem !== undefined && offset < bytes.length && !this.#isLost(from)) {
      emit({ event: 'out-of-step', problem: splitter.problem }, by);
    }
    return events;
  }

  #isLost(side: Side): boolean {
    const isKnown = this.#lost.has(side);
    this.#lost.add(side);
    return isKnown;
  }

  /** Only before the first typed message: later S and N are ParameterStatus and NoticeResponse. */
  #isNegotiationReply(byte: number | undefined): boolean {
    if (this.#negotiations === 0 || !this.#server.isAtBoundary) return false;
    const isReply = byte === 0x53 || byte === 0x4e || byte === 0x47;
    if (!isReply) this.#negotiations = 0;
    return isReply;
  }

  #readFrontend(message: SplitMessage): ViewFact[] {
    if (message.type === undefined) return [this.#readStartup(message.body)];
    const body = new BodyReader(message.body);
    const fact = decodeFrontend(message, body);
    if (fact === undefined) return [{ event: 'unknown', type: message.type, size: message.size }];
    if (isBroken(message, body)) return [unreadable(message)];
    return [this.#followFrontend(fact, message.body)];
  }

  #readStartup(body: Buffer): ViewFact {
    const code = body.length < 4 ? 0 : body.readUInt32BE(0);
    if (code === SSL_REQUEST_CODE || code === GSSENC_REQUEST_CODE) this.#negotiations += 1;
    else if (code !== CANCEL_REQUEST_CODE) this.#client.isUntyped = false;
    return decodeStartup(body, code);
  }

  #followFrontend(fact: ViewFact, body: Buffer): ViewFact {
    switch (fact.event) {
      case 'query':
        this.#await({ kind: 'query' });
        return fact;
      case 'parse':
        remember(this.#statements, fact.statement, {
          text: fact.text.slice(0, TEXT_LENGTH_MAX),
          columns: undefined,
        });
        return fact;
      case 'bind': {
        const bound = decodeBind(new BodyReader(body));
        const source = this.#statements.get(fact.statement);
        remember(this.#portals, fact.portal, { ...bound, source, columns: undefined });
        return fact;
      }
      case 'describe': {
        const target = fact.name;
        if (fact.target === 'statement') {
          this.#await({ kind: 'describe', of: 'statement', target: this.#statements.get(target) });
        } else {
          this.#await({ kind: 'describe', of: 'portal', target: this.#portals.get(target) });
        }
        return fact;
      }
      case 'execute': {
        const portal = this.#portals.get(fact.portal);
        this.#await({ kind: 'execute', portal });
        const text = portal?.source?.text;
        if (portal === undefined || text === undefined) return fact;
        return { ...fact, text, parameters: portal.parameters };
      }
      case 'sync':
        // PG-50: a Sync while the client sends COPY data is not answered.
        if (!this.#isCopyingIn) this.#await({ kind: 'sync' });
        return fact;
      case 'copy-done':
      case 'copy-fail':
        this.#isCopyingIn = false;
        return fact;
      default:
        return fact;
    }
  }

  #readBackend(message: SplitMessage): ViewFact[] {
    const body = new BodyReader(message.body);
    if (message.type === 'T') return this.#readColumns(message, body);
    if (message.type === 'D') return this.#readRow(message, body);
    const fact = decodeBackend(message, body);
    const type = message.type ?? '';
    if (fact === undefined) return [{ event: 'unknown', type, size: message.size }];
    if (isBroken(message, body)) return [unreadable(message)];
    this.#followBackend(fact);
    return [fact];
  }

  #readColumns(message: SplitMessage, body: BodyReader): ViewFact[] {
    const columns = decodeColumns(body);
    if (isBroken(message, body)) return [unreadable(message)];
    const head = this.#awaited[0];
    if (head?.kind !== 'describe') {
      this.#columns = columns;
      return [{ event: 'columns', describes: 'result', columns }];
    }
    this.#awaited.shift();
    if (head.target !== undefined) head.target.columns = columns;
    if (head.of === 'portal') this.#columns = columns;
    return [{ event: 'columns', describes: head.of, columns }];
  }

  #readRow(message: SplitMessage, body: BodyReader): ViewFact[] {
    const facts: ViewFact[] = [];
    const head = this.#awaited[0];
    if (head?.kind === 'execute') {
      const columns = columnsOf(head.portal);
      if (columns !== this.#columns && columns !== undefined) {
        facts.push({ event: 'columns', describes: 'result', inferred: true, columns });
      }
      this.#columns = columns;
    }
    const columns = this.#columns;
    const isBinary =
      columns === undefined && head?.kind === 'execute' && head.portal !== undefined
        ? head.portal.isResultBinary
        : (index: number): boolean => columns?.[index]?.format === 'binary';
    const row = decodeRow(message, body, isBinary);
    facts.push(isBroken(message, body) ? unreadable(message) : row);
    return facts;
  }

  #followBackend(fact: ViewFact): void {
    const head = this.#awaited[0];
    switch (fact.event) {
      case 'acknowledgement':
        if (fact.of === 'no-data' && head?.kind === 'describe') this.#awaited.shift();
        return;
      case 'complete':
      case 'empty-query':
      case 'suspended':
        if (head?.kind === 'execute') this.#awaited.shift();
        return;
      case 'error':
        this.#isCopyingIn = false;
        // PG-28: nothing more of this segment is answered until its Sync.
        this.#awaited = this.#awaited.slice(this.#endOfSegment());
        return;
      case 'copy-start':
        if (fact.direction === 'in') this.#startCopyIn();
        return;
      case 'ready':
        this.#columns = undefined;
        this.#awaited = this.#awaited.slice(this.#endOfSegment() + 1);
        return;
      default:
        return;
    }
  }

  #startCopyIn(): void {
    this.#isCopyingIn = true;
    // PG-50: Syncs that were sent along with the Execute will not be answered either.
    if (this.#awaited[0]?.kind !== 'execute') return;
    this.#awaited = this.#awaited.filter(({ kind }) => kind !== 'sync');
  }

  #endOfSegment(): number {
    const index = this.#awaited.findIndex(({ kind }) => kind === 'sync' || kind === 'query');
    return index < 0 ? this.#awaited.length : index;
  }

  #await(awaited: Awaited): void {
    if (this.#awaited.length >= AWAITED_COUNT_MAX) this.#awaited = [];
    this.#awaited.push(awaited);
  }
}

/** PG-42: a description of the statement knows names and types; the formats are in the Bind. */
function columnsOf(portal: KnownPortal | undefined): readonly ViewColumn[] | undefined {
  if (portal === undefined || portal.columns !== undefined) return portal?.columns;
  portal.columns = portal.source?.columns?.map((column, index) => ({
    ...column,
    format: portal.isResultBinary(index) ? 'binary' : 'text',
  }));
  return portal.columns;
}

/** A body that ends too early by itself; one whose tail was dropped by us is not broken. */
function isBroken(message: SplitMessage, body: BodyReader): boolean {
  return body.isShort && message.body.length === message.size;
}

function unreadable(message: SplitMessage): ViewFact {
  return { event: 'unreadable', type: message.type ?? '', size: message.size };
}

function remember<Known>(map: Map<string, Known>, name: string, known: Known): void {
  // Set again, a name moves to the end, so the first one is the oldest.
  map.delete(name);
  map.set(name, known);
  const [oldest] = map.keys();
  if (map.size > NAMES_COUNT_MAX && oldest !== undefined) map.delete(oldest);
}
