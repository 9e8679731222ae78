/**
 * Attempts that need the wire itself: pipelines, portals whose rows are made later than their
 * description (PG-38, PG-39, PG-41), and settings of the lexer that change while statements are in
 * flight (GW-3, PG-66). Each shows a secret, or does harm, when sent direct.
 */

import type { RawClient } from '../support/raw-client.ts';
import {
  bind,
  closeNamed,
  describe,
  execute,
  parse,
  query,
  sync,
} from '../support/raw-postgres.ts';

export interface WireCase {
  readonly title: string;
  /** First version of the server that does it. */
  readonly since?: number;
  readonly parameters?: Record<string, string>;
  /** Done by the superuser before. */
  readonly setup?: string;
  act(client: RawClient): Promise<void>;
}

function run(text: string): Buffer[] {
  return [parse('', text), bind('', ''), execute()];
}

/** Older servers do not look the statement up again when such a portal runs. */
const LATE_SINCE = 18;

const late = (
  name: string,
  before: readonly string[],
  statement: string,
  between: readonly string[],
): WireCase[] => [
  {
    title: `${name}, in one pipeline`,
    since: LATE_SINCE,
    act: async (client) => {
      for (const text of before) await client.query(text);
      await client.exchange([
        parse('x', statement),
        bind('p', 'x'),
        describe('P', 'p'),
        ...between.flatMap(run),
        execute('p'),
        sync(),
      ]);
    },
  },
  {
    title: `${name}, not described`,
    since: LATE_SINCE,
    act: async (client) => {
      for (const text of before) await client.query(text);
      await client.exchange([
        parse('x', statement),
        bind('p', 'x'),
        ...between.flatMap(run),
        execute('p'),
        sync(),
      ]);
    },
  },
  {
    title: `${name}, over several exchanges of a transaction`,
    since: LATE_SINCE,
    act: async (client) => {
      await client.query('BEGIN');
      for (const text of before) await client.query(text);
      await client.exchange([parse('x', statement), bind('p', 'x'), describe('P', 'p'), sync()]);
      for (const text of between) await client.exchange([...run(text), sync()]);
      await client.exchange([execute('p'), sync()]);
    },
  },
  {
    title: `${name}, by simple queries in between`,
    since: LATE_SINCE,
    act: async (client) => {
      await client.query('BEGIN');
      for (const text of before) await client.query(text);
      await client.exchange([parse('x', statement), bind('p', 'x'), describe('P', 'p'), sync()]);
      for (const text of between) await client.query(text);
      await client.exchange([describe('P', 'p'), execute('p'), sync()]);
    },
  },
  {
    title: `${name}, with the statement unknown to the gateway`,
    since: LATE_SINCE,
    act: async (client) => {
      await client.query('BEGIN');
      await client.exchange([parse('x', statement), sync()]).catch(() => undefined);
      await client.query('ROLLBACK');
      await client.query('BEGIN');
      for (const text of before) await client.query(text);
      await client.exchange([parse('x', statement), sync()]);
      await client.query('PREPARE other AS SELECT 1');
      await client.query('DEALLOCATE other');
      await client.exchange([
        bind('p', 'x'),
        describe('P', 'p'),
        ...between.flatMap(run),
        execute('p'),
        sync(),
      ]);
    },
  },
];

