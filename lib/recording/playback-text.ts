/**
 * Playback for people: what the client asked, what Weir decided, what came back, with the time of
 * each. Messages that only keep the protocol going are left out here; the JSON format has them all.
 */

import type { RecordingHeader } from './format.ts';
import type { PlaybackEvent, PlaybackFormat } from './playback.ts';
import { describeExchange, describeRequest, isExchange } from './playback-exchange.ts';
import { escapeLine, escapeLines, shorten } from './printable.ts';
import type { FinishEvent } from './reader.ts';
import type { RecordedNote } from './recording.ts';
import { ResultTable } from './result-table.ts';
import { describeFinish, stateOf } from './state.ts';
import type { ViewDiagnostic, ViewEvent, ViewValue } from './view.ts';

export interface TextOptions {
  readonly hasColour: boolean;
  /** Rows shown of each result. */
  readonly rowsMax: number;
}

type Colour = 'red' | 'yellow' | 'cyan' | 'dim';
const COLOUR_CODES: Record<Colour, number> = { red: 31, yellow: 33, cyan: 36, dim: 2 };

const STATEMENT_LENGTH_MAX = 16 * 1024;
const PARAMETER_LENGTH_MAX = 200;
const PARAMETERS_SHOWN_MAX = 50;
const COPY_LINE_LENGTH_MAX = 200;

export function createTextFormat(header: RecordingHeader, options: TextOptions): PlaybackFormat {
  return new TextFormat(header, options);
}

class TextFormat implements PlaybackFormat {
  readonly #header: RecordingHeader;
  readonly #options: TextOptions;
  #speaker = 'client';
  #table: ResultTable | undefined;
  /** A Parse waits to see whether its Execute follows at once: then one line tells both. */
  #parsed: { readonly text: string; readonly statement: string; readonly at: number } | undefined;
  #copiedRows = 0;

  constructor(header: RecordingHeader, options: TextOptions) {
    this.#header = header;
    this.#options = options;
  }

  begin(): string {
    const { session, connection, protocol, clientAddress, startedAt } = this.#header;
    const lines = [
      `session ${session}`,
      `connection ${connection} (${protocol}), client ${clientAddress}, started ${startedAt}`,
    ];
    return `${lines.map((line) => this.#paint('dim', escapeLine(line))).join('\n')}\n\n`;
  }

  show(event: PlaybackEvent): string {
    switch (event.kind) {
      case 'message':
        if (isExchange(event.message)) return this.#showExchange(event.at, event.message);
        return event.message.from === 'client'
          ? this.#showRequest(event.at, event.message)
          : this.#showReply(event.at, event.message);
      case 'note':
        return this.#showNote(event.at, event.note);
      case 'finish':
        return this.#showFinish(event);
    }
  }

  #showExchange(at: number, message: Parameters<typeof describeExchange>[0]): string {
    if (message.event === 'request') return this.#ask(at, describeRequest(message), 0);
    const { first, more, isBad } = describeExchange(message);
    const rest = more.map((line) => this.#indent(escapeLine(line))).join('');
    if (first === undefined) return rest;
    const line = escapeLine(first);
    return this.#line(at, isBad ? this.#paint('red', line) : line) + rest;
  }

