/** The words of `weir explain` for a request to a store. */

import type { FieldPath } from '../../protocols/store.ts';
import type { MaskConfig, StoreProtocol } from '../config/config.ts';
import type { ExplainedRequest } from '../gateway/store-explainer.ts';
import { objectText, type ResolvedAccess } from '../policy/store-rules.ts';

export function describeRequest(
  { call, judgement, unread }: ExplainedRequest,
  protocol: StoreProtocol,
): string {
  const { accesses, rule, refusal, masks } = judgement;
  const lines: string[] = [];
  if (unread !== undefined) {
    lines.push(`not read    what names mean: ${unread}`);
    lines.push('            The decision takes them as they are written.');
  }
  lines.push(`route       ${call.route}`);
  for (const access of accesses) lines.push(`effect      ${accessText(access, protocol)}`);
  if (accesses.length === 0) lines.push('effect      none on data');
  if (call.limit !== undefined) lines.push(`limit       ${call.limit}`);
  if (call.wantsVectors === true) lines.push('vectors     it gives out stored vectors');
  for (const path of call.steering) lines.push(`goes by     ${fieldText(path)}`);
  if (call.steersAny !== undefined) lines.push(`goes by     any field: ${call.steersAny}`);
  for (const mask of masks) lines.push(`mask        ${maskText(mask)}`);
  if (refusal === undefined) {
    lines.push(`decision    ALLOW${rule === undefined ? '' : ` by rule "${rule}"`}`);
    lines.push(...restrictionLines(judgement.restrictions));
  } else {
    lines.push(`decision    BLOCK${rule === undefined ? '' : ` by rule "${rule}"`}`);
    lines.push(`reason      ${refusal.reason} (SQLSTATE ${refusal.code})`);
  }
  return `${lines.map(printable).join('\n')}\n`;
}

function accessText({ effect, target, meanings }: ResolvedAccess, protocol: StoreProtocol): string {
  if (target === undefined) return `${effect} on the whole store, or it cannot be told on what`;
  const asked = objectText(protocol, target);
  const means = meanings.map((name) => objectText(protocol, name)).filter((one) => one !== asked);
  const what = target.kind === 'collection' ? '' : ` (${target.kind})`;
  return `${effect} ${asked}${what}${means.length === 0 ? '' : ` = ${means.join(', ')}`}`;
}

function restrictionLines(
  restrictions: ExplainedRequest['judgement']['restrictions'],
): readonly string[] {
  if (restrictions === undefined) return [];
  const { filter, limitMax, hidesVectors } = restrictions;
  return [
    ...filter.map(({ field, value }) => `only        where ${field} is ${JSON.stringify(value)}`),
    ...(limitMax === undefined ? [] : [`only        ${limitMax} records`]),
    ...(hidesVectors ? ['only        without vectors'] : []),
  ];
}

function maskText({ name, fields = [], detect = [], mode, ...mask }: MaskConfig): string {
  const what = [...fields, ...detect.map((kind) => `detect ${kind}`)];
  return `${name}: ${what.join(', ')} -> ${mask.with} (${mode})`;
}

function fieldText(path: FieldPath): string {
  return path.length === 0 ? 'the whole record' : path.join('.');
}

/** Names come from a text that anybody may have written. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
