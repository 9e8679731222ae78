/**
 * Paths of RedisJSON as field paths: `$.author.phone`, `.author["phone"]`, `items[*].phone`. Indexes of lists are
 * left out, as in all field paths. What could lead anywhere (`..`, filters, wildcards) is undefined: `[*]` gives the
 * members of an object as well as the items of a list.
 */

import type { FieldMasks, FieldPath } from '../store.ts';

const STEP =
  /\.?([A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*)|\[\s*(?:"((?:[^"\\])*)"|'((?:[^'\\])*)')\s*\]|\[\s*(?:-?\d+(?:\s*,\s*-?\d+)*|-?\d*\s*:\s*-?\d*(?:\s*:\s*-?\d*)?)\s*\]/y;

export function fieldPathOf(path: string): FieldPath | undefined {
  if (path === '$' || path === '.' || path === '') return [];
  const names: string[] = [];
  STEP.lastIndex = path.startsWith('$') ? 1 : 0;
  while (STEP.lastIndex < path.length) {
    const at = STEP.lastIndex;
    const found = STEP.exec(path);
    // A name without a dot stands only at the beginning of a path of the old form.
    const isBare = found?.[1] !== undefined && path[at] !== '.';
    if (found === null || (isBare && at > 0)) return undefined;
    const name = found[1] ?? found[2] ?? found[3];
    if (name !== undefined) names.push(name);
  }
  return names;
}

/** Of `$.tags[*]` the path of `$.tags`: what comes back lies right in it, be it a list or an object. */
export function branchPathOf(path: string): FieldPath | undefined {
  return path.endsWith('[*]') ? fieldPathOf(path.slice(0, -3)) : undefined;
}

/** The path whose masks hold for what is found; undefined: any could. */
export function maskedPathOf(path: string, masks: FieldMasks): FieldPath | undefined {
  const branch = branchPathOf(path);
  const isOutside = branch !== undefined && !masks.mayMaskBelow(branch);
  return isOutside ? branch : fieldPathOf(path);
}
