/**
 * What is known of the relations that a text can name: their columns in order, which of them are
 * masked, and what to expect of those that nobody knows (temporary tables, tables made a moment ago).
 */

import type { Reading } from '../../../protocols/contract.ts';
import type { PlainRelation, SensitiveRelation, SensitiveRelations } from '../analysis.ts';
import type { QualifiedName } from './ast.ts';
import { foldName, mayBeSameName, NameSet } from './lineage-names.ts';
import type { Column, Unlisted } from './lineage-scope.ts';
import { findSystemRelation, isSystemSchema } from './lineage-system.ts';

/** A relation as a part of FROM: its columns for `*`, and those that only a name gets. */
export interface RelationColumns {
  readonly isSensitive: boolean;
  readonly schema: string | undefined;
  readonly columns: readonly Column[];
  readonly hidden: readonly Column[];
}

interface Known {
  readonly schema: string;
  readonly name: string;
  readonly sensitive: SensitiveRelation | undefined;
  readonly plain: PlainRelation | undefined;
}

interface Index {
  readonly byName: ReadonlyMap<string, readonly Known[]>;
  readonly sensitive: readonly Known[];
  readonly maskedNames: NameSet;
}

/** A catalog may be large and serves many statements. */
const indexes = new WeakMap<SensitiveRelations, Index>();

function indexOf(sensitive: SensitiveRelations): Index {
  const known = indexes.get(sensitive);
  if (known !== undefined) return known;
  const byName = new Map<string, Known[]>();
  const add = (entry: Known): void => {
    const key = foldName(entry.name);
    const others = byName.get(key);
    if (others === undefined) byName.set(key, [entry]);
    else others.push(entry);
  };
  const touched = sensitive.relations.map(
    (relation): Known => ({ ...namesOf(relation), sensitive: relation, plain: undefined }),
  );
  for (const entry of touched) add(entry);
  for (const relation of sensitive.plain ?? [])
    add({ ...namesOf(relation), sensitive: undefined, plain: relation });
  // The server's own schemas are always known; their names (`name`, `table_schema`) are everybody's.
  const ownMasked = sensitive.relations.filter(({ schema }) => !isSystemSchema(schema));
  const maskedNames = new NameSet([
    ...ownMasked.flatMap(({ masked }) => masked),
    ...(sensitive.suspects ?? []),
  ]);
  const index = { byName, sensitive: touched, maskedNames };
  indexes.set(sensitive, index);
  return index;
}

function namesOf({ schema, name }: { schema: string; name: string }): {
  schema: string;
  name: string;
} {
  return { schema, name };
}

export class RelationTable {
  readonly #index: Index;
  readonly #database: string | undefined;
  /** At least one mask applies; without one there is nothing to hide. */
  readonly isMasking: boolean;
  readonly server: Reading['server'] | undefined;

  constructor(sensitive: SensitiveRelations, reading: Reading | undefined) {
    this.#index = indexOf(sensitive);
    this.#database = reading?.database;
    this.isMasking = sensitive.relations.length > 0 || (sensitive.suspects ?? []).length > 0;
    this.server = reading?.server;
  }

  /** A masked column somewhere has this name, or one that a server may take for it. */
  isMaskedName(name: string): boolean {
    return this.#index.maskedNames.has(name);
  }

  get isMariadb(): boolean {
    return this.server?.flavor === 'mariadb';
  }

  /** The sensitive relations that a name may mean; `*` means all of its schema. */
  sensitive(name: QualifiedName): readonly SensitiveRelation[] {
    if (name.name === '*') {
      const schema = name.schema ?? this.#database;
      return this.#index.sensitive
        .filter((entry) => schema === undefined || foldName(entry.schema) === foldName(schema))
        .flatMap((entry) => entry.sensitive ?? []);
    }
    return this.#find(name).flatMap((entry) => entry.sensitive ?? []);
  }

  /** Something of this name is in the catalog, so a temporary table would hide it. */
  isKnown(name: QualifiedName): boolean {
    return this.#find(name).length > 0;
  }

  /** All columns that `name` may have; unknown relations have an unknown number of them. */
  columnsOf(name: QualifiedName): RelationColumns {
    const found = this.#find(name);
    const schema = name.schema ?? this.#database;
    const system = this.isMasking ? findSystemRelation(schema, name.name) : undefined;
    const [first, ...others] = found;
    if (system !== undefined) {
      const names = first?.plain?.columns ?? first?.sensitive?.columns;
      return { isSensitive: true, schema, ...systemColumns(system, names, name.name) };
    }
    const sensitive = found.flatMap((entry) => entry.sensitive ?? []);
    if (first === undefined || (others.length > 0 && sensitive.length === 0))
      return { isSensitive: false, schema, columns: [unknownColumns(name, schema)], hidden: [] };
    if (others.length > 0) return mergedColumns(sensitive, schema);
    return { isSensitive: sensitive.length > 0, schema: first.schema, ...knownColumns(first) };
  }

