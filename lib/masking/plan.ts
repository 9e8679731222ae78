/**
 * Which columns of a result are masked, and how (PG-77). The server's identity of a column decides;
 * for columns without one, what the reader of SQL said of the statement does; what neither can tell
 * is masked.
 */

import type { MaskingPlan, MaskValue, ResultColumn } from '../../protocols/contract.ts';
import type { OutputKind } from '../sql/analysis.ts';
import type { Sensitive } from './sensitive.ts';
import { type MaskKind, maskValueFor, type ValueOptions } from './values.ts';

export interface ResultPlan {
  /** Undefined: nothing to mask. */
  readonly plan: MaskingPlan | undefined;
  /** Names of the masked columns, for the record: `schema.table.column`, or the output's own name. */
  readonly masked: readonly string[];
}

/**
 * `outputs`: what the statement's analysis says of each column; undefined: nothing sensitive is in
 * it. `untraced`: there is none (a cursor or portal of which nobody knows the statement).
 */
export function planResult(
  sensitive: Sensitive,
  columns: readonly ResultColumn[],
  outputs: readonly OutputKind[] | 'untraced' | undefined,
  options: ValueOptions,
): ResultPlan {
  if (!sensitive.isMasking) return { plan: undefined, masked: [] };
  const kinds = alignOutputs(outputs, columns.length);
  const masked: string[] = [];
  const plan = columns.map((column, index): MaskValue | undefined => {
    const found = judge(column, sensitive, kinds(index));
    if (found === undefined) return undefined;
    masked.push(found.name);
    return maskValueFor(found.with, column, options);
  });
  return { plan: masked.length > 0 ? plan : undefined, masked };
}

interface Judged {
  readonly name: string;
  readonly with: MaskKind;
}

function judge(column: ResultColumn, sensitive: Sensitive, kind: OutputKind): Judged | undefined {
  const { table, attribute, name } = column;
  if (table === 0) {
    const isMasked = kind === 'masked' || (kind === 'star' && sensitive.columnNames.has(name));
    return isMasked ? { name, with: 'redact' } : undefined;
  }
  // System columns (tableoid, ctid, ...) have negative numbers and hold no values of users.
  if (attribute < 0) return undefined;
  const masks = sensitive.byOid.get(table);
  if (attribute === 0) {
    // A whole row, in a type that the gateway does not take apart (PG-78).
    const isClear = masks === undefined && sensitive.isKnownTable(table);
    return isClear ? undefined : { name, with: 'null' };
  }
  const mask = masks?.get(attribute);
  if (mask !== undefined) return { name: mask.column, with: mask.with };
  // A table or column made in an open transaction, or a temporary one: who knows what is in it (GW-7).
  return sensitive.isKnown(table, attribute) ? undefined : { name, with: 'redact' };
}

/**
 * Stars stand for an unknown number of columns, so outputs are counted from the left up to the first
 * star and from the right up to the last; in between everything counts as `star`. Where the counts
 * cannot be right, every column may be a masked one.
 */
export function alignOutputs(
  outputs: readonly OutputKind[] | 'untraced' | undefined,
  columnCount: number,
): (index: number) => OutputKind {
  if (outputs === undefined) return () => 'clear';
  if (outputs === 'untraced') return () => 'masked';
  const firstStar = outputs.indexOf('star');
  if (firstStar < 0) {
    if (outputs.length !== columnCount) return () => 'masked';
    return (index) => outputs[index] ?? 'masked';
  }
  const lastStar = outputs.lastIndexOf('star');
  const afterCount = outputs.length - 1 - lastStar;
  if (firstStar + afterCount > columnCount) return () => 'masked';
  const hasMaskedBetween = outputs.slice(firstStar, lastStar).includes('masked');
  return (index) => {
    if (index < firstStar) return outputs[index] ?? 'masked';
    const fromEnd = columnCount - 1 - index;
    if (fromEnd < afterCount) return outputs[outputs.length - 1 - fromEnd] ?? 'masked';
    return hasMaskedBetween ? 'masked' : 'star';
  };
}
