/** FT.* in front of a real Redis Stack: what comes back, what steers, filters, limits, vectors. */
import t from 'tap';
import type { StoreRequest } from '../../../protocols/store.ts';
import { allowing, masksOf, PASSWORD, startLab } from '../../support/redis-lab.ts';
import { type Plain, RawRedis, redisMissing } from '../../support/redis-server.ts';
import {
  arrayOf,
  askRaw,
  isLeak,
  PHONE,
  READS,
  run,
  SECRET,
  startStack,
  VECTOR,
  words,
} from '../../support/redis-stack-records.ts';

const skip = redisMissing('stack');

for (const [name, masks, pieces] of [
  [
    'by name',
    masksOf(['email', 'bio', 'author.phone', '#value']),
    [SECRET, 'ann@', 'example', PHONE],
  ],
  ['by detectors', masksOf([], true), [SECRET, 'ann@', 'example']],
] as const) {
  void t.test(`masks ${name}: nothing leaks`, { skip, timeout: 180_000 }, async (t) => {
    const port = await startStack(t);
    const direct = await RawRedis.connect(port);
    await direct.ask('FT.SUGADD', 'sug', SECRET, '1', 'PAYLOAD', SECRET);
    const lab = await startLab(t, { upstreamPort: port, judge: () => allowing(masks) });
    const open = await startLab(t, { upstreamPort: port });
    let leaksDirect = 0;
    for (const version of [2, 3] as const) {
      const plain = await open.client(version);
      const client = await lab.client(version);
      for (const line of READS) {
        leaksDirect += Number(isLeak(await askRaw(plain, line)));
        const text = (await askRaw(client, line)).toString('latin1').toLowerCase();
        // Errors of the server quote what was asked, and lines here ask for no secret.
        for (const piece of pieces) {
          if (text.includes(piece)) t.fail(`${line} in RESP${version}: ${text}`);
        }
      }
    }
    t.ok(leaksDirect > 100, `${leaksDirect} of ${READS.length * 2} leak without masks`);
    direct.close();
  });
}

void t.test('without masks every answer is the same as direct', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, { upstreamPort: port });
  // The order of several paths is the server's hash order, another one in each process and run.
  const varies = /PROFILE|RANDOM|CURSOR|ARRPOP|NUMINCRBY|DUMP|DEBUG|JSON\.GET doc:0 [$.]\S* [$.]/;
  for (const version of [2, 3] as const) {
    const direct = await RawRedis.connect(port);
    await direct.run(`HELLO ${version}`);
    for (const line of READS.filter((one) => !varies.test(one))) {
      direct.write(...words(line));
      const expected = await direct.next();
      t.equal(
        (await run(lab, version, line)).toString('latin1'),
        expected.toString('latin1'),
        line,
      );
    }
    direct.close();
  }
});

void t.test('what steers', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, { upstreamPort: port });
  const client = await lab.client();
  const steered = async (line: string): Promise<StoreRequest> => {
    await client.ask(...words(line));
    const last = lab.requests.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    return last;
  };
  const names = async (line: string): Promise<readonly string[]> =>
    (await steered(line)).steering.map((path) => path.join('.'));
  t.ok((await names('FT.SEARCH idx @mail:{ann*}')).includes('email'), 'an attribute is its field');
  t.ok((await names('FT.SEARCH idx "@age:[1 2]"')).includes('age'));
  t.notOk((await names('FT.SEARCH idx "@age:[1 2]"')).includes('email'));
  t.same(await names('FT.SEARCH idx *'), []);
  t.ok((await names('FT.SEARCH idx ann')).includes('bio'), 'words without a field go by all text');
  t.ok((await names('FT.SEARCH idx "@name:ann writes"')).includes('bio'));
  t.ok((await names('FT.SEARCH idx @name|about:ann')).includes('bio'));
  t.ok((await names('FT.SEARCH idx "(-@mail:{x})"')).includes('email'));
  t.ok((await names('FT.SEARCH idx * SORTBY mail')).includes('email'));
  t.ok((await names('FT.SEARCH idx * FILTER age 1 2')).includes('age'));
  t.ok((await names('FT.SEARCH idx ann INFIELDS 1 about')).includes('bio'));
  t.ok((await names('FT.AGGREGATE idx * GROUPBY 1 @mail')).includes('email'));
  t.ok(
    (await names('FT.AGGREGATE idx * LOAD 3 @email AS x FILTER startswith(@x,@x)')).includes(
      'email',
    ),
  );
  t.ok((await names('FT.AGGREGATE idx * APPLY lower(@mail) AS u SORTBY 1 @u')).includes('email'));
  t.ok(
    (await names('FT.AGGREGATE jdx * LOAD 3 $.author.phone AS p GROUPBY 1 @p')).includes(
      'author.phone',
    ),
  );
  t.ok((await names('FT.TAGVALS idx mail')).includes('email'));
  t.ok((await names('FT.SEARCH jdx @phone:555')).includes('author.phone'));
  t.match((await steered('FT.SEARCH nosuch words')).steersAny, /text/);
  t.equal((await steered('FT.SEARCH idx * LIMIT 0 7')).limit, 7);
  t.equal((await steered('FT.SEARCH idx *')).wantsVectors, true);
  t.equal((await steered('FT.SEARCH idx * RETURN 1 name')).wantsVectors, undefined);
  const knn = 'FT.SEARCH idx "*=>[KNN 2 @vec $B AS d]" DIALECT 2 PARAMS 2 B 12345678';
  t.same(await names(knn), ['vec']);
  t.match(await client.run('FT.SEARCH idx * NEWOPTION'), { message: /does not know its option/ });
});

