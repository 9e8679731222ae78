/**
 * Where values stand in the answers of FT.SEARCH, FT.AGGREGATE and FT.TAGVALS, in RESP2 (arrays) and RESP3 (maps).
 * Which field a name stands for was found out from the request and the index; here it is only looked up.
 */

import type { FieldPath } from '../store.ts';
import { encodeError, type RespNode } from '../wire/resp-value.ts';
import { itemsOf, type MaskAnswer, textOf } from './answers.ts';
import type { ReplyMasker } from './masking.ts';
import { branchPathOf } from './json-path.ts';
import { type Attribute, findAttribute, pathOf, type Schema } from './schema.ts';
import type { AggregateArguments } from './aggregate-arguments.ts';
import type { SearchArguments } from './search-arguments.ts';

/** All fields that a name in an answer may stand for; `anywhere`: it cannot be told. */
export interface Origin {
  readonly paths: readonly FieldPath[];
  readonly anywhere: boolean;
  /** It lies right in one of these, under a name that is not known. */
  readonly within: readonly FieldPath[];
}

const ANYWHERE: Origin = { paths: [], anywhere: true, within: [] };

/** What an attribute or field that a request names is. */
export function originOf(name: string, schema: Schema | undefined): Origin {
  if (schema === undefined) return ANYWHERE;
  const attribute = findAttribute(schema, name);
  if (attribute !== undefined) return originOfAttribute(attribute);
  const path = pathOf(name, schema.isJson);
  if (path !== undefined) return { paths: [path], anywhere: false, within: [] };
  return originWithin(schema.isJson ? branchPathOf(name) : undefined);
}

function originOfAttribute({ path, branch, identifier }: Attribute): Origin {
  if (path === undefined) return originWithin(branch);
  return { paths: [path, [identifier]], anywhere: false, within: [] };
}

function originWithin(branch: FieldPath | undefined): Origin {
  return branch === undefined ? ANYWHERE : { paths: [branch], anywhere: false, within: [branch] };
}

function either(origins: readonly (Origin | undefined)[]): Origin {
  const paths = origins.flatMap((origin) => origin?.paths ?? []);
  return {
    paths,
    anywhere: origins.some((origin) => origin?.anywhere === true),
    within: origins.flatMap((origin) => origin?.within ?? []),
  };
}

/** A field of that very name. */
function named(name: string): Origin {
  return { paths: [[name]], anywhere: false, within: [] };
}

/** A name that the server chose: an attribute or a field of that name, whichever is masked. */
export function originOfKey(name: string, schema: Schema | undefined): Origin {
  const origin = originOf(name, schema);
  return { ...origin, paths: [...origin.paths, [name]] };
}

export function searchAnswer(found: SearchArguments, schema: Schema | undefined): MaskAnswer {
  const renamed = new Map<string, Origin>();
  for (const { field, name } of found.returns ?? []) {
    // RediSearch 1 knows no AS: there all three are names of fields (measured).
    renamed.set(name, either([renamed.get(name), originOf(field, schema), named(name)]));
  }
  const field = (name: string, node: RespNode, masker: ReplyMasker): void => {
    const origin = renamed.get(name) ?? originOfKey(name, schema);
    maskField(node, origin, masker);
  };
  const { words } = found;
  const hasContent = !words.has('nocontent') && found.returns?.length !== 0;
  const beside = ['withscores', 'withpayloads', 'withsortkeys'].filter((one) => words.has(one));
  const sortKey = originOf(found.sortBy ?? '', schema);
  const isExplained = words.has('explainscore');
  return (reply, masker) => {
    if (reply.kind === 'map') {
      maskResults(reply, field, sortKey, masker);
      return;
    }
    const items = itemsOf(reply).slice(1);
    const width = 1 + beside.length + Number(hasContent);
    // What does not stand as it was asked for could be anything but a record of fields.
    const isAligned = items.length % width === 0;
    for (const [index, item] of items.entries()) {
      const place = index % width;
      const word = beside[place - 1];
      if (word === 'withscores' && isAligned && (item.kind !== 'list' || isExplained)) continue;
      if (item.kind === 'list') maskPairs(item, field, masker);
      else if (!isAligned || word === 'withpayloads') masker.whole(item);
      else if (word === 'withsortkeys') maskDerived(item, [sortKey], masker);
      else if (place > beside.length) masker.whole(item);
    }
  };
}

