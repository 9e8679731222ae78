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
