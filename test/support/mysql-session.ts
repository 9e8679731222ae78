/**
 * A MySQL session without sockets, brought to where a test begins, and told what client and server say.
 * Each call gives the commands that it caused. Packets of the server are written here by hand.
 */

import type {
  Decision,
  Inspection,
  Operation,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
  Side,
} from '../../protocols/contract.ts';
import { mysql } from '../../protocols/mysql/index.ts';
import { CAPABILITY, PacketReader, frame, lenenc, uint16, uint32 } from './mysql-packets.ts';
import { type Decide, handleAll } from './play.ts';
import { sessionOptions } from './transcript.ts';

export const INSPECT_ALL: Inspection = { statements: true, results: true };
export const INSPECT_STATEMENTS: Inspection = { statements: true, results: false };
export const INSPECT_NOTHING: Inspection = { statements: false, results: false };

const CAPABILITIES_DEFAULT =
  CAPABILITY.protocol41 |
  CAPABILITY.secureConnection |
  CAPABILITY.pluginAuth |
  CAPABILITY.multiStatements |
  CAPABILITY.multiResults |
  CAPABILITY.multiResultsPrepared |
  CAPABILITY.connectWithDatabase;
const QUERY_ATTRIBUTES = 0x800_0000;
const STATUS_AUTOCOMMIT = 2;

export interface Status {
  readonly status?: number;
  readonly info?: string;
  /** Session state entries; adds the status bit. Only with SESSION_TRACK. */
  readonly state?: Buffer;
}

export function okPayload({ status = STATUS_AUTOCOMMIT, info = '', state }: Status = {}): Buffer {
  const bits = state === undefined ? status : status | 0x4000;
  const head = Buffer.concat([Buffer.of(0, 0, 0), uint16(bits), uint16(0)]);
  if (state === undefined) return Buffer.concat([head, Buffer.from(info)]);
  return Buffer.concat([head, lenencText(info), lenenc(state.length), state]);
}

export const ok = (sequence = 1, status: Status = {}): Buffer => frame(okPayload(status), sequence);

export function eof(sequence: number, status = STATUS_AUTOCOMMIT): Buffer {
  return frame(Buffer.concat([Buffer.of(0xfe), uint16(0), uint16(status)]), sequence);
}

export function err(sequence: number, errno: number, state: string, text: string): Buffer {
  return frame(
    Buffer.concat([Buffer.of(0xff), uint16(errno), Buffer.from(`#${state}${text}`)]),
    sequence,
  );
}

export function lenencText(text: string): Buffer {
  return Buffer.concat([lenenc(Buffer.byteLength(text)), Buffer.from(text)]);
}

/** Entry 0 of the session state: a system variable. */
export function variableState(name: string, value: string): Buffer {
  const content = Buffer.concat([lenencText(name), lenencText(value)]);
  return Buffer.concat([Buffer.of(0), lenenc(content.length), content]);
}

/** Entry 1: the default database. */
export function schemaState(name: string): Buffer {
  const content = lenencText(name);
  return Buffer.concat([Buffer.of(1), lenenc(content.length), content]);
}

export interface ColumnOptions {
  readonly type?: number;
  readonly flags?: number;
  /** COM_FIELD_LIST. */
  readonly defaultValue?: string;
}

export function columnPayload(
  name: string,
  { type = 0xfd, flags = 0, defaultValue }: ColumnOptions = {},
): Buffer {
  return Buffer.concat([
    ...['def', 'shop', 'people', 'people', name, name].map(lenencText),
    Buffer.of(0x0c),
    uint16(45),
    uint32(80),
    Buffer.of(type),
    uint16(flags),
    Buffer.of(0, 0, 0),
    defaultValue === undefined ? Buffer.alloc(0) : lenencText(defaultValue),
  ]);
}

/** Column count, definitions, EOF: numbered from `sequence` on. */
export function shape(
  sequence: number,
  columns: readonly string[],
  options: ColumnOptions & { readonly status?: number } = {},
): Buffer {
  const definitions = columns.map((name, index) =>
    frame(columnPayload(name, options), sequence + 1 + index),
  );
  const end = eof(sequence + 1 + columns.length, options.status);
  return Buffer.concat([frame(lenenc(columns.length), sequence), ...definitions, end]);
}

export function textRow(sequence: number, values: readonly (string | null)[]): Buffer {
  const parts = values.map((value) => (value === null ? Buffer.of(0xfb) : lenencText(value)));
  return frame(Buffer.concat(parts), sequence);
}

/** Values that have a length in front. */
export function binaryRow(sequence: number, values: readonly (string | null)[]): Buffer {
  const bitmap = Buffer.alloc((values.length + 9) >> 3);
  for (const [index, value] of values.entries()) {
    const bit = index + 2;
    if (value === null) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  const parts = values.flatMap((value) => (value === null ? [] : [lenencText(value)]));
  return frame(Buffer.concat([Buffer.of(0), bitmap, ...parts]), sequence);
}

/** PREPARE_OK with its definitions. */
export function prepared(id: number, columns: readonly string[], parameterCount = 0): Buffer {
  const head = Buffer.concat([
    Buffer.of(0),
    uint32(id),
    uint16(columns.length),
    uint16(parameterCount),
    Buffer.of(0, 0, 0),
  ]);
  const packets = [frame(head, 1)];
  const names = [Array.from({ length: parameterCount }, () => '?'), columns];
  for (const group of names) {
    for (const name of group) packets.push(frame(columnPayload(name), packets.length + 1));
    if (group.length > 0) packets.push(eof(packets.length + 1));
  }
  return Buffer.concat(packets);
}

/** Sequence ids and first bytes of some packets: `1:00 2:ff`. */
export function outline(bytes: Buffer): string {
  const outlines: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUIntLE(at, 3)) {
    const first = bytes.readUIntLE(at, 3) === 0 ? '-' : bytes.toString('hex', at + 4, at + 5);
    outlines.push(`${bytes[at + 3]}:${first}`);
  }
  return outlines.join(' ');
}

