import t from 'tap';
import { isStoreProtocol } from '../../../lib/config/config.ts';
import { parseConfig } from '../../../lib/config/load.ts';
import { CancelRegistry } from '../../../lib/gateway/cancel-registry.ts';
import { createPipeline, createSharedParts } from '../../../lib/gateway/parts.ts';
import { createStoreDecider } from '../../../lib/gateway/store-parts.ts';
import { hashKey } from '../../../lib/identity/api-keys.ts';
import { makeVerifier } from '../../../lib/identity/credentials.ts';
import type { Operation } from '../../../protocols/contract.ts';
import type { StoreRequest } from '../../../protocols/store.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

const USERS = `
[[user]]
name = "alice"
groups = ["staff"]
scram = "${makeVerifier('alice-password', 100)}"
keys = ["sha256:${hashKey('alice-key')}"]
[[user]]
name = "root"
keys = ["sha256:${hashKey('root-key')}"]
[[rule]]
name = "no-delete"
principals = ["alice", "default"]
effects = ["delete"]
action = "block"
`;

process.env['WEIR_TEST_STORE_KEY'] = 'the key of the store';

function createParts(connection: string) {
  const config = parseConfig(
    `[[connection]]\nname = "c"\nlisten = "127.0.0.1:1"\n${connection}\n${USERS}`,
    'weir.toml',
  );
  const [first] = config.connections;
  if (first === undefined || !isStoreProtocol(first.protocol)) throw new Error('no store');
  const shared = createSharedParts(config, SILENT);
  t.teardown(() => shared.close());
  return { shared, connection: { ...first, protocol: first.protocol } };
}

const CHROMA = 'protocol = "chroma"\nupstream = "http://127.0.0.1:9"\n';
const REDIS = 'protocol = "redis"\nupstream = "redis://weir@127.0.0.1:9"\n';
const KEY = 'password = { env = "WEIR_TEST_STORE_KEY" }\n';
const ALICE = { name: 'alice', groups: [] };

function request(effect: 'read' | 'delete'): StoreRequest {
  const target = { kind: 'collection', path: ['t', 'd', 'c'] } as const;
  return { route: 'R', accesses: [{ effect, target }], steering: [] };
}

function operation(
  effect: 'read' | 'delete',
  more: Partial<Extract<Operation, { kind: 'request' }>>,
): Operation {
  return { kind: 'request', id: 1, request: request(effect), isSecure: false, ...more };
}

t.test("the store's own credential, read from where the configuration says", async (t) => {
  const decide = (text: string) => {
    const { shared, connection } = createParts(text);
    const { store, credentials } = createStoreDecider(shared, connection);
    const signedIn = {
      kind: 'request',
      id: 1,
      request: request('read'),
      isSecure: false,
      isSignedIn: true,
    };
    const decided = store.decide({ ...signedIn, kind: 'request' }, ALICE, () => undefined);
    return { decided, hasCredentials: credentials !== undefined };
  };
  t.match(decide(CHROMA + KEY), {
    decided: {
      decision: { store: { login: { user: undefined, secret: 'the key of the store' } } },
    },
    hasCredentials: true,
  });
  t.match(decide(CHROMA), {
    decided: { decision: { store: { login: { user: undefined, secret: '' } } } },
  });
  t.match(decide(`${CHROMA}auth = "passthrough"`), {
    decided: { decision: { store: { login: undefined } } },
    hasCredentials: false,
  });
});

t.test('a pipeline of HTTP: each request says who asks', async (t) => {
  const { shared, connection } = createParts(CHROMA + KEY);
  const session = createPipeline(shared, connection, new CancelRegistry()).openSession();
  const by = (secret: string) => ({ credential: { user: undefined, secret } });
  t.match(await session.decide(operation('delete', by('root-key'))), {
    decision: { kind: 'allow' },
  });
  t.equal(session.principal?.name, 'root');
  t.match(await session.decide(operation('delete', by('alice-key'))), {
    decision: { kind: 'block', rule: 'no-delete' },
  });
  t.equal(session.principal?.name, 'alice');
  t.match(await session.decide(operation('read', {})), { decision: { code: '28P01' } });
  session.onSchemaChanged();
});

t.test('a pipeline of Redis: who signed in asks', async (t) => {
  const { shared, connection } = createParts(REDIS + KEY);
  const session = createPipeline(shared, connection, new CancelRegistry()).openSession();
  const signIn = (user: string): Operation => ({
    kind: 'sign-in',
    id: 1,
    user,
    database: '0',
    isSecure: false,
    isReplication: false,
    settings: [],
  });
  const early = await session.decide(operation('read', { isSignedIn: true }));
  t.match(early, { decision: { code: '28P01' } }, 'nobody signed in yet');
  t.match(await session.decide(signIn('root')), {
    decision: {
      kind: 'prove',
      isKnown: true,
      verifier: { keyHashes: [Buffer.from(hashKey('root-key'), 'hex')] },
      login: { user: 'weir', password: 'the key of the store' },
      inspection: { statements: true, results: true },
    },
  });
  const asked = { isSignedIn: true };
  t.match(await session.decide(operation('delete', asked)), { decision: { kind: 'allow' } });
  // A second sign-in may have failed: without a name nobody can say who asks.
  await session.decide(signIn('alice'));
  t.match(await session.decide(operation('delete', asked)), { decision: { code: '28P01' } });
  const as = (user: string) => ({ ...asked, user });
  t.match(await session.decide(operation('delete', as('root'))), { decision: { kind: 'allow' } });
  t.match(await session.decide(operation('delete', as('alice'))), {
    decision: { rule: 'no-delete' },
  });
  t.same(session.principal, { name: 'alice', groups: ['staff'] });
  t.match(await session.decide(signIn('mallory')), { decision: { kind: 'prove', isKnown: false } });
});

t.test('Redis with passthrough: the server judges who it is', async (t) => {
  const { shared, connection } = createParts(`${REDIS}auth = "passthrough"`);
  const session = createPipeline(shared, connection, new CancelRegistry()).openSession();
  t.match(await session.decide(operation('delete', { isSignedIn: true, user: 'default' })), {
    decision: { kind: 'block', rule: 'no-delete' },
  });
});

t.test('a statement has no place there, nor a request with SQL', async (t) => {
  const { shared, connection } = createParts(CHROMA + KEY);
  const session = createPipeline(shared, connection, new CancelRegistry()).openSession();
  t.throws(() => session.decide({ kind: 'statement', id: 1, text: 'SELECT 1' }));
});
