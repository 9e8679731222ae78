/**
 * Qdrant's names of payload fields: `author.phone`, `tags[].name`, `a[0]."quoted key"`. Read as the
 * server reads them (json_path/parse.rs of qdrant 1.19); what it would not read is an error here too,
 * so a name never means one thing to Weir and another one to the server. Lists are transparent:
 * indexes are left out of a path.
 */

import { ProtocolError } from '../errors.ts';
import type { FieldPath, RecordFilter } from '../store.ts';

/** Letters and digits of any script, `_` and `-` (Rust's `char::is_alphanumeric`). */
const RAW = /[\p{Alphabetic}\p{N}_-]+/uy;
const QUOTED = /"([^"\\]*)"/y;
const INDEX = /\[\d*\]/y;

export function readFieldPath(text: string): FieldPath {
  const path = parseFieldPath(text);
  if (path === undefined) {
    throw new ProtocolError('QDRANT_FIELD', 'client', 'the name of a payload field cannot be read');
  }
  return path;
}

function parseFieldPath(text: string): FieldPath | undefined {
  const path: string[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    position = pattern.lastIndex;
    return match;
  };
  const takeKey = (): boolean => {
    const raw = take(RAW);
    if (raw !== undefined) {
      path.push(raw[0]);
      return true;
    }
    const quoted = take(QUOTED);
    if (quoted === undefined) return false;
    path.push(quoted[1] ?? '');
    return true;
  };
  if (!takeKey()) return undefined;
  while (position < text.length) {
    if (take(INDEX) !== undefined) continue;
    if (text[position] !== '.') return undefined;
    position += 1;
    if (!takeKey()) return undefined;
  }
  return path;
}

/** One entry of `Restrictions.filter`, ready for use. */
export interface FieldDemand {
  readonly path: FieldPath;
  /** As the server takes it. */
  readonly key: string;
  readonly value: string;
}

/** Undefined where a name in the policy is none that Qdrant has: then nothing can be restricted. */
export function readDemands(filter: RecordFilter): readonly FieldDemand[] | undefined {
  const demands: FieldDemand[] = [];
  for (const { field, value } of filter) {
    const path = parseFieldPath(field);
    if (path === undefined || field.includes('[')) return undefined;
    demands.push({ path, key: field, value });
  }
  return demands;
}

/** Whether a change at `changed` also changes what is at `path`, lists left out. */
export function touches(changed: FieldPath, path: FieldPath): boolean {
  const count = Math.min(changed.length, path.length);
  return path.slice(0, count).every((name, index) => changed[index] === name);
}

export const DEMAND_UNREADABLE =
  'the filter of the rule names a field that Qdrant cannot filter by';
