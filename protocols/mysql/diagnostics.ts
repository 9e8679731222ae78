/**
 * Error texts are data: they quote values (GW-11, MY-66). The text of an error about a statement that
 * touches masked data is replaced; number and state stay, so that programs behave. A few texts are kept,
 * namely those that say nothing but what the statement itself says.
 */

import type { ErrText } from './refusal.ts';

/** Errors whose text is always the same; it is written anew, so nothing of the server's gets through. */
const CONSTANT_TEXTS: ReadonlyMap<number, string> = new Map([
  [1046, 'No database selected'],
  [1053, 'Server shutdown in progress'],
  [1065, 'Query was empty'],
  [1205, 'Lock wait timeout exceeded; try restarting transaction'],
  [1213, 'Deadlock found when trying to get lock; try restarting transaction'],
  [1317, 'Query execution was interrupted'],
  [1927, 'Connection was killed'],
  [1969, 'Query execution was interrupted (max_statement_time exceeded)'],
  [3024, 'Query execution was interrupted, maximum statement execution time exceeded'],
]);

/**
 * Texts of the server's own form, whose quoted parts stand in the statement. The form counts, because
 * SIGNAL gives any text to any number.
 */
const QUOTING_TEXTS: ReadonlyMap<number, RegExp> = new Map([
  [1049, /^Unknown database '([^']*)'$/],
  [1051, /^Unknown table '([^']*)'$/],
  [1052, /^Column '([^']*)' in [a-z ]+ is ambiguous$/],
  [1054, /^Unknown column '([^']*)' in '?(?:[a-z]+ )+?(?:list|clause|statement)'?$/],
  [1136, /^Column count doesn't match value count at row \d{1,9}$/],
  [1146, /^Table '([^']*)' doesn't exist$/],
  [1222, /^The used SELECT statements have a different number of columns$/],
  [1243, /^Unknown prepared statement handler \((\d+)\) given to [a-z_]+$/],
  [1305, /^(?:FUNCTION|PROCEDURE) ([^' ]*) does not exist$/],
]);

/** `known`: the text that failed and the default database, as far as they are known. */
export function redactError(err: ErrText, known: readonly (string | undefined)[]): ErrText {
  const constant = CONSTANT_TEXTS.get(err.errno);
  if (constant !== undefined) return { ...err, message: constant };
  const match = QUOTING_TEXTS.get(err.errno)?.exec(err.message);
  if (match !== null && match !== undefined && isQuotedFrom(match[1] ?? '', known)) return err;
  return {
    ...err,
    message: `text redacted by Weir, because it may quote masked data (error ${err.errno})`,
  };
}

function isQuotedFrom(quoted: string, known: readonly (string | undefined)[]): boolean {
  const texts = known.map((text) => text?.toLowerCase() ?? '');
  return quoted
    .toLowerCase()
    .split('.')
    .every((part) => texts.some((text) => text.includes(part)));
}
