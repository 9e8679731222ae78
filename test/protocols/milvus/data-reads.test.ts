import t from 'tap';
import { readHybridSearch, readQuery, readSearch } from '../../../protocols/milvus/data-reads.ts';
import { readMessage } from '../../../protocols/milvus/request-reader.ts';
import type { Restrictions } from '../../../protocols/store.ts';
import type { ReadRequest } from '../../../protocols/wire/store-product.ts';
import { type Message, decodeMessage, encodeMessage } from '../../support/milvus-codec.ts';

const readers = {
  QueryRequest: readQuery,
  SearchRequest: readSearch,
  HybridSearchRequest: readHybridSearch,
};
const place = {
  effects: ['read'],
  names: 'collection_name',
  db: 'db_name',
  otherwise: 'store',
} as const;
const upTo = (limitMax: number): Restrictions => ({ filter: [], limitMax, hidesVectors: false });
const pairs = (values: Readonly<Record<string, string>>): Message[] =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

function read(type: keyof typeof readers, message: Message): ReadRequest {
  const bytes = encodeMessage(type, { collection_name: 'c', ...message });
  return readers[type](readMessage(bytes, type), { route: 'r', place, database: 'default' });
}

function restricted(
  type: keyof typeof readers,
  message: Message,
  restrictions: Restrictions,
): unknown {
  const result = read(type, message).restrict(restrictions);
  if (typeof result === 'string') return result;
  return result.body === undefined ? result : decodeMessage(type, result.body);
}

t.test('limits are asked for in many ways', async (t) => {
  t.equal(read('QueryRequest', { query_params: pairs({ limit: '7' }) }).limit, 7);
  t.equal(read('QueryRequest', {}).limit, undefined);
  t.equal(
    read('SearchRequest', { nq: 3, search_params: pairs({ topk: '5', group_size: '2' }) }).limit,
    30,
  );
  t.equal(
    read('HybridSearchRequest', { requests: [{ nq: 2 }], rank_params: pairs({ limit: '5' }) })
      .limit,
    10,
  );
});

t.test('and cut down where they are too large, or missing', async (t) => {
  const more = { output_fields: ['a'], query_params: pairs({ offset: '1', limit: '70' }) };
  t.match(restricted('QueryRequest', more, upTo(5)), {
    query_params: pairs({ offset: '1', limit: '5' }),
  });
  t.match(restricted('QueryRequest', {}, upTo(5)), { query_params: pairs({ limit: '5' }) });
  for (const limit of ['-1', '0', '', '1e9', ' 3']) {
    t.match(
      restricted('QueryRequest', { query_params: pairs({ limit }) }, upTo(5)),
      { query_params: pairs({ limit: '5' }) },
      limit,
    );
  }
  t.same(restricted('QueryRequest', { query_params: pairs({ limit: '4' }) }, upTo(5)), {});
  t.same(restricted('QueryRequest', { output_fields: ['count(*)'] }, upTo(5)), {});
  const grouped = { output_fields: ['count(*)'], query_params: pairs({ group_by_fields: 'a' }) };
  t.match(restricted('QueryRequest', grouped, upTo(5)), { query_params: [{}, { key: 'limit' }] });
  t.match(restricted('SearchRequest', { nq: 2, search_params: pairs({ topk: '50' }) }, upTo(5)), {
    search_params: pairs({ topk: '2' }),
  });
  t.type(
    restricted('SearchRequest', { nq: 9, search_params: pairs({ topk: '1' }) }, upTo(5)),
    'string',
  );
  t.type(restricted('SearchRequest', { search_aggregation: { size: 3 } }, upTo(5)), 'string');
});

