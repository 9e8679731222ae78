/** A Redis session in front of a real server: sign-in, order of answers, refusals, transactions, channels. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { redis } from '../../../protocols/redis/index.ts';
import { golden } from '../../support/golden.ts';
import { describeCommands, replay } from '../../support/play.ts';
import { ALLOW, allowing, block, masksOf, PASSWORD, startLab } from '../../support/redis-lab.ts';
import { type Plain, redisMissing, startRedis } from '../../support/redis-server.ts';
import { encodeRequest } from '../../../protocols/wire/resp-request.ts';
import { readTranscript } from '../../support/transcript.ts';

const FOLDER = 'test/fixtures/transcripts/redis';

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.transcript'))) {
  void t.test(file, async (t) => {
    const commands = describeCommands(replay(redis, readTranscript(join(FOLDER, file))));
    t.equal(commands, golden(join(FOLDER, file.replace(/transcript$/, 'expected')), commands));
  });
}

const skip = redisMissing('debian');

function messageOf(reply: Plain): string {
  return reply instanceof Error ? reply.message : `no error: ${JSON.stringify(reply)}`;
}

void t.test('sign-in', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian', { password: 'upstream-secret' });
  const lab = await startLab(t, { upstreamPort: port, upstreamPassword: 'upstream-secret' });
  const client = await lab.stranger();
  t.match(messageOf(await client.run('GET a')), /^NOAUTH/);
  t.match(messageOf(await client.run('PING')), /^NOAUTH/);
  t.match(messageOf(await client.run('HELLO 3')), /^NOAUTH HELLO must be called/);
  t.match(messageOf(await client.run('HELLO 4')), /^NOPROTO/);
  t.match(messageOf(await client.run('AUTH ann wrong')), /^WRONGPASS/);
  t.match(messageOf(await client.run('AUTH nobody x')), /^WRONGPASS/);
  t.match(
    messageOf(await client.run('AUTH upstream-secret')),
    /^WRONGPASS/,
    "not with the store's",
  );
  t.equal(await client.ask('AUTH', 'ann', PASSWORD), 'OK');
  t.equal(await client.run('SET a 1'), 'OK');
  t.match(messageOf(await client.run('AUTH ann wrong')), /^WRONGPASS/);
  t.equal(await client.run('GET a'), '1', 'still ann');
  t.equal(await client.run('RESET'), 'RESET');
  t.match(messageOf(await client.run('GET a')), /^NOAUTH/);
  const hello = await client.ask('HELLO', '3', 'AUTH', 'ann', PASSWORD, 'SETNAME', 'me');
  t.ok(Array.isArray(hello) && hello.includes('proto'));
  t.equal(await client.run('CLIENT GETNAME'), 'me');
  t.equal(await client.run('GET a'), '1');
  t.equal(await client.run('QUIT'), 'OK');
  await client.closed();
  const recorded = lab.commands.flatMap((one) => (one.kind === 'record' ? [one.bytes] : []));
  const text = Buffer.concat(recorded).toString('latin1');
  for (const secret of [PASSWORD, 'upstream-secret', 'wrong'])
    t.notOk(text.includes(secret), secret);
  const toServer = lab.commands.flatMap((one) =>
    one.kind === 'send' && one.to === 'server' ? [one.bytes] : [],
  );
  t.notOk(Buffer.concat(toServer).includes(PASSWORD), 'the store never sees it');
});

void t.test('too many wrong passwords end the session', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const client = await lab.stranger();
  for (let count = 0; count < 10; count += 1) {
    t.match(messageOf(await client.run('AUTH ann wrong')), /^WRONGPASS/);
  }
  await client.closed();
});

void t.test('passthrough: the server says who may sign in', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian', { password: 'secret' });
  const users: (string | undefined)[] = [];
  const judge = (_: unknown, user: string | undefined) => {
    users.push(user);
    return ALLOW;
  };
  const lab = await startLab(t, { upstreamPort: port, options: { auth: 'passthrough' }, judge });
  const client = await lab.stranger();
  t.match(messageOf(await client.run('GET a')), /^NOAUTH/);
  t.match(messageOf(await client.run('AUTH default wrong')), /^WRONGPASS/);
  t.match(messageOf(await client.run('GET a')), /^NOAUTH/);
  t.equal(await client.run('AUTH secret'), 'OK');
  t.equal(await client.run('ACL SETUSER ann on >pw ~* +@all'), 'OK');
  t.equal(await client.run('AUTH ann pw'), 'OK');
  t.equal(await client.run('SET a 1'), 'OK');
  t.match(messageOf(await client.run('AUTH default wrong')), /^WRONGPASS/);
  t.equal(await client.run('GET a'), '1', 'still ann');
  t.same(users.slice(-3), ['default', 'ann', 'ann']);
  const text = Buffer.concat(
    lab.commands.flatMap((one) => (one.kind === 'record' ? [one.bytes] : [])),
  ).toString('latin1');
  t.notMatch(text, /secret|wrong|>pw/);
});

void t.test('refusals keep their place in a pipeline', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, {
    upstreamPort: port,
    judge: ({ accesses }) =>
      accesses.some(({ target }) => target?.path[0] === 'no') ? block('it is secret') : ALLOW,
  });
  const client = await lab.client();
  client.write('SET', 'a', '1');
  client.write('GET', 'no');
  client.write('GET', 'a');
  client.write('NOSUCH', 'a');
  client.write('MGET', 'a', 'no');
  client.write('ECHO', 'end');
  const replies = [];
  for (let count = 0; count < 6; count += 1) replies.push((await client.next()).toString('latin1'));
  t.same(replies, [
    '+OK\r\n',
    '-NOPERM it is secret\r\n',
    '$1\r\n1\r\n',
    '-NOPERM Weir does not know the command NOSUCH, so it is refused\r\n',
    '-NOPERM it is secret\r\n',
    '$3\r\nend\r\n',
  ]);
});

void t.test('a refused command fails its transaction', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const judge = ({
    accesses,
  }: {
    accesses: readonly { target: { path: readonly string[] } | undefined }[];
  }) => (accesses.some(({ target }) => target?.path[0] === 'no') ? block('it is secret') : ALLOW);
  const lab = await startLab(t, { upstreamPort: port, judge });
  const client = await lab.client();
  t.equal(await client.run('MULTI'), 'OK');
  t.equal(await client.run('SET done 1'), 'QUEUED');
  t.equal(messageOf(await client.run('GET no')), 'NOPERM it is secret');
  t.match(messageOf(await client.run('SUBSCRIBE x')), /^NOPERM SUBSCRIBE is not supported between/);
  t.match(messageOf(await client.run('EXEC')), /^EXECABORT/);
  t.equal(await client.run('GET done'), null, 'nothing of it was done');
  t.equal(await client.run('MULTI'), 'OK');
  t.equal(await client.run('SET done 1'), 'QUEUED');
  t.equal(await client.run('GET done'), 'QUEUED');
  t.same(await client.run('EXEC'), ['OK', '1']);
  t.equal(await client.run('MULTI'), 'OK');
  t.equal(await client.run('DISCARD'), 'OK');
  t.match(messageOf(await client.run('GET no')), /^NOPERM/);
});

void t.test(
  'what could not be followed is refused, whatever the rules say',
  { skip },
  async (t) => {
    const { port } = await startRedis(t, 'debian');
    const lab = await startLab(t, { upstreamPort: port });
    const client = await lab.client();
    for (const line of [
      'MONITOR',
      'SYNC',
      'PSYNC ? -1',
      'REPLCONF x y',
      'CLIENT REPLY OFF',
      'CLIENT REPLY SKIP',
    ]) {
      t.match(messageOf(await client.run(line)), /^NOPERM/, line);
    }
    t.equal(await client.run('CLIENT REPLY ON'), 'OK');
    t.equal(await client.run('PING'), 'PONG');
  },
);

for (const version of [2, 3] as const) {
  void t.test(`channels, RESP${version}`, { skip }, async (t) => {
    const { port } = await startRedis(t, 'debian');
    const lab = await startLab(t, { upstreamPort: port });
    const listener = await lab.client(version);
    const speaker = await lab.client();
    listener.write('SUBSCRIBE', 'a', 'b');
    listener.write('PSUBSCRIBE', 'p*');
    const first = [await listener.next(), await listener.next(), await listener.next()];
    t.match(first.map(String).join(''), /subscribe.*psubscribe/s);
    t.equal(await speaker.run('PUBLISH a hello'), 1);
    t.match(String(await listener.next()), /message\r\n\$1\r\na\r\n\$5\r\nhello/);
    t.equal(await speaker.run('PUBLISH px hello'), 1);
    t.match(String(await listener.next()), /pmessage/);
    listener.write('UNSUBSCRIBE');
    t.match(
      String(await listener.next()) + String(await listener.next()),
      /unsubscribe.*unsubscribe/s,
    );
    listener.write('PUNSUBSCRIBE');
    t.match(String(await listener.next()), /punsubscribe/);
    t.equal(await listener.run('GET nothing'), null);
    t.ok(lab.requests.some(({ route }) => route === 'SUBSCRIBE'));
  });
}

void t.test('a blocking command waits, and others go on', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const waiting = await lab.client();
  const other = await lab.client();
  waiting.write('BLPOP', 'list', '0');
  waiting.write('PING');
  t.equal(await other.run('LPUSH list x'), 1);
  t.equal(String(await waiting.next()), '*2\r\n$4\r\nlist\r\n$1\r\nx\r\n');
  t.equal(String(await waiting.next()), '+PONG\r\n');
});

void t.test('a client that leaves while it waits leaves the server, too', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const waiting = await lab.client();
  const other = await lab.client();
  waiting.write('BLPOP', 'gone', '0');
  t.equal(await other.run('PING'), 'PONG');
  waiting.socket.resetAndDestroy();
  for (let count = 0; ; count += 1) {
    const text = String(await other.run('CLIENT LIST'));
    if (!text.includes('cmd=blpop')) break;
    if (count > 2000) t.fail('the server still waits for it');
    if (count > 2000) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.equal(await other.run('LPUSH gone x'), 1);
  t.equal(await other.run('LLEN gone'), 1, 'nobody took it');
});

void t.test('hostile bytes', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['inline', 'PING\r\n', /inline commands/],
    ['a length of 512 MB', '*2\r\n$3\r\nGET\r\n$536870912\r\n', /above/],
    ['a negative length', '*1\r\n$-1\r\n', /invalid bulk/],
    ['a sign', '*1\r\n$+4\r\nPING\r\n', /no number/],
    ['leading zero', '*1\r\n$04\r\nPING\r\n', /no number/],
    ['no end', '*1\r\n$4\r\nPINGXX', /does not end/],
    ['two million arguments', '*2000000\r\n', /above/],
    ['a nested array', '*1\r\n*1\r\n$4\r\nPING\r\n', /expected/],
  ];
  for (const [name, bytes, expected] of cases) {
    const client = await lab.client();
    client.socket.write(bytes);
    t.match(String(await client.next()), expected, name);
    await client.closed();
  }
  const split = await lab.client();
  for (const byte of Buffer.from(
    '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$3\r\nx\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n',
  )) {
    split.socket.write(Buffer.of(byte));
  }
  t.equal(String(await split.next()), '+OK\r\n');
  t.equal(String(await split.next()), '$3\r\nx\r\n\r\n');
});

void t.test('a list that looks like a message is none, in RESP3', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port, judge: () => allowing(masksOf(['email'])) });
  const client = await lab.client(3);
  await client.run('HSET h email ann@example.com');
  await client.run('RPUSH l message c x');
  await client.run('SUBSCRIBE c');
  t.same(await client.run('LRANGE l 0 -1'), ['message', 'c', 'x']);
  t.same(
    await client.run('HGETALL h'),
    ['email', '***'],
    'answers are still those of their commands',
  );
});

void t.test('channels are told apart byte for byte', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const client = await lab.client(2);
  const speaker = await lab.client(2);
  const [one, other] = [Buffer.from('efbfbd', 'hex'), Buffer.from('c3afc2bfc2bd', 'hex')];
  client.write('SUBSCRIBE', one, other);
  t.match(String(await client.next()), /:1\r\n$/);
  t.match(String(await client.next()), /:2\r\n$/);
  t.match(String((await client.ask('UNSUBSCRIBE', one))?.toString()), /unsubscribe/);
  t.equal(await speaker.ask('PUBLISH', other, 'hello'), 1);
  t.match(String(await client.next()), /message[^]*hello/);
  t.same(await client.run('PING'), ['pong', '']);
});

void t.test('what comes behind a change of an index waits for it', { skip }, async (t) => {
  const { port } = await startRedis(t, 'debian');
  const lab = await startLab(t, { upstreamPort: port });
  const client = await lab.client(2);
  const lines = ['FT.CREATE idx SCHEMA a TEXT', 'FT.SEARCH idx *', 'FT.DROP idx', 'PING'];
  client.socket.write(Buffer.concat(lines.map((line) => encodeRequest(line.split(' ')))));
  t.equal(String(await client.next()), '+OK\r\n');
  t.equal(String(await client.next()), '*1\r\n:0\r\n');
  t.equal(String(await client.next()), '+OK\r\n');
  t.equal(String(await client.next()), '+PONG\r\n');
  const order = lab.commands.flatMap((one) => {
    if (one.kind === 'note' && one.fact.kind === 'schema-changed') return ['changed'];
    return one.kind === 'decide' && one.operation.kind === 'request'
      ? [one.operation.request.route]
      : [];
  });
  t.same(order, ['FT.CREATE', 'changed', 'FT.SEARCH', 'FT.DROP', 'changed']);
  await client.run('MULTI');
  t.match(
    messageOf(await client.run('FT.CREATE idx SCHEMA a TEXT')),
    /not supported between MULTI/,
  );
  t.match(messageOf(await client.run('EXEC')), /^EXECABORT/);
});
