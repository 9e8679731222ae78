/**
 * Filters as Qdrant has them, for its emulator: enough of them to show that a restriction restricts and what
 * an oracle could find out. The REST form is the one that is evaluated.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export interface EmulatedPoint {
  readonly id: number | string;
  vector: readonly number[];
  payload: JsonObject;
}

/** Of text and numbers; everything else is none. */
export function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  return isList(value) ? value : [value];
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** All values at `a.b[].c`, lists opened. */
export function valuesAt(payload: Json | undefined, path: string): Json[] {
  let values: Json[] = payload === undefined ? [] : [payload];
  for (const name of path.split('.').map((part) => part.replaceAll(/\[\d*\]|"/g, ''))) {
    values = values.flatMap((value) => {
      const found = isObject(value) ? value[name] : undefined;
      return found === undefined ? [] : isList(found) ? [...found] : [found];
    });
  }
  return values;
}

export function matches(filter: Json | undefined, point: EmulatedPoint): boolean {
  if (!isObject(filter)) return true;
  const meets = (condition: Json): boolean => meetsCondition(condition, point);
  const should = listOf(filter['should']);
  const minShould = filter['min_should'];
  return (
    listOf(filter['must']).every(meets) &&
    !listOf(filter['must_not']).some(meets) &&
    (should.length === 0 || should.some(meets)) &&
    (!isObject(minShould) ||
      listOf(minShould['conditions']).filter(meets).length >= Number(minShould['min_count']))
  );
}

function meetsCondition(condition: Json, point: EmulatedPoint): boolean {
  if (!isObject(condition)) throw new Error('a condition must be an object');
  const { has_id: hasId, nested, is_empty: isEmpty, is_null: isNull, key } = condition;
  if (hasId !== undefined) return listOf(hasId).includes(point.id);
  if (isObject(nested)) {
    return valuesAt(point.payload, asText(nested['key'])).some(
      (element) => isObject(element) && matches(nested['filter'], { ...point, payload: element }),
    );
  }
  if (isObject(isEmpty)) return valuesAt(point.payload, asText(isEmpty['key'])).length === 0;
  if (isObject(isNull)) return valuesAt(point.payload, asText(isNull['key'])).includes(null);
  if (typeof key === 'string') return meetsField(condition, valuesAt(point.payload, key));
  return matches(condition, point);
}

function meetsField({ match, range, values_count: count }: JsonObject, values: Json[]): boolean {
  if (isObject(match)) return values.some((value) => meetsMatch(match, value));
  if (isObject(range)) return values.some((value) => isWithin(range, value));
  if (isObject(count)) return isWithin(count, values.length);
  throw new Error('a condition that the emulator does not have');
}

function meetsMatch(match: JsonObject, value: Json): boolean {
  if (match['value'] !== undefined) return value === match['value'];
  if (match['any'] !== undefined) return listOf(match['any']).includes(value);
  if (match['except'] !== undefined) return !listOf(match['except']).includes(value);
  const text = match['text'] ?? match['phrase'] ?? match['text_any'];
  return typeof value === 'string' && typeof text === 'string' && value.includes(text);
}

function isWithin(range: JsonObject, value: Json): boolean {
  if (typeof value !== 'number') return false;
  const { gt, gte, lt, lte } = range;
  return (
    (typeof gt !== 'number' || value > gt) &&
    (typeof gte !== 'number' || value >= gte) &&
    (typeof lt !== 'number' || value < lt) &&
    (typeof lte !== 'number' || value <= lte)
  );
}
