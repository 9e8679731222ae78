import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { readHttpCall } from '../../../protocols/wire/store-call.ts';
import type { StoreProduct } from '../../../protocols/wire/store-product.ts';

/** Knows POST /read, whose body is told back as a field, and one RPC. */
const PRODUCT: StoreProduct = {
  findRoute: ({ method, target, version }) => {
    const name = `${method} ${target}`;
    if (!['POST /read', 'GET /list', 'POST /demo.Points/Get'].includes(name)) return undefined;
    return {
      name,
      transport: version === '2' ? 'grpc' : 'rest',
      needs: method === 'GET' ? 'head' : 'body',
      read: (_head, body) => {
        if (body.toString() === 'broken')
          throw new ProtocolError('JSON_SYNTAX', 'client', 'no JSON');
        return {
          route: name,
          accesses: [{ effect: 'read', target: { kind: 'collection', path: ['c'] } }],
          steering: [[body.toString('latin1')]],
          limit: 7,
          restrict: ({ filter }) => (filter.length > 0 ? 'it cannot be filtered' : {}),
          maskAnswer: undefined,
        };
      },
    };
  },
  readCredential: () => undefined,
  withLogin: (headers) => headers,
  secretHeaders: new Set(),
  refuse: () => ({ head: { status: 403, headers: [] }, body: Buffer.alloc(0) }),
};

t.test('REST', async (t) => {
  t.match(readHttpCall(PRODUCT, 'post /read {"a": 1}'), {
    route: 'POST /read',
    steering: [['{"a": 1}']],
    limit: 7,
  });
  t.match(readHttpCall(PRODUCT, 'GET /list'), { route: 'GET /list', steering: [['']] });
  t.match(readHttpCall(PRODUCT, 'GET /unknown'), /does not know GET \/unknown/);
  t.match(readHttpCall(PRODUCT, 'POST /read broken'), /cannot be read.*no JSON/);
});

t.test('gRPC', async (t) => {
  t.match(readHttpCall(PRODUCT, 'demo.Points/Get hex:0a01ff'), { steering: [['\n\u0001\u00ff']] });
  t.match(readHttpCall(PRODUCT, '/demo.Points/Get base64:CgH/'), {
    steering: [['\n\u0001\u00ff']],
  });
  t.match(readHttpCall(PRODUCT, 'demo.Points/Get'), { steering: [['']] });
  t.match(readHttpCall(PRODUCT, 'demo.Points/Get hex:0'), /expected the message/);
  t.match(readHttpCall(PRODUCT, 'demo.Points/Get {"a":1}'), /expected the message/);
  const encode = (method: string, json: string) => Buffer.from(`${method} ${json}`);
  t.match(readHttpCall(PRODUCT, 'demo.Points/Get {"a":1}', encode), {
    steering: [['demo.Points/Get {"a":1}']],
  });
  t.match(readHttpCall(PRODUCT, 'demo.Points/Other hex:'), /does not know POST/);
});

t.test('what is no request, and what cannot be cut down', async (t) => {
  for (const text of ['', 'SELECT 1', 'POST', 'POST read']) {
    t.match(readHttpCall(PRODUCT, text), /expected METHOD/, text);
  }
  const call = readHttpCall(PRODUCT, 'GET /list');
  if (typeof call === 'string') throw new Error(call);
  const base = { limitMax: undefined, hidesVectors: false };
  t.equal(call.whyNotRestricted?.({ ...base, filter: [] }), undefined);
  t.equal(
    call.whyNotRestricted?.({ ...base, filter: [{ field: 'a', value: 'b' }] }),
    'it cannot be filtered',
  );
});
