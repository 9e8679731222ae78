/**
 * The masks of the configuration as a session uses them on the answers of a store: by the path of a field,
 * and by content. The masked values are those of text columns in SQL, so that equal values stay equal.
 *
 * A pattern is a glob over the path with dots between its names, and `*.email` is `email` at any depth, the
 * top included. Whether a name holds a dot or an object lies in an object makes no difference, nor do brackets of
 * lists and quotes around names, which are left out.
 */

import type { FieldMasks, FieldPath, MaskText } from '../../protocols/store.ts';
import type { DetectorName, MaskConfig } from '../config/config.ts';
import { canMatchBelow, matchesGlob } from '../policy/glob.ts';
import { findContent } from './detectors.ts';
import { type ValueOptions, maskValueFor } from './values.ts';
import { TYPE } from './value-types.ts';

/** Paths come from records; what was found for one is kept up to here. */
const PATHS_MAX = 10_000;
/** Ids, scores and vectors are never masked, so a glob does not mean them. */
const KEYS: ReadonlySet<string> = new Set(['#id', '#element', '#score', '#embedding']);

interface FieldPattern {
  readonly mask: MaskConfig;
  /** Any of them. */
  readonly globs: readonly string[];
}

/** Undefined: nothing to mask. The masks are those in force, in file order. */
export function createFieldMasks(
  masks: readonly MaskConfig[],
  options: ValueOptions,
): FieldMasks | undefined {
  const patterns = readFieldPatterns(masks);
  const detect = createDetector(masks, options);
  if (patterns.length === 0 && detect === undefined) return undefined;
  const texts = new Map(masks.map((mask) => [mask, maskTextFor(mask, options)]));
  const known = new Map<string, MaskText | undefined>();
  const below = new Map<string, boolean>();
  return {
    maskOf: (path) => {
      const name = nameOf(path);
      if (known.has(name)) return known.get(name);
      const pattern = patterns.find((one) => matchesAt(one, name));
      const text = pattern && texts.get(pattern.mask);
      remember(known, name, text);
      return text;
    },
    mayMaskBelow: (path) => {
      if (path.length === 0) return patterns.length > 0;
      const name = nameOf(path);
      const isKnown = below.get(name);
      if (isKnown !== undefined) return isKnown;
      const may = patterns.some((one) => matchesAt(one, name) || matchesBelow(one, name));
      remember(below, name, may);
      return may;
    },
    detect,
  };
}

function remember<T>(known: Map<string, T>, name: string, value: T): void {
  if (known.size >= PATHS_MAX) known.clear();
  known.set(name, value);
}

export interface MaskedSteering {
  readonly mask: string;
  readonly field: string;
}

/** The first field that steers and is masked, lies in a masked one or holds one. */
export function findMaskedSteering(
  masks: readonly MaskConfig[],
  steering: readonly FieldPath[],
): MaskedSteering | undefined {
  const patterns = readFieldPatterns(masks);
  for (const path of steering) {
    const field = nameOf(path);
    const pattern = patterns.find(
      (one) => path.length === 0 || matchesAt(one, field) || matchesBelow(one, field),
    );
    if (pattern !== undefined) return { mask: pattern.mask.name, field };
  }
  return undefined;
}

function readFieldPatterns(masks: readonly MaskConfig[]): FieldPattern[] {
  return masks.flatMap((mask) =>
    (mask.fields ?? []).map((field) => ({
      mask,
      globs: [field, plainOf(field)].flatMap((glob) =>
        glob.startsWith('*.') ? [glob, glob.slice(2)] : [glob],
      ),
    })),
  );
}

/** As Qdrant writes it: `tags[].name`, `a[0]."b"` are `tags.name` and `a.b` in a path, where lists are left out. */
function plainOf(field: string): string {
  return field.replaceAll(/\[\d*\]/g, '').replaceAll(/(?<=^|\.)"([^"]*)"(?=$|\.)/g, '$1');
}

function nameOf(path: FieldPath): string {
  return path.length === 1 ? (path[0] ?? '') : path.join('.');
}

/** It matches the name itself or what that lies in. */
function matchesAt({ globs }: FieldPattern, name: string): boolean {
  for (let end = name.indexOf('.'); end >= 0; end = name.indexOf('.', end + 1)) {
    if (globs.some((glob) => matchesName(glob, name.slice(0, end)))) return true;
  }
  return globs.some((glob) => matchesName(glob, name));
}

function matchesBelow({ globs }: FieldPattern, name: string): boolean {
  return !KEYS.has(name) && globs.some((glob) => canMatchBelow(glob, `${name}.`));
}

function matchesName(glob: string, name: string): boolean {
  return KEYS.has(name) ? glob === name : matchesGlob(glob, name);
}

/** As a text column in SQL is masked. */
function maskTextFor(mask: MaskConfig, options: ValueOptions): MaskText {
  const column = { type: TYPE.text, typeModifier: -1, format: 'text' } as const;
  const maskValue = maskValueFor(mask.with, column, options);
  if (mask.with === 'redact') {
    // The same for every value.
    const shown = maskValue(Buffer.of())?.toString() ?? null;
    return () => shown;
  }
  return (text) => maskValue(Buffer.from(text))?.toString() ?? null;
}

function createDetector(
  masks: readonly MaskConfig[],
  options: ValueOptions,
): ((text: string) => string) | undefined {
  const byKind = new Map<DetectorName, MaskText>();
  for (const mask of masks) {
    for (const kind of mask.detect ?? []) {
      // The first mask of a kind holds, as with fields.
      if (!byKind.has(kind)) byKind.set(kind, maskTextFor(mask, options));
    }
  }
  if (byKind.size === 0) return undefined;
  const kinds = new Set(byKind.keys());
  return (text) => {
    const found = findContent(text, kinds);
    if (found.length === 0) return text;
    const parts: string[] = [];
    let at = 0;
    for (const { start, end, kind } of found) {
      // A part of a text cannot be null: with = "null" leaves nothing in its place.
      parts.push(text.slice(at, start), byKind.get(kind)?.(text.slice(start, end)) ?? '');
      at = end;
    }
    parts.push(text.slice(at));
    return parts.join('');
  };
}
