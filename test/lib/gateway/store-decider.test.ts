import t from 'tap';
import { createStoreRig, LOGIN, request } from './store-rig.ts';

const BLOCK = `[[rule]]
name = "no-customers"
effects = ["delete", "drop"]
objects = ["qdrant:customers"]
action = "block"
`;
const TENANT = `[[rule]]
name = "own"
effects = ["search", "read", "upsert"]
action = "allow"
filter = { tenant = "\${principal.group}" }
limit_max = 50
vectors = false
`;
const STRICT = `[[mask]]
name = "contacts"
fields = ["email", "author.phone"]
objects = ["customers"]
mode = "strict"
`;

const NOBODY = { decision: { kind: 'block', code: '28P01', rule: undefined } };
const ALLOWED = { decision: { kind: 'allow' } };

t.test('who asks', async (t) => {
  const { decide, seen } = createStoreRig('');
  const read = request('read', 'customers');
  t.match(await decide(read), ALLOWED);
  const bob = { user: 'bob', secret: 'bob-password' };
  t.match(await decide(read, { credential: bob }), ALLOWED);
  t.match(
    await decide(read, { credential: { user: undefined, secret: 'bob:bob-password' } }),
    ALLOWED,
  );
  t.same(
    seen.map(({ name, groups }) => [name, groups.length]),
    [
      ['alice', 1],
      ['bob', 2],
      ['bob', 2],
    ],
  );
  const wrong = [
    await decide(read, { credential: { user: undefined, secret: 'wrong' } }),
    await decide(read, { credential: { user: 'bob', secret: 'wrong' } }),
    await decide(read, { credential: { user: 'mallory', secret: 'wrong' } }),
    await decide({ ...read, route: 'POST /x' }, { credential: { user: undefined, secret: '' } }),
  ];
  for (const one of wrong) {
    t.match(one, NOBODY);
    t.same(one, wrong[0], 'it tells nothing of who exists');
    t.notMatch(JSON.stringify(one), /wrong|bob|mallory/);
  }
  t.equal(seen.length, 3);
});

t.test('without a credential, and signed in without a sign-in', async (t) => {
  const { decider } = createStoreRig('');
  const base = { kind: 'request', id: 1, request: request('read', 'a'), isSecure: false } as const;
  t.match(
    decider.decide(base, undefined, () => undefined),
    NOBODY,
  );
  t.match(
    decider.decide({ ...base, isSignedIn: true }, undefined, () => undefined),
    NOBODY,
  );
  const alice = { name: 'alice', groups: [] };
  t.match(
    decider.decide(base, alice, () => undefined),
    NOBODY,
    'this request says nothing of it',
  );
  t.match(
    decider.decide({ ...base, isSignedIn: true }, alice, () => undefined),
    ALLOWED,
  );
});

t.test('a connection that requires TLS', async (t) => {
  const tls = 'tls = { cert = "c.pem", key = "k.pem", mode = "require" }';
  const { decide } = createStoreRig('', tls);
  t.match(await decide(request('read', 'a')), NOBODY);
  t.match(await decide(request('read', 'a'), { isSecure: true }), ALLOWED);
});

t.test('passthrough: the name in the credential, a known key, a key, nobody', async (t) => {
  const { decide, decider, seen } = createStoreRig(BLOCK, 'auth = "passthrough"');
  const drop = request('drop', 'customers');
  for (const credential of [
    { user: 'bob', secret: 'whatever' },
    { user: undefined, secret: 'alice-key' },
    { user: undefined, secret: 'other' },
  ]) {
    t.match(await decide(drop, { credential }), { decision: { kind: 'block' } });
  }
  await decider.decide(
    { kind: 'request', id: 1, request: drop, isSecure: false },
    undefined,
    (one) => seen.push(one),
  );
  t.same(
    seen.map(({ name }) => name),
    ['bob', 'alice', 'key', 'anonymous'],
  );
  t.same(seen[0]?.groups, ['acme', 'other']);
  const allowed = await decide(request('read', 'customers'));
  t.match(allowed, { decision: { kind: 'allow', store: { login: undefined } } });
});

