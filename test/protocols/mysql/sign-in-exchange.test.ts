/** Real clients sign in through the gateway, at a MySQL 8 made from its documentation, on all kinds of legs. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Decision, Operation } from '../../../protocols/contract.ts';
import { createCertificateFolder, opensslMissing, RSA_KEY } from '../../support/certificates.ts';
import { recordedFrom } from '../../support/play.ts';
import { makeVerifier } from '../../support/postgres-lab.ts';
import { type FakeOptions, startFakeMysql } from './fake-mysql.ts';
import { findClients } from './real-clients.ts';
import { INSPECT_ALL, options, startGateway } from './sign-in-fixture.ts';

const PASSWORD = 'own password';
const UPSTREAM = { user: 'weir', password: 'upstream secret', database: undefined };
const skip = opensslMissing() ?? false;

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}

const native = { ...makeVerifier(PASSWORD), nativeHash: sha1(sha1(Buffer.from(PASSWORD))) };

function prove(verifier: ReturnType<typeof makeVerifier>) {
  return (operation: Operation): Decision => ({
    kind: 'prove',
    verifier,
    isKnown: operation.kind === 'sign-in' && operation.user === 'ann',
    login: UPSTREAM,
    inspection: INSPECT_ALL,
  });
}

function makeTls(): { cert: string; key: string } {
  const folder = createCertificateFolder();
  t.teardown(() => folder.remove());
  const files = folder.make('gateway', { key: RSA_KEY });
  return { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
}

const LEGS = [false, true].flatMap((client) => [false, true].map((server) => ({ client, server })));

t.test('gateway auth: every client, on every pair of legs (MY-7, MY-8)', { skip }, async (t) => {
  const tls = makeTls();
  const clients = await findClients();
  for (const { client: isSecure, server: upstreamTls } of LEGS) {
    for (const isWarm of [false, true]) {
      const verifier = isWarm ? native : makeVerifier(PASSWORD);
      const fake = await startFakeMysql({
        ...UPSTREAM,
        plugin: 'caching_sha2_password',
        isWarm,
        tls,
      });
      const gateway = await startGateway({
        options: options({ clientTls: 'allow', upstreamTls }),
        upstreamPort: fake.port,
        decide: prove(verifier),
        tls,
      });
      for (const client of clients) {
        const name = `${client.name}, TLS ${isSecure} and ${upstreamTls}, warm ${isWarm}`;
        const visit = { port: gateway.port, user: 'ann', password: PASSWORD, isSecure };
        t.equal(await client.visit(visit), 'done', name);
        const full = upstreamTls ? 'ok full tls' : 'ok full rsa';
        t.equal(fake.outcomes.at(-1), isWarm ? 'ok fast' : full, name);
        // The server's leg comes after that.
        if (upstreamTls) continue;
        const denied = /^error 1045: Access denied for user 'ann'@'%' \(using password: YES\)/;
        t.match(await client.visit({ ...visit, password: 'wrong' }), denied, `${name}, wrong`);
        const unknown = await client.visit({ ...visit, user: 'eve' });
        t.match(unknown, /^error 1045: Access denied for user 'eve'/, `${name}, unknown`);
      }
      t.same(gateway.errors, []);
      const recorded = recordedFrom('client', gateway.commands);
      t.notOk(recorded.includes(PASSWORD), 'no password is recorded (GW-16)');
      await gateway.close();
      await fake.close();
    }
  }
});

t.test(
  'passthrough: caching_sha2_password, cold and warm, on all legs (MY-8)',
  { skip },
  async (t) => {
    const tls = makeTls();
    const clients = await findClients();
    const user = { user: 'ann', password: PASSWORD };
    for (const { client: isSecure, server: upstreamTls } of LEGS) {
      for (const isWarm of [false, true]) {
        const fake = await startFakeMysql({
          ...user,
          plugin: 'caching_sha2_password',
          isWarm,
          tls,
        });
        const gateway = await startGateway({
          options: options({ auth: 'passthrough', clientTls: 'allow', upstreamTls }),
          upstreamPort: fake.port,
          decide: () => ({ kind: 'allow', inspection: INSPECT_ALL }),
          tls,
        });
        for (const client of clients) {
          const name = `${client.name}, TLS ${isSecure} and ${upstreamTls}, warm ${isWarm}`;
          const visit = { port: gateway.port, ...user, isSecure };
          t.equal(await client.visit(visit), 'done', name);
          const full = upstreamTls ? 'ok full tls' : 'ok full rsa';
          t.equal(fake.outcomes.at(-1), isWarm ? 'ok fast' : full, name);
          if (isWarm) continue;
          t.match(
            await client.visit({ ...visit, password: 'wrong' }),
            /^error 1045/,
            `${name}, wrong`,
          );
        }
        t.same(gateway.errors, []);
        t.notOk(recordedFrom('client', gateway.commands).includes(PASSWORD), 'not recorded');
        await gateway.close();
        await fake.close();
      }
    }
  },
);

t.test('passthrough without an RSA key says why it cannot (MY-8)', { skip }, async (t) => {
  const tls = makeTls();
  const user = { user: 'ann', password: PASSWORD };
  const [client] = await findClients();
  for (const isSecure of [false, true]) {
    const { rsa: _, ...own } = options({
      auth: 'passthrough',
      clientTls: 'allow',
      upstreamTls: !isSecure,
    });
    const fake = await startFakeMysql({ ...user, plugin: 'caching_sha2_password', tls });
    const gateway = await startGateway({
      options: own,
      upstreamPort: fake.port,
      decide: () => ({ kind: 'allow' }),
      tls,
    });
    const told = await client?.visit({ port: gateway.port, ...user, isSecure });
    t.match(told, /cannot pass a gateway with TLS on one leg only/);
    await gateway.close();
    await fake.close();
  }
});

t.test('the upstream wants another plugin than it greets with (MY-9)', { skip }, async (t) => {
  const clients = await findClients();
  const plugins: readonly Pick<FakeOptions, 'plugin' | 'greetingPlugin'>[] = [
    { plugin: 'mysql_native_password', greetingPlugin: 'caching_sha2_password' },
    { plugin: 'caching_sha2_password', greetingPlugin: 'mysql_native_password' },
    { plugin: 'caching_sha2_password', greetingPlugin: 'sha256_password' },
  ];
  for (const own of plugins) {
    for (const verifier of [native, makeVerifier(PASSWORD)]) {
      const fake = await startFakeMysql({ ...UPSTREAM, ...own });
      const gateway = await startGateway({
        options: options(),
        upstreamPort: fake.port,
        decide: prove(verifier),
      });
      for (const client of clients) {
        const visit = { port: gateway.port, user: 'ann', password: PASSWORD, isSecure: false };
        t.equal(await client.visit(visit), 'done', `${client.name} ${JSON.stringify(own)}`);
        t.match(
          fake.outcomes.at(-1),
          own.plugin === 'mysql_native_password' ? 'ok native' : 'ok full rsa',
        );
      }
      await gateway.close();
      await fake.close();
    }
  }
});
