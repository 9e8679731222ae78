/** Passwords that SASLprep changes, on every way they take through a gateway. */

import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { makeVerifier } from '../../lib/identity/credentials.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import { mariadbMissing, startMariadb } from '../support/mariadb-server.ts';
import { makeMysqlConfig } from '../support/mysql-gateway.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../support/servers.ts';
import { createShop, startGateway } from '../lib/gateway/gateway-rig.ts';

/** NFKC makes IX of the first character; the soft hyphen goes away. */
const TYPED = '\u2168\u00ad-secret';
const PREPARED = 'IX-secret';

t.test(
  'Postgres: the gateway signs in as libpq does',
  { skip: embeddedPostgresMissing() },
  async (t) => {
    const server = await embeddedPostgres(t, { port: 27_852 });
    const direct = await createShop(server);
    t.teardown(() => direct.end());
    await direct.query(`CREATE ROLE roman LOGIN PASSWORD '${TYPED}'`);
    for (const password of [TYPED, PREPARED]) {
      const rig = await startGateway(t, { ...server, user: 'roman', password });
      const client = await rig.connect();
      t.ok((await client.query('select 1')).length > 0, password);
      client.close();
      await rig.gateway.close();
    }
  },
);

t.test(
  'MySQL: a clear password is checked against the verifier of the prepared one',
  { skip: mariadbMissing() ?? false },
  async (t) => {
    const server = await startMariadb();
    t.teardown(() => server.stop());
    const dataDir = await makeTemporary(t, 'weir-passwords-');
    process.env['WEIR_TEST_UPSTREAM_PASSWORD'] = server.rootPassword;
    const upstream = { user: server.rootUser, password: server.rootPassword };
    const users = [{ user: 'alice', password: 'not this one' }];
    const options = { upstreamPort: server.port, upstream, users, native: false };
    const config = makeMysqlConfig(options, dataDir);
    const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const gateway = await createGateway(
      { ...config, users: config.users.map((one) => ({ ...one, scram: makeVerifier(TYPED) })) },
      { log: silent },
    );
    t.teardown(() => gateway.close());
    await gateway.listen();
    const login = { host: '127.0.0.1', port: gateway.addresses[0]?.port ?? 0, user: 'alice' };
    for (const password of [TYPED, PREPARED]) {
      const connection = await createConnection({ ...login, password });
      t.match(await connection.query('select 1 as one'), [[{ one: 1 }]], password);
      await connection.end();
    }
    await t.rejects(createConnection({ ...login, password: 'IX-Secret' }), {
      message: /Access denied/,
    });
  },
);
