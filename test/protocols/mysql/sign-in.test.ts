/** Gateway auth at a real MariaDB, through real clients, on all kinds of accounts. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { options, startGateway } from './sign-in-fixture.ts';
import { LOGINS, PASSWORD, prove, skip, startSignInLab, statement } from './sign-in-lab.ts';

/** Resolves once the server has said something, be it that it takes no more. */
async function holdConnection(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'data');
  return socket;
}

t.test('at a real MariaDB', { skip }, async (t) => {
  const { server, upstreamPort, clients, tls } = await startSignInLab(t);

  t.test('the gateway signs in by native, ed25519 and without a password', async (t) => {
    for (const { user, password } of LOGINS) {
      for (const isSecure of [false, true]) {
        const gateway = await startGateway({
          options: options({ clientTls: 'allow', upstreamTls: isSecure }),
          upstreamPort,
          decide: prove({ user, password, database: 'shop' }, !isSecure),
          tls,
        });
        for (const client of clients) {
          const visit = { port: gateway.port, user: 'ann', password: PASSWORD, isSecure };
          const answer = await client.visit({ ...visit, statement });
          const signedIn = gateway.signedIn.at(-1);
          t.match(
            answer,
            new RegExp(`^${user}@%[,\\t]\\d+[,\\t]shop$`),
            `${client.name} as ${user}`,
          );
          // The client's own connection id (MY-17).
          t.ok(answer.includes(String(signedIn?.server.connectionId)), 'the id of the greeting');
          t.match(signedIn, {
            user: 'ann',
            state: { database: 'shop' },
            isSecure,
            server: { flavor: 'mariadb' },
          });
          t.ok((signedIn?.server.version ?? 0) >= 100_000, `${signedIn?.server.version}`);
        }
        t.same(gateway.errors, []);
        await gateway.close();
      }
    }
  });

  t.test('what the server says of the gateway’s own account stays with Weir', async (t) => {
    const logins = [
      { user: 'native', password: 'wrong', database: 'shop' },
      { user: 'native', password: 'native secret', database: 'mysql' },
      { user: 'nobody', password: 'x', database: undefined },
    ];
    for (const login of logins) {
      const gateway = await startGateway({
        options: options(),
        upstreamPort,
        decide: prove(login),
      });
      for (const client of clients) {
        const visit = { port: gateway.port, user: 'ann', password: PASSWORD, isSecure: false };
        const answer = await client.visit(visit);
        t.match(answer, /^error 104[45]: Weir could not sign in to the database/, client.name);
      }
      await gateway.close();
    }
  });

  t.test('a server that takes no more connections is quoted (MY-1)', async (t) => {
    // Connections count before they sign in; these never do, for longer than the test takes.
    await server.sql('set global max_connections = 10; set global connect_timeout = 600');
    const held = await Promise.all(Array.from({ length: 12 }, () => holdConnection(upstreamPort)));
    const gateway = await startGateway({
      options: options(),
      upstreamPort,
      decide: prove({ user: 'empty', password: undefined, database: undefined }),
    });
    for (const client of clients) {
      const visit = { port: gateway.port, user: 'ann', password: PASSWORD, isSecure: false };
      t.match(await client.visit(visit), /^error 1040: /, client.name);
    }
    for (const socket of held) socket.destroy();
    await server.sql('set global max_connections = 100');
    await gateway.close();
  });
});
