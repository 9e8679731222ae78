/**
 * OK packets, also those with header 0xfe that end a result set, and the session state that they carry
 * (MY-26, MY-27). The address of another server is taken out of them: connectors that know MariaDB's
 * `redirect_url` reconnect there by themselves, past the gateway (MY-18).
 *
 *   header | affected rows | last insert id | 2 status | 2 warnings | info: length, bytes (with
 *   SESSION_TRACK) or up to the end | [session state: length, entries], if status says so
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 */

import { CAPABILITY, has } from './capabilities.ts';
import { FieldReader, lenencBytes, lenencInteger, u16, u8 } from './fields.ts';

export const STATUS_SESSION_STATE_CHANGED = 0x4000;

const TRACK_SYSTEM_VARIABLES = 0;
const TRACK_SCHEMA = 1;
const REDIRECT = 'redirect_url';
/** Azure's older form, in the text of the sign-in's OK. */
const LOCATION = /location:\s*\w+:\/\//i;
const CERTIFICATE_PROOF = 0x01;
const EMPTY = Buffer.alloc(0);

/** What changed in the session; latin1 text, so that names in any charset stay what they were. */
export interface Tracked {
  /** New default database; an empty text: none any more. Undefined: not told. */
  readonly schema: string | undefined;
  /** System variables with their new values, names in lower case. */
  readonly variables: ReadonlyMap<string, string>;
}

export interface OkPacket {
  readonly header: number;
  readonly affectedRows: bigint;
  readonly lastInsertId: bigint;
  readonly status: number;
  readonly warnings: number;
  readonly info: Buffer;
  readonly tracked: Tracked;
}

interface Entry {
  readonly type: number;
  readonly content: Buffer;
}

interface Layout {
  readonly ok: OkPacket;
  readonly entries: readonly Entry[];
  readonly hasState: boolean;
  readonly isInfoWritten: boolean;
}

export function parseOk(payload: Buffer, capabilities: bigint): OkPacket {
  return parseLayout(payload, capabilities).ok;
}

/** The default database that an OK tells of; its names come in UTF-8, whatever the session's charset. */
export function schemaOf({ tracked }: OkPacket): string | undefined {
  return tracked.schema === undefined
    ? undefined
    : Buffer.from(tracked.schema, 'latin1').toString('utf8');
}

/**
 * The payload without addresses of other servers; the same buffer where it has none. In MariaDB the
 * variable is one of several in an entry of type 0.
 */
export function withoutRedirect(payload: Buffer, capabilities: bigint): Buffer {
  if (!mayRedirect(payload)) return payload;
  const layout = parseLayout(payload, capabilities);
  const info = LOCATION.test(layout.ok.info.toString('latin1')) ? EMPTY : layout.ok.info;
  const entries = layout.entries.flatMap((entry) => withoutRedirectEntry(entry));
  return encodeLayout({ ...layout, ok: { ...layout.ok, info }, entries }, capabilities);
}

/**
 * The OK that ends a sign-in, as the client may see it. MariaDB puts a hash of password, nonce and its
 * certificate there (MY-6): of the gateway's own password it is nobody's business, and does not fit the
 * certificate that the client sees. A client that needs it fails with a certificate that it cannot check.
 */
export function signedInOk(
  payload: Buffer,
  capabilities: bigint,
  isPassthrough: boolean,
): { bytes: Buffer; ok: OkPacket } {
  const layout = parseLayout(payload, capabilities);
  const isProof = layout.ok.info[0] === CERTIFICATE_PROOF;
  if (isPassthrough || !isProof)
    return { bytes: withoutRedirect(payload, capabilities), ok: layout.ok };
  const bytes = encodeLayout({ ...layout, ok: { ...layout.ok, info: EMPTY } }, capabilities);
  return { bytes: withoutRedirect(bytes, capabilities), ok: layout.ok };
}

/** A search of the bytes, because nearly every OK of a session comes by here. */
function mayRedirect(payload: Buffer): boolean {
  const text = payload.toString('latin1').toLowerCase();
  return text.includes(REDIRECT) || text.includes('location:');
}

function parseLayout(payload: Buffer, capabilities: bigint): Layout {
  const reader = new FieldReader(payload, 'server');
  const header = reader.u8();
  const affectedRows = reader.lenencBigint();
  const lastInsertId = reader.lenencBigint();
  const status = reader.u16();
  const warnings = reader.u16();
  const isTracking = has(capabilities, CAPABILITY.sessionTrack);
  const isInfoWritten = !reader.isAtEnd;
  const hasState = isTracking && (status & STATUS_SESSION_STATE_CHANGED) !== 0;
  const info = isTracking && isInfoWritten ? reader.lenencBytes() : reader.rest();
  const entries = hasState && !reader.isAtEnd ? parseEntries(reader.lenencBytes()) : [];
  const tracked = trackedOf(entries);
  const ok = { header, affectedRows, lastInsertId, status, warnings, info, tracked };
  return { ok, entries, hasState, isInfoWritten };
}

function encodeLayout(layout: Layout, capabilities: bigint): Buffer {
  const { ok, entries, hasState, isInfoWritten } = layout;
  const isTracking = has(capabilities, CAPABILITY.sessionTrack);
  const state = entries.map(({ type, content }) => Buffer.concat([u8(type), lenencBytes(content)]));
  // No entry is left: the status must not speak of them any more.
  const isStateLeft = hasState && entries.length > 0;
  const status = isStateLeft ? ok.status : ok.status & ~STATUS_SESSION_STATE_CHANGED;
  const info = isTracking && isInfoWritten ? lenencBytes(ok.info) : ok.info;
  return Buffer.concat([
    u8(ok.header),
    lenencInteger(ok.affectedRows),
    lenencInteger(ok.lastInsertId),
    u16(status),
    u16(ok.warnings),
    info,
    isStateLeft ? lenencBytes(Buffer.concat(state)) : EMPTY,
  ]);
}

function parseEntries(state: Buffer): Entry[] {
  const reader = new FieldReader(state, 'server');
  const entries: Entry[] = [];
  while (!reader.isAtEnd) entries.push({ type: reader.u8(), content: reader.lenencBytes() });
  return entries;
}

function trackedOf(entries: readonly Entry[]): Tracked {
  let schema: string | undefined;
  const variables = new Map<string, string>();
  for (const { type, content } of entries) {
    if (type === TRACK_SCHEMA) {
      schema = new FieldReader(content, 'server').lenencBytes().toString('latin1');
    } else if (type === TRACK_SYSTEM_VARIABLES) {
      for (const { name, value } of parseVariables(content))
        variables.set(name.toLowerCase(), value.toString('latin1'));
    }
  }
  return { schema, variables };
}

function parseVariables(content: Buffer): { name: string; value: Buffer }[] {
  const reader = new FieldReader(content, 'server');
  const variables: { name: string; value: Buffer }[] = [];
  while (!reader.isAtEnd) {
    const name = reader.lenencBytes().toString('latin1');
    variables.push({ name, value: reader.lenencBytesOrNull() ?? EMPTY });
  }
  return variables;
}

function withoutRedirectEntry(entry: Entry): Entry[] {
  if (entry.type !== TRACK_SYSTEM_VARIABLES) return [entry];
  const all = parseVariables(entry.content);
  const left = all.filter(({ name }) => name.toLowerCase() !== REDIRECT);
  if (left.length === all.length) return [entry];
  if (left.length === 0) return [];
  const content = left.map(({ name, value }) =>
    Buffer.concat([lenencBytes(Buffer.from(name, 'latin1')), lenencBytes(value)]),
  );
  return [{ type: entry.type, content: Buffer.concat(content) }];
}
