import t from 'tap';
import { describeRequest } from '../../../lib/cli/explain-request.ts';
import { isStoreProtocol } from '../../../lib/config/config.ts';
import { parseConfig } from '../../../lib/config/load.ts';
import { createStoreExplainer } from '../../../lib/gateway/store-explainer.ts';
import { chroma } from '../../../protocols/chroma/index.ts';
import type { Protocol } from '../../../protocols/contract.ts';
import { milvus } from '../../../protocols/milvus/index.ts';
import { qdrant } from '../../../protocols/qdrant/index.ts';
import { redis } from '../../../protocols/redis/index.ts';

const UPSTREAMS: Readonly<Record<string, string>> = {
  chroma: 'http://127.0.0.1:9',
  qdrant: 'http://127.0.0.1:9',
  milvus: 'http://127.0.0.1:9',
  redis: 'redis://127.0.0.1:9',
};

const POLICY = `
[[user]]
name = "alice"
groups = ["acme"]
[[rule]]
name = "no-drop"
effects = ["drop", "delete"]
objects = ["customers", "user:*"]
action = "block"
[[rule]]
name = "own"
effects = ["search", "read"]
objects = ["customers"]
action = "allow"
filter = { tenant = "\${principal.group}" }
limit_max = 3
[[mask]]
name = "contacts"
fields = ["email"]
detect = ["phone"]
mode = "strict"
`;

/** What `weir explain` prints; nobody listens where the store should be. */
async function explain(protocol: Protocol, text: string, policy = POLICY): Promise<string> {
  const config = parseConfig(
    `[[connection]]
name = "c"
listen = "127.0.0.1:1"
auth = "passthrough"
protocol = "${protocol.name}"
upstream = "${UPSTREAMS[protocol.name] ?? ''}"
${policy}`,
    'weir.toml',
  );
  const [connection] = config.connections;
  if (connection === undefined || !isStoreProtocol(connection.protocol))
    throw new Error('no store');
  const { protocol: name } = connection;
  const explainer = createStoreExplainer(
    config,
    { ...connection, protocol: name },
    protocol.readCall,
  );
  try {
    return describeRequest(await explainer.explain('alice', text));
  } finally {
    await explainer.close();
  }
}

t.test('a REST call: effects, what is in force, the decision', async (t) => {
  const blocked = await explain(qdrant, 'DELETE /collections/customers');
  t.match(blocked, /^not read {4}what names mean: .*ECONNREFUSED/m);
  t.match(blocked, /^effect {6}drop qdrant:customers$/m);
  t.match(blocked, /^mask {8}contacts: email, detect phone -> redact \(strict\)$/m);
  t.match(
    blocked,
    /^decision {4}BLOCK by rule "no-drop"\nreason {6}drop on qdrant:customers is not allowed/m,
  );
  const allowed = await explain(qdrant, 'POST /collections/customers/points/query {"limit": 10}');
  t.match(allowed, /^limit {7}10$/m);
  t.match(
    allowed,
    /^decision {4}ALLOW by rule "own"\nonly {8}where tenant is "acme"\nonly {8}3 records$/m,
  );
  const steered = await explain(
    qdrant,
    'POST /collections/x/points/scroll {"filter":{"must":[{"key":"email","match":{"value":"a"}}]}}',
  );
  t.match(steered, /^goes by {5}email$/m);
  t.match(steered, /^decision {4}BLOCK by rule "contacts"$/m);
});

t.test('an RPC, as bytes', async (t) => {
  // DeletePoints { collection_name: "customers" }
  const text = 'qdrant.Points/Delete hex:0a09637573746f6d657273';
  t.match(await explain(qdrant, text), /^decision {4}BLOCK by rule "no-drop"$/m);
  // DropCollectionRequest { collection_name: "customers" }
  const drop = 'milvus.proto.milvus.MilvusService/DropCollection hex:1a09637573746f6d657273';
  t.match(await explain(milvus, drop), /^decision {4}BLOCK by rule "no-drop"$/m);
});

t.test('Chroma and Redis', async (t) => {
  const base = '/api/v2/tenants/t/databases/d/collections';
  t.match(
    await explain(chroma, `DELETE ${base}/customers`),
    /^effect {6}drop chroma:t\/d\/customers[^]*BLOCK by rule "no-drop"$/m,
  );
  t.match(await explain(redis, 'DEL user:1 x'), /^effect {6}delete redis:user:1 \(key\)$/m);
  t.match(await explain(redis, 'DEL user:1 x'), /^decision {4}BLOCK by rule "no-drop"$/m);
  t.match(await explain(redis, 'DEL x', ''), /^decision {4}ALLOW$/m);
  t.match(await explain(redis, 'PING', ''), /^effect {6}none on data$/m);
});

t.test('what a condition cannot be kept on is told', async (t) => {
  const get = await explain(redis, 'GET customers');
  t.match(get, /^decision {4}BLOCK by rule "own"\nreason/m);
});

t.test('what is no request', async (t) => {
  await t.rejects(explain(qdrant, 'SELECT 1'), { code: 'EXPLAIN_TEXT' });
  await t.rejects(explain(qdrant, 'GET /nowhere'), { code: 'EXPLAIN_TEXT', message: /refused/ });
  await t.rejects(explain(redis, ''), { code: 'EXPLAIN_TEXT' });
});
