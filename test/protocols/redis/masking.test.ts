/** No masked value comes back by any command on keys, in RESP2, RESP3 and transactions; everything else is as direct. */
import t from 'tap';
import { allowing, type Lab, masksOf, startLab } from '../../support/redis-lab.ts';
import { RawRedis, redisMissing, startRedis } from '../../support/redis-server.ts';

const skip = redisMissing('debian');
const SECRET = 'ann@example.com';

const SETUP = [
  'SET s ann@example.com',
  `SET j {"email":"${SECRET}","n":1.0,"id":9007199254740993}`,
  'SET n 42',
  `HSET h email ${SECRET} name Ann`,
  `RPUSH l ${SECRET} x`,
  `SADD set ${SECRET}`,
  `ZADD z 1 ${SECRET} 2 bob`,
  `XADD x 1-1 email ${SECRET} name Ann`,
  'XGROUP CREATE x g 0',
  `GEOADD g 13 38 ${SECRET}`,
];

/** All that give a value back, as it is or in pieces; each may be run twice. */
const READS = [
  'GET s',
  'GET j',
  'MGET s j',
  'GETRANGE s 0 3',
  'SUBSTR s 0 3',
  'GETEX s',
  'SET s ann@example.com GET',
  'GETSET s ann@example.com',
  'LCS s j',
  'DUMP s',
  'SORT l ALPHA',
  'SORT_RO set ALPHA',
  'SORT l BY nosort GET #',
  'SORT l BY nosort GET s',
  'SORT l BY * GET h->email ALPHA',
  'HGET h email',
  'HMGET h name email',
  'HGETALL h',
  'HVALS h',
  'HSCAN h 0',
  'HRANDFIELD h 2 WITHVALUES',
  'HRANDFIELD h -5 WITHVALUES',
  'LRANGE l 0 -1',
  'LINDEX l 0',
  'LMPOP 1 l LEFT',
  'BLPOP l 1',
  'LPOP l 1',
  'RPOP l',
  'SMEMBERS set',
  'SRANDMEMBER set',
  'SRANDMEMBER set 3',
  'SUNION set set',
  'SINTER set',
  'SDIFF set',
  'SSCAN set 0',
  'SPOP set',
  'ZRANGE z 0 -1',
  'ZRANGE z 0 -1 WITHSCORES',
  'ZREVRANGE z 0 -1 WITHSCORES',
  'ZRANGEBYSCORE z 0 9 WITHSCORES',
  'ZRANGEBYLEX z - +',
  'ZUNION 1 z WITHSCORES',
  'ZDIFF 1 z',
  'ZSCAN z 0',
  'ZRANDMEMBER z 2 WITHSCORES',
  'ZPOPMIN z',
  'ZMPOP 1 z MIN',
  'BZPOPMIN z 1',
  'XRANGE x - +',
  'XREVRANGE x + -',
  'XREAD STREAMS x 0',
  'XREADGROUP GROUP g c STREAMS x >',
  'XREADGROUP GROUP g c STREAMS x 0',
  'XCLAIM x g c 0 1-1',
  'XAUTOCLAIM x g c 0 0',
  'XINFO STREAM x',
  'XINFO STREAM x FULL',
  'GEORADIUS g 13 38 1 km WITHDIST',
  'GEOSEARCH g FROMLONLAT 13 38 BYRADIUS 1 km',
  'GETDEL s',
  'COPY s t',
  'RENAME s t',
  'SMOVE set t ann@example.com',
  'LMOVE l t LEFT LEFT',
  'RPOPLPUSH l t',
  'ZRANGESTORE t z 0 -1',
  'SUNIONSTORE t set',
  'SORT l ALPHA STORE t',
  'GEORADIUS g 13 38 1 km STORE t',
  'BITOP NOT t s',
  'BITFIELD s GET u8 0',
  'GETBIT s 1',
  'EVAL return{redis.call("get","s")} 0',
  'DEBUG OBJECT s',
  'GET t',
  'LRANGE t 0 -1',
  'SMEMBERS t',
];

async function fill(port: number): Promise<void> {
  const direct = await RawRedis.connect(port);
  await direct.run('FLUSHALL');
  for (const line of SETUP) await direct.run(line);
  direct.close();
}

/** The longest run of the secret that a masked answer could still hold by chance is four letters. */
function leaks(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1');
  const pieces = [SECRET, SECRET.slice(0, 8), 'example', 'ann@'];
  return pieces.find((piece) => text.includes(piece));
}

async function leakOf(lab: Lab, version: 2 | 3, line: string, inMulti: boolean): Promise<string> {
  const client = await lab.client(version);
  const parts = inMulti ? ['MULTI', line, 'EXEC'] : [line];
  for (const part of parts) client.write(...part.split(' '));
  const replies = [];
  for (const _ of parts) replies.push(await client.next());
  client.close();
  const all = Buffer.concat(replies);
  return leaks(all) === undefined ? '' : `${line} in RESP${version}: ${all.toString('latin1')}`;
}

