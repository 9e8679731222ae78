import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Hint, HINTS } from '../../../lib/config/hints.ts';
import { parseConfig } from '../../../lib/config/load.ts';

const DOCS = new URL('../../../../docs/CONFIGURATION.md', import.meta.url);

const CONNECTION = `[[connection]]
name = "c"
protocol = "postgres"
listen = "127.0.0.1:1"
upstream = "postgres://app@localhost"
auth = "passthrough"
catalog = "postgres://app@localhost"
`;
/** Keys that only this protocol has. */
const MYSQL_KEYS = ['local_infile'];
const STORE = `[[connection]]
name = "c"
protocol = "qdrant"
listen = "127.0.0.1:1"
upstream = "http://localhost:6333"
auth = "passthrough"
`;
const STORE_KEYS = ['upstream_grpc'];
/** Conditions of rules that allow. */
const CONDITIONS = ['filter', 'limit_max', 'rows_per_hour', 'vectors'];
/** Keys of masks for SQL, and for stores. */
const COLUMNS = ['columns'];
const FIELDS = ['fields', 'detect', 'objects'];

t.test('every key has its place in the documentation', async (t) => {
  const docs = readFileSync(DOCS, 'utf8');
  for (const [section, hints] of Object.entries(HINTS)) {
    for (const key of Object.keys(hints)) {
      const isDocumented = docs.includes(`| \`${key}\``) || docs.includes(`[[${key}]]`);
      t.ok(isDocumented, `${section}: ${key}`);
    }
  }
});

t.test('the line that a hint tells to write is one that works', async (t) => {
  for (const [key, { write }] of Object.entries(HINTS.connection)) {
    if (key === 'upstream_ca' || CONNECTION.includes(`\n${key} `)) continue;
    const line = key.startsWith('tls.') || key.startsWith('limits.') ? undefined : write;
    const limit = key.startsWith('limits.') ? `limits = { ${write} }` : undefined;
    const sql = MYSQL_KEYS.includes(key) ? CONNECTION.replaceAll('postgres', 'mysql') : CONNECTION;
    const connection = STORE_KEYS.includes(key) ? STORE : sql;
    const toml = `${connection}${line ?? limit ?? ''}\n`;
    t.doesNotThrow(() => parseConfig(toml, 'weir.toml'), key);
  }
  const write = (hints: Readonly<Record<string, Hint>>, without: readonly string[]): string =>
    Object.entries(hints)
      .filter(([key]) => !without.includes(key))
      .map(([, hint]) => `${hint.write}\n`)
      .join('');
  const sql = `${CONNECTION}\n[[rule]]\n${write(HINTS.rule, CONDITIONS)}\n[[mask]]\n${write(HINTS.mask, FIELDS)}`;
  t.doesNotThrow(() => parseConfig(sql, 'weir.toml'));
  const allow = write(HINTS.rule, []).replace('"block"', '"allow"').replace('"truncate"', '"read"');
  const store = `${STORE}\n[[rule]]\n${allow}\n[[mask]]\n${write(HINTS.mask, COLUMNS)}`;
  t.doesNotThrow(() => parseConfig(store, 'weir.toml'));
});

t.test('the line for each protocol is one that works, too', async (t) => {
  for (const [protocol, write] of Object.entries(HINTS.connection['upstream']?.writeFor ?? {})) {
    const toml = `[[connection]]\nname = "c"\nprotocol = "${protocol}"\nlisten = "127.0.0.1:1"\nauth = "passthrough"\n${write}\n`;
    t.doesNotThrow(() => parseConfig(toml, 'weir.toml'), protocol);
  }
});
