/** Ordinary calls of the official clients; what they give, as text that can be compared. */

import type { Redis as IoRedis } from 'ioredis';
import { openIoredis, openNodeRedis, type RedisWay } from './redis-lab.ts';

type Log = (name: string, value: unknown) => void;

function createLog(): { readonly lines: string[]; readonly log: Log } {
  const lines: string[] = [];
  const log: Log = (name, value) => void lines.push(`${name}: ${describe(value)}`);
  return { lines, log };
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (one instanceof Error) return `${one.name}: ${one.message}`;
    if (one instanceof Map) return [...one];
    if (one instanceof Set) return [...one];
    return typeof one === 'bigint' ? `${one}n` : one;
  });
}

async function failing(call: Promise<unknown>): Promise<string> {
  try {
    return `no error: ${describe(await call)}`;
  } catch (error) {
    return String(error);
  }
}

export async function runIoredis(way: RedisWay): Promise<string> {
  const { lines, log } = createLog();
  const client = openIoredis(way);
  try {
    await client.flushall();
    log('set', await client.set('a', '1', 'EX', 1000));
    log('get', await client.get('a'));
    log('mget', await client.mget('a', 'nothing'));
    log('buffer', await client.getBuffer('a'));
    log('hset', await client.hset('h', { f: 'v', g: 'w' }));
    log('hgetall', await client.hgetall('h'));
    log('zadd', await client.zadd('z', 1.5, 'm', 2, 'n'));
    log('zrange', await client.zrange('z', '0', '-1', 'WITHSCORES'));
    log('rpush', await client.rpush('l', 'a', 'b', 'c'));
    log('lrange', await client.lrange('l', 0, -1));
    log('xadd', await client.xadd('x', '1-1', 'f', 'v'));
    log('xrange', await client.xrange('x', '-', '+'));
    log('scan', await client.call('SCAN', '0', 'MATCH', 'a*', 'COUNT', '100'));
    log('wrong type', await failing(client.lpush('a', 'x')));
    log('unknown', await failing(client.get('a').then(async () => await client.lpop('h'))));
    log(
      'pipeline',
      await client.pipeline().set('p', '1').incr('p').get('p').lpush('p', 'x').exec(),
    );
    log('multi', await client.multi().set('q', '1').incr('q').exec());
    log('multi that fails', await failing(client.multi().set('q', '1').call('HGET', 'a').exec()));
    log('eval', await client.eval('return {KEYS[1], ARGV[1], 1}', 1, 'a', 'b'));
    log('info', (await client.info('server')).includes('redis_version'));
    log('messages', await exchangeMessages(client, way));
    log('select', await client.select(3));
    log('dbsize', await client.dbsize());
  } finally {
    client.disconnect();
  }
  return lines.join('\n');
}

async function exchangeMessages(client: IoRedis, way: RedisWay): Promise<unknown> {
  const listener = openIoredis(way);
  const messages: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    const keep = (...args: unknown[]): void => {
      messages.push(args);
      if (messages.length === 3) resolve();
    };
    listener.on('message', keep);
    listener.on('pmessage', keep);
  });
  messages.push(await listener.subscribe('c', 'd'));
  await listener.psubscribe('p*');
  await client.publish('c', 'hello');
  await client.publish('px', 'there');
  await done;
  // ioredis 6 on RESP3 never ends an UNSUBSCRIBE that names nothing.
  await listener.unsubscribe('c', 'd');
  await listener.punsubscribe('p*');
  messages.push(await listener.ping());
  listener.disconnect();
  return messages;
}

export async function runNodeRedis(way: RedisWay, version: 2 | 3): Promise<string> {
  const { lines, log } = createLog();
  const client = await openNodeRedis(way, version);
  try {
    await client.flushAll();
    log('set', await client.set('a', '1', { EX: 1000 }));
    log('get', await client.get('a'));
    log('mGet', await client.mGet(['a', 'nothing']));
    log('hSet', await client.hSet('h', { f: 'v', g: 'w' }));
    log('hGetAll', await client.hGetAll('h'));
    log('hScan', await client.hScan('h', '0'));
    log(
      'zAdd',
      await client.zAdd('z', [
        { score: 1.5, value: 'm' },
        { score: 2, value: 'n' },
      ]),
    );
    log('zRangeWithScores', await client.zRangeWithScores('z', 0, -1));
    log('zPopMin', await client.zPopMin('z'));
    log('rPush', await client.rPush('l', ['a', 'b']));
    log('blPop', await client.blPop('l', 1));
    log('sAdd', await client.sAdd('s', ['x']));
    log('sMembers', await client.sMembers('s'));
    log('xAdd', await client.xAdd('x', '1-1', { f: 'v' }));
    log('xRead', await client.xRead({ key: 'x', id: '0' }));
    log('wrong type', await failing(client.lPush('a', 'x')));
    log('multi', await client.multi().set('q', '1').incr('q').hGetAll('h').exec());
    log('raw', await client.sendCommand(['OBJECT', 'ENCODING', 'a']));
    await runTogether(client, log);
    log('setName', await client.clientSetName('me'));
    log(
      'all at once',
      await Promise.all(
        Array.from({ length: 500 }, async (_, at) => await client.echo(String(at))),
      ),
    );
    const listener = await openNodeRedis(way, version);
    const message = new Promise<string>((resolve) => {
      void listener
        .subscribe('c', (text) => resolve(text))
        .then(async () => await client.publish('c', 'hello'));
    });
    log('message', await message);
    await listener.unsubscribe('c');
    listener.destroy();
  } finally {
    client.destroy();
  }
  return lines.join('\n');
}