  #showRequest(at: number, message: ViewEvent): string {
    switch (message.event) {
      case 'startup':
      case 'change-user':
        return this.#line(at, this.#paint('dim', describeSignIn(message)));
      case 'credential':
        return this.#line(
          at,
          this.#paint('dim', `${this.#speaker} sends a credential (not recorded)`),
        );
      case 'query':
        return this.#flushParsed() + this.#ask(at, message.text, message.cut ? message.size : 0);
      case 'parse': {
        const waiting = this.#flushParsed();
        this.#parsed = { text: message.text, statement: message.statement, at };
        return waiting;
      }
      case 'execute':
        return this.#showExecute(at, message);
      case 'copy-data':
        return this.#showCopyData(message.text);
      case 'copy-done':
        return this.#endCopy(at, 'client');
      case 'copy-fail':
        return (
          this.#endCopy(at, 'client') +
          this.#line(at, `copy failed by the client: ${escapeLine(message.message)}`)
        );
      case 'command': {
        const { name, argument = '' } = message;
        return this.#flushParsed() + this.#ask(at, `${name} ${argument}`, 0);
      }
      case 'function-call':
        return this.#ask(at, `call of function ${message.routine}`, 0);
      case 'cancel-request':
        return this.#line(at, 'the client asks to cancel a statement');
      default:
        return this.#showOdd(at, message);
    }
  }

  #showReply(at: number, message: ViewEvent): string {
    switch (message.event) {
      case 'columns':
        if (message.describes === 'statement' || message.describes === 'table') return '';
        this.#table = new ResultTable(message.columns, this.#options.rowsMax);
        return '';
      case 'row':
        this.#table ??= new ResultTable(undefined, this.#options.rowsMax);
        return this.#table.add(message.values, message.cut === true);
      case 'complete':
      case 'suspended':
      case 'empty-query':
        return this.#endRows(at, message);
      case 'error':
      case 'notice':
        return this.#flushParsed() + this.#endTable() + this.#showDiagnostic(at, message);
      case 'ready':
        return this.#flushParsed() + this.#endTable();
      case 'copy-start':
        return this.#line(
          at,
          this.#paint('dim', `copy ${message.direction} begins (${message.format})`),
        );
      case 'copy-data':
        return this.#showCopyData(message.text);
      case 'copy-done':
        return this.#endCopy(at, 'server');
      default:
        return this.#showOdd(at, message);
    }
  }

  /** What is rare. */
  #showOdd(at: number, message: ViewEvent): string {
    const text = describeOdd(message);
    if (text === undefined) return '';
    // A parameter that is sent ahead of its Execute stands between it and the PREPARE.
    const waiting = message.event === 'long-data' ? this.#flushParsed() : '';
    const line = escapeLine(text);
    return (
      waiting + this.#line(at, WRONG_EVENTS.has(message.event) ? this.#paint('yellow', line) : line)
    );
  }

  #showExecute(at: number, message: ViewEvent & { event: 'execute' }): string {
    const { text, portal, statement, parameters = [], sets = 1 } = message;
    const isParsed =
      this.#parsed !== undefined && text !== undefined && this.#parsed.text.startsWith(text);
    const waiting = isParsed ? '' : this.#flushParsed();
    this.#parsed = undefined;
    const name = statement === undefined ? `portal "${portal}"` : `statement ${statement}`;
    const asked = this.#ask(at, text ?? `execute ${name}`, 0);
    if (parameters.length === 0) return waiting + asked;
    const mark = statement === undefined ? '$' : '?';
    const shown = parameters
      .slice(0, PARAMETERS_SHOWN_MAX)
      .map((value, index) => `${mark}${index + 1} = ${quote(value)}`);
    if (parameters.length > shown.length) shown.push(`… ${parameters.length - shown.length} more`);
    if (sets > 1) shown.push(`and ${sets - 1} more sets of parameters`);
    return `${waiting}${asked}${this.#indent(`with ${shown.join(', ')}`)}`;
  }

  #flushParsed(): string {
    const parsed = this.#parsed;
    this.#parsed = undefined;
    if (parsed === undefined) return '';
    const name = parsed.statement === '' ? '' : `${parsed.statement} `;
    return this.#ask(parsed.at, `prepare ${name}as ${parsed.text}`, 0);
  }

  /** `size`: of a text that is longer than what was kept of it; 0: this is all. */
  #ask(at: number, text: string, size: number): string {
    const shown = escapeLines(shorten(text.trimEnd(), STATEMENT_LENGTH_MAX));
    const more = size > 0 ? ` … (${size} bytes)` : '';
    const speaker = this.#paint('cyan', `${escapeLine(this.#speaker)}>`);
    const [first = '', ...rest] = (shown + more).split('\n');
    const others = rest.map((line) => this.#indent(line)).join('');
    return this.#line(at, `${speaker} ${first}`) + others;
  }

  #showNote(at: number, note: RecordedNote): string {
    switch (note.kind) {
      case 'signed-in': {
        this.#speaker = note.principal;
        // MySQL lets a session begin without a database.
        const database = note.database === '' ? '' : `, database ${note.database}`;
        const text = `signed in as ${note.principal} (database user ${note.user}${database})`;
        return this.#line(at, this.#paint('dim', escapeLine(text)));
      }
      case 'decision':
        return this.#flushParsed() + this.#showDecision(at, note);
      case 'refused': {
        const text = `REFUSED ${note.code}: ${note.reason}`;
        return this.#line(at, this.#paint('red', escapeLine(text)));
      }
      case 'ended':
        return this.#line(at, escapeLine(`session ended: ${note.reason}`));
    }
  }

  #showDecision(at: number, note: RecordedNote & { kind: 'decision' }): string {
    const reason = note.reason === undefined ? '' : `: ${note.reason}`;
    switch (note.outcome) {
      case 'block': {
        const rule = note.rule === undefined ? 'by Weir' : `by rule "${note.rule}"`;
        const number = note.exchange === undefined ? '' : `#${note.exchange} `;
        const what = note.operation === 'statement' ? '' : `${number}${note.operation} `;
        return this.#line(at, this.#paint('red', escapeLine(`${what}BLOCKED ${rule}${reason}`)));
      }
      case 'mask': {
        const rule = note.rule === undefined ? '' : ` (mask "${note.rule}")`;
        const text = `masked: ${(note.masked ?? []).join(', ')}${rule}${reason}`;
        return this.#line(at, this.#paint('yellow', escapeLine(text)));
      }
      case 'allow':
        return this.#showAllowed(at, note);
    }
  }

  /** Of stores: each request has a caller of its own, and names that mean what they meant then. */
  #showAllowed(at: number, note: RecordedNote & { kind: 'decision' }): string {
    const { exchange, principal, route, objects = [], masked = [] } = note;
    if (note.operation !== 'request') return '';
    const number = exchange === undefined ? '' : `#${exchange} `;
    const what = [route, objects.join(', ')].filter((part) => part !== undefined && part !== '');
    const hidden = masked.length === 0 ? '' : `, masked: ${masked.join(', ')}`;
    const text = `${number}allowed for ${principal ?? 'nobody'}: ${what.join(' on ')}${hidden}`;
    return this.#line(at, this.#paint('dim', escapeLine(text)));
  }

  #showDiagnostic(at: number, message: ViewEvent & ViewDiagnostic): string {
    const { severity, detail, hint, by } = message;
    const code = describeCode(message);
    const isError = message.event === 'error';
    const maker = by === 'gateway' ? ' (from Weir)' : '';
    const first = escapeLine(`${severity} ${code}: ${message.message}${maker}`);
    const painted = this.#paint(isError ? 'red' : 'yellow', first);
    const details = [
      detail === undefined ? '' : this.#indent(escapeLine(`DETAIL: ${detail}`)),
      hint === undefined ? '' : this.#indent(escapeLine(`HINT: ${hint}`)),
    ];
    return this.#line(at, painted) + details.join('');
  }

  #showCopyData(text: string): string {
    const lines = text.replace(/\n$/, '').split('\n');
    const room = Math.max(0, this.#options.rowsMax - this.#copiedRows);
    this.#copiedRows += lines.length;
    return lines
      .slice(0, room)
      .map((line) => this.#indent(escapeLine(shorten(line, COPY_LINE_LENGTH_MAX))))
      .join('');
  }

  #endCopy(at: number, from: string): string {
    const rows = this.#copiedRows;
    this.#copiedRows = 0;
    const hidden = rows - this.#options.rowsMax;
    const more = hidden > 0 ? `, ${hidden} not shown` : '';
    return this.#line(
      at,
      this.#paint('dim', `copy data of the ${from} ends (${rows} lines${more})`),
    );
  }

  #endResult(at: number, tag: string | undefined): string {
    const table = this.#table;
    this.#table = undefined;
    if (table !== undefined) return table.end(tag);
    return tag === undefined || tag === '' ? '' : this.#line(at, escapeLine(tag));
  }

  #endRows(at: number, message: ViewEvent): string {
    // A cursor that was opened: its rows come later.
    if (message.event === 'suspended' && this.#table?.isEmpty === true) this.#table = undefined;
    return this.#endResult(at, message.event === 'complete' ? message.tag : undefined);
  }

  #endTable(): string {
    return this.#endResult(0, undefined);
  }

  #showFinish(finish: FinishEvent): string {
    const state = stateOf(this.#header, finish);
    const text = escapeLine(describeFinish(finish, state));
    const isWhole = state === 'ended' || state === 'open';
    const rest = this.#flushParsed() + this.#endTable();
    return rest + this.#line(finish.at, this.#paint(isWhole ? 'dim' : 'red', text));
  }

  #line(at: number, text: string): string {
    const time = `+${(at / 1_000_000).toFixed(3)}s`.padStart(9);
    return `${this.#paint('dim', time)}  ${text}\n`;
  }

  #indent(text: string): string {
    return `${' '.repeat(13)}${text}\n`;
  }

  /** Only around text that was escaped before. */
  #paint(colour: Colour, text: string): string {
    return this.#options.hasColour ? `\x1b[${COLOUR_CODES[colour]}m${text}\x1b[0m` : text;
  }
}

