import t from 'tap';
import { refuse } from '../../../protocols/chroma/refusal.ts';
import type { StoreRefusal } from '../../../protocols/store.ts';
import { headOf } from '../../support/chroma-requests.ts';

function refusalOf(kind: StoreRefusal['kind'], target = '/api/v2/x'): [number, unknown] {
  const refusal = { kind, rule: 'r', message: 'not allowed (rule "r")' };
  const { head, body } = refuse(refusal, headOf('POST', target));
  t.same(head.headers.find(([name]) => name === 'content-length')?.[1], String(body.length));
  return [head.status, JSON.parse(body.toString())];
}

t.test('refusals are errors of Chroma, with names that its clients know', async (t) => {
  const message = 'not allowed (rule "r")';
  t.same(refusalOf('forbidden'), [422, { error: 'AuthorizationError', message }]);
  t.same(refusalOf('unauthenticated'), [401, { error: 'AuthError', message }]);
  t.same(refusalOf('unreadable'), [422, { error: 'InvalidArgumentError', message }]);
  t.same(refusalOf('too-large'), [413, { error: 'ChromaError', message }]);
  t.same(refusalOf('too-many'), [422, { error: 'QuotaError', message }]);
  t.same(refusalOf('unavailable'), [500, { error: 'InternalError', message }]);
});

t.test('v1 is gone, in the words of the server', async (t) => {
  const gone = { error: 'Unimplemented', message: 'The v1 API is deprecated. Please use /v2 apis' };
  t.same(refusalOf('forbidden', '/api/v1/collections'), [410, gone]);
  t.equal(refusalOf('unauthenticated', '/api/v1/collections')[0], 401);
  t.equal(refusalOf('forbidden', '/api/v1')[0], 422);
});
