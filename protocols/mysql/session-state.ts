/**
 * The state of a session that decides how the server reads a text: default database, charset, sql_mode
 * (GW-3, MY-28, MY-61, MY-63). It is followed by what the server says in its status bits and session
 * tracking, and where that is not agreed on by the statements themselves. What cannot be followed is
 * unknown, and then texts that depend on it are refused.
 */

import type { Reading } from '../contract.ts';
import { type TextCharset, charsetOfName } from './collations.ts';
import type { Tracked } from './ok-packet.ts';
import { STATUS } from './replies.ts';
import { type Lexing, skim } from './skeleton.ts';
import { type TextFacts, UNKNOWN, decodeText, findFacts } from './statement-text.ts';

export interface SessionStart {
  readonly database: string | undefined;
  readonly charset: TextCharset | undefined;
  readonly status: number;
  /** Undefined: not known. Only asked of servers whose status flags do not tell. */
  readonly ansiQuotes?: boolean | undefined;
  /** The password has expired (MySQL error 1820). */
  readonly isSandboxed?: boolean;
}

/** A text that can be decided on, or why not. */
export type Readable =
  | { readonly text: string; readonly reading: Reading }
  | { readonly refusal: string };

export class SessionState {
  readonly #server: Reading['server'];
  /** As at sign-in: COM_RESET_CONNECTION goes back to it. */
  readonly #start: SessionStart;
  #database: string | undefined;
  #charset: TextCharset | undefined;
  #status: number;
  /** The server has told of such a change before, so where it tells nothing nothing changed. */
  #tellsDatabase = false;
  #tellsCharset = false;
  #mayHideUse = false;
  #mayHideCharset = false;
  #isDatabaseUnknown = false;
  #ansiQuotes: boolean | undefined;

  constructor(server: Reading['server'], start: SessionStart) {
    this.#server = server;
    this.#start = start;
    this.#database = start.database;
    this.#charset = start.charset;
    this.#status = start.status;
    this.#ansiQuotes = start.ansiQuotes;
  }

  get status(): number {
    return this.#status;
  }

  get charset(): TextCharset | undefined {
    return this.#charset;
  }

  get reading(): Reading {
    const { flavor } = this.#server;
    return {
      database: this.#database,
      server: this.#server,
      // Only MariaDB goes on telling; of MySQL it is known until something may have changed it (MY-28).
      ansiQuotes:
        flavor === 'mariadb' ? (this.#status & STATUS.ansiQuotes) !== 0 : this.#ansiQuotes,
      noBackslashEscapes: (this.#status & STATUS.noBackslashEscapes) !== 0,
    };
  }

  /** The statement as text with what it is read by. */
  read(bytes: Buffer): Readable {
    const text = decodeText(bytes, this.#charset);
    if (text === undefined) {
      const name = this.#charset ?? 'this character set';
      return {
        refusal: `Weir cannot be sure of how the server reads this statement in ${name}; use SET NAMES utf8mb4`,
      };
    }
    if (this.#isDatabaseUnknown && !isPlainUse(findFacts(text, this.#lexing))) {
      return {
        refusal:
          'Weir does not know the default database any more; send USE in a packet of its own',
      };
    }
    if (this.#start.isSandboxed === true && !isPasswordChange(skim(text, this.#lexing))) {
      return {
        refusal:
          'the password has expired: change it by SET PASSWORD or ALTER USER, then connect again',
      };
    }
    return { text, reading: this.#readingOf(text) };
  }

  /** The mode is forgotten as soon as a text may set it, and before that where a second statement follows. */
  #readingOf(text: string): Reading {
    const before = this.reading;
    if (!mayChangeMode(text)) return before;
    this.#ansiQuotes = undefined;
    return text.includes(';') ? this.reading : before;
  }

  /** A name in a command, as the server reads it. */
  readName(bytes: Buffer): string | undefined {
    return decodeText(bytes, this.#charset);
  }

  /** Whether a server that parses the text again could read it in another way than it did (MY-23). */
  readsOtherwise(text: string, before: Reading): boolean {
    const now = this.reading;
    const isSame =
      now.noBackslashEscapes === before.noBackslashEscapes && now.ansiQuotes === before.ansiQuotes;
    return !isSame && /["\\]/.test(text);
  }

  factsOf(text: string): TextFacts {
    return findFacts(text, this.#lexing);
  }

  followStatus(status: number): void {
    this.#status = status;
  }

  /** What the server says of the session in an OK. */
  followTracked(tracked: Tracked): void {
    if (tracked.schema !== undefined) {
      this.#tellsDatabase = true;
      // Names in an OK come in UTF-8, whatever the session's charset.
      this.followDatabase(Buffer.from(tracked.schema, 'latin1').toString('utf8'));
    }
    const charset = tracked.variables.get('character_set_client');
    if (charset === undefined) return;
    this.#tellsCharset = true;
    this.#charset = charsetOfName(charset);
  }

  /** The answer is over; `isDone`: not by an error. `told`: of what the server spoke while it lasted. */
  followAnswer(facts: TextFacts, isDone: boolean, told: Told): void {
    if (facts.mayStopTracking) {
      this.#tellsDatabase = false;
      this.#tellsCharset = false;
    }
    this.#mayHideUse ||= facts.mayHideUse;
    this.#mayHideCharset ||= facts.mayHideCharset;
    const hidden = (mayHide: boolean): string | undefined =>
      mayHide && facts.executesPrepared ? UNKNOWN : undefined;
    const { database = hidden(this.#mayHideUse), charset = hidden(this.#mayHideCharset) } =
      facts.change;
    if (!told.database) this.#followDatabaseChange(database, isDone);
    if (!told.charset) this.#followCharsetChange(charset, isDone);
  }

  #followDatabaseChange(database: string | undefined, isDone: boolean): void {
    if (database === UNKNOWN) this.#isDatabaseUnknown ||= !this.#tellsDatabase;
    else if (database !== undefined && isDone) this.followDatabase(database);
  }

  #followCharsetChange(charset: string | undefined, isDone: boolean): void {
    if (charset === UNKNOWN) {
      if (!this.#tellsCharset) this.#charset = undefined;
    } else if (charset !== undefined && isDone) {
      this.#charset = charsetOfName(charset);
    }
  }

  /** COM_INIT_DB succeeded; the name as it was read. */
  followDatabase(name: string): void {
    this.#database = name === '' ? undefined : name;
    this.#isDatabaseUnknown = false;
  }

  /** COM_RESET_CONNECTION: everything but the database is as after sign-in. */
  reset(): void {
    this.#charset = this.#start.charset;
    this.#mayHideUse = false;
    this.#mayHideCharset = false;
    this.#tellsCharset = false;
  }

  get #lexing(): Lexing {
    return { noBackslashEscapes: (this.#status & STATUS.noBackslashEscapes) !== 0 };
  }
}

function isPlainUse({ change }: TextFacts): boolean {
  return change.database !== undefined && change.database !== UNKNOWN;
}

/** All that a server runs then, and nothing behind it, which it would run with the new password. */
function isPasswordChange(code: string): boolean {
  return /^(?:set password|alter user)\b[^;]*;?$/i.test(code);
}

/** Names of variables are compared without accents by some servers. */
function mayChangeMode(text: string): boolean {
  if (/\b(?:prepare|execute)\b/i.test(text)) return true;
  return /\bset\b/i.test(text) && /mode|[^\0-\x7f]/i.test(text);
}

export interface Told {
  database: boolean;
  charset: boolean;
}
