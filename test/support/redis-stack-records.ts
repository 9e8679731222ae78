/** Records and indexes of a real Redis Stack, and every read of them that could give a secret away. */

import type { Lab } from './redis-lab.ts';
import { type Plain, RawRedis, type RedisKind, startRedis } from './redis-server.ts';
import type { Teardown } from './servers.ts';

export const PHONE = '555-0100';
export const SECRET = 'ann@example.com';
export const VECTOR = Buffer.from(new Float32Array([0.5, -0]).buffer);

export async function startStack(t: Teardown, kind: RedisKind = 'stack'): Promise<number> {
  const { port } = await startRedis(t, kind);
  const direct = await RawRedis.connect(port);
  await direct.run(
    'FT.CREATE idx ON HASH PREFIX 1 user: SCHEMA email AS mail TAG SORTABLE name TEXT bio AS about TEXT age NUMERIC SORTABLE tenant TAG vec VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2',
  );
  await direct.run(
    'FT.CREATE jdx ON JSON PREFIX 1 doc: SCHEMA $.email AS mail TAG $.author.phone AS phone TEXT $.tenant AS tenant TAG',
  );
  await direct.run('FT.ALIASADD alias idx');
  const records = [
    ['ann', '3', 'acme', SECRET],
    ['bob', '4', 'acme', 'bob@example.com'],
    ['eve', '5', 'other', 'eve@example.com'],
  ] as const;
  for (const [index, [name, age, tenant, email]] of records.entries()) {
    const fields = [
      'email',
      email,
      'name',
      name,
      'bio',
      `writes ${email}`,
      'age',
      age,
      'tenant',
      tenant,
    ];
    await direct.ask('HSET', `user:${index}`, ...fields, 'vec', VECTOR);
    const json = { email, tags: [1.5, 'x'], tenant, author: { phone: PHONE, name } };
    await direct.ask('JSON.SET', `doc:${index}`, '$', JSON.stringify(json));
  }
  for (let left = 2000; left > 0; left -= 1) {
    const [jsonCount] = arrayOf(await direct.run('FT.SEARCH jdx * LIMIT 0 0'));
    if (jsonCount === 3) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  direct.close();
  return port;
}

export function arrayOf(reply: Plain): readonly Plain[] {
  if (typeof reply === 'object' && reply !== null && !(reply instanceof Error)) return reply;
  throw new Error(`not a list: ${String(reply)}`);
}

/** Words that may have blanks in them are in quotes. */
export function words(line: string): string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

export const READS = [
  'FT.SEARCH idx *',
  'FT.SEARCH alias *',
  'FT.SEARCH idx * RETURN 1 mail',
  'FT.SEARCH idx * RETURN 3 email AS name',
  'FT.SEARCH idx * RETURN 6 mail AS x name AS mail',
  'FT.SEARCH idx * RETURN 4 about AS a mail',
  'FT.SEARCH idx * RETURN 6 mail AS x name AS x',
  'FT.SEARCH idx * RETURN 6 name AS x mail AS x',
  'FT.SEARCH idx * RETURN 3 mail AS x RETURN 1 name',
  'FT.SEARCH idx * RETURN 1 name RETURN 3 mail AS x',
  'FT.SEARCH idx * RETURN 0 RETURN 1 mail',
  'FT.SEARCH idx * WITHSORTKEYS',
  'FT.SEARCH idx * NOCONTENT RETURN 1 mail',
  'FT.AGGREGATE idx * LOAD 6 @mail AS x @name AS x',
  'FT.AGGREGATE idx * LOAD 6 @name AS x @mail AS x',
  'FT.AGGREGATE idx * LOAD 4 @name @mail AS name',
  'FT.SEARCH idx * SORTBY mail WITHSORTKEYS',
  'FT.SEARCH idx * SORTBY mail DESC WITHSORTKEYS WITHSCORES WITHPAYLOADS',
  'FT.SEARCH idx * EXPLAINSCORE WITHSCORES',
  'FT.SEARCH idx writes HIGHLIGHT FIELDS 1 about',
  'FT.SEARCH idx writes SUMMARIZE FIELDS 1 about LEN 3',
  'FT.SEARCH idx writes SUMMARIZE HIGHLIGHT TAGS [ ]',
  'FT.SEARCH idx * FORMAT EXPAND',
  'FT.SEARCH jdx * FORMAT EXPAND DIALECT 3',
  'FT.SEARCH jdx *',
  'FT.SEARCH jdx * DIALECT 3',
  'FT.SEARCH jdx * RETURN 1 mail',
  'FT.SEARCH jdx * RETURN 1 mail DIALECT 3',
  'FT.SEARCH jdx * RETURN 1 $.author',
  'FT.SEARCH jdx * RETURN 3 $.author AS a DIALECT 4',
  'FT.SEARCH jdx * RETURN 1 $..email',
  'FT.SEARCH jdx * RETURN 1 $.*',
  'FT.SEARCH jdx * RETURN 3 $.email AS tenant',
  'FT.SEARCH jdx * SORTBY mail',
  'FT.AGGREGATE idx * LOAD *',
  'FT.AGGREGATE idx * LOAD 1 @mail',
  'FT.AGGREGATE idx * LOAD 3 @email AS name',
  'FT.AGGREGATE idx * LOAD 1 @email',
  'FT.AGGREGATE idx * GROUPBY 1 @mail',
  'FT.AGGREGATE idx * GROUPBY 1 @tenant REDUCE TOLIST 1 @mail AS all',
  'FT.AGGREGATE idx * GROUPBY 1 @tenant REDUCE TOLIST 1 @mail',
  'FT.AGGREGATE idx * GROUPBY 1 @tenant REDUCE FIRST_VALUE 4 @mail BY @age ASC AS first',
  'FT.AGGREGATE idx * GROUPBY 1 @tenant REDUCE RANDOM_SAMPLE 2 @mail 2 AS name',
  'FT.AGGREGATE idx * LOAD 1 @email APPLY upper(@email) AS u',
  'FT.AGGREGATE idx * LOAD 1 @email APPLY substr(@email,0,12) AS u',
  'FT.AGGREGATE idx * APPLY lower(@mail) AS u GROUPBY 1 @u',
  'FT.AGGREGATE idx * APPLY lower(@mail) AS u GROUPBY 1 @u REDUCE TOLIST 1 @u AS v',
  'FT.AGGREGATE idx * LOAD 1 @bio',
  'FT.AGGREGATE idx * SORTBY 2 @mail ASC',
  'FT.AGGREGATE idx * LOAD 1 @email APPLY "split(@email,\'@\')" AS s',
  'FT.AGGREGATE idx * LOAD 1 @email APPLY format("%s",@email) AS s',
  'FT.AGGREGATE jdx * LOAD *',
  'FT.AGGREGATE jdx * LOAD 3 $.author AS a',
  'FT.AGGREGATE jdx * LOAD 1 $.email',
  'FT.AGGREGATE jdx * LOAD 1 $..phone',
  'FT.AGGREGATE jdx * LOAD 4 $.email AS e @tenant GROUPBY 1 @e',
  'FT.AGGREGATE idx * LOAD * WITHCURSOR COUNT 1',
  'FT.TAGVALS idx mail',
  'FT.PROFILE idx SEARCH QUERY *',
  'FT.PROFILE idx AGGREGATE QUERY * LOAD *',
  'FT.SPELLCHECK idx exampel DISTANCE 2',
  'FT.GET idx user:0',
  'FT.MGET idx user:0 user:1',
  'FT.DEBUG DUMP_TAGIDX idx mail',
  'FT.DEBUG DUMP_TERMS idx',
  'JSON.GET doc:0',
  'JSON.GET doc:0 $',
  'JSON.GET doc:0 .',
  'JSON.GET doc:0 $.email',
  'JSON.GET doc:0 .email',
  'JSON.GET doc:0 email',
  'JSON.GET doc:0 $..email',
  'JSON.GET doc:0 $.*',
  'JSON.GET doc:0 $["email"]',
  "JSON.GET doc:0 $['author']['phone']",
  'JSON.GET doc:0 $.email $.author',
  'JSON.GET doc:0 $..phone $.tenant',
  'JSON.GET doc:0 . .email',
  'JSON.GET doc:0 $.author $',
  'JSON.GET doc:0 INDENT x NEWLINE y SPACE z $',
  'JSON.GET doc:0 $.author',
  'JSON.GET doc:0 $[?(@.phone)]',
  'JSON.MGET doc:0 doc:1 $',
  'JSON.MGET doc:0 doc:1 .email',
  'JSON.RESP doc:0',
  'JSON.RESP doc:0 $.email',
  'JSON.ARRPOP doc:0 $.tags',
  'JSON.NUMINCRBY doc:0 $.tags[0] 1',
  'FT.SUGGET sug ann',
  'FT.SUGGET sug ann WITHPAYLOADS WITHSCORES',
  'DUMP doc:0',
];

export function isLeak(bytes: Buffer): boolean {
  const text = bytes.toString('latin1').toLowerCase();
  return [SECRET, 'ann@', 'example', PHONE].some((piece) => text.includes(piece));
}

export async function askRaw(client: RawRedis, line: string): Promise<Buffer> {
  client.write(...words(line));
  return await client.next();
}

export async function run(lab: Lab, version: 2 | 3, line: string): Promise<Buffer> {
  const client = await lab.client(version);
  client.write(...words(line));
  const reply = await client.next();
  client.close();
  return reply;
}
