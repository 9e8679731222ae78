/** Masked columns in the form that the reader of SQL takes: names only. */

import { createHash } from 'node:crypto';
import type { CatalogRelation } from '../catalog/catalog.ts';
import type { SensitiveRelation, SensitiveRelations } from '../sql/analysis.ts';
import type { MaskedColumns } from './masked-columns.ts';

export function sensitiveRelations(
  candidates: readonly CatalogRelation[],
  masked: MaskedColumns,
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
      };
    });
  return {
    version: createHash('sha256').update(JSON.stringify(relations)).digest('hex'),
    relations,
  };
}