void t.test('filters', { skip }, async (t) => {
  const port = await startStack(t);
  const filter = [{ field: 'tenant', value: 'acme' }];
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(undefined, { filter }),
  });
  const client = await lab.client();
  const ids = async (line: string): Promise<Plain> => {
    const reply = await client.ask(...words(line));
    return reply instanceof Error
      ? reply.message
      : arrayOf(reply).filter((one) => /^(?:user|doc):/.test(String(one)));
  };
  t.same(await ids('FT.SEARCH idx * NOCONTENT'), ['user:0', 'user:1']);
  t.same(await ids('FT.SEARCH jdx * NOCONTENT'), ['doc:0', 'doc:1']);
  t.same(await ids('FT.SEARCH idx "ann | eve" NOCONTENT'), ['user:0']);
  t.same(await ids('FT.SEARCH idx "@age:[4 9]" NOCONTENT'), ['user:1']);
  t.same(await ids('FT.SEARCH idx "@tenant:{other}" NOCONTENT'), []);
  t.same(await ids('FT.SEARCH idx "-@name:ann" NOCONTENT'), ['user:1']);
  for (const escape of [
    '*) | (*',
    'ann) | (eve',
    '(ann',
    '*=>[',
    'ann\\)|(eve',
    "w'a*'",
    '{',
    'x"y',
  ]) {
    const reply = await client.ask('FT.SEARCH', 'idx', escape, 'NOCONTENT');
    t.ok(reply instanceof Error && /NOPERM/.test(reply.message), escape);
  }
  const nearest = await client.ask(
    'FT.SEARCH',
    'idx',
    '*=>[KNN 9 @vec $B AS d]',
    'NOCONTENT',
    'PARAMS',
    '2',
    'B',
    VECTOR,
    'DIALECT',
    '2',
  );
  t.same(new Set(arrayOf(nearest).slice(1)), new Set(['user:0', 'user:1']));
  const rows = await client.run('FT.AGGREGATE idx * LOAD 1 @name GROUPBY 1 @name');
  t.notMatch(JSON.stringify(rows), /eve/);
  for (const line of [
    'HGETALL user:0',
    'JSON.GET doc:0',
    'HSET user:0 a b',
    'FT.TAGVALS idx mail',
    'FT.GET idx user:0',
    'FT.PROFILE idx SEARCH QUERY *',
    'EXISTS user:2',
    'SCAN 0',
  ]) {
    t.match(await client.run(line), { message: /filter is in force/ }, line);
  }
  t.match(await client.run('FT.SEARCH nosuch *'), { message: /does not say what its fields are/ });
  t.equal(await client.run('SELECT 0'), 'OK');
});

void t.test('limits', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(undefined, { limitMax: 2 }),
  });
  const client = await lab.client();
  t.equal(arrayOf(await client.run('FT.SEARCH idx * NOCONTENT')).length, 3);
  t.equal(arrayOf(await client.run('FT.SEARCH idx * NOCONTENT LIMIT 0 100')).length, 3);
  t.equal(arrayOf(await client.run('FT.AGGREGATE idx * LOAD 1 @name')).length, 3);
  t.equal(arrayOf(await client.run('FT.AGGREGATE idx * LOAD 1 @name LIMIT 0 3')).length, 3);
  t.equal(
    arrayOf(await client.run('FT.AGGREGATE idx * LOAD 1 @name LIMIT 0 3 SORTBY 1 @name')).length,
    3,
  );
  t.equal(arrayOf(await client.run('FT.AGGREGATE idx * LIMIT 0 3 GROUPBY 1 @mail')).length, 3);
  t.match(await client.run('KEYS *'), { message: /at most 2 records/ });
  t.match(await client.run('MGET a b c'), { message: /at most 2 records/ });
  t.match(await client.run('FT.TAGVALS idx mail'), { message: /limit is in force/ });
});

