/** COM_CHANGE_USER with a real client at a real MariaDB and at a MySQL 8 made from its documentation. */

import { createHash } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';
import t from 'tap';
import type { Decision, Operation } from '../../../protocols/contract.ts';
import { mariadbMissing, startMariadb } from '../../support/mariadb-server.ts';
import { operationsIn, recordedFrom } from '../../support/play.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';
import './change-user-cases.ts';
import { startFakeMysql } from './fake-mysql.ts';
import { INSPECT_ALL, INSPECT_NOTHING, options, startGateway } from './sign-in-fixture.ts';

const PASSWORD = 'own password';
const skip = mariadbMissing() ?? false;

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

const native = { ...makeVerifier(PASSWORD), nativeHash: sha1(sha1(Buffer.from(PASSWORD))) };

/** bob signs in by caching_sha2_password, everyone else by mysql_native_password. */
function decide(operation: Operation): Decision {
  const user = operation.kind === 'sign-in' ? operation.user : '';
  return {
    kind: 'prove',
    verifier: user === 'bob' ? makeVerifier(PASSWORD) : native,
    isKnown: user !== 'eve',
    login: { user: `up_${user}`, password: `${user} secret`, database: undefined },
    inspection: user === 'bob' ? INSPECT_NOTHING : INSPECT_ALL,
  };
}

async function ask(connection: Connection, statement: string): Promise<string> {
  const [rows] = await connection.query({ sql: statement, rowsAsArray: true });
  return JSON.stringify(rows);
}

const WHO = 'select current_user(), database(), connection_id() > 0';

t.test('gateway auth: both legs change, the new user is judged anew', { skip }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(`create database one; create database two;
    create user up_ann@'%' identified by 'ann secret'; create user up_bob@'%' identified by 'bob secret';
    grant all on one.* to up_ann@'%'; grant all on two.* to up_bob@'%'`);
  const gateway = await startGateway({ options: options(), upstreamPort: server.port, decide });
  const connection = await createConnection({
    host: '127.0.0.1',
    port: gateway.port,
    user: 'ann',
    password: PASSWORD,
    database: 'one',
  });
  connection.on('error', () => undefined);
  t.equal(await ask(connection, WHO), '[["up_ann@%","one",1]]');
  await connection.changeUser({ user: 'bob', password: PASSWORD, database: 'two' });
  t.equal(await ask(connection, WHO), '[["up_bob@%","two",1]]');
  await connection.changeUser({ user: 'ann', password: PASSWORD, database: 'one' });
  t.match(await ask(connection, WHO), /up_ann@%/);
  const users = operationsIn(gateway.commands).map((one) => one.kind === 'sign-in' && one.user);
  t.same(users, ['ann', 'bob', 'ann'], 'each is a sign-in');
  t.match(
    gateway.signedIn.map(({ user, inspection }) => ({ user, inspection })),
    [
      { user: 'ann', inspection: INSPECT_ALL },
      { user: 'bob', inspection: INSPECT_NOTHING },
      { user: 'ann', inspection: INSPECT_ALL },
    ],
  );
  await t.rejects(connection.changeUser({ user: 'eve', password: PASSWORD }), {
    message: /Access denied for user 'eve'@'%' \(using password: YES\)/,
  });
  t.same(gateway.errors, []);
  t.notOk(recordedFrom('client', gateway.commands).includes(PASSWORD), 'not recorded (GW-16)');
  t.notOk(recordedFrom('server', gateway.commands).includes('secret'));
  connection.destroy();
  await gateway.close();
});

t.test('passthrough: the exchange is relayed', { skip }, async (t) => {
  const server = await startMariadb();
  t.teardown(() => server.stop());
  await server.sql(
    "create user ann@'%' identified by 'ann secret'; create user bob@'%' identified by 'bob secret'",
  );
  const gateway = await startGateway({
    options: options({ auth: 'passthrough' }),
    upstreamPort: server.port,
    decide: () => ({ kind: 'allow', inspection: INSPECT_ALL }),
  });
  const connection = await createConnection({
    host: '127.0.0.1',
    port: gateway.port,
    user: 'ann',
    password: 'ann secret',
  });
  connection.on('error', () => undefined);
  await connection.changeUser({ user: 'bob', password: 'bob secret' });
  t.match(await ask(connection, WHO), /bob@%/);
  await t.rejects(connection.changeUser({ user: 'ann', password: 'wrong' }), {
    message: /Access denied/,
  });
  t.same(gateway.errors, []);
  connection.destroy();
  await gateway.close();
});

t.test('MySQL 8: it asks for another proof every time (MY-19)', async (t) => {
  const login = { user: 'up_ann', password: 'ann secret' };
  const fake = await startFakeMysql({ ...login, plugin: 'caching_sha2_password', isWarm: true });
  const gateway = await startGateway({ options: options(), upstreamPort: fake.port, decide });
  const connection = await createConnection({
    host: '127.0.0.1',
    port: gateway.port,
    user: 'ann',
    password: PASSWORD,
  });
  await connection.changeUser({ user: 'ann', password: PASSWORD });
  await connection.query('do 1');
  t.same(fake.outcomes, ['ok fast', 'ok fast']);
  const [change, statement] = fake.commands;
  t.equal(change?.toString('latin1', 0, 8), '\x11up_ann\0');
  t.match(statement?.toString(), /do 1$/, 'numbering begins anew behind it');
  await connection.end();
  await gateway.close();
  await fake.close();
});
