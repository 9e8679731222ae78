/**
 * Follows the packets of one reply of a MySQL server to its end: what a packet is depends on the
 * command and on the packets ahead of it (MY-14, MY-19), so this is a state machine. It decides nothing
 * and never throws on what it reads; a packet that cannot be is shown as such.
 */

import { HEAD_SIZE_MAX } from './message-splitter.ts';
import type { KnownStatement, ReplyKind } from './mysql-commands.ts';
import {
  type Capabilities,
  decodeBinaryRow,
  decodeColumn,
  decodeEof,
  decodeError,
  decodeOk,
  decodeTextRow,
  DEPRECATE_EOF,
  type Ending,
  type KnownColumn,
  MARIADB_CACHE_METADATA,
  STATUS_CURSOR_EXISTS,
  STATUS_LAST_ROW_SENT,
  STATUS_MORE_RESULTS,
} from './mysql-packets.ts';
import { PART_LENGTH_MAX, type SplitPacket } from './mysql-splitter.ts';
import { PacketReader } from './mysql-values.ts';
import { decodeText } from './value-text.ts';
import type { ViewFact } from './view.ts';

const OK = 0x00;
const MORE_AUTHENTICATION = 0x01;
const NEXT_FACTOR = 0x02;
const LOCAL_INFILE = 0xfb;
const EOF = 0xfe;
const ERROR = 0xff;
/** An EOF packet, where it is still sent: 0xfe, warnings, status. */
const EOF_SIZE = 5;
/** Anything as long as this that starts with 0xfe is a row (MY-14). */
const EOF_SIZE_MAX = 9;
/** MySQL's own limit on the columns of a table and of a result; more would only cost memory. */
const COLUMNS_KEPT_MAX = 4096;
const COLUMNS_COUNT_MAX = 65_535;
/** What a plugin may call itself; a longer text here is something else. */
const METHOD_LENGTH_MAX = 100;

type Stage =
  | 'head'
  | 'columns'
  | 'columns-end'
  | 'rows'
  | 'parameters'
  | 'parameters-end'
  | 'prepared-columns'
  | 'prepared-columns-end'
  | 'list'
  | 'done';

export class ReplyReader {
  readonly kind: ReplyKind;
  readonly statement: KnownStatement | undefined;
  readonly #capabilities: Capabilities;
  #stage: Stage = 'head';
  /** Definitions that are still to come. */
  #left = 0;
  #columnCount = 0;
  #columns: KnownColumn[] = [];
  #namesLength = 0;
  #preparedColumns = 0;
  #hasRows = false;
  /** The server asked for a file and waits for it. */
  isAwaitingFile = false;
  /** It did not fail, so far: a sign-in has worked, a statement exists. */
  isOk = false;
  /** The sequence id that comes next; undefined: any. */
  nextSequence: number | undefined;

  constructor(kind: ReplyKind, capabilities: Capabilities, statement: KnownStatement | undefined) {
    this.kind = kind;
    this.statement = statement;
    this.#capabilities = capabilities;
    if (kind === 'columns') this.#stage = 'list';
    if (kind !== 'binary-rows') return;
    // MY-24: the rows of a cursor come without definitions.
    this.#columns = [...(statement?.columns ?? [])];
    this.#stage = 'rows';
  }

  get isDone(): boolean {
    return this.#stage === 'done';
  }

  read(packet: SplitPacket): ViewFact[] {
    const first = packet.body[0];
    if (first === undefined) return [unreadable(packet)];
    if (first === ERROR) return [this.#readError(packet)];
    switch (this.#stage) {
      case 'head':
        return this.#readHead(packet);
      case 'columns':
      case 'parameters':
      case 'prepared-columns':
        return this.#readColumn(packet);
      case 'columns-end':
        return this.#endColumns(this.#readEnding(packet));
      case 'parameters-end':
        this.#beginPreparedColumns();
        return [];
      case 'prepared-columns-end':
        return this.#endPrepare();
      case 'list':
        return this.#readList(packet);
      case 'rows':
      case 'done':
        return this.#readRow(packet);
    }
  }

  #readError(packet: SplitPacket): ViewFact {
    const fact = decodeError(packet.body);
    if (fact.event === 'progress') return fact;
    this.isAwaitingFile = false;
    this.isOk = false;
    this.#stage = 'done';
    return fact;
  }

