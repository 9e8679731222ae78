/**
 * A real server with users of every password method and a few tables, and the decisions of a small
 * policy in front of it: what the tests of the session machine alone (without `lib/`) work with.
 */

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { EmbeddedPostgres } from '../../lib/demo/embedded-postgres.ts';
import type { Decision, Operation, ResultColumn, Verifier } from '../../protocols/contract.ts';
import { connectRaw } from './raw-client.ts';
import { debianPostgres15, embeddedPostgres, type Teardown } from './servers.ts';
import { constantMask } from './transcript.ts';

/** Of every user that has one, here and in the gateway's own list. */
export const PASSWORD = 'correct horse';

const HBA = `
host all scramu 127.0.0.1/32 scram-sha-256
host all md5u 127.0.0.1/32 md5
host all plainu 127.0.0.1/32 password
host replication all 127.0.0.1/32 trust
host all all 127.0.0.1/32 trust
`;

const TABLES = [
  `create role scramu login superuser password '${PASSWORD}'`,
  "set password_encryption = 'md5'",
  `create role md5u login password '${PASSWORD}'`,
  'reset password_encryption',
  `create role plainu login password '${PASSWORD}'`,
  'create table people (id int primary key, name text, email text unique)',
  "insert into people values (1, 'Ann', 'ann@example.org'), (2, 'Bob', 'bob@example.org'), (3, 'Eve', null)",
  'create view addresses as select id, email as address from people',
  'create table loaded (id int, note text)',
  'create view loaded_view as select 1 as id',
];

export async function startLab(
  t: Teardown,
  version: 15 | 18,
  port: number,
): Promise<EmbeddedPostgres> {
  const start = version === 15 ? debianPostgres15 : embeddedPostgres;
  const server = await start(t, { port, auth: 'trust', files: { 'pg_hba.conf': HBA } });
  const client = await connectRaw({ port: server.port });
  for (const sql of TABLES) {
    const error = (await client.query(sql)).find(({ type }) => type === 'E');
    if (error !== undefined) throw new Error(`${sql}: ${error.body.toString()}`);
  }
  client.close();
  return server;
}

/** A verifier with a fixed salt, so that transcripts do not change from run to run. */
export function makeVerifier(password: string, iterations = 4096): Verifier {
  const salt = createHash('md5').update('salt of the tests').digest();
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const sign = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(sign('Client Key')).digest();
  return { iterations, salt, storedKey, serverKey: sign('Server Key') };
}

/** Who may sign in with what; statements that destroy are blocked; columns named email are masked. */
export function labPolicy(upstreamUser: string | undefined): (operation: Operation) => Decision {
  const inspection = { statements: true, results: true };
  return (operation) => {
    switch (operation.kind) {
      case 'sign-in': {
        if (upstreamUser === undefined) return { kind: 'allow', inspection };
        const login = { user: upstreamUser, password: PASSWORD, database: undefined };
        return {
          kind: 'prove',
          verifier: makeVerifier(PASSWORD),
          isKnown: operation.user === 'alice',
          login,
          inspection,
        };
      }
      case 'statement':
        return decideStatement(operation.text);
      case 'call':
        return { kind: 'block', rule: undefined, code: '42501', reason: 'function calls are off' };
      case 'cancel':
        return { kind: 'allow' };
      case 'result':
        return { kind: 'allow', plan: operation.columns.map(maskOf) };
      case 'request':
        throw new Error('nobody asks Postgres as a store');
    }
  };
}

function decideStatement(text: string): Decision {
  if (/\b(?:drop|truncate|delete)\b/i.test(text)) {
    return {
      kind: 'block',
      rule: 'no-destruction',
      code: '42501',
      reason: 'blocked by rule no-destruction',
      hint: 'Ask for access.',
    };
  }
  const isSensitive = /people|addresses/.test(text);
  return { kind: 'allow', isSensitive, trace: { label: text.slice(0, 40) } };
}

function maskOf(column: ResultColumn): ((value: Buffer) => Buffer) | undefined {
  return /^(?:email|address)$/.test(column.name) ? constantMask('redacted') : undefined;
}
