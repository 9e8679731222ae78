/**
 * What the server itself says of a session that has just begun or was reset. init_connect, settings of
 * the server and COM_RESET_CONNECTION change charset, sql_mode and default database without a word to
 * anybody, so under inspection Weir asks with a query of its own, before the client gets its OK (MY-56,
 * MY-61, MY-65). Neither is it the client's traffic, nor does the client see anything of it.
 */

import type { Inspection } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import { CAPABILITY, has } from './capabilities.ts';
import { type TextCharset, charsetOfCollation, charsetOfName } from './collations.ts';
import { FieldReader } from './fields.ts';
import { parseOk } from './ok-packet.ts';
import type { Outbox } from './outbox.ts';
import { type Refusal, parseErr } from './refusal.ts';
import { KIND_HEAD_SIZE, ReplyReader } from './replies.ts';
import type { SignInClient } from './sign-in-client.ts';
import type { SignInUpstream } from './sign-in-upstream.ts';

/** Names go as hex digits: character_set_results could have no letters for them. */
const QUERY =
  'SELECT @@character_set_client, @@character_set_results, @@sql_mode, HEX(DATABASE()), HEX(USER())';
const COLUMNS = 5;
const COM_QUERY = 0x03;
/** No query attributes, in one set (MY-20). */
const NO_ATTRIBUTES = [0x00, 0x01] as const;
const EOF_SIZE = 5;
/** ER_MUST_CHANGE_PASSWORD: nothing runs but what changes the password. */
const PASSWORD_EXPIRED = 1820;

/** Modes that are followed or change nothing in how a text is read. Not here: ORACLE, MSSQL, unknown ones. */
const SAFE_MODES: ReadonlySet<string> = new Set(
  `ALLOW_INVALID_DATES ANSI ANSI_QUOTES EMPTY_STRING_IS_NULL ERROR_FOR_DIVISION_BY_ZERO
  HIGH_NOT_PRECEDENCE IGNORE_BAD_TABLE_OPTIONS IGNORE_SPACE MYSQL323 MYSQL40 NO_AUTO_CREATE_USER
  NO_AUTO_VALUE_ON_ZERO NO_BACKSLASH_ESCAPES NO_DIR_IN_CREATE NO_ENGINE_SUBSTITUTION NO_FIELD_OPTIONS
  NO_KEY_OPTIONS NO_TABLE_OPTIONS NO_UNSIGNED_SUBTRACTION NO_ZERO_DATE NO_ZERO_IN_DATE
  ONLY_FULL_GROUP_BY PAD_CHAR_TO_FULL_LENGTH PIPES_AS_CONCAT REAL_AS_FLOAT SIMULTANEOUS_ASSIGNMENT
  STRICT_ALL_TABLES STRICT_TRANS_TABLES TIME_ROUND_FRACTIONAL TIME_TRUNCATE_FRACTIONAL TRADITIONAL`.split(
    /\s+/,
  ),
);

export interface ServerState {
  /** Undefined: none. */
  readonly database: string | undefined;
  /** How the server reads texts; undefined: not known, and only ASCII can be read. */
  readonly charset: TextCharset | undefined;
  /** Undefined: not known. */
  readonly ansiQuotes: boolean | undefined;
  /** Status flags; they tell of sql_mode, too (MY-28). */
  readonly status: number;
  /** The password has expired: the server runs nothing but a change of it, and tells nothing of itself. */
  readonly isSandboxed: boolean;
}

/** What is known without a question, and where nobody looks at statements enough. */
export function assumedState(
  database: string,
  collation: number,
  { status }: { readonly status: number },
): ServerState {
  return {
    database: database === '' ? undefined : database,
    charset: charsetOfCollation(collation),
    ansiQuotes: undefined,
    status,
    isSandboxed: false,
  };
}

export interface CheckParts {
  readonly out: Outbox;
  readonly client: SignInClient;
  readonly upstream: SignInUpstream;
  readonly inspection: Inspection;
  readonly capabilities: bigint;
  /** Where the client's exchange was relayed: the name that rules go by is to be the server's, too. */
  readonly user: string | undefined;
}

/** Between the server's last OK and the client's. */
export class StateCheck {
  readonly #parts: CheckParts;
  readonly #assumed: ServerState;
  readonly #question: StateQuestion;
  /** What the session is in; undefined: not told yet, or what it is in was refused. */
  state: ServerState | undefined;

  constructor(parts: CheckParts, assumed: ServerState) {
    this.#parts = parts;
    this.#assumed = assumed;
    this.#question = new StateQuestion(parts.capabilities);
    if (!parts.inspection.statements) {
      this.state = assumed;
      return;
    }
    parts.upstream.sendCommand(this.#question.payload);
    // What the client sends ahead waits in its socket (GW-12).
    this.#setPaused(true);
  }

  onServer(payload: Buffer): void {
    const answer = this.#question.onPacket(payload);
    if (answer === undefined) return;
    if (answer.kind === 'error') {
      this.#onError(payload);
      return;
    }
    const refusal = refusalOfAnswer(answer) ?? this.#refusalOfUser(answer);
    if (refusal === undefined) this.#onKnown(stateOf(answer));
    else this.#parts.out.refuse(refusal);
  }

  #onKnown(state: ServerState): void {
    this.state = state;
    this.#setPaused(false);
  }