t.test('rules, at once and after a question; every decision is noted', async (t) => {
  const { decide } = createStoreRig(BLOCK);
  t.match(await decide(request('delete', 'customers')), {
    decision: {
      kind: 'block',
      rule: 'no-customers',
      code: '42501',
      reason: 'delete on qdrant:customers is not allowed (rule "no-customers")',
    },
    note: {
      kind: 'decision',
      operation: 'request',
      outcome: 'block',
      principal: 'alice',
      route: 'POST /x',
      objects: ['qdrant:customers'],
      rule: 'no-customers',
    },
  });
  t.match(await decide(request('delete', 'clients')), {
    decision: {
      reason: 'delete on qdrant:clients (qdrant:customers) is not allowed (rule "no-customers")',
    },
    note: { objects: ['qdrant:customers'] },
  });
  t.same(await decide(request('delete', 'slow-orders')), {
    decision: { kind: 'allow', store: { restrictions: undefined, masks: undefined, login: LOGIN } },
    note: {
      kind: 'decision',
      operation: 'request',
      outcome: 'allow',
      principal: 'alice',
      route: 'POST /x',
      objects: ['qdrant:slow-orders'],
    },
  });
  t.match(await decide(request('delete', undefined)), { decision: { rule: 'no-customers' } });
});

t.test('what is known is decided in the same turn', async (t) => {
  const { decider } = createStoreRig(BLOCK);
  const operation = {
    kind: 'request',
    id: 1,
    request: request('delete', 'customers'),
    isSecure: true,
    credential: { user: undefined, secret: 'alice-key' },
  } as const;
  t.notOk(decider.decide(operation, undefined, () => undefined) instanceof Promise);
  const slow = { ...operation, request: request('delete', 'slow') };
  t.ok(decider.decide(slow, undefined, () => undefined) instanceof Promise);
});

t.test('a store that does not tell what names mean', async (t) => {
  const down = request('read', 'down');
  t.match(await createStoreRig(BLOCK).decide(down), {
    decision: { kind: 'block', code: '58030', reason: /cannot judge this request: nobody tells/ },
    note: { outcome: 'block', principal: 'alice' },
  });
  t.match(await createStoreRig(STRICT).decide(down), { decision: { kind: 'block' } });
  t.match(await createStoreRig('').decide(down), {
    decision: { kind: 'allow' },
    note: { objects: ['qdrant:down'] },
  });
});

t.test('conditions of rules that allow', async (t) => {
  const { decide } = createStoreRig(TENANT);
  const restrictions = {
    filter: [{ field: 'tenant', value: 'acme' }],
    limitMax: 50,
    hidesVectors: true,
  };
  t.match(await decide(request('search', 'customers')), {
    decision: { kind: 'allow', store: { restrictions } },
    note: { outcome: 'allow', rule: 'own' },
  });
  const written = await decide(request('upsert', 'customers'));
  t.match(written, {
    decision: {
      store: { restrictions: { ...restrictions, limitMax: undefined, hidesVectors: false } },
    },
  });
  t.match(await decide(request('describe', 'customers')), {
    decision: { store: { restrictions: undefined } },
  });
  const bob = { credential: { user: undefined, secret: 'bob-key' } };
  t.match(await decide(request('search', 'customers'), bob), {
    decision: {
      kind: 'block',
      rule: 'own',
      code: '42501',
      reason: /exactly one group, and "bob" has 2/,
    },
  });
});

t.test('records of an hour', async (t) => {
  const { decide, clock, decider } = createStoreRig(`[[rule]]
name = "slow"
effects = ["read"]
action = "allow"
limit_max = 60
rows_per_hour = 100
`);
  const read = request('read', 'a');
  const granted = (limitMax: number) => ({ decision: { store: { restrictions: { limitMax } } } });
  const trial = await decider.judge(read, { name: 'alice', groups: [] }, true);
  t.match(trial, { restrictions: { limitMax: 60 } }, 'a trial costs nothing');
  t.match(await decide({ ...read, limit: 10 }), granted(10));
  t.match(await decide(read), granted(60));
  t.match(await decide(request('count', 'a')), { decision: { kind: 'allow' } });
  t.match(await decide({ ...read, limit: 1000 }), granted(30));
  t.match(await decide({ ...read, limit: 1 }), {
    decision: { kind: 'block', rule: 'slow', code: '53400' },
  });
  const bob = { credential: { user: undefined, secret: 'bob-key' } };
  t.match(await decide(read, bob), granted(60));
  clock.now += 3_600_000;
  t.match(await decide(read), granted(60));
});

