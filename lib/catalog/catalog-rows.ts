/** Rows of the catalog's queries, checked: a server may answer with anything. */

import { GatewayError } from '../errors.ts';

export type Row = Readonly<Record<string, unknown>>;

export function asRow(row: unknown): Row {
  if (isRow(row)) return row;
  throw unexpected('a row', row);
}

/** Any object can be looked at under any key; each value is checked when it is read. */
function isRow(row: unknown): row is Row {
  return typeof row === 'object' && row !== null;
}

/** Oids come as numbers or, from drivers with other parsers, as text. */
export function numberIn(row: Row, key: string): number {
  const value = row[key];
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw unexpected(`a number as ${key}`, value);
}

export function textIn(row: Row, key: string): string {
  const value = row[key];
  if (typeof value === 'string') return value;
  throw unexpected(`text as ${key}`, value);
}

export function booleanIn(row: Row, key: string): boolean {
  const value = row[key];
  if (typeof value === 'boolean') return value;
  throw unexpected(`a boolean as ${key}`, value);
}

export function optionalTextIn(row: Row, key: string): string | undefined {
  return row[key] === null ? undefined : textIn(row, key);
}

function unexpected(expected: string, value: unknown): GatewayError {
  return new GatewayError(
    'CATALOG_ANSWER',
    `the catalog cannot be read: expected ${expected}, the server sent ${typeof value}`,
  );
}