for (const [name, masks] of [
  ['by name', masksOf(['email', '#value'])],
  ['by detectors', masksOf([], true)],
] as const) {
  void t.test(`masks ${name}: nothing leaks`, { skip, timeout: 180_000 }, async (t) => {
    const { port } = await startRedis(t, 'debian');
    const lab = await startLab(t, { upstreamPort: port, judge: () => allowing(masks) });
    let found = 0;
    for (const version of [2, 3] as const) {
      for (const inMulti of [false, true]) {
        for (const line of READS) {
          await fill(port);
          const leak = await leakOf(lab, version, line, inMulti);
          if (leak !== '') t.fail(leak);
          found += 1;
        }
      }
    }
    t.equal(found, READS.length * 4);
  });
}

void t.test(
  'without masks every answer is the same as direct, byte for byte',
  { skip, timeout: 180_000 },
  async (t) => {
    const { port } = await startRedis(t, 'debian');
    const lab = await startLab(t, { upstreamPort: port });
    let leakCount = 0;
    const random = /RANDMEMBER|HRANDFIELD|XREADGROUP|XAUTOCLAIM|XCLAIM|DEBUG|SRAND|SPOP|XINFO/;
    for (const version of [2, 3] as const) {
      for (const line of READS.filter((one) => !random.test(one))) {
        await fill(port);
        const direct = await RawRedis.connect(port);
        await direct.ask('HELLO', String(version));
        direct.write(...line.split(' '));
        const expected = await direct.next();
        leakCount += Number(leaks(expected) !== undefined);
        direct.close();
        await fill(port);
        const client = await lab.client(version);
        client.write(...line.split(' '));
        t.equal((await client.next()).toString('latin1'), expected.toString('latin1'), line);
        client.close();
      }
    }
    t.ok(leakCount > 70, `${leakCount} answers hold the secret where nothing masks it`);
  },
);

void t.test('what is left beside a mask', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  await fill(port);
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(masksOf(['email'])),
  });
  const client = await lab.client();
  t.same(await client.run('HGETALL h'), ['email', '***', 'name', 'Ann']);
  t.same(await client.run('HMGET h name email nothing'), ['Ann', '***', null]);
  t.equal(await client.run('GET j'), '{"email":"***","n":1.0,"id":9007199254740993}');
  t.equal(await client.run('GET n'), '42');
  t.same(await client.run('XRANGE x - +'), [['1-1', ['email', '***', 'name', 'Ann']]]);
  t.same(await client.run('HSCAN h 0'), ['0', ['email', '***', 'name', 'Ann']]);
  t.same(await client.run('HVALS h'), [null, null]);
  t.equal(await client.run('COPY h t'), 1, 'the mask goes by the name of a field, in any key');
  t.same(await client.run('HGETALL t'), ['email', '***', 'name', 'Ann']);
  t.match(await client.run('SORT s BY nosort GET h*->email STORE t'), { message: /no mask tells/ });
  t.equal(lab.requests.find(({ route }) => route === 'COPY')?.carries !== undefined, true);
  const third = await lab.client(3);
  t.same(await third.run('HGETALL h'), ['email', '***', 'name', 'Ann']);
  t.same(await third.run('HVALS h'), [null, null]);
  await third.run('MULTI');
  await third.run('HGETALL h');
  await third.run('GET n');
  t.same(await third.run('EXEC'), [['email', '***', 'name', 'Ann'], '42']);
});

void t.test('messages of channels are masked', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port, judge: () => allowing(masksOf([], true)) });
  for (const version of [2, 3] as const) {
    const listener = await lab.client(version);
    await listener.run('SUBSCRIBE c');
    const speaker = await lab.client();
    await speaker.run(`PUBLISH c ${SECRET}`);
    t.match(String(await listener.next()), /\[email\]/);
    listener.close();
  }
});

void t.test(
  'bytes that are no text stay as they are, unless a detector finds something',
  { skip },
  async (t) => {
    const { port } = await startRedis(t, 'debian');
    const direct = await RawRedis.connect(port);
    const vector = Buffer.from(new Float32Array(64).map((_, index) => Math.sin(index) / 8).buffer);
    const packed = Buffer.concat([
      Buffer.from([0x81, 0xa5, 0xff]),
      Buffer.from(SECRET),
      Buffer.from([0x00]),
    ]);
    const latin = Buffer.from(`M\u00fcller ${SECRET}`, 'latin1');
    await direct.ask('HSET', 'v', 'vec', vector, 'packed', packed, 'latin', latin);
    const lab = await startLab(t, {
      upstreamPort: port,
      judge: () => allowing(masksOf(['x'], true)),
    });
    const client = await lab.client();
    t.equal(await client.run('HGET v vec'), vector.toString('latin1'));
    t.equal(await client.run('HGET v packed'), null);
    t.equal(await client.run('HGET v latin'), null);
    direct.close();
  },
);

void t.test(
  'an answer that is too long to be masked is withheld, and the session goes on',
  { skip },
  async (t) => {
    const { port } = await startRedis(t, 'debian');
    const direct = await RawRedis.connect(port);
    await direct.ask('SET', 'big', 'x'.repeat(3_000_000));
    const lab = await startLab(t, {
      upstreamPort: port,
      judge: ({ route }) => allowing(route === 'GET' ? masksOf(['a']) : undefined),
    });
    const client = await lab.client();
    t.match(await client.run('GET big'), {
      message: /^ERR Weir cannot mask an answer of more than/,
    });
    t.equal(String(await client.run('MGET big')).length, 3_000_000, 'without masks it streams');
    t.equal(await client.run('PING'), 'PONG');
    direct.close();
  },
);
