/** Masked columns in the form that the reader of SQL takes: names only. */

import { createHash } from 'node:crypto';
import type { CatalogRelation } from '../catalog/catalog.ts';
import type { PlainRelation, SensitiveRelation, SensitiveRelations } from '../sql/analysis.ts';
import type { MaskedColumns } from './masked-columns.ts';

export interface RelationsOptions {
  /** The reader expands stars itself (MySQL), so it gets all candidates and their order. */
  readonly isOrdered?: boolean | undefined;
  /** Sensitive ones that are not among the candidates. */
  readonly absent?: readonly SensitiveRelation[];
  readonly suspects?: readonly string[];
}

export function sensitiveRelations(
  candidates: readonly CatalogRelation[],
  masked: MaskedColumns,
  { isOrdered = false, absent = [], suspects = [] }: RelationsOptions = {},
): SensitiveRelations {
  const present = candidates
    .filter(({ oid }) => masked.has(oid))
    .map(({ oid, schema, name, columns }): SensitiveRelation => {
      const isMasked = (attribute: number): boolean => masked.get(oid, attribute) !== undefined;
      return {
        schema,
        name,
        masked: columns.filter((column) => isMasked(column.attribute)).map((column) => column.name),
        clear: columns.filter((column) => !isMasked(column.attribute)).map((column) => column.name),
        // Without any, nobody knows how many there are, and each may be a masked one.
        ...(isOrdered && columns.length > 0 ? { columns: shownColumns(columns) } : {}),
      };
    });
  const relations = [...present, ...absent];
  if (!isOrdered) return { version: versionOf(relations), relations };
  const plain = candidates
    .filter(({ oid, isHalf }) => !masked.has(oid) && isHalf !== true)
    .map(({ schema, name, columns }): PlainRelation => {
      return { schema, name, columns: shownColumns(columns) };
    });
  return { version: versionOf([relations, plain, suspects]), relations, plain, suspects };
}

/** What `SELECT *` gives. */
function shownColumns(columns: CatalogRelation['columns']): readonly string[] {
  return columns.filter(({ isInvisible }) => isInvisible !== true).map(({ name }) => name);
}

function versionOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