  #readHead(packet: SplitPacket): ViewFact[] {
    const { body } = packet;
    switch (this.kind) {
      case 'sign-in':
        return this.#readSignIn(packet);
      case 'prepare':
        return this.#readPrepared(packet);
      case 'words':
        this.#stage = 'done';
        return [{ event: 'statistics', text: decodeText(body) }];
      case 'stream':
        return this.#readStream(packet);
      case 'text-result':
      case 'binary-result':
        return this.#readResultHead(packet);
      case 'status':
      case 'reset':
      case 'none':
      case 'columns':
      case 'binary-rows':
        return this.#readStatus(packet);
    }
  }

  #readStatus(packet: SplitPacket): ViewFact[] {
    this.#stage = 'done';
    const isEof = packet.body[0] === EOF && packet.size === EOF_SIZE;
    if (packet.body[0] !== OK && packet.body[0] !== EOF) return [unreadable(packet)];
    this.isOk = true;
    const ending = isEof
      ? decodeEof(packet.body)
      : decodeOk(packet.body, this.#capabilities, 'command');
    return [...ending.facts];
  }

  #readSignIn(packet: SplitPacket): ViewFact[] {
    const { body } = packet;
    switch (body[0]) {
      case OK: {
        const { facts } = decodeOk(body, this.#capabilities, 'command');
        this.isOk = true;
        this.#stage = 'done';
        const changes = facts.filter(({ event }) => event === 'parameter');
        return [{ event: 'authentication', method: 'ok' }, ...changes];
      }
      case MORE_AUTHENTICATION:
        return [{ event: 'authentication', method: describeMore(body) }];
      case EOF:
      case NEXT_FACTOR: {
        const name = new PacketReader(body, 1).readString().slice(0, METHOD_LENGTH_MAX);
        // A lone 0xfe asks for the hash of MySQL 3.
        return [{ event: 'authentication', method: name === '' ? 'mysql_old_password' : name }];
      }
      default:
        return [unreadable(packet)];
    }
  }

  #readStream(packet: SplitPacket): ViewFact[] {
    if (packet.body[0] === EOF && packet.size < EOF_SIZE_MAX) return this.#readStatus(packet);
    return [{ event: 'unknown', type: 'replication event', size: packet.size }];
  }

  #readResultHead(packet: SplitPacket): ViewFact[] {
    const { body } = packet;
    if (body[0] === OK) return this.#endResult(decodeOk(body, this.#capabilities, 'statement'));
    if (body[0] === LOCAL_INFILE) {
      this.isAwaitingFile = true;
      return [{ event: 'file-request', file: decodeText(body.subarray(1)) }];
    }
    const reader = new PacketReader(body);
    const count = reader.readLength();
    if (reader.isShort || count === 0 || count > COLUMNS_COUNT_MAX) {
      this.#stage = 'done';
      return [unreadable(packet)];
    }
    this.#columns = [];
    const hasCache = (this.#capabilities.extended & MARIADB_CACHE_METADATA) !== 0;
    if (hasCache && !reader.isAtEnd && reader.readUInt(1) === 0) {
      // MY-30: the definitions are those of the PREPARE.
      this.#columns = [...(this.statement?.columns ?? [])];
      this.#stage = this.#hasEof ? 'columns-end' : 'rows';
      return [this.#columnsFact('result', true)];
    }
    this.#expect('columns', count);
    return [];
  }

  #expect(stage: Stage, count: number): void {
    this.#stage = stage;
    this.#left = count;
    this.#columnCount = count;
    this.#columns = [];
    this.#namesLength = 0;
  }

  /** A result of many columns with long names costs no more than a long packet. */
  #keep(column: KnownColumn | undefined): void {
    if (column === undefined || this.#namesLength > HEAD_SIZE_MAX) return;
    const { name, origin, typeName } = column.shown;
    this.#namesLength += name.length + (origin?.length ?? 0) + (typeName?.length ?? 0);
    if (this.#columns.length < COLUMNS_KEPT_MAX) this.#columns.push(column);
  }

  #readColumn(packet: SplitPacket): ViewFact[] {
    const column = decodeColumn(packet, this.#capabilities, this.#format);
    this.#left -= 1;
    this.#keep(column);
    const facts: ViewFact[] = column === undefined ? [unreadable(packet)] : [];
    if (this.#left > 0) return facts;
    switch (this.#stage) {
      case 'columns':
        this.#stage = this.#hasEof ? 'columns-end' : 'rows';
        if (this.statement !== undefined) this.statement.columns = this.#columns;
        return [...facts, this.#columnsFact('result', false)];
      case 'parameters':
        if (this.#hasEof) this.#stage = 'parameters-end';
        else this.#beginPreparedColumns();
        return facts;
      default:
        if (!this.#hasEof) return [...facts, ...this.#endPrepare()];
        this.#stage = 'prepared-columns-end';
        return facts;
    }
  }

  #columnsFact(describes: 'result' | 'statement' | 'table', isInferred: boolean): ViewFact {
    const columns = this.#columns.map(({ shown }) => shown);
    return { event: 'columns', describes, ...(isInferred && { inferred: true as const }), columns };
  }

  #endColumns({ status }: Ending): ViewFact[] {
    if ((status & STATUS_CURSOR_EXISTS) === 0) {
      this.#stage = 'rows';
      return [];
    }
    // MY-24: a cursor was opened, and its rows come when they are fetched.
    this.#stage = 'done';
    return [{ event: 'suspended' }];
  }

  #readRow(packet: SplitPacket): ViewFact[] {
    if (packet.body[0] === EOF && packet.size < (this.#hasEof ? EOF_SIZE_MAX : PART_LENGTH_MAX)) {
      return this.#endResult(this.#readEnding(packet));
    }
    const isBinary = this.#format === 'binary';
    // Without the type of one value, none behind it can be read.
    if (isBinary && this.#columns.length < this.#columnCount) return [unreadable(packet)];
    const row = isBinary
      ? decodeBinaryRow(packet, this.#columns)
      : decodeTextRow(packet, this.#columns);
    const facts = [row ?? unreadable(packet)];
    if (this.kind !== 'binary-rows' || this.#hasRows) return facts;
    this.#hasRows = true;
    return [this.#columnsFact('result', true), ...facts];
  }

  /** COM_FIELD_LIST: definitions until the end, without a count. */
  #readList(packet: SplitPacket): ViewFact[] {
    if (packet.body[0] === EOF) {
      this.#stage = 'done';
      return [this.#columnsFact('table', false), ...this.#readEnding(packet).facts];
    }
    const column = decodeColumn(packet, this.#capabilities, 'text');
    if (column === undefined) return [unreadable(packet)];
    this.#keep(column);
    return [];
  }

  #readPrepared(packet: SplitPacket): ViewFact[] {
    const reader = new PacketReader(packet.body, 1);
    const id = reader.readUInt(4);
    const columns = reader.readUInt(2);
    const parameters = reader.readUInt(2);
    if (packet.body[0] !== OK || reader.isShort) {
      this.#stage = 'done';
      return [unreadable(packet)];
    }
    this.isOk = true;
    if (this.statement !== undefined) {
      this.statement.id = id;
      this.statement.parameterCount = parameters;
    }
    const fact: ViewFact = { event: 'prepared', statement: String(id), parameters, columns };
    this.#preparedColumns = columns;
    if (parameters > 0) {
      this.#expect('parameters', parameters);
      return [fact];
    }
    this.#beginPreparedColumns();
    return [fact];
  }

  #beginPreparedColumns(): void {
    if (this.#preparedColumns > 0) this.#expect('prepared-columns', this.#preparedColumns);
    else this.#stage = 'done';
  }

  #endPrepare(): ViewFact[] {
    this.#stage = 'done';
    if (this.statement !== undefined) this.statement.columns = this.#columns;
    return [this.#columnsFact('statement', false)];
  }

  #endResult({ facts, status }: Ending): ViewFact[] {
    this.isAwaitingFile = false;
    this.isOk = true;
    const hasMore = this.kind !== 'binary-rows' && (status & STATUS_MORE_RESULTS) !== 0;
    this.#stage = hasMore ? 'head' : 'done';
    const isCursor =
      (status & (STATUS_CURSOR_EXISTS | STATUS_LAST_ROW_SENT)) === STATUS_CURSOR_EXISTS;
    return isCursor ? [{ event: 'suspended' }] : [...facts];
  }

  /** MY-29: where EOF is deprecated some servers send one all the same. */
  #readEnding(packet: SplitPacket): Ending {
    const isEof = this.#hasEof || packet.size === EOF_SIZE;
    return isEof ? decodeEof(packet.body) : decodeOk(packet.body, this.#capabilities, 'rows');
  }

  get #hasEof(): boolean {
    return (this.#capabilities.flags & DEPRECATE_EOF) === 0;
  }

  get #format(): 'text' | 'binary' {
    return this.kind === 'binary-result' || this.kind === 'binary-rows' ? 'binary' : 'text';
  }
}

function describeMore(body: Buffer): string {
  // caching_sha2_password: a known password, or the whole exchange (MY-8).
  if (body.length === 2 && body[1] === 3) return 'fast';
  if (body.length === 2 && body[1] === 4) return 'full';
  return body.includes('PUBLIC KEY') ? 'public key' : 'more';
}

export function unreadable(packet: SplitPacket): ViewFact {
  return { event: 'unreadable', type: firstByteOf(packet), size: packet.size };
}

/** Packets have no type of their own; what one starts with says more than nothing. */
export function firstByteOf({ body }: SplitPacket): string {
  const [first] = body;
  return first === undefined ? 'empty' : `0x${first.toString(16).padStart(2, '0')}`;
}
