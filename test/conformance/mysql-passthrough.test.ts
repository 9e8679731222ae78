/** Passthrough at a real MariaDB, through real clients, on all kinds of accounts. */

import t from 'tap';
import { recordedFrom } from '../support/play.ts';
import { INSPECT_ALL, options, startGateway } from '../protocols/mysql/sign-in-fixture.ts';
import { LOGINS, skip, startSignInLab, statement } from '../protocols/mysql/sign-in-lab.ts';

t.test('at a real MariaDB', { skip }, async (t) => {
  const { upstreamPort, clients, tls } = await startSignInLab(t);

  t.test(
    'passthrough: native, ed25519 and no password; the server says no itself (MY-9)',
    async (t) => {
      for (const isSecure of [false, true]) {
        const gateway = await startGateway({
          options: options({ auth: 'passthrough', clientTls: 'require', upstreamTls: isSecure }),
          upstreamPort,
          decide: () => ({ kind: 'allow', inspection: INSPECT_ALL }),
          tls,
        });
        for (const client of clients) {
          for (const { user, password = '' } of LOGINS) {
            // Plugins that the client itself has not got.
            if (user === 'ed' && client.name !== 'mariadb') continue;
            const visit = { port: gateway.port, user, password, isSecure: true, database: 'shop' };
            const answer = await client.visit({ ...visit, statement });
            t.match(
              answer,
              new RegExp(`^${user}@%[,\\t]\\d+[,\\t]shop$`),
              `${client.name} as ${user}`,
            );
          }
          const visit = { port: gateway.port, user: 'native', password: 'wrong', isSecure: true };
          const direct = await client.visit({ ...visit, port: upstreamPort });
          t.equal(await client.visit(visit), direct, 'a wrong password, as directly');
          const { password = '' } = LOGINS[0] ?? {};
          const nowhere = { ...visit, password, database: 'nowhere' };
          t.match(await client.visit(nowhere), /^error 104[49]/, 'a database that is not there');
          const plain = await client.visit({ ...visit, isSecure: false });
          t.match(plain, /^error 3159: this gateway requires TLS/);
          const only = { ...visit, user: 'tlsonly', password: 'tls secret' };
          t.match(
            await client.visit(only),
            isSecure ? 'done' : /^error 1045/,
            'the upstream leg (MY-16)',
          );
        }
        t.same(gateway.errors, []);
        t.notOk(
          recordedFrom('client', gateway.commands).includes('secret'),
          'not recorded (GW-16)',
        );
        await gateway.close();
      }
    },
  );

  t.test('an expired password: the sandbox is the server’s own (EXPIRED_PASSWORDS)', async (t) => {
    const gateway = await startGateway({
      options: options({ auth: 'passthrough' }),
      upstreamPort,
      decide: () => ({ kind: 'allow' }),
    });
    const visit = { port: gateway.port, user: 'expired', password: 'old secret', isSecure: false };
    for (const client of clients) {
      const direct = await client.visit({ ...visit, port: upstreamPort });
      t.equal(await client.visit(visit), direct, `${client.name}: ${direct}`);
    }
    await gateway.close();
  });
});