t.test('masks in force on what is asked for', async (t) => {
  const { decide } = createStoreRig(`${STRICT}except = ["bob"]
[[mask]]
name = "found"
detect = ["email"]
objects = ["notes"]
`);
  const masked = await decide(request('read', 'clients'));
  t.match(masked.note, { masked: ['email', 'author.phone'] });
  const store = masked.decision.kind === 'allow' ? masked.decision.store : undefined;
  t.equal(store?.masks?.maskOf(['email'])?.('x'), '***');
  t.equal(store?.masks?.detect, undefined);
  const again = await decide(request('search', 'customers'));
  t.equal(again.decision.kind === 'allow' && again.decision.store?.masks, store?.masks, 'shared');
  const notes = await decide(request('read', 'notes'));
  t.match(notes.note, { masked: ['email'] });
  t.match(await decide(request('read', 'orders')), { decision: { store: { masks: undefined } } });
  t.match(await decide(request('read', undefined)), {
    note: { masked: ['email', 'author.phone'] },
  });
  const bob = { credential: { user: undefined, secret: 'bob-key' } };
  t.match(await decide(request('read', 'customers'), bob), {
    decision: { store: { masks: undefined } },
  });
});

t.test('strict masks: nothing goes by what is masked', async (t) => {
  const { decide } = createStoreRig(STRICT);
  const by = async (collection: string, ...steering: string[][]) =>
    (await decide(request('search', collection, { steering }))).decision;
  const blocked = { kind: 'block', rule: 'contacts', code: '42501' };
  t.match(await by('customers', ['title'], ['email']), {
    ...blocked,
    reason: 'the field "email" is masked, so nothing may go by it (mask "contacts")',
  });
  t.match(await by('customers', ['author']), blocked, 'a parent');
  t.match(await by('customers', ['author', 'phone', 'home']), blocked, 'a child');
  t.match(await by('clients', ['author.phone']), blocked, 'by an alias, a name with a dot');
  t.match(await by('customers', ['title']), { kind: 'allow' });
  t.match(await by('orders', ['email']), { kind: 'allow' });
  const any = { steersAny: 'free query text' };
  t.match(await decide(request('search', 'customers', any)), {
    decision: { ...blocked, reason: /cannot be told .*free query text.*mask "contacts" is strict/ },
  });
  t.match(await decide(request('search', 'orders', any)), { decision: { kind: 'allow' } });
  const loose = createStoreRig(STRICT.replace('"strict"', '"mask"'));
  t.match(await loose.decide(request('search', 'customers', { steering: [['email']], ...any })), {
    decision: { kind: 'allow' },
  });
});

t.test('notes of thousands of names are bounded', async (t) => {
  const { decide } = createStoreRig('');
  const accesses = Array.from({ length: 5000 }, (_, index) => ({
    effect: 'read' as const,
    target: { kind: 'key' as const, path: [`${index}${'x'.repeat(1000)}`] },
  }));
  const { note } = await decide({ ...request('read', 'a'), accesses });
  const objects = note?.kind === 'decision' ? (note.objects ?? []) : [];
  t.equal(objects.length, 500);
  t.ok(objects.every((one) => one.length < 250));
});

t.test('a change of names is passed on', async (t) => {
  const { decider, changes } = createStoreRig('');
  decider.onNamesChanged();
  t.equal(changes.count, 1);
});

t.test(
  'of what is not there the store says so itself, unless that may change or be hidden',
  async (t) => {
    const block = BLOCK.replace('"delete", "drop"', '"read"');
    const BLOCKED = { decision: { kind: 'block', rule: 'no-customers' } };
    const own = createStoreRig(block);
    t.match(await own.decide(request('read', 'customers')), BLOCKED);
    t.match(await own.decide(request('read', 'gone')), ALLOWED);
    t.match(
      await own.decide(request('read', 'gone', { isQueued: true })),
      BLOCKED,
      'by then it may',
    );
    t.match(await own.decide(request('read', 'orders', { isQueued: true })), ALLOWED);
    const relayed = createStoreRig(block, 'auth = "passthrough"');
    t.match(await relayed.decide(request('read', 'gone')), BLOCKED, 'shown to the caller alone');
  },
);