t.test('what multiplies the records counts, in every form of it', async (t) => {
  const ids = { ids: { int_id: { data: [1, 2, 3, 4, 300] } } };
  const topk = pairs({ topk: '3' });
  t.equal(read('SearchRequest', { ...ids, search_params: topk }).limit, 15, 'by packed ids');
  const texts = { ids: { str_id: { data: ['a', 'b'] } } };
  t.equal(read('SearchRequest', { ...texts, search_params: topk }).limit, 6, 'by ids as texts');
  t.type(restricted('SearchRequest', { ...ids, search_params: topk }, upTo(4)), 'string');
  t.match(restricted('SearchRequest', { ...ids, search_params: topk }, upTo(10)), {
    search_params: pairs({ topk: '2' }),
  });
  const iterated = { search_params: pairs({ topk: '3', search_iter_batch_size: '1000' }) };
  t.equal(read('SearchRequest', iterated).limit, 1000, 'an iterator');
  t.match(restricted('SearchRequest', iterated, upTo(2)), {
    search_params: pairs({ topk: '2', search_iter_batch_size: '2' }),
  });
  for (const group_size of ['"100"', '100.7', '1e2', ' 9', '', '-1']) {
    const message = { search_params: pairs({ topk: '1', group_size }) };
    t.throws(() => read('SearchRequest', message), { code: 'MILVUS_PARAMETER' }, group_size);
  }
  t.type(restricted('SearchRequest', { sub_reqs: [{ nq: 9 }] }, upTo(5)), 'string');
  for (const part of [{ search_aggregation: { size: 3 } }, { sub_reqs: [{ nq: 9 }] }]) {
    t.type(restricted('HybridSearchRequest', { requests: [part] }, upTo(5)), 'string');
  }
});

t.test('a ranking that sends texts elsewhere is an export', async (t) => {
  const ranked = (key: string): ReadRequest => {
    const params = pairs({ reranker: 'model', provider: 'vllm', [key]: 'http://mine.test' });
    const functions = [{ input_field_names: ['a'], params }];
    return read('SearchRequest', { dsl_type: 1, function_score: { functions } });
  };
  for (const key of ['endpoint', 'url', 'Endpoint']) {
    const { accesses, carries, steersAny } = ranked(key);
    t.same(
      accesses.map(({ effect }) => effect),
      ['read', 'export'],
      key,
    );
    t.match(carries, key);
    t.match(steersAny, key);
  }
  t.equal(ranked('model_name').carries, undefined);
});

t.test('everything that goes by a field steers', async (t) => {
  const steering = (message: Message) => {
    const { steering: paths, steersAny } = read('SearchRequest', { dsl_type: 1, ...message });
    return steersAny === undefined ? paths.map((path) => path.join('.')) : '?';
  };
  t.same(steering({ dsl: 'a > 1' }), ['a']);
  t.same(steering({ dsl: 'a > 1', dsl_type: 0 }), '?');
  t.same(steering({ search_params: pairs({ group_by_field: 'a', order_by_fields: 'b:asc,c' }) }), [
    'a',
    'b',
    'c',
  ]);
  t.same(steering({ search_params: pairs({ json_path: '/a' }) }), '?');
  t.same(steering({ search_params: pairs({ unheard_of: 'a' }) }), '?');
  const iterator = { iterator: 'true', search_iter_v2: 'true', guarantee_timestamp: '0' };
  t.same(steering({ search_params: pairs(iterator) }), [], 'what the SDK asks its iterator with');
  t.same(steering({ output_fields: ['a', 'max(b)', 'count(*)'] }), ['b']);
  t.same(steering({ highlighter: {} }), '?');
  t.same(steering({ function_chains: [{ name: 'x' }] }), '?');
  const ranking = {
    input_field_names: ['a'],
    params: pairs({ reranker: 'boost', filter: 'b > 1' }),
  };
  t.same(steering({ function_score: { functions: [ranking] } }), ['a', 'b']);
  const aggregation = {
    fields: ['a'],
    metrics: { x: { op: 'max', field_name: 'b' } },
    top_hits: { sort: [{ field_name: 'c' }] },
    sub_aggregation: { fields: ['d'] },
  };
  t.same(steering({ search_aggregation: aggregation }), ['a', 'b', 'c', 'd']);
  t.same(steering({ sub_reqs: [{ dsl: 'a > 1', dsl_type: 1 }] }), ['a']);
});

t.test('collections of parts, and numbers of iterators, are looked at', async (t) => {
  const hybrid = read('HybridSearchRequest', {
    requests: [{ collection_name: 'other', db_name: 'hr' }],
  });
  t.same(
    hybrid.accesses.map(({ target }) => target?.path.join('/')),
    ['default/c', 'hr/other'],
  );
  const iterated = read('QueryRequest', {
    query_params: pairs({ iterator: 'True', collection_id: '449' }),
  });
  t.same(iterated.accesses[1]?.target, { kind: 'id', path: ['default', '449'] });
  t.equal(read('QueryRequest', { output_fields: ['count(*)'] }).accesses[0]?.effect, 'count');
  t.throws(() => read('QueryRequest', { collection_name: 'a/b' }), { code: 'MILVUS_NAME' });
});