export function payloadsOf(bytes: Buffer): Buffer[] {
  return new PacketReader().push(bytes).map(({ payload }) => payload);
}

export class MysqlTalk {
  readonly session: ProtocolSession;
  /** Everything since the beginning. */
  readonly log: SessionCommand[] = [];
  decide: Decide;

  constructor(own: Partial<SessionOptions> = {}, decide: Decide = () => ({ kind: 'allow' })) {
    this.session = mysql.createSession({ ...sessionOptions(), ...own });
    this.decide = decide;
  }

  event(event: SessionEvent): SessionCommand[] {
    const commands = handleAll(this.session, event, this.decide);
    this.log.push(...commands);
    return commands;
  }

  client(...bytes: readonly Buffer[]): SessionCommand[] {
    return this.#received('client', bytes);
  }

  server(...bytes: readonly Buffer[]): SessionCommand[] {
    return this.#received('server', bytes);
  }

  /** The answer to the newest operation. */
  decided(decision: Decision): SessionCommand[] {
    const asked = this.log.findLast((command) => command.kind === 'decide');
    if (asked?.kind !== 'decide') throw new Error('nothing was asked');
    return this.event({ kind: 'decided', id: asked.operation.id, decision });
  }

  #received(from: Side, bytes: readonly Buffer[]): SessionCommand[] {
    return this.event({ kind: 'received', from, bytes: Buffer.concat(bytes) });
  }
}

export interface SignedInOptions {
  readonly inspection?: Inspection;
  readonly capabilities?: number;
  readonly options?: Partial<SessionOptions>;
  /** Of statements and results; the sign-in is allowed. */
  readonly decide?: (operation: Operation) => Decision | undefined;
  readonly version?: string;
  readonly collation?: number;
  readonly hasAttributes?: boolean;
  /** What the server says of the session when Weir asks it. */
  readonly told?: ToldState;
}

export interface ToldState {
  readonly charset?: string;
  readonly results?: string | null;
  readonly modes?: string;
  readonly database?: string | null;
  readonly user?: string;
  readonly status?: number;
  readonly deprecatesEof?: boolean;
}

/** The answer to Weir's own question for the state of the session (MY-56). */
export function stateAnswer(own: ToldState = {}): Buffer {
  const { charset = 'utf8mb4', modes = 'STRICT_TRANS_TABLES', user = 'ann@localhost' } = own;
  const { database = 'shop', results = charset, status = STATUS_AUTOCOMMIT } = own;
  const hex = (name: string | null): string | null =>
    name === null ? null : Buffer.from(name).toString('hex').toUpperCase();
  const row = [charset, results, modes, hex(database), hex(user)];
  const definitions = shape(1, ['a', 'b', 'c', 'd', 'e'], { status });
  if (own.deprecatesEof !== true)
    return Buffer.concat([definitions, textRow(8, row), eof(9, status)]);
  const end = okPayload({ status });
  end[0] = 0xfe;
  return Buffer.concat([definitions.subarray(0, -9), textRow(7, row), frame(end, 8)]);
}

/** A session after its sign-in, its log empty. */
export function signedIn(own: SignedInOptions = {}): MysqlTalk {
  const { inspection = INSPECT_ALL, decide = () => ({ kind: 'allow', isSensitive: false }) } = own;
  const talk = new MysqlTalk(own.options ?? {}, (operation) =>
    operation.kind === 'sign-in' ? { kind: 'allow', inspection } : decide(operation),
  );
  const capabilities =
    (CAPABILITIES_DEFAULT |
      (own.capabilities ?? 0) |
      (own.hasAttributes === true ? QUERY_ATTRIBUTES : 0)) >>>
    0;
  talk.event({ kind: 'opened', side: 'client' });
  talk.event({ kind: 'opened', side: 'server' });
  talk.server(greeting(own.version ?? '5.5.5-10.11.6-MariaDB', capabilities));
  talk.client(response(capabilities, own.collation ?? 45));
  talk.server(ok(2));
  const deprecatesEof = (capabilities & CAPABILITY.deprecateEof) !== 0;
  if (inspection.statements) talk.server(stateAnswer({ deprecatesEof, ...own.told }));
  if (!talk.log.some((one) => one.kind === 'note' && one.fact.kind === 'signed-in'))
    throw new Error('not signed in');
  talk.log.length = 0;
  return talk;
}

export function greeting(version: string, capabilities: number): Buffer {
  return frame(
    Buffer.concat([
      Buffer.of(10),
      Buffer.from(`${version}\0`),
      uint32(7),
      Buffer.from('abcdefgh\0'),
      uint16(capabilities & 0xffff),
      Buffer.of(45),
      uint16(STATUS_AUTOCOMMIT),
      uint16(capabilities >>> 16),
      Buffer.of(21),
      Buffer.alloc(10),
      Buffer.from('ijklmnopqrst\0'),
      Buffer.from('mysql_native_password\0'),
    ]),
    0,
  );
}

export function response(capabilities: number, collation: number): Buffer {
  return frame(
    Buffer.concat([
      uint32(capabilities),
      uint32(0x100_0000),
      Buffer.of(collation),
      Buffer.alloc(23),
      Buffer.from('ann\0'),
      Buffer.of(20),
      Buffer.alloc(20, 0x70),
      Buffer.from('shop\0'),
      Buffer.from('mysql_native_password\0'),
    ]),
    1,
  );
}