  #setPaused(isPaused: boolean): void {
    this.#parts.out.push({ kind: 'reading', side: 'client', isPaused });
  }

  #onError(payload: Buffer): void {
    const { errno, message } = parseErr(payload);
    if (errno === PASSWORD_EXPIRED) {
      this.#onKnown({ ...this.#assumed, charset: undefined, isSandboxed: true });
      return;
    }
    const { out, client } = this.#parts;
    // As of an init_connect that failed: the server's own words, and it hangs up, too.
    const reason = `the database does not tell the state of the session: ${errno} ${message}`;
    out.note({ kind: 'refused', code: '08006', reason });
    client.relay(payload);
    out.close();
  }

  /** A server that does not take the client's charset reads another name in the same bytes. */
  #refusalOfUser({ user }: Told): Refusal | undefined {
    const name = this.#parts.user;
    if (name === undefined || /^[\x20-\x7e]*$/.test(name)) return undefined;
    if (user?.slice(0, user.lastIndexOf('@')) === name) return undefined;
    const message = 'the database reads the user name in another character set than the client';
    return { code: '28000', message };
  }
}

interface Told {
  readonly kind: 'told';
  readonly charset: string | undefined;
  readonly results: string | undefined;
  readonly modes: readonly string[];
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly status: number;
}

/** The query and its answer, as a client sends and reads them. */
class StateQuestion {
  readonly #capabilities: bigint;
  readonly #reader: ReplyReader;
  #row: readonly (string | undefined)[] | undefined;

  constructor(capabilities: bigint) {
    this.#capabilities = capabilities;
    this.#reader = new ReplyReader({
      shape: 'query',
      deprecatesEof: has(capabilities, CAPABILITY.deprecateEof),
      asksCursor: false,
      hasProgress: has(capabilities, CAPABILITY.mariadbProgress),
    });
  }

  get payload(): Buffer {
    const hasAttributes = has(this.#capabilities, CAPABILITY.queryAttributes);
    const head = hasAttributes ? [COM_QUERY, ...NO_ATTRIBUTES] : [COM_QUERY];
    return Buffer.concat([Buffer.from(head), Buffer.from(QUERY)]);
  }

  /** Undefined: more of the answer follows. */
  onPacket(payload: Buffer): Told | { readonly kind: 'error' } | undefined {
    const reader = this.#reader;
    const kind = reader.kindOf(payload.subarray(0, KIND_HEAD_SIZE), payload.length);
    switch (kind) {
      case 'error':
        return { kind: 'error' };
      case 'progress':
        reader.onProgress();
        return undefined;
      case 'count':
        if (payload.length !== 1 || payload[0] !== COLUMNS) throw unexpected('another result');
        reader.onCount(COLUMNS);
        return undefined;
      case 'column':
        reader.onDefinition();
        return undefined;
      case 'row':
        if (this.#row !== undefined) throw unexpected('a second row');
        this.#row = readRow(payload);
        return undefined;
      case 'end':
        return this.#onEnd(payload);
      default:
        throw unexpected(`a packet of kind ${kind}`);
    }
  }

  #onEnd(payload: Buffer): Told | undefined {
    const isEof = payload.length === EOF_SIZE || !has(this.#capabilities, CAPABILITY.deprecateEof);
    const status = isEof
      ? new FieldReader(payload, 'server', 3).u16()
      : parseOk(payload, this.#capabilities).status;
    this.#reader.onEnd(status);
    const isOver = this.#reader.isOver;
    // The end of the descriptions of columns: the row follows.
    if (!isOver && this.#row === undefined) return undefined;
    if (!isOver || this.#row === undefined) throw unexpected('no row, or more than a result');
    const [charset, results, modes = '', database, user] = this.#row;
    return {
      kind: 'told',
      charset,
      results,
      modes: modes.toUpperCase().split(',').filter(Boolean),
      database: fromHex(database),
      user: fromHex(user),
      status,
    };
  }
}

function readRow(payload: Buffer): (string | undefined)[] {
  const reader = new FieldReader(payload, 'server');
  const row: (string | undefined)[] = [];
  while (row.length < COLUMNS) row.push(reader.lenencBytesOrNull()?.toString('latin1'));
  if (!reader.isAtEnd) throw unexpected('a longer row');
  return row;
}

/** Names are UTF-8 inside of servers. */
function fromHex(digits: string | undefined): string | undefined {
  return digits === undefined ? undefined : Buffer.from(digits, 'hex').toString('utf8');
}

function stateOf({ charset = '', modes, database, status }: Told): ServerState {
  return {
    database: database === '' ? undefined : database,
    charset: charsetOfName(charset),
    ansiQuotes: modes.includes('ANSI_QUOTES'),
    status,
    isSandboxed: false,
  };
}

function refusalOfAnswer({ charset, results, modes }: Told): Refusal | undefined {
  // UTF-16 and the like: the names of columns come in it, too, and no mask would know them (MY-65).
  if (charset?.includes('\0') === true) {
    return refusalOf('writes results in a character set without ASCII (character_set_results)');
  }
  if (charset === undefined || charsetOfName(charset) === undefined) {
    return refusalOf(`reads statements in ${shown(charset)} (character_set_client)`);
  }
  if (results !== undefined && charsetOfName(results) === undefined) {
    return refusalOf(`writes results in ${shown(results)} (character_set_results)`);
  }
  const mode = modes.find((one) => !SAFE_MODES.has(one));
  return mode === undefined ? undefined : refusalOf(`has ${shown(mode)} in its sql_mode`);
}

function refusalOf(what: string): Refusal {
  const message = `Weir cannot inspect this session: the database ${what}, by init_connect or other settings of its own`;
  // ER_NOT_SUPPORTED_YET
  return { code: '0A000', message };
}

/** A plain word; names in UTF-16 are none. */
function shown(name: string | undefined): string {
  return name !== undefined && /^\w{1,32}$/.test(name) ? name : 'what Weir does not know';
}

function unexpected(what: string): ProtocolError {
  return new ProtocolError(
    'MYSQL_STATE_ANSWER',
    'server',
    `the database answers a query for the state of the session by ${what}`,
  );
}
