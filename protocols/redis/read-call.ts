/**
 * Reads a command as people write it for redis-cli, for `weir explain`. What the server alone knows of an index
 * is left out, so any field may be meant where a session would know better.
 */

import type { StoreCall } from '../store.ts';
import { findCommand, UnreadableCommand } from './command-table.ts';
import { readCommand } from './read-command.ts';

/** Bare, `"..."` with escapes as C has them, or `'...'`. */
const WORD = /\s*(?:"((?:[^"\\]|\\[^])*)"(?=\s|$)|'((?:[^'\\]|\\[^])*)'(?=\s|$)|([^\s"']\S*))/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|([^]))/g;
const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  a: '\x07',
};

/** A text says in one sentence why it is none. */
export function readRedisCall(text: string): StoreCall | string {
  const args = splitWords(text.trim());
  const [name, second = Buffer.alloc(0)] = args ?? [];
  if (args === undefined || name === undefined) {
    return 'expected a command as for redis-cli, like FT.SEARCH idx *';
  }
  const spec = findCommand(name, second);
  if (spec === undefined) return 'Weir does not know this command: it is refused';
  try {
    const command = readCommand(spec, args, { schema: undefined, cursor: undefined });
    return {
      ...command.request,
      whyNotRestricted: (restrictions) => {
        const applied = command.apply({ restrictions, masks: undefined });
        return typeof applied === 'string' ? applied : undefined;
      },
    };
  } catch (error) {
    if (!(error instanceof UnreadableCommand)) throw error;
    return `it cannot be read, so it is refused: ${error.message}`;
  }
}

/** Undefined: a quote is open, or goes on without a blank behind it. */
function splitWords(text: string): readonly Buffer[] | undefined {
  const words: Buffer[] = [];
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const match = WORD.exec(text);
    if (match === null) return undefined;
    const [, double, single, bare] = match;
    words.push(readWord(double, single, bare));
  }
  return words;
}

function readWord(double?: string, single?: string, bare?: string): Buffer {
  if (single !== undefined) return Buffer.from(single.replaceAll("\\'", "'"));
  if (double === undefined) return Buffer.from(bare ?? '');
  const parts: Buffer[] = [];
  let at = 0;
  for (const match of double.matchAll(ESCAPE)) {
    const [whole, hex, letter = ''] = match;
    parts.push(Buffer.from(double.slice(at, match.index)));
    parts.push(
      hex === undefined ? Buffer.from(NAMED_ESCAPES[letter] ?? letter) : Buffer.from(hex, 'hex'),
    );
    at = match.index + whole.length;
  }
  parts.push(Buffer.from(double.slice(at)));
  return Buffer.concat(parts);
}
