/** Vector sets in front of a real Redis 8: attributes are masked, vectors, scores and elements are not. */
import t from 'tap';
import { allowing, masksOf, startLab } from '../../support/redis-lab.ts';
import { RawRedis, redisMissing, startRedis } from '../../support/redis-server.ts';

const skip = redisMissing('next');
const SECRET = 'ann@example.com';
const READS = [
  'VSIM v ELE a',
  'VSIM v ELE a WITHSCORES',
  'VSIM v ELE a WITHATTRIBS',
  'VSIM v ELE a WITHSCORES WITHATTRIBS',
  'VSIM v VALUES 2 1 2 WITHATTRIBS WITHSCORES COUNT 5',
  'VGETATTR v a',
  'VGETATTR v c',
  'VLINKS v a WITHSCORES',
  'VRANDMEMBER v 3',
  'VINFO v',
  'VEMB v a',
  'VEMB v a RAW',
  'VDIM v',
  'VCARD v',
];

async function fill(port: number): Promise<void> {
  const direct = await RawRedis.connect(port);
  await direct.run(
    `VADD v VALUES 2 1 2 a SETATTR {"email":"${SECRET}","year":1980,"big":9007199254740993}`,
  );
  await direct.run('VADD v VALUES 2 1 3 b');
  await direct.run(`VADD v VALUES 2 2 3 c SETATTR not-json-${SECRET}`);
  direct.close();
}

for (const [name, masks] of [
  ['by name', masksOf(['email'])],
  ['by detectors', masksOf([], true)],
  ['#attributes', masksOf(['#attributes'])],
] as const) {
  void t.test(`masks ${name}: nothing leaks, the rest is as direct`, { skip }, async (t) => {
    const { port } = await startRedis(t, 'next');
    await fill(port);
    const lab = await startLab(t, { upstreamPort: port, judge: () => allowing(masks) });
    let leakCount = 0;
    for (const version of [2, 3] as const) {
      const direct = await RawRedis.connect(port);
      await direct.run(`HELLO ${version}`);
      const client = await lab.client(version);
      for (const line of READS) {
        direct.write(...line.split(' '));
        client.write(...line.split(' '));
        const expected = (await direct.next()).toString('latin1');
        const found = (await client.next()).toString('latin1');
        leakCount += Number(expected.includes(SECRET));
        t.notOk(found.includes(SECRET), `${line} in RESP${version}`);
        if (/RAND/.test(line)) continue;
        if (!expected.includes(SECRET)) t.equal(found, expected, line);
        else if (name !== '#attributes' && /VSIM/.test(line))
          t.match(found, /"year":1980,"big":9007199254740993/);
      }
      client.close();
      direct.close();
    }
    t.ok(leakCount >= 8);
  });
}

void t.test('filters steer, limits are cut, vectors are withheld', { skip }, async (t) => {
  const { port } = await startRedis(t, 'next');
  await fill(port);
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: () => allowing(undefined, { limitMax: 2, hidesVectors: true }),
  });
  const client = await lab.client();
  t.same(await client.ask('VSIM', 'v', 'ELE', 'a', 'FILTER', '.email == "x" and .year > 3'), []);
  const steering = [['#attributes'], ['email'], ['year'], ['#element']];
  t.same(lab.requests.at(-1)?.steering, steering);
  t.equal(lab.requests.at(-1)?.limit, 10);
  t.match(await client.run('VSIM v ELE a'), { length: 2 });
  t.match(await client.run('VSIM v ELE a COUNT 3'), { length: 2 });
  t.match(await client.run('VRANDMEMBER v 3'), { length: 2 });
  t.match(await client.run('VRANDMEMBER v -5'), { length: 2 });
  t.match(await client.run('VEMB v a'), { message: /withholds stored vectors/ });
  t.match(await client.run('VEMB v a RAW'), { message: /withholds stored vectors/ });
  t.equal(lab.requests.at(-1)?.wantsVectors, true);
});
