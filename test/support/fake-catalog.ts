/** Catalogs and readers made by hand, for tests of masking that need no server. */

import type { CatalogColumn, CatalogRelation, CatalogSnapshot } from '../../lib/catalog/catalog.ts';
import { buildSnapshot, type SnapshotContent } from '../../lib/catalog/snapshot.ts';
import type { MaskConfig } from '../../lib/config/config.ts';
import type { AnalysisResult, SqlReader, ViewColumn } from '../../lib/sql/analysis.ts';

/** `columns`: names, numbered from 1 in their order. */
export function fakeRelation(
  oid: number,
  name: string,
  columns: readonly (string | CatalogColumn)[],
  more: Partial<CatalogRelation> = {},
): CatalogRelation {
  return {
    oid,
    schema: 'public',
    name,
    kind: 'r',
    columns: columns.map((column, index) =>
      typeof column === 'string' ? { attribute: index + 1, name: column } : column,
    ),
    parents: [],
    definition: undefined,
    reads: [],
    ...more,
  };
}

export function fakeSnapshot(
  relations: readonly CatalogRelation[],
  more: Partial<SnapshotContent> = {},
): CatalogSnapshot {
  return buildSnapshot({ version: 1, relations, routines: [], operators: [], ...more });
}

export function fakeMask(columns: readonly string[], more: Partial<MaskConfig> = {}): MaskConfig {
  return {
    name: 'm',
    connections: ['*'],
    columns,
    with: 'redact',
    mode: 'mask',
    except: [],
    ...more,
  };
}

/** Views by the text of their definition, routines by theirs; anything else is a fault of the test. */
export function fakeReader(answers: {
  readonly views?: Readonly<Record<string, readonly ViewColumn[] | undefined>>;
  readonly routines?: Readonly<Record<string, AnalysisResult>>;
}): SqlReader {
  return {
    analyze: () => {
      throw new Error('masking does not read statements');
    },
    analyzeRoutine: (_language, definition) => {
      const answer = answers.routines?.[definition];
      if (answer === undefined) throw new Error(`no routine ${definition}`);
      return answer;
    },
    analyzeView: async (definition) => {
      if (answers.views === undefined || !(definition in answers.views)) {
        throw new Error(`no view ${definition}`);
      }
      return answers.views[definition];
    },
    close: async () => undefined,
  };
}
