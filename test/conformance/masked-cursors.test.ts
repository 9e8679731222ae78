/**
 * Ways to bring a masked value past a description that is stale, against real servers: cursors and
 * portals that change under their name (PG-37, PG-39, PG-41), and decisions that come late (GW-2).
 */

import t from 'tap';
import type { Decision, Operation } from '../../protocols/contract.ts';
import { postgres } from '../../protocols/postgres/index.ts';
import { startPair } from '../support/pair.ts';
import { labPolicy, startLab } from '../support/postgres-lab.ts';
import { connectRaw } from '../support/raw-client.ts';
import {
  bind,
  closeNamed,
  describe,
  execute,
  flush,
  parse,
  printMessage,
  query,
  sync,
} from '../support/raw-postgres.ts';
import { debianPostgres15Missing, embeddedPostgresMissing } from '../support/servers.ts';
import { sessionOptions } from '../support/transcript.ts';

const PORTS = { 15: 27_815, 18: 27_818 } as const;
const VALUE = 'ann@example.org';
const run = (sql: string): Buffer[] => [parse('', sql), bind('', ''), execute()];
const LONG = 'p'.repeat(63);

const ATTACKS: readonly { readonly name: string; readonly steps: readonly Buffer[][] }[] = [
  {
    name: 'a cursor closed and opened again between two Executes',
    steps: [
      [query('begin')],
      [
        ...run("declare c cursor for select 'free'::text from generate_series(1, 3)"),
        execute('c', 1),
        flush(),
      ],
      [
        ...run('close c'),
        ...run('declare c cursor for select email from people order by id'),
        execute('c', 1),
        sync(),
      ],
    ],
  },
  {
    name: 'the same without a pause',
    steps: [
      [query('begin')],
      [
        ...run("declare c cursor for select 'free'::text"),
        describe('P', 'c'),
        execute('c', 1),
        ...run('close c'),
        ...run('declare c cursor for select email from people order by id'),
        execute('c', 1),
        sync(),
      ],
    ],
  },
  {
    name: 'a portal closed and bound again',
    steps: [
      [query('begin')],
      [
        parse('', "select 'free'::text"),
        bind('p', ''),
        describe('P', 'p'),
        closeNamed('P', 'p'),
        parse('', 'select email from people order by id'),
        bind('p', ''),
        execute('p'),
        sync(),
      ],
    ],
  },
  {
    name: 'portals whose names differ behind the 63rd byte',
    steps: [
      [query('begin')],
      [
        parse('', "select 'free'::text"),
        bind(`${LONG}1`, ''),
        describe('P', `${LONG}1`),
        closeNamed('P', `${LONG}2`),
        parse('', 'select email from people order by id'),
        bind(`${LONG}2`, ''),
        execute(`${LONG}1`),
        sync(),
      ],
    ],
  },
  {
    name: 'another table under the same statement',
    steps: [
      [
        query(
          'create schema if not exists s2; create table if not exists s2.plain (email text); create temp table plain (x text)',
        ),
      ],
      [
        parse('s', 'select * from people order by id'),
        bind('', 's'),
        execute(),
        flush(),
        bind('', 's'),
        execute(),
        sync(),
      ],
    ],
  },
];

for (const version of [18, 15] as const) {
  const missing = version === 15 ? debianPostgres15Missing() : embeddedPostgresMissing();
  t.test(`PostgreSQL ${version}`, { skip: missing }, async (t) => {
    const server = await startLab(t, version, PORTS[version]);
    // Each answer takes its time, so that a pipeline waits in every place (GW-2).
    const slow = async (operation: Operation): Promise<Decision> => {
      await new Promise((resolve) => setTimeout(resolve, operation.id % 4));
      return labPolicy(undefined)(operation);
    };
    for (const decide of [labPolicy(undefined), slow]) {
      const pair = await startPair({
        protocol: postgres,
        upstreamPort: server.port,
        sessionOptions: () => sessionOptions(),
        decide,
      });
      for (const { name, steps } of ATTACKS) {
        const client = await connectRaw({ port: pair.port });
        await client.until('Z');
        const seen: string[] = [];
        for (const step of steps) {
          client.send(...step);
          const hasEnd = step.some((one) => one[0] === 0x53 || one[0] === 0x51);
          seen.push(...(await client.until(hasEnd ? 'Z' : 's')).map(printMessage));
        }
        client.close();
        const text = seen.join('\n');
        t.notMatch(text, VALUE, name);
        t.match(text, 'redacted', `${name}: the row came, masked`);
      }
      await pair.close();
      t.same(pair.errors, []);
    }
  });
}
