/**
 * Which fields steer a search or a query of Milvus: they filter, group, order, score or are counted, so that
 * their values come back in another form (vector.md 2.2, bypasses). What is not known may steer by any field.
 */

import type { FieldPath, StoreAccess, StoreRequest } from '../store.ts';
import { isFieldName, readExpression } from './expressions.ts';
import type { RequestMessage } from './request-reader.ts';
import { entriesOf, messagesOf, pairsOf, textOf, textsOf } from './request-reader.ts';

/** Parameters that name no field and no value of one. Sources: pymilvus 3.0, Node SDK 3.0, task_search.go. */
const HARMLESS_PARAMETERS = new Set(
  ['anns_field', 'topk', 'limit', 'offset', 'metric_type', 'params', 'round_decimal', 'nq'].concat(
    ['ignore_growing', 'group_size', 'strict_group_size', 'iterator', 'search_iter_v2'],
    ['search_iter_id', 'search_iter_batch_size', 'search_iter_last_bound', 'collection_id'],
    ['reduce_stop_for_best', 'page_retain_order', 'json_type', 'strict_cast', 'hints', 'timezone'],
    ['strategy', 'rank_group_scorer', 'analyzer_name', 'is_embedding_list', 'cluster_id'],
    ['query_iter_last_pk', 'query_iter_last_element_offset', 'partition_names', 'radius'],
    ['range_filter', 'metricType', 'ef', 'nprobe', 'level', 'weights', 'norm_score', 'k'],
    ['search_list', 'dim', 'time_fields', 'drop_ratio_search', 'guarantee_timestamp'],
    ['iterator_session_ts'],
  ),
);
/** Lists of fields, with commas; each may be an expression and may say a direction (`age:desc`). */
const FIELD_PARAMETERS = new Set(['group_by_field', 'group_by_fields', 'order_by_fields']);
/** Of a function that ranks: words and numbers. */
const HARMLESS_FUNCTION_PARAMETERS = new Set(
  ['reranker', 'function', 'origin', 'scale', 'offset', 'decay', 'weight', 'weights', 'k'].concat(
    ['norm_score', 'strategy', 'boost_mode', 'score_mode', 'function_mode', 'random_score'],
    ['provider', 'queries', 'max_client_batch_size', 'model_name', 'credential'],
  ),
);
/** By these a request chooses where the store sends the texts of a ranking's fields, unmasked (MV-16). */
const PLACES_TO_SEND = new Set(['endpoint', 'url']);

/** Collects; the first reason why it cannot be told stays. */
export class Steering {
  readonly #paths = new Map<string, FieldPath>();
  #doubt: string | undefined;
  #sends: string | undefined;

