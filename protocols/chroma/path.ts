/**
 * Chroma's request targets: segments as its router sees them, names as its handlers see them. The router
 * matches the raw bytes (`/%68eartbeat` is not `/heartbeat`) and decodes only what stands for a name, so
 * this does the same; what it could decode in more than one way is refused. All of it tried on a server.
 */

import { ProtocolError } from '../errors.ts';

export interface SplitTarget {
  /** Between the slashes, as they came. */
  readonly segments: readonly string[];
  /** Behind the first question mark; empty: none. */
  readonly query: string;
}

/** Undefined: no path of ours (`*`, a whole URL). */
export function splitTarget(target: string): SplitTarget | undefined {
  if (!target.startsWith('/') || target.includes('#')) return undefined;
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  return { segments: path.slice(1).split('/'), query: mark < 0 ? '' : target.slice(mark + 1) };
}

/** A name in a path. Undefined: empty, dots (a proxy in front of the server may climb by them), or no UTF-8. */
export function decodeSegment(segment: string): string | undefined {
  if (segment === '' || !/^[\x21-\x7e]+$/.test(segment)) return undefined;
  try {
    const text = decodeURIComponent(segment);
    return text.includes('\0') || text === '.' || text === '..' ? undefined : text;
  } catch {
    return undefined; // Half an escape or no UTF-8: the server would take it for some text or other.
  }
}

/** Throws where a parameter comes that the route does not have: a newer server may do something with it. */
export function checkQuery(query: string, known: readonly string[]): void {
  if (query === '') return;
  for (const pair of query.split('&')) {
    const [name = ''] = pair.split('=', 1);
    if (pair !== '' && !known.includes(name)) {
      throw new ProtocolError(
        'CHROMA_QUERY',
        'client',
        'a query parameter that this route does not have',
      );
    }
  }
}

/** The forms that the server's parser takes (uuid of Rust): hyphens, none, braces, URN; in any case. */
const UUID_FORMS: readonly RegExp[] = [
  /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i,
  /^([0-9a-f]{32})$/i,
  /^\{([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}$/i,
  /^urn:uuid:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i,
];

/** Lower case with hyphens, so that one collection has one id. Throws where it is none. */
export function readUuid(text: string): string {
  const found = UUID_FORMS.map((form) => form.exec(text)?.[1]).find((one) => one !== undefined);
  if (found === undefined) {
    throw new ProtocolError('CHROMA_UUID', 'client', 'the id of a collection is not a valid UUID');
  }
  const digits = found.replaceAll('-', '').toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
