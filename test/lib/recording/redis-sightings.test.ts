/** Which answers gave something of a key, from what a session recorded. */
import t, { type Test } from 'tap';
import { runWhoSaw } from '../../../lib/cli/who-saw.ts';
import { RedisSightings } from '../../../lib/recording/redis-sightings.ts';
import { encodeRequest } from '../../../protocols/wire/resp-request.ts';
import { runCommand } from '../cli/command-run.ts';
import { recordSession, type Step } from './session-fixture.ts';

/** Pairs of a command and its answer; `!` before the answer: by the gateway. */
function stepsOf(pairs: readonly (readonly [string, string])[]): Step[] {
  return pairs.flatMap(([line, answer], index): Step[] => {
    const at = index * 1000;
    const isOwn = answer.startsWith('!');
    const bytes = Buffer.from(isOwn ? answer.slice(1) : answer);
    const note = {
      kind: 'decision',
      operation: 'request',
      outcome: 'allow',
      principal: index % 2 === 0 ? 'ann' : 'bob',
    } as const;
    const asked: Step = { at, from: 'client', bytes: encodeRequest(line.split(' ')) };
    const reply = {
      at: at + 1,
      from: 'server',
      bytes,
      ...(isOwn && { by: 'gateway' as const }),
    } as const;
    return answer === '' ? [asked, { at, note }] : [asked, { at, note }, reply];
  });
}

function seen(pairs: readonly (readonly [string, string])[], collection = 'user:*'): string[] {
  const search = new RedisSightings(collection, '42');
  return stepsOf(pairs).flatMap((step) => {
    if ('note' in step) {
      search.note(step.note);
      return [];
    }
    const found = search.read({ kind: 'wire', by: undefined, ...step });
    return found.map((one) =>
      one.kind === 'gap' ? one.problem : `#${one.exchange} ${one.principal ?? '-'} ${one.query}`,
    );
  });
}

void t.test('by name, and in answers', async (t) => {
  t.same(
    seen([
      ['HGETALL user:42', '*2\r\n$4\r\nname\r\n$3\r\nann\r\n'],
      ['GET user:4', '$1\r\nx\r\n'],
      ['MGET a user:42', '*2\r\n$-1\r\n$1\r\nx\r\n'],
      ['EXISTS user:42', ':1\r\n'],
      ['SET user:42 x', '+OK\r\n'],
      ['GET user:42', '$-1\r\n'],
      ['GET user:42', '!-NOPERM no\r\n'],
      ['GET user:42', '-WRONGTYPE no\r\n'],
      ['FT.SEARCH idx *', '*3\r\n:1\r\n$7\r\nuser:42\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n'],
    ]),
    ['#1 ann HGETALL user:42', '#3 ann MGET a user:42', '#9 ann FT.SEARCH idx *'],
  );
  t.same(seen([['FT.SEARCH idx *', '*2\r\n:1\r\n$2\r\n42\r\n']], 'idx'), [
    '#1 ann FT.SEARCH idx *',
  ]);
  t.same(seen([['LRANGE l 0 -1', '*1\r\n$2\r\n42\r\n']], 'idx'), []);
  t.same(seen([['GET user:42', '$1\r\nx\r\n']], 'user'), ['#1 ann GET user:42']);
});

void t.test('transactions, messages and pushes keep answers with their commands', async (t) => {
  t.same(
    seen([
      ['SUBSCRIBE c d', '*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n'],
      ['PING', '*3\r\n$9\r\nsubscribe\r\n$1\r\nd\r\n:2\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n'],
      ['PING', '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$7\r\nuser:42\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n'],
      ['MULTI', '+OK\r\n'],
      ['GET user:42', '+QUEUED\r\n'],
      ['GET b', '+QUEUED\r\n'],
      ['EXEC', '*2\r\n$1\r\nx\r\n$7\r\nuser:4x\r\n'],
      ['SUBSCRIBE e', '!-NOPERM no\r\n'],
      ['GET user:42', '$1\r\nx\r\n'],
    ]),
    ['#5 ann GET user:42', '#9 ann GET user:42'],
  );
});

async function ask(t: Test, steps: readonly Step[]): ReturnType<typeof runCommand> {
  const { dataDir } = await recordSession(t, steps, {
    header: { protocol: 'redis', connection: 'cache' },
    reason: 'client closed',
  });
  const line = '--connection cache --collection redis:user:* --id 42 --data-dir';
  return await runCommand(runWhoSaw, [...line.split(' '), dataDir]);
}

void t.test('weir who-saw', async (t) => {
  const { code, stdout } = await ask(t, stepsOf([['GET user:42', '$1\r\nx\r\n']]));
  t.equal(code, 0);
  t.match(
    stdout,
    /^2026-03-04T05:06:07\.\d{3}Z {2}ann {2}session-1 {2}#1 {2}GET {2}GET user:42\n$/,
  );
  t.equal((await ask(t, stepsOf([['GET b', '$1\r\nx\r\n']]))).code, 1);
  const broken: Step[] = [{ at: 0, from: 'server', bytes: Buffer.from('HTTP/1.1') }];
  t.equal((await ask(t, broken)).code, 3, 'what cannot be read is said');
});