/** Of Redis Stack: an index over hashes and one over JSON, searched by text, by number and by vector. */
export async function runSearch(way: RedisWay, version: 2 | 3): Promise<string> {
  const { lines, log } = createLog();
  const client = await openNodeRedis(way, version);
  const vector = (x: number, y: number): Buffer => Buffer.from(new Float32Array([x, y]).buffer);
  try {
    await client.flushAll();
    log(
      'create',
      await client.sendCommand(
        'FT.CREATE idx ON HASH PREFIX 1 doc: SCHEMA title TEXT year NUMERIC SORTABLE tag TAG vec VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2'.split(
          ' ',
        ),
      ),
    );
    for (const [id, title, year] of [
      ['1', 'red fox', 1990],
      ['2', 'red bear', 2001],
    ] as const) {
      await client.hSet(`doc:${id}`, { title, year, tag: 'x,y', vec: vector(year, 1) });
    }
    log('search', await client.ft.search('idx', 'red', { SORTBY: 'year' }));
    log('return', await client.ft.search('idx', '@year:[1980 1995]', { RETURN: ['title'] }));
    log(
      'knn',
      await client.ft.search('idx', '*=>[KNN 1 @vec $B AS d]', {
        PARAMS: { B: vector(2001, 1) },
        DIALECT: 2,
        RETURN: ['title', 'd'],
      }),
    );
    log(
      'aggregate',
      await client.ft.aggregate('idx', '*', {
        STEPS: [{ type: 'GROUPBY', properties: '@tag', REDUCE: { type: 'COUNT', AS: 'n' } }],
      }),
    );
    log(
      'cursor',
      (await client.ft.aggregateWithCursor('idx', '*', { LOAD: '@title', COUNT: 10 })).results,
    );
    log('tags', await client.ft.tagVals('idx', 'tag'));
    log('json', await client.json.set('j:1', '$', { a: { b: [1, 'x'] }, big: 1.5 }));
    log('json get', await client.json.get('j:1', { path: '$.a.b' }));
    log('json mget', await client.json.mGet(['j:1', 'j:2'], '$'));
    log('drop', await client.ft.dropIndex('idx'));
    log('gone', await failing(client.ft.search('idx', '*')));
  } finally {
    client.destroy();
  }
  return lines.join('\n');
}

/** Several commands that belong together: streams of groups, scripts, functions, watched keys, expiring fields. */
async function runTogether(
  client: Awaited<ReturnType<typeof openNodeRedis>>,
  log: Log,
): Promise<void> {
  log('group', await client.xGroupCreate('x', 'g', '0'));
  log('xReadGroup', await client.xReadGroup('g', 'c', { key: 'x', id: '>' }));
  log('xAutoClaim', await client.xAutoClaim('x', 'g', 'c', 0, '0'));
  log('xAck', await client.xAck('x', 'g', '1-1'));
  log('eval', await client.eval('return {KEYS[1], ARGV[1]}', { keys: ['a'], arguments: ['b'] }));
  const sha = await client.scriptLoad('return redis.call("get", KEYS[1])');
  log('evalSha', await client.evalSha(sha, { keys: ['a'] }));
  log('no script', await failing(client.evalSha('0'.repeat(40))));
  await client.watch('a');
  log('watched', await client.multi().get('a').exec());
  log('sort', await client.sendCommand(['SORT', 'l', 'BY', 'nosort', 'GET', '#']));
  log('geoAdd', await client.geoAdd('geo', { longitude: 13.4, latitude: 52.5, member: 'm' }));
  log('geoSearch', await client.geoSearch('geo', 'm', { radius: 1, unit: 'km' }));
  log('pfAdd', await client.pfAdd('pf', ['a', 'b']));
  log('pfCount', await client.pfCount('pf'));
  log('bitfield', await client.sendCommand(['BITFIELD', 'bits', 'INCRBY', 'u8', '0', '5']));
  log('dump', (await client.sendCommand(['DUMP', 'a'])) !== null);
}

/** Of Redis 8: vector sets and fields that expire. */
export async function runVectorSets(way: RedisWay, version: 2 | 3): Promise<string> {
  const { lines, log } = createLog();
  const client = await openNodeRedis(way, version);
  try {
    await client.flushAll();
    log('vAdd', await client.vAdd('v', [1, 0.5], 'a', { SETATTR: { year: 1990 } }));
    log('vAdd', await client.vAdd('v', [-0.25, 1], 'b'));
    log('vCard', await client.vCard('v'));
    log('vDim', await client.vDim('v'));
    log('vEmb', await client.vEmb('v', 'a'));
    log('vSim', await client.vSim('v', 'a'));
    log('vSimWithScores', await client.vSimWithScores('v', [1, 0.5]));
    log('vSim filtered', await client.vSim('v', 'b', { FILTER: '.year > 1980', COUNT: 1 }));
    log('vGetAttr', await client.vGetAttr('v', 'a'));
    log('vInfo', Object.keys(await client.vInfo('v')).length > 0);
    log('vRem', await client.vRem('v', 'b'));
    log('hSetEx', await client.sendCommand(['HSETEX', 'h', 'EX', '100', 'FIELDS', '1', 'f', 'v']));
    log('hGetEx', await client.sendCommand(['HGETEX', 'h', 'PERSIST', 'FIELDS', '1', 'f']));
    log('hGetDel', await client.sendCommand(['HGETDEL', 'h', 'FIELDS', '1', 'f']));
  } finally {
    client.destroy();
  }
  return lines.join('\n');
}
