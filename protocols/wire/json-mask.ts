/**
 * Masks an answer in JSON, in one pass: only the tokens that change are written, every other byte (vectors,
 * ids, `-0.0`, white space) stays. The whole document is checked, and the branches that pass are not decoded.
 * Keys are never masked: they are names of fields. A key twice in one object is masked twice.
 */

import { ProtocolError } from '../errors.ts';
import type { FieldMasks, FieldPath, MaskText } from '../store.ts';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  JsonScanner,
  LETTER_N,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-scan.ts';
import { Splicer } from './json-splice.ts';

export type JsonPlan =
  /** An object; keys that are not in it pass unless `other` says what they are. Other values pass. */
  | { readonly keys: ReadonlyMap<string, JsonPlan>; readonly other?: JsonPlan }
  /** An object whose members are fields below that path; `keys`: those that are none (scores, vectors). */
  | { readonly record: FieldPath; readonly keys?: ReadonlyMap<string, JsonPlan> }
  /** The value of that field. */
  | { readonly value: FieldPath }
  /** Content detectors on all strings below. */
  | 'detect'
  | 'pass';

/** Paths of one answer whose masks are remembered; an answer of more makes each of the others anew. */
const SCOPES_MAX = 10_000;

/** What is known of a path. */
interface Scope {
  readonly path: FieldPath;
  readonly mask: MaskText | undefined;
  readonly hasMaskBelow: boolean;
  readonly children: Map<string, Scope>;
}

/**
 * Arrays are transparent: the plan counts for each item. The same Buffer comes back when nothing changed.
 * A body without a byte has nothing to mask; all else that is no JSON document throws ProtocolError.
 *
 * Below a path with a mask by name every string is masked and every number, true and false becomes null.
 * Text that holds a JSON document of its own is masked inside, where a mask by name lies below its path
 * (Milvus gives JSON fields as text).
 */
export function maskJson(bytes: Buffer, plan: JsonPlan, masks: FieldMasks): Buffer {
  if (bytes.length === 0) return bytes;
  const scanner = new JsonScanner(bytes, 'server');
  const masker = new JsonMasker(scanner, new Scopes(masks), masks.detect);
  masker.apply(plan, 0);
  return masker.finish();
}