export function aggregateAnswer(found: AggregateArguments, schema: Schema | undefined): MaskAnswer {
  const field = (name: string, node: RespNode, masker: ReplyMasker): void => {
    const lineage = found.names.get(name);
    if (lineage === undefined) {
      if (found.hasGroups) maskDerived(node, [ANYWHERE], masker);
      else maskField(node, originOfKey(name, schema), masker);
      return;
    }
    const origins = lineage.sources.map((source) => originOf(source, schema));
    if (lineage.isDirect) maskField(node, either(origins), masker);
    else if (!lineage.sources.every((source) => isNumeric(source, schema))) {
      maskDerived(node, origins, masker);
    } else maskNamedOnly(node, origins, masker);
  };
  const rows: MaskAnswer = (reply, masker) => {
    if (found.computes) withholdErrors(reply, masker);
    if (reply.kind === 'map') maskResults(reply, field, ANYWHERE, masker);
    else for (const row of itemsOf(reply).slice(1)) maskPairs(row, field, masker);
  };
  if (!found.hasCursor) return rows;
  return (reply, masker) => {
    const [inner] = itemsOf(reply);
    if (inner !== undefined) rows(inner, masker);
    else if (reply.kind === 'error' && found.computes) withholdErrors(reply, masker);
  };
}

/** These quote the request alone. */
const HARMLESS_ERROR = /^(?:ERR )?(?:SEARCH_\w+:? )?(?:Syntax error|Property |Unknown )/;
const WITHHELD_ERROR = encodeError(
  'ERR',
  'Weir withholds what went wrong in this APPLY or FILTER: it may quote a value, and values are masked here',
);

/** `to_number: cannot convert string 'ann@example.com'` (RediSearch 2.10). */
function withholdErrors(node: RespNode, masker: ReplyMasker): void {
  if (node.kind === 'error') {
    if (!HARMLESS_ERROR.test(node.bytes.toString('latin1'))) masker.replace(node, WITHHELD_ERROR);
  } else if (node.kind === 'map') {
    // In RESP3 it may come beside the rows.
    eachPair(node, (key, value) => {
      if (key === 'warning' || key === 'error') masker.whole(value);
      else withholdErrors(value, masker);
    });
  } else for (const item of itemsOf(node)) withholdErrors(item, masker);
}

export function tagsAnswer(name: string, schema: Schema | undefined): MaskAnswer {
  const origin = originOf(name, schema);
  const attribute = findAttribute(schema, name);
  const isWhole = attribute?.separator === ',' || attribute?.separator === '';
  return (reply, masker) => {
    for (const item of itemsOf(reply)) {
      if (isWhole) maskField(item, origin, masker);
      else maskDerived(item, [origin], masker);
    }
  };
}

type MaskNamed = (name: string, node: RespNode, masker: ReplyMasker) => void;

/** RESP3: `results` has a map for each record. */
function maskResults(
  reply: RespNode,
  field: MaskNamed,
  sortKey: Origin,
  masker: ReplyMasker,
): void {
  eachPair(reply, (key, value) => {
    if (key !== 'results') return;
    for (const record of itemsOf(value)) {
      eachPair(record, (part, node) => {
        if (part === 'extra_attributes') maskPairs(node, field, masker);
        else if (part === 'sortkey') maskDerived(node, [sortKey], masker);
        else if (part !== 'id' && part !== 'score') masker.whole(node);
      });
    }
  });
}

function maskPairs(node: RespNode, field: MaskNamed, masker: ReplyMasker): void {
  if (node.kind !== 'list' && node.kind !== 'map') {
    masker.whole(node);
    return;
  }
  eachPair(node, (name, value) => field(name, value, masker));
}

function eachPair(node: RespNode, visit: (name: string, value: RespNode) => void): void {
  const items = itemsOf(node);
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1];
    if (value !== undefined) visit(textOf(items[index]), value);
  }
}

function maskField(node: RespNode, origin: Origin, masker: ReplyMasker): void {
  if (isAnywhere(origin, masker)) {
    masker.whole(node);
    return;
  }
  const { paths } = origin;
  const { masks } = masker;
  const masked =
    paths.find((path) => masks.maskOf(path) !== undefined) ??
    paths.find((path) => masks.mayMaskBelow(path));
  masker.document(node, masked ?? paths[0] ?? []);
}

/** Made of a value, so that neither its form nor its length is known. */
function maskDerived(node: RespNode, origins: readonly Origin[], masker: ReplyMasker): void {
  if (origins.length > 0 && masker.masks.detect !== undefined) masker.hide(node);
  else maskNamedOnly(node, origins, masker);
}

function maskNamedOnly(node: RespNode, origins: readonly Origin[], masker: ReplyMasker): void {
  const isHidden = origins.some(
    (origin) => isAnywhere(origin, masker) || origin.paths.some((path) => isMasked(path, masker)),
  );
  if (isHidden) masker.hide(node);
}

/** The value of any masked field may stand there. */
function isAnywhere({ anywhere, within }: Origin, masker: ReplyMasker): boolean {
  if (!masker.hasNames) return false;
  return anywhere || within.some((path) => masker.masks.mayMaskBelow(path));
}

function isMasked(path: FieldPath, { masks }: ReplyMasker): boolean {
  return masks.maskOf(path) !== undefined || masks.mayMaskBelow(path);
}

function isNumeric(source: string, schema: Schema | undefined): boolean {
  return findAttribute(schema, source)?.type === 'NUMERIC';
}
