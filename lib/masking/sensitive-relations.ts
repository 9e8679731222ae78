/** Masked columns in the form that the reader of SQL takes: names only. */

import { createHash } from 'node:crypto';
import type { CatalogRelation } from '../catalog/catalog.ts';
import type { PlainRelation, SensitiveRelation, SensitiveRelations } from '../sql/analysis.ts';
import type { MaskedColumns } from './masked-columns.ts';

/** `isOrdered`: the reader expands stars itself (MySQL), so it gets all candidates and their order. */
export function sensitiveRelations(
  candidates: readonly CatalogRelation[],
  masked: MaskedColumns,
  isOrdered = false,
): SensitiveRelations {
  const relations = candidates
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
  if (!isOrdered) return { version: versionOf(relations), relations };
  const plain = candidates
    .filter(({ oid }) => !masked.has(oid))
    .map(({ schema, name, columns }): PlainRelation => {
      return { schema, name, columns: shownColumns(columns) };
    });
  return { version: versionOf([relations, plain]), relations, plain };
}

/** What `SELECT *` gives. */
function shownColumns(columns: CatalogRelation['columns']): readonly string[] {
  return columns.filter(({ isInvisible }) => isInvisible !== true).map(({ name }) => name);
}

function versionOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