/** How a document with fields begins. */
const NEARLY_JSON = /^\ufeff?\s*(?:\[\s*)*\{\s*"/;
const HIDDEN = '***';

class Scopes {
  readonly #masks: FieldMasks;
  readonly #roots = new Map<JsonPlan, Scope>();
  #count = 0;

  constructor(masks: FieldMasks) {
    this.#masks = masks;
  }

  /** Of a plan, which comes again with each record. */
  root(plan: JsonPlan, path: FieldPath): Scope {
    const scope = this.#roots.get(plan) ?? this.#make(path);
    this.#roots.set(plan, scope);
    return scope;
  }

  child(scope: Scope, key: string): Scope {
    const known = scope.children.get(key);
    if (known !== undefined) return known;
    const made = this.#make([...scope.path, key]);
    if (this.#count++ < SCOPES_MAX) scope.children.set(key, made);
    return made;
  }

  #make(path: FieldPath): Scope {
    const mask = this.#masks.maskOf(path);
    const hasMaskBelow = this.#masks.mayMaskBelow(path);
    return { path, mask, hasMaskBelow, children: new Map() };
  }
}

class JsonMasker {
  readonly #scanner: JsonScanner;
  readonly #scopes: Scopes;
  readonly #detect: ((text: string) => string) | undefined;
  readonly #splicer: Splicer;

  constructor(
    scanner: JsonScanner,
    scopes: Scopes,
    detect: ((text: string) => string) | undefined,
  ) {
    this.#scanner = scanner;
    this.#scopes = scopes;
    this.#detect = detect;
    this.#splicer = new Splicer(scanner.bytes);
  }

  finish(): Buffer {
    this.#scanner.finish();
    return this.#splicer.finish();
  }

  /** The value that comes next; `depth` counts what is around it. */
  apply(plan: JsonPlan, depth: number): void {
    if (plan === 'pass') this.#scanner.skipValue(depth);
    else if (plan === 'detect') this.#detectBelow(depth);
    else if ('keys' in plan && !('record' in plan)) this.#byKeys(plan, depth);
    else if ('record' in plan) this.field(this.#scopes.root(plan, plan.record), depth, plan.keys);
    else this.field(this.#scopes.root(plan, plan.value), depth);
  }

  #byKeys(
    plan: { readonly keys: ReadonlyMap<string, JsonPlan>; readonly other?: JsonPlan },
    depth: number,
  ): void {
    const byte = this.#scanner.peek();
    if (byte === OPEN_OBJECT) {
      this.#members(depth, (key) => {
        this.apply(plan.keys.get(key) ?? plan.other ?? 'pass', depth + 1);
      });
    } else if (byte === OPEN_ARRAY) this.#items(depth, () => this.#byKeys(plan, depth + 1));
    else this.#scanner.skipValue(depth);
  }

  /** The value of a field, or a record; `keys` are the members that are no fields. */
  field(scope: Scope, depth: number, keys?: ReadonlyMap<string, JsonPlan>): void {
    if (scope.mask !== undefined) {
      this.#blank(scope.mask, depth);
      return;
    }
    if (!scope.hasMaskBelow && keys === undefined) {
      this.#detectBelow(depth);
      return;
    }
    const byte = this.#scanner.peek();
    if (byte === QUOTE) this.#text(scope, depth);
    else if (byte === OPEN_ARRAY) this.#items(depth, () => this.field(scope, depth + 1, keys));
    else if (byte === OPEN_OBJECT) {
      this.#members(depth, (key) => {
        const plan = keys?.get(key);
        if (plan !== undefined) this.apply(plan, depth + 1);
        else this.field(this.#scopes.child(scope, key), depth + 1);
      });
    } else this.#scanner.skipValue(depth);
  }

  /** Text with masks by name below its path: it may hold a document that has such fields. */
  #text(scope: Scope, depth: number): void {
    const { start, text } = this.#takeText();
    const inside = scope.hasMaskBelow ? this.#masked(text, scope, depth) : text;
    const masked = this.#detect?.(inside) ?? inside;
    if (masked !== text) this.#splicer.replace(start, this.#scanner.at, JSON.stringify(masked));
  }

  /**
   * Text that only looks like JSON is text. Where it begins as a document with fields and then is none (something
   * behind it, one document a line), its fields are in there and nobody finds their end: it is hidden whole.
   */
  #masked(text: string, scope: Scope, depth: number): string {
    if (!/^\ufeff?\s*[[{"]/.test(text)) return text;
    const bytes = Buffer.from(text, 'utf8');
    try {
      const scanner = new JsonScanner(bytes, 'server');
      const inner = new JsonMasker(scanner, this.#scopes, this.#detect);
      inner.field(scope, depth + 1);
      const masked = inner.finish();
      return masked === bytes ? text : masked.toString('utf8');
    } catch (error) {
      if (error instanceof ProtocolError) return NEARLY_JSON.test(text) ? HIDDEN : text;
      throw error;
    }
  }

  #detectBelow(depth: number): void {
    const detect = this.#detect;
    if (detect === undefined) {
      this.#scanner.skipValue(depth);
      return;
    }
    const byte = this.#scanner.peek();
    if (byte === QUOTE) {
      const { start, text } = this.#takeText();
      const masked = detect(text);
      if (masked !== text) this.#splicer.replace(start, this.#scanner.at, JSON.stringify(masked));
    } else if (byte === OPEN_ARRAY) this.#items(depth, () => this.#detectBelow(depth + 1));
    else if (byte === OPEN_OBJECT) this.#values(depth, () => this.#detectBelow(depth + 1));
    else this.#scanner.skipValue(depth);
  }

  /** All of a value under a mask by name. */
  #blank(mask: MaskText, depth: number): void {
    const scanner = this.#scanner;
    const byte = scanner.peek();
    const start = scanner.at;
    if (byte === QUOTE) {
      const { text } = this.#takeText();
      const masked = mask(text);
      if (masked !== text) this.#splicer.replace(start, scanner.at, JSON.stringify(masked));
    } else if (byte === OPEN_OBJECT) this.#values(depth, () => this.#blank(mask, depth + 1));
    else if (byte === OPEN_ARRAY) this.#blankArray(mask, depth);
    else {
      scanner.skipValue(depth);
      if (byte !== LETTER_N) this.#splicer.replace(start, scanner.at, 'null');
    }
  }

  #blankArray(mask: MaskText, depth: number): void {
    const scanner = this.#scanner;
    const start = scanner.at;
    const count = scanner.takeNumbers();
    if (count === 0) this.#items(depth, () => this.#blank(mask, depth + 1));
    else this.#splicer.replace(start, scanner.at, `[${'null,'.repeat(count - 1)}null]`);
  }

  #takeText(): { readonly start: number; readonly text: string } {
    const start = this.#scanner.at;
    this.#scanner.takeString();
    return { start, text: this.#scanner.text(start) };
  }

  #items(depth: number, each: () => void): void {
    const scanner = this.#scanner;
    scanner.checkDepth(depth);
    if (scanner.takeNumbers() > 0 || scanner.isEmpty(CLOSE_ARRAY)) return;
    do each();
    while (scanner.hasNext(CLOSE_ARRAY));
  }

  #members(depth: number, each: (key: string) => void): void {
    const scanner = this.#scanner;
    scanner.checkDepth(depth);
    if (scanner.isEmpty(CLOSE_OBJECT)) return;
    do {
      if (scanner.peek() !== QUOTE) throw scanner.syntax();
      const key = scanner.takeKey();
      scanner.take(COLON);
      each(key);
    } while (scanner.hasNext(CLOSE_OBJECT));
  }

  #values(depth: number, each: () => void): void {
    const scanner = this.#scanner;
    scanner.checkDepth(depth);
    if (scanner.isEmpty(CLOSE_OBJECT)) return;
    do {
      scanner.skipKey();
      each();
    } while (scanner.hasNext(CLOSE_OBJECT));
  }
}