void t.test('vectors are withheld', { skip }, async (t) => {
  const port = await startStack(t);
  const judge = () => allowing(undefined, { hidesVectors: true });
  const lab = await startLab(t, { upstreamPort: port, judge });
  for (const version of [2, 3] as const) {
    for (const line of [
      'FT.SEARCH idx *',
      'FT.SEARCH idx * RETURN 1 vec',
      'FT.SEARCH idx * RETURN 3 vec AS x',
      'FT.AGGREGATE idx * LOAD *',
      'FT.AGGREGATE idx * LOAD 3 @vec AS y',
      'FT.AGGREGATE idx * LOAD 1 @vec APPLY upper(@vec) AS z',
      'HGETALL user:0',
      'HGET user:0 vec',
      'HVALS user:0',
      'FT.GET idx user:0',
      'DUMP user:0',
      'EVAL return 0',
      'FT.SEARCH idx writes HIGHLIGHT',
    ]) {
      const reply = await run(lab, version, line);
      t.notOk(reply.includes(VECTOR), `${line} in RESP${version}`);
    }
  }
  t.match((await run(lab, 2, 'FT.SEARCH idx *')).toString('latin1'), /ann@example\.com/);
});

void t.test(
  'cursors are masked as what opened them, and foreign ones are refused',
  { skip },
  async (t) => {
    const port = await startStack(t);
    const lab = await startLab(t, {
      upstreamPort: port,
      judge: () => allowing(masksOf(['email', 'bio'])),
    });
    for (const version of [2, 3] as const) {
      const client = await lab.client(version);
      const opened = await client.run('FT.AGGREGATE idx * LOAD * WITHCURSOR COUNT 1');
      t.notMatch(JSON.stringify(opened), /@example/);
      const cursor = String(arrayOf(opened)[1]);
      const read = await client.run(`FT.CURSOR READ idx ${cursor} COUNT 5`);
      t.match(JSON.stringify(read), /"name","bob"/);
      t.notMatch(JSON.stringify(read), /@example/);
      const direct = await RawRedis.connect(port);
      const foreign = arrayOf(await direct.run('FT.AGGREGATE idx * LOAD * WITHCURSOR COUNT 1'))[1];
      t.match(await client.run(`FT.CURSOR READ idx ${String(foreign)}`), {
        message: /not opened in this session/,
      });
      direct.close();
    }
  },
);

void t.test('vectors and scores stay as they are beside masks', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(masksOf(['email', 'bio'], true)),
  });
  for (const version of [2, 3] as const) {
    const reply = await run(lab, version, 'FT.SEARCH idx * WITHSCORES LIMIT 0 1');
    t.ok(reply.includes(VECTOR));
    t.match(reply.toString('latin1'), /user:0/);
    t.match(reply.toString('latin1'), /name\r\n\$3\r\nann/);
  }
});

void t.test('an index that was changed is asked for again', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(masksOf(['email', 'bio'])),
  });
  const client = await lab.client();
  t.notMatch(JSON.stringify(await client.run('FT.SEARCH idx * RETURN 1 mail')), /@example/);
  t.equal(await client.run('FT.DROPINDEX idx'), 'OK');
  t.equal(await client.run('FT.CREATE idx PREFIX 1 user: SCHEMA email AS harmless TAG'), 'OK');
  for (let left = 2000; left > 0; left -= 1) {
    if (arrayOf(await client.run('FT.SEARCH idx * LIMIT 0 0'))[0] === 3) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const found = JSON.stringify(await client.run('FT.SEARCH idx * RETURN 1 harmless'));
  t.match(found, /harmless/);
  t.notMatch(found, /@example/);
  t.ok(lab.commands.some((one) => one.kind === 'note' && one.fact.kind === 'schema-changed'));
});

void t.test('who signs in anew may not read what was opened before', { skip }, async (t) => {
  const port = await startStack(t);
  const lab = await startLab(t, { upstreamPort: port });
  const client = await lab.client();
  const open = 'FT.AGGREGATE idx * WITHCURSOR COUNT 1';
  const accessesOf = async (isNew: boolean): Promise<number> => {
    const cursor = String(arrayOf(await client.ask(...words(open)))[1]);
    if (isNew) t.equal(await client.ask('AUTH', 'ann', PASSWORD), 'OK');
    await client.ask('FT.CURSOR', 'READ', 'idx', cursor);
    return lab.requests.at(-1)?.accesses.length ?? 0;
  };
  t.equal(await accessesOf(false), 1);
  t.equal(await accessesOf(true), 2, 'it may be of any index then');
});