export const WIRE_LEAKS: readonly WireCase[] = [
  ...late(
    'EXECUTE of a statement that is replaced',
    ['PREPARE s1 AS SELECT name FROM customers'],
    'EXECUTE s1',
    ['DEALLOCATE s1', 'PREPARE s1 AS SELECT email FROM customers'],
  ),
  ...late(
    'FETCH from a cursor that is replaced',
    ['BEGIN', 'DECLARE c CURSOR FOR SELECT name FROM customers'],
    'FETCH ALL FROM c',
    ['CLOSE c', 'DECLARE c CURSOR FOR SELECT email FROM customers'],
  ),
  {
    title: 'EXECUTE under another search_path',
    setup: `CREATE SCHEMA s2; CREATE TABLE s2.q (a varchar(80)); CREATE VIEW public.q AS SELECT email AS a FROM customers`,
    act: async (client) => {
      await client.query('SET search_path = s2, public');
      await client.query('PREPARE s1 AS SELECT a FROM q');
      await client.exchange([
        parse('x', 'EXECUTE s1'),
        bind('p', 'x'),
        describe('P', 'p'),
        ...run('SET search_path = public'),
        execute('p'),
        sync(),
      ]);
    },
  },
  {
    title: 'a named statement described under one search_path and executed under another (PG-41)',
    setup: `CREATE SCHEMA s2; CREATE TABLE s2.q (a varchar(80)); INSERT INTO s2.q VALUES ('x'); CREATE VIEW public.q AS SELECT email AS a FROM customers`,
    act: async (client) => {
      await client.query('SET search_path = s2, public');
      await client.exchange([
        parse('x', 'SELECT a FROM q'),
        describe('S', 'x'),
        bind('', 'x'),
        execute(),
        sync(),
      ]);
      await client.query('SET search_path = public');
      await client.exchange([bind('', 'x'), execute(), sync()]);
    },
  },
  {
    title: 'a cursor and a portal that share a name',
    act: async (client) => {
      await client.query('BEGIN');
      await client.exchange([
        parse('x', 'SELECT name FROM customers'),
        bind('p', 'x'),
        describe('P', 'p'),
        execute('p', 1),
        sync(),
      ]);
      await client.query('CLOSE p');
      await client.query('DECLARE p CURSOR FOR SELECT email FROM customers');
      await client.exchange([execute('p'), sync()]);
    },
  },
  {
    title: 'a cursor replaced in the same pipeline',
    act: async (client) => {
      await client.exchange([
        ...run('BEGIN'),
        parse('x', 'SELECT name FROM customers'),
        bind('p', 'x'),
        describe('P', 'p'),
        closeNamed('P', 'p'),
        ...run('DECLARE p CURSOR FOR SELECT email FROM customers'),
        execute('p'),
        sync(),
      ]);
    },
  },
  {
    title: 'a name longer than 63 bytes',
    act: async (client) => {
      const long = 'n'.repeat(70);
      await client.query('BEGIN');
      await client.exchange([
        parse(long, 'SELECT name FROM customers'),
        bind(long, long),
        describe('P', long),
        sync(),
      ]);
      await client.query(`CLOSE ${long.slice(0, 63)}`);
      await client.query(`DECLARE ${long} CURSOR FOR SELECT email FROM customers`);
      await client.exchange([execute(long.slice(0, 63)), sync()]);
    },
  },
  {
    title: 'a table whose name is not ASCII, spelled in an encoding that is set in flight (GW-3)',
    parameters: { client_encoding: 'LATIN1' },
    setup: `CREATE VIEW "é" AS SELECT ssn FROM root`,
    act: async (client) => {
      client.send(query(`SET client_encoding = 'UTF8'`), query('SELECT upper(ssn) FROM "é"'));
      await client.until('Z', 2);
    },
  },
];

/** The text is harmless with standard_conforming_strings on and drops a table with it off. */
const EVIL = String.raw`SELECT 'a\', '; DROP TABLE outbox; --'`;
const OFF = { options: '-c standard_conforming_strings=off' };

function inFlight(title: string, first: readonly string[], second: readonly string[]): WireCase {
  return {
    title,
    parameters: OFF,
    act: async (client) => {
      for (const text of first) await client.query(text);
      client.send(...second.map((text) => query(text)), query(EVIL));
      await client.until('Z', second.length + 1).catch(() => undefined);
    },
  };
}

export const WIRE_HARM: readonly WireCase[] = [
  inFlight(
    'RESET in flight',
    ['SET standard_conforming_strings = on'],
    ['RESET standard_conforming_strings'],
  ),
  inFlight('RESET ALL in flight', ['SET standard_conforming_strings = on'], ['RESET ALL']),
  inFlight('DISCARD ALL in flight', ['SET standard_conforming_strings = on'], ['DISCARD ALL']),
  inFlight('ROLLBACK in flight', ['BEGIN', 'SET standard_conforming_strings = on'], ['ROLLBACK']),
  inFlight(
    'SET LOCAL that ends in flight',
    ['BEGIN', 'SET LOCAL standard_conforming_strings = on'],
    ['COMMIT'],
  ),
  inFlight(
    'TO DEFAULT in flight',
    ['SET standard_conforming_strings = on'],
    ['SET standard_conforming_strings TO DEFAULT'],
  ),
];
