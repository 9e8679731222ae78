import { readFileSync } from 'node:fs';
import t from 'tap';
import { HINTS } from '../../../lib/config/hints.ts';
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
    const connection = MYSQL_KEYS.includes(key)
      ? CONNECTION.replaceAll('postgres', 'mysql')
      : CONNECTION;
    const toml = `${connection}${line ?? limit ?? ''}\n`;
    t.doesNotThrow(() => parseConfig(toml, 'weir.toml'), key);
  }
  const rule = Object.values(HINTS.rule).map(({ write }) => write);
  const mask = Object.values(HINTS.mask).map(({ write }) => write);
  const toml = `${CONNECTION}\n[[rule]]\n${rule.join('\n')}\n[[mask]]\n${mask.join('\n')}\n`;
  t.doesNotThrow(() => parseConfig(toml, 'weir.toml'));
});