  get paths(): readonly FieldPath[] {
    return [...this.#paths.values()];
  }

  get doubt(): string | undefined {
    return this.#doubt;
  }

  add(path: FieldPath): void {
    this.#paths.set(JSON.stringify(path), path);
  }

  all(why: string): void {
    this.#doubt ??= why;
  }

  /** One parameter of a function that ranks; `value` is a text where it is one. */
  ranking(key: string, value: string): void {
    if (key === 'filter') this.expression(value);
    else if (PLACES_TO_SEND.has(key.toLowerCase())) {
      this.#sends ??= `the ranking parameter ${key} has texts of records sent elsewhere`;
      this.all(this.#sends);
    } else if (!HARMLESS_FUNCTION_PARAMETERS.has(key)) this.all(`the ranking parameter ${key}`);
  }

  /** As parts of a request. What is sent elsewhere leaves the store past every mask: an export, too. */
  describe(
    accesses: readonly StoreAccess[],
  ): Pick<StoreRequest, 'accesses' | 'steering' | 'steersAny' | 'carries'> {
    const doubt = this.#doubt;
    const carries = this.#sends;
    const exported = accesses.map(({ target }) => ({ effect: 'export', target }) as const);
    return {
      accesses: carries === undefined ? accesses : [...accesses, ...exported],
      steering: this.paths,
      ...(doubt === undefined ? {} : { steersAny: doubt }),
      ...(carries === undefined ? {} : { carries }),
    };
  }

  expression(text: string): void {
    const read = readExpression(text);
    if (read.kind === 'unclear') this.all(`a filter that cannot be read: ${read.why}`);
    else for (const path of read.fields) this.add(path);
  }

  /** `email`, `info["a"]`, `max(email)`, each perhaps with a direction behind a colon. */
  fieldList(text: string): void {
    for (const part of text.split(',')) {
      const name = part.replace(/:(?:asc|desc)$/i, '').trim();
      if (name === '') continue;
      if (/^[A-Za-z_$]/.test(name)) this.expression(name);
      else this.all('a list of fields in another form');
    }
  }
}

/** Columns that are made of a field (`max(email)`) are like a filter on it. */
export function steerByOutputs(steering: Steering, outputs: readonly string[]): void {
  for (const name of outputs) {
    if (!isFieldName(name) && name !== '*' && name.includes('(')) steering.expression(name);
  }
}

export function steerByParameters(
  steering: Steering,
  parameters: ReadonlyMap<string, string>,
): void {
  for (const [key, value] of parameters) {
    if (FIELD_PARAMETERS.has(key)) steering.fieldList(value);
    else if (key === 'json_path') steering.all('a JSON path');
    else if (key === 'params') steerByIndexParameters(steering, value);
    else if (!HARMLESS_PARAMETERS.has(key)) steering.all(`the search parameter ${key}`);
  }
}

/** JSON for the index: numbers. Some servers look there for all other parameters as well. */
function steerByIndexParameters(steering: Steering, text: string): void {
  if (/_by_|path|\\/i.test(text)) steering.all('parameters of the index that speak of fields');
}

/** What in a Search, or in a part of a HybridSearch, steers beside its expression and parameters. */
export function steerByExtras(steering: Steering, message: RequestMessage): void {
  for (const score of messagesOf(message, 'function_score')) {
    for (const ranking of messagesOf(score, 'functions')) steerByFunction(steering, ranking);
    for (const [key, value] of pairsOf(score, 'params')) steering.ranking(key, value);
  }
  if (messagesOf(message, 'function_chains').length > 0) steering.all('function chains');
  for (const aggregation of messagesOf(message, 'search_aggregation')) {
    steerByAggregation(steering, aggregation);
  }
  // Which words of a text were hit says what is in it, as a filter does.
  if (messagesOf(message, 'highlighter').length > 0) steering.all('a highlighter');
}

function steerByFunction(steering: Steering, ranking: RequestMessage): void {
  for (const field of textsOf(ranking, 'input_field_names')) steering.expression(field);
  for (const [key, value] of pairsOf(ranking, 'params')) steering.ranking(key, value);
}

function steerByAggregation(steering: Steering, aggregation: RequestMessage): void {
  for (const field of textsOf(aggregation, 'fields')) steering.expression(field);
  for (const [, metric] of entriesOf(aggregation, 'metrics')) {
    const field = textOf(metric, 'field_name');
    if (field !== '*') steering.expression(field);
  }
  for (const hits of messagesOf(aggregation, 'top_hits')) {
    for (const sort of messagesOf(hits, 'sort')) steering.expression(textOf(sort, 'field_name'));
  }
  for (const inner of messagesOf(aggregation, 'sub_aggregation')) {
    steerByAggregation(steering, inner);
  }
}

/** By the names that the request gave them: of which fields the aggregates are made, at all levels. */
export function metricsOf(message: RequestMessage): Map<string, string[]> {
  const metrics = new Map<string, string[]>();
  const visit = (aggregation: RequestMessage): void => {
    for (const [name, metric] of entriesOf(aggregation, 'metrics')) {
      const isCount = textOf(metric, 'op').toLowerCase() === 'count';
      const field = isCount ? 'count(*)' : textOf(metric, 'field_name');
      metrics.set(name, [...(metrics.get(name) ?? []), field]);
    }
    for (const inner of messagesOf(aggregation, 'sub_aggregation')) visit(inner);
  };
  for (const aggregation of messagesOf(message, 'search_aggregation')) visit(aggregation);
  return metrics;
}

/** The fields whose values are the keys of buckets, at all levels. */
export function bucketFields(message: RequestMessage): string[] {
  return ['search_aggregation', 'sub_aggregation'].flatMap((name) =>
    messagesOf(message, name).flatMap((one) => [...textsOf(one, 'fields'), ...bucketFields(one)]),
  );
}