  #find({ schema: written, name }: QualifiedName): readonly Known[] {
    const schema = written ?? this.#database;
    const isInSchema = (entry: Known): boolean =>
      schema === undefined || foldName(entry.schema) === foldName(schema);
    const folded = (this.#index.byName.get(foldName(name)) ?? []).filter(isInSchema);
    // Where a server tells Users from users, both may be there.
    const exact = folded.filter((entry) => entry.name === name && entry.schema === schema);
    if (exact.length > 0) return exact;
    if (folded.length > 0) return folded;
    return this.#index.sensitive.filter(
      (entry) => isInSchema(entry) && mayBeSameName(entry.name, name),
    );
  }
}

type Columns = Pick<RelationColumns, 'columns' | 'hidden'>;

function knownColumns({ sensitive, plain }: Known): Columns {
  if (sensitive !== undefined) return sensitiveColumns(sensitive);
  return plain === undefined ? { columns: [], hidden: [] } : plainColumns(plain);
}

/** Of a temporary table, of one made a moment ago, of a part of the server's own schemas. */
function unknownColumns({ name }: QualifiedName, schema: string | undefined): Column {
  const run: Unlisted = isSystemSchema(schema) ? 'clear' : 'suspicious';
  const relation = schema === undefined ? name : `${schema}.${name}`;
  return { name: '*', masked: undefined, origin: { relation, column: '*' }, run };
}

function sensitiveColumns(relation: SensitiveRelation): Columns {
  const { schema, name } = relation;
  const masked = new NameSet(relation.masked);
  const label = (column: string): Column => ({
    name: column,
    masked: masked.has(column) ? column : undefined,
    origin: { relation: `${schema}.${name}`, column },
    run: undefined,
  });
  const ordered = relation.columns;
  const all = [...relation.masked, ...relation.clear];
  const seen = new Set(ordered?.map(foldName));
  const hidden = all.filter((column) => !seen.has(foldName(column))).map(label);
  return {
    columns: ordered?.map(label) ?? [maskedRun(relation.masked[0] ?? name)],
    hidden: [...hidden, rowId(relation)],
  };
}

/** `_rowid` is another name for a primary key of one integer column, which may be a masked one. */
function rowId({ schema, name, masked }: SensitiveRelation): Column {
  const origin = { relation: `${schema}.${name}`, column: '_rowid' };
  return { name: '_rowid', masked: masked[0], origin, run: undefined };
}

function plainColumns({ schema, name, columns }: PlainRelation): Columns {
  const relation = `${schema}.${name}`;
  const label = (column: string): Column => ({
    name: column,
    masked: undefined,
    origin: { relation, column },
    run: undefined,
  });
  // Columns that `*` leaves out (INVISIBLE) are not told: a name that is not listed is clear here.
  return { columns: columns.map(label), hidden: [] };
}

/** It cannot be told which of several is meant: a column is masked when it is so in one of them. */
function mergedColumns(
  relations: readonly SensitiveRelation[],
  schema: string | undefined,
): RelationColumns {
  const parts = relations.map(sensitiveColumns);
  const named = parts.flatMap(({ columns, hidden }) => [...columns, ...hidden]);
  const [masked] = relations.flatMap((relation) => relation.masked);
  return {
    isSensitive: true,
    schema,
    columns: [maskedRun(masked ?? '*')],
    hidden: named.filter((column) => column.run === undefined),
  };
}

function systemColumns(
  masked: readonly string[] | 'all',
  columns: readonly string[] | undefined,
  relation: string,
): Columns {
  const names = masked === 'all' ? undefined : new NameSet(masked);
  const label = (name: string): Column => {
    const isMasked = names === undefined || names.has(name);
    return { name, masked: isMasked ? name : undefined, origin: undefined, run: undefined };
  };
  if (columns !== undefined) return { columns: columns.map(label), hidden: [] };
  if (masked === 'all') return { columns: [maskedRun(relation)], hidden: [] };
  return { columns: [{ ...maskedRun(relation), run: 'clear' }], hidden: masked.map(label) };
}

/** An unknown number of columns with masked ones among them. */
export function maskedRun(name: string): Column {
  return { name: '*', masked: name, origin: undefined, run: 'masked' };
}
