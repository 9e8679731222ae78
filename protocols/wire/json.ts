/**
 * JSON on the wire, by spans: read strictly (`json-read.ts`), cut and filled in (`json-splice.ts`), masked
 * (`json-mask.ts`). Nothing here ever writes a document anew: what is not touched keeps its bytes.
 */

export { JSON_DEPTH_MAX } from './json-scan.ts';
export { JSON_NODES_MAX, member, readJson } from './json-read.ts';
export type { JsonNode, JsonObject, JsonArray } from './json-read.ts';
export { spliceJson } from './json-splice.ts';
export type { JsonEdit } from './json-splice.ts';
export { maskJson } from './json-mask.ts';
export type { JsonPlan } from './json-mask.ts';
