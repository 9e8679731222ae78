/**
 * Paths and queries of REST requests. actix merges `//`, trims a trailing `/` (NormalizePath) and decodes
 * segments; whatever it and Weir could decode differently is no known route (vector.md 2.1).
 */

export interface Target {
  readonly segments: readonly Segment[];
  /** Names of query parameters, decoded. */
  readonly parameters: readonly string[];
}

export interface Segment {
  readonly text: string;
  /** It came percent-encoded: then it can be a name, and no word of a route. */
  readonly wasEncoded: boolean;
}

/** The server's names of collections are shorter; nothing that Weir would store grows with it. */
const TARGET_SIZE_MAX = 8192;
/** Printable ASCII without `#` and the backslash. */
const PLAIN_TARGET = /^\/[!"$-[\]-~]*$/;
const ESCAPES = /%(?![0-9a-fA-F]{2})/;
/** Decoded more than once, or split, by one reader and not by the other. */
const AMBIGUOUS = /[%/\\\p{Cc}]/u;

/** Undefined: it is not read as one thing by everybody. */
export function readTarget(target: string): Target | undefined {
  if (target.length > TARGET_SIZE_MAX || !PLAIN_TARGET.test(target)) return undefined;
  const [path = '', ...rest] = target.split('?');
  const segments: Segment[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const segment = readSegment(raw);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  const parameters = readParameters(rest.join('?'));
  return parameters === undefined ? undefined : { segments, parameters };
}

function readSegment(raw: string): Segment | undefined {
  const text = decode(raw);
  if (text === undefined || text === '.' || text === '..' || text.includes(';')) return undefined;
  if (raw !== text && /%2b/i.test(raw)) return undefined;
  return { text, wasEncoded: raw !== text };
}

function decode(raw: string): string | undefined {
  if (ESCAPES.test(raw)) return undefined;
  const bytes = Buffer.from(
    raw.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  );
  const text = bytes.toString('utf8');
  // Not UTF-8, so the server makes another text of it, or none.
  if (!Buffer.from(text, 'utf8').equals(bytes)) return undefined;
  return AMBIGUOUS.test(text) ? undefined : text;
}

function readParameters(query: string): string[] | undefined {
  const names: string[] = [];
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [raw = ''] = pair.split('=');
    const name = decode(raw);
    if (name === undefined || name !== raw) return undefined;
    names.push(name);
  }
  return names;
}