/** Not as the protocol has it. */
const WRONG_EVENTS: ReadonlySet<string> = new Set([
  'unknown',
  'unreadable',
  'problem',
  'out-of-step',
]);

/** Undefined: it only keeps the protocol going. */
function describeOdd(message: ViewEvent): string | undefined {
  switch (message.event) {
    case 'notification':
      return `notification on ${message.channel}: ${shorten(message.payload, PARAMETER_LENGTH_MAX)}`;
    case 'function-result':
      return `function result: ${quote(message.value)}`;
    case 'unknown':
    case 'unreadable':
      return `${message.event} message '${message.type}' of ${message.size} bytes from the ${message.from}`;
    case 'out-of-step':
      return `the bytes of the ${message.from} cannot be followed from here: ${message.problem}`;
    default:
      return describeMysql(message);
  }
}

function describeMysql(message: ViewEvent): string | undefined {
  switch (message.event) {
    case 'greeting':
      return `the server is ${message.version}, connection ${message.thread}`;
    case 'long-data': {
      const text = shorten(message.text, PARAMETER_LENGTH_MAX);
      return `parameter ${message.parameter + 1} of statement ${message.statement}, ahead: ${text}`;
    }
    case 'fetch':
      return `fetch ${message.rowsMax} rows of statement ${message.statement}`;
    case 'file-request':
      return `the server asks for the file ${shorten(message.file, PARAMETER_LENGTH_MAX)}`;
    case 'progress': {
      const { stage, stages, percent, info } = message;
      return `stage ${stage} of ${stages}, ${percent}%: ${shorten(info, PARAMETER_LENGTH_MAX)}`;
    }
    case 'statistics':
      return shorten(message.text, COPY_LINE_LENGTH_MAX);
    case 'problem':
      return `wrong on the wire of the ${message.from}: ${message.problem}`;
    default:
      return undefined;
  }
}

function describeSignIn(message: ViewEvent & { event: 'startup' | 'change-user' }): string {
  const { event, parameters } = message;
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const what = event === 'startup' ? 'connects' : 'changes the user';
  return escapeLine(shorten(`client ${what}: ${pairs.join(' ')}`, COPY_LINE_LENGTH_MAX));
}

/** As each database's own client says it. */
function describeCode({ code, number }: ViewDiagnostic): string {
  if (number === undefined) return code;
  return code === '' ? number : `${number} (${code})`;
}

function quote(value: ViewValue): string {
  if (value === null) return 'NULL';
  return `'${escapeLine(shorten(value, PARAMETER_LENGTH_MAX))}'`;
}
