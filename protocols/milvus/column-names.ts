/**
 * What a column of an answer is called, and which field that is: `email`, `$meta`, `max(email)`, `info["a"]`,
 * `people[email]`. And what masks say of it. Texts only; `columns.ts` reads the bytes.
 */

import type { FieldMasks, FieldPath, MaskText } from '../store.ts';
import { isFieldName, readExpression } from './expressions.ts';

/** How the values of one column are treated. */
export interface ColumnMask {
  readonly path: FieldPath;
  /** Of all values; undefined: none by name. */
  readonly byName: MaskText | undefined;
  /** Values inside (JSON) may have masks by name. */
  readonly hasBelow: boolean;
  readonly detect: ((text: string) => string) | undefined;
  /** For JSON in it. */
  readonly inside: FieldMasks;
}

/** For what may be any field: nothing of it may be shown as soon as any field is masked by name. */
const blank: MaskText = () => null;

/** `outer`: the column that it lies in (lists of structs). */
export function columnMask(name: string, masks: FieldMasks, outer: FieldPath = []): ColumnMask {
  const paths = pathsOf(name, outer);
  if (paths === undefined) return unclearMask(masks);
  const [path = [], ...more] = paths;
  if (more.length > 0) return anyMask(paths, masks);
  if (paths.length === 0) {
    return madeMask(false, masks);
  }
  return {
    path,
    byName: masks.maskOf(path),
    hasBelow: masks.mayMaskBelow(path),
    detect: masks.detect,
    inside: masks,
  };
}

/** Empty: it is made of no field (`count(*)`). Undefined: it cannot be told. */
function pathsOf(name: string, outer: FieldPath): readonly FieldPath[] | undefined {
  if (isFieldName(name)) return [[...outer, name]];
  if (name === '$meta') return [outer];
  if (name === '') return undefined;
  const read = readExpression(name);
  if (read.kind === 'unclear') return undefined;
  const [first] = outer;
  return read.fields.map((path) =>
    first === undefined || path[0] === first ? path : [...outer, ...path],
  );
}

export function unclearMask(masks: FieldMasks): ColumnMask {
  return madeMask(masks.mayMaskBelow([]), masks);
}

/** Made of several fields: one of them under a mask is enough. */
function anyMask(paths: readonly FieldPath[], masks: FieldMasks): ColumnMask {
  const isMasked = paths.some(
    (path) => masks.maskOf(path) !== undefined || masks.mayMaskBelow(path),
  );
  return madeMask(isMasked, masks);
}

/** Of a column that is no one field. */
function madeMask(isMasked: boolean, { detect }: FieldMasks): ColumnMask {
  const byName = isMasked ? blank : undefined;
  const inside = { maskOf: () => byName, mayMaskBelow: () => isMasked, detect };
  return { path: [], byName, hasBelow: false, detect, inside };
}

/** As the value of a group or an aggregate: something inside that has a mask cannot be told apart any more. */
export function castMask(mask: ColumnMask): ColumnMask {
  return mask.byName === undefined && mask.hasBelow ? { ...mask, byName: blank } : mask;
}

/** One text under a mask; null: the product's own null. */
export function maskText(text: string, mask: ColumnMask): string | null {
  if (mask.byName !== undefined) return mask.byName(text);
  return mask.detect?.(text) ?? text;
}

/** True: no value under it can change. */
export function isClear(mask: ColumnMask): boolean {
  return mask.byName === undefined && !mask.hasBelow && mask.detect === undefined;
}

function isPlain([first]: FieldPath): boolean {
  return first === undefined || isFieldName(first);
}

/**
 * The masks as rows of REST see them, where names of columns are keys: `max(email)`, `$meta`. Others go
 * through as they are.
 */
export function restMasks(masks: FieldMasks): FieldMasks {
  const columnOf = (path: FieldPath): { mask: ColumnMask; below: FieldPath } => {
    const [first = '', ...rest] = path;
    const mask = castMask(columnMask(first, masks));
    return { mask, below: [...mask.path, ...rest] };
  };
  return {
    detect: masks.detect,
    maskOf: (path) => {
      if (isPlain(path)) return masks.maskOf(path);
      if (path[0] === '$meta') return masks.maskOf(path.slice(1));
      const column = columnOf(path);
      return column.mask.byName ?? masks.maskOf(column.below);
    },
    mayMaskBelow: (path) => {
      if (isPlain(path)) return masks.mayMaskBelow(path);
      if (path[0] === '$meta') return masks.mayMaskBelow(path.slice(1));
      const column = columnOf(path);
      return column.mask.byName !== undefined || masks.mayMaskBelow(column.below);
    },
  };
}
