/**
 * Puts masks into one reply: values by the path of their field, text by detectors, what cannot be traced as a
 * whole. Keys, ids and scores are never given to it. All else of the reply keeps its bytes.
 */

import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import type { FieldMasks, FieldPath } from '../store.ts';
import { maskJson } from '../wire/json.ts';
import { type Edit, encodeBulk, encodeNull, type RespNode } from '../wire/resp-value.ts';

/** Strings of lists, sets and plain keys have no field of their own. */
export const VALUE: FieldPath = ['#value'];
/** Of vector sets. */
export const ELEMENT: FieldPath = ['#element'];
export const ATTRIBUTES: FieldPath = ['#attributes'];
/** In values that are no text (vectors, packed records) shorter runs of letters are chance. */
const RUN_LENGTH_MIN = 10;

const OPEN_BRACE = 0x7b;
/** How a document with fields begins, perhaps behind a byte order mark. */
const NEARLY_JSON = /^(?:\xef\xbb\xbf)?\s*(?:\[\s*)*\{\s*"/;

export class ReplyMasker {
  readonly masks: FieldMasks;
  readonly edits: Edit[] = [];
  readonly #version: 2 | 3;
  /** Vectors, by their path: they stay identical to the bit. */
  readonly #vectors: ReadonlySet<string>;

  constructor(masks: FieldMasks, version: 2 | 3, vectors: ReadonlySet<string> = new Set()) {
    this.masks = masks;
    this.#version = version;
    this.#vectors = vectors;
  }

  /** A mask by name is in force somewhere. */
  get hasNames(): boolean {
    return this.masks.mayMaskBelow([]);
  }

  hide(node: RespNode): void {
    if (node.kind === 'null' || node.kind === 'error') return;
    this.edits.push({ start: node.start, end: node.end, bytes: encodeNull(this.#version) });
  }

  /** The value of the field at `path`, of any type; `record`: where the fields of a JSON document in it lie. */
  value(node: RespNode, path: FieldPath, record: FieldPath = path): void {
    switch (node.kind) {
      case 'null':
      case 'error':
        break;
      case 'list':
      case 'map':
        for (const item of node.items) this.value(item, path, record);
        break;
      case 'number':
        if (this.masks.maskOf(path) !== undefined || this.#detected(node.text)) this.hide(node);
        break;
      case 'text':
        if (!node.isStatus) this.#text(node, path, record);
        break;
    }
  }

  /** Where it cannot be told which field it is: nothing of it while a mask by name is in force. */
  whole(node: RespNode): void {
    switch (node.kind) {
      case 'null':
      case 'error':
        break;
      case 'list':
      case 'map':
        for (const item of node.items) this.whole(item);
        break;
      case 'number':
      case 'text':
        if (this.hasNames) this.hide(node);
        else this.value(node, []);
    }
  }

  /** Bytes that Weir made, in place of a node. */
  replace(node: RespNode, bytes: Buffer): void {
    this.edits.push({ start: node.start, end: node.end, bytes });
  }

  /** Part of a string or made of it: it may be cut out of JSON, where no mask by name finds it any more. */
  piece(node: RespNode): void {
    if (node.kind === 'list' || node.kind === 'map') {
      for (const item of node.items) this.piece(item);
    } else if (this.masks.maskOf(VALUE) !== undefined) this.hide(node);
    else this.pieces(node);
  }

  /** Part of a value or made of it: no detector sees it as it is stored. */
  part(node: RespNode, path: FieldPath): void {
    if (node.kind === 'list' || node.kind === 'map') {
      for (const item of node.items) this.part(item, path);
    } else if (this.masks.maskOf(path) !== undefined || this.masks.detect !== undefined) {
      this.hide(node);
    }
  }

  /** Words of any field, cut as an index cuts them: neither a name nor a detector tells them. */
  pieces(node: RespNode): void {
    if (node.kind === 'list' || node.kind === 'map') {
      for (const item of node.items) this.pieces(item);
    } else if (this.hasNames || this.masks.detect !== undefined) {
      this.hide(node);
    }
  }

  /** A JSON document whose members are fields below `path`; undefined: no telling which. */
  json(node: RespNode, path: FieldPath | undefined): void {
    if (node.kind === 'list') {
      for (const item of node.items) this.json(item, path);
      return;
    }
    if (node.kind === 'map') {
      // FORMAT EXPAND: nobody reads the document out of it here.
      this.whole(node);
      return;
    }
    if (node.kind !== 'text') {
      if (path === undefined) this.whole(node);
      else this.value(node, path);
      return;
    }
    const masks: FieldMasks = path === undefined && this.hasNames ? HIDES_ALL : this.masks;
    const masked = this.#maskJson(node.bytes, path ?? [], masks);
    if (masked === undefined) this.hide(node);
    else this.#replace(node, node.bytes, masked);
  }

  /** A value of a search answer: a field, or JSON text of a branch (DIALECT 3 gives lists). */
  document(node: RespNode, path: FieldPath): void {
    const first = node.kind === 'text' ? node.bytes[0] : undefined;
    if (node.kind === 'text' && (first === 0x5b || first === 0x7b)) {
      const masked = this.#maskJson(node.bytes, path, this.masks);
      if (masked !== undefined) {
        this.#replace(node, node.bytes, masked);
        return;
      }
    }
    this.value(node, path);
  }

  /** One object whose keys are paths: the value of each is of the field that it names. */
  jsonByKeys(node: RespNode, paths: ReadonlyMap<string, FieldPath>): void {
    if (node.kind !== 'text' || node.bytes[0] !== OPEN_BRACE) {
      this.json(node, undefined);
      return;
    }
    const keys = new Map([...paths].map(([key, path]) => [key, { record: path }]));
    const masked = tryJson(() => maskJson(node.bytes, { keys, other: { value: [] } }, this.masks));
    if (masked === undefined) this.hide(node);
    else this.#replace(node, node.bytes, masked);
  }

  /** JSON by habit, but any text may stand there. */
  attributes(node: Extract<RespNode, { kind: 'text' }>): void {
    const masked = this.#maskJson(node.bytes, [], this.masks);
    if (masked !== undefined) this.#replace(node, node.bytes, masked);
    else if (this.hasNames) this.hide(node);
    else this.#detect(node, []);
  }

  #text(node: Extract<RespNode, { kind: 'text' }>, path: FieldPath, record: FieldPath): void {
    const { bytes } = node;
    const mask = this.masks.maskOf(path);
    if (mask !== undefined) {
      const masked = mask(isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1'));
      if (masked === null) this.hide(node);
      else this.#replace(node, bytes, Buffer.from(masked));
      return;
    }
    const first = bytes[0];
    const looksLikeJson =
      first === 0x7b || first === 0x5b || (first !== undefined && first <= 0x20);
    if (looksLikeJson && (this.masks.mayMaskBelow(record) || this.masks.detect !== undefined)) {
      const masked = this.#maskJson(bytes, record, this.masks);
      if (masked !== undefined) {
        this.#replace(node, bytes, masked);
        return;
      }
    }
    // JSON with something behind it, one document a line: the field is in there, but nobody finds its end.
    if (this.masks.mayMaskBelow(record) && NEARLY_JSON.test(bytes.toString('latin1', 0, 256))) {
      this.hide(node);
      return;
    }
    this.#detect(node, path);
  }

  #detect(node: Extract<RespNode, { kind: 'text' }>, path: FieldPath): void {
    const { detect } = this.masks;
    const { bytes } = node;
    if (detect === undefined || this.#vectors.has(pathKey(path))) return;
    if (isUtf8(bytes)) {
      const text = bytes.toString('utf8');
      const masked = detect(text);
      if (masked !== text) this.#replace(node, bytes, Buffer.from(masked));
      return;
    }
    // Text in another charset, or a packed record: a changed length could break it, so all of it goes.
    const runs = bytes.toString('latin1').match(/[ -~\u00a0-\u00ff]+/g) ?? [];
    const isFound = runs.some((run) => run.length >= RUN_LENGTH_MIN && this.#detected(run));
    if (isFound) this.hide(node);
  }

  #detected(text: string): boolean {
    return this.masks.detect !== undefined && this.masks.detect(text) !== text;
  }

  /** Undefined: it is no JSON. */
  #maskJson(bytes: Buffer, path: FieldPath, masks: FieldMasks): Buffer | undefined {
    return tryJson(() => maskJson(bytes, { record: path }, masks));
  }

  #replace(node: RespNode, before: Buffer, masked: Buffer): void {
    if (masked === before || masked.equals(before)) return;
    this.edits.push({ start: node.start, end: node.end, bytes: encodeBulk(masked) });
  }
}

function tryJson(mask: () => Buffer): Buffer | undefined {
  try {
    return mask();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

const HIDES_ALL: FieldMasks = {
  maskOf: () => () => null,
  mayMaskBelow: () => true,
  detect: undefined,
};

export function pathKey(path: FieldPath): string {
  return JSON.stringify(path);
}

/** `masks` that also hide these fields: stored vectors, where a rule withholds them. */
export function hidingFields(
  masks: FieldMasks | undefined,
  paths: readonly FieldPath[],
): FieldMasks {
  const isWithin = (path: FieldPath): boolean =>
    paths.some((hidden) => hidden.every((name, index) => path[index] === name));
  const mayHideBelow = (path: FieldPath): boolean =>
    paths.some((hidden) =>
      path.every((name, index) => hidden[index] === undefined || hidden[index] === name),
    );
  return {
    maskOf: (path) => (isWithin(path) ? () => null : masks?.maskOf(path)),
    mayMaskBelow: (path) => mayHideBelow(path) || masks?.mayMaskBelow(path) === true,
    detect: masks?.detect,
  };
}
