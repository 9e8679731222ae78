/** Records in JSON held against the demands of a policy: those that are written, and those read by id. */

import { ProtocolError } from '../errors.ts';
import type { Restrictions, StoreRefusal } from '../store.ts';
import type { JsonEdit, JsonNode } from '../wire/json.ts';
import { member, readJson, spliceJson } from '../wire/json.ts';
import type { FieldDemand } from './field-path.ts';
import { DEMAND_UNREADABLE, readDemands } from './field-path.ts';

/** The value itself must be that text: in a list it could stand beside another tenant's. */
export function hasDemands(
  payload: JsonNode | undefined,
  demands: readonly FieldDemand[],
): boolean {
  return demands.every(({ path, value }) => {
    const found = member(payload, ...path);
    return found?.kind === 'string' && found.text === value;
  });
}

/** The same for a record that is not there and one of somebody else: which of them it is, is no one's business. */
const NOT_THERE: StoreRefusal = {
  kind: 'forbidden',
  rule: undefined,
  message: 'no such record within the filter of the rule',
};

const UNFIT: StoreRefusal = { kind: 'forbidden', rule: undefined, message: DEMAND_UNREADABLE };

/** Answers of reads by id: foreign records are taken out of lists, a single one is refused. */
export function checkRecords(
  body: Buffer,
  restrictions: Restrictions,
  status: number,
  isList: boolean,
): Buffer | StoreRefusal {
  const demands = readDemands(restrictions.filter);
  if (demands === undefined) return UNFIT;
  if (status >= 400) return demands.length > 0 && !isList ? NOT_THERE : body;
  const result = member(readJson(body, 'server'), 'result');
  if (result === undefined) throw unreadable();
  if (isList) return demands.length > 0 ? withoutForeign(body, result, demands) : body;
  if (!hasDemands(member(result, 'payload'), demands)) return NOT_THERE;
  const vector = member(result, 'vector');
  if (!restrictions.hidesVectors || vector === undefined) return body;
  return spliceJson(body, [{ start: vector.start, end: vector.end, text: 'null' }]);
}

function withoutForeign(body: Buffer, list: JsonNode, demands: readonly FieldDemand[]): Buffer {
  if (list.kind !== 'array') throw unreadable();
  const own = list.items.filter((item) => hasDemands(member(item, 'payload'), demands));
  if (own.length === list.count) return body;
  const texts = own.map(({ start, end }) => body.toString('utf8', start, end));
  const edit: JsonEdit = { start: list.start, end: list.end, text: `[${texts.join(',')}]` };
  return spliceJson(body, [edit]);
}

function unreadable(): ProtocolError {
  return new ProtocolError(
    'QDRANT_ANSWER',
    'server',
    'an answer without the records it should have',
  );
}
