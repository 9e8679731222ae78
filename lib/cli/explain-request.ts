/** The words of `weir explain` for a request to a store. */

import type { MaskConfig } from '../config/config.ts';
import type { ExplainedRequest } from '../gateway/store-explainer.ts';

export function describeRequest(explained: ExplainedRequest): string {
  const { call, effects, goesBy, judgement, unread } = explained;
  const { rule, refusal, masks } = judgement;
  const lines: string[] = [];
  if (unread !== undefined) {
    lines.push(`not read    what names mean: ${unread}`);
    lines.push('            The decision takes them as they are written.');
  }
  lines.push(`route       ${call.route}`);
  for (const effect of effects) lines.push(`effect      ${effect}`);
  if (effects.length === 0) lines.push('effect      none on data');
  if (call.limit !== undefined) lines.push(`limit       ${call.limit}`);
  if (call.wantsVectors === true) lines.push('vectors     it gives out stored vectors');
  for (const field of goesBy) lines.push(`goes by     ${field}`);
  if (call.steersAny !== undefined) lines.push(`goes by     any field: ${call.steersAny}`);
  for (const mask of masks) lines.push(`mask        ${maskText(mask)}`);
  if (refusal === undefined) {
    lines.push(`decision    ALLOW${rule === undefined ? '' : ` by rule "${rule}"`}`);
    lines.push(...restrictionLines(judgement.restrictions));
  } else {
    lines.push(`decision    BLOCK${rule === undefined ? '' : ` by rule "${rule}"`}`);
    lines.push(`reason      ${refusal.reason}`);
  }
  return `${lines.map(printable).join('\n')}\n`;
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

/** Names come from a text that anybody may have written. */
function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
