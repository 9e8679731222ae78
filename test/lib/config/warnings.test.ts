import t from 'tap';
import { parseConfig } from '../../../lib/config/load.ts';
import { configWarnings } from '../../../lib/config/warnings.ts';

/** More of them are in the golden folder; here is where the line between them runs. */
function warningsOf(connection: string): string[] {
  const toml = `[[connection]]
name = "c"
protocol = "postgres"
${connection}`;
  return configWarnings(parseConfig(toml, 'weir.toml'));
}

const TLS = 'tls = { cert = "c.pem", key = "k.pem", mode = "require" }\n';
const PASSTHROUGH = 'auth = "passthrough"\n';

t.test('SCRAM through TLS on both sides is told (PG-13), on one side it works', async (t) => {
  const near = 'listen = "127.0.0.1:1"\nupstream = "postgres://127.0.0.1"\n';
  const far = 'listen = "127.0.0.1:1"\nupstream = "postgres://db.example.com"\n';
  t.same(warningsOf(near + PASSTHROUGH), []);
  t.same(warningsOf(near + PASSTHROUGH + TLS), []);
  t.same(warningsOf(far + PASSTHROUGH), []);
  t.match(warningsOf(far + PASSTHROUGH + TLS), [/TLS on both sides, where SCRAM cannot work/]);
});

t.test('an address of the network wants TLS', async (t) => {
  const open = 'listen = "0.0.0.0:1"\nupstream = "postgres://127.0.0.1"\n';
  t.match(warningsOf(open + PASSTHROUGH), [/listens on 0\.0\.0\.0 without tls/]);
  t.same(warningsOf(open + PASSTHROUGH + TLS), []);
});

t.test('rules that block without a catalog are told what they do not see', async (t) => {
  const connection = 'listen = "127.0.0.1:1"\nupstream = "postgres://127.0.0.1/d"\n';
  const rule = (more: string) =>
    `[[rule]]\nname = "r"\neffects = ["delete"]\nconnections = ["*"]\n${more}`;
  const blocking = rule('action = "block"\n');
  t.match(warningsOf(connection + PASSTHROUGH + blocking), [
    /^connection "c": rule "r" has to do without a catalog: .*triggers.*event triggers/,
  ]);
  t.same(warningsOf(connection + PASSTHROUGH), []);
  t.same(warningsOf(connection + PASSTHROUGH + rule('action = "allow"\n')), []);
  const elsewhere = blocking.replace('"*"', '"other"');
  t.match(warningsOf(connection + PASSTHROUGH + elsewhere), [/matches no connection/]);
  const catalog = 'catalog = "postgres://reader@127.0.0.1/d"\n';
  t.same(warningsOf(connection + PASSTHROUGH + catalog + blocking), []);
});

t.test('what no rule speaks of is past a filter', async (t) => {
  const toml = (more: string): string => `[[connection]]
name = "q"
protocol = "chroma"
listen = "127.0.0.1:1"
upstream = "http://127.0.0.1:8000"
auth = "passthrough"
[[rule]]
name = "own"
effects = ["search", "read", "upsert", "delete"]
action = "allow"
filter = { tenant = "a" }
${more}`;
  const open = (more: string): string[] =>
    configWarnings(parseConfig(toml(more), 'weir.toml')).filter((text) => text.includes('past'));
  t.match(open(''), [/^rule "own": no rule speaks of count, export, drop, alter, admin, so/]);
  const rest = '[[rule]]\nname = "rest"\naction = "block"\neffects = ';
  t.match(open(`${rest}["export", "count", "drop"]`), [/speaks of alter, admin, so/]);
  t.same(open(`${rest}["*"]`), []);
});
