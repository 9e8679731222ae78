import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runSessions } from '../../../lib/cli/sessions.ts';
import {
  query,
  recordSession,
  shopSession,
  startup,
  temporaryDirectory,
} from '../recording/session-fixture.ts';
import { runCommand } from './command-run.ts';

t.test('list: who, where, how long, what was blocked, newest first', async (t) => {
  const { dataDir } = await recordSession(t, shopSession());
  await recordSession(t, [{ at: 2_500_000, from: 'client', bytes: startup({ user: 'x' }) }], {
    dataDir,
    header: { session: 'session-2', startedAt: '2026-03-04T07:00:00.000Z' },
    reason: undefined,
  });
  const { code, stdout } = await runCommand(runSessions, ['--data-dir', dataDir]);
  t.equal(code, 0);
  t.equal(
    stdout,
    `SESSION    STARTED                   PRINCIPAL  CONNECTION  DATABASE  DURATION  STATEMENTS  BLOCKED  STATE
session-2  2026-03-04T07:00:00.000Z  -          shop        -         2.5s      0           0        open
session-1  2026-03-04T05:06:07.890Z  alice      shop        shop      0.0s      3           1        ended
`,
  );
  const one = await runCommand(runSessions, ['list', '--limit', '1', '--data-dir', dataDir]);
  t.notMatch(one.stdout, /session-1/);
});

t.test('show: one session in full', async (t) => {
  const { dataDir, path } = await recordSession(t, shopSession());
  const argv = ['show', 'session', '--data-dir', dataDir];
  const { code, stdout } = await runCommand(runSessions, argv);
  t.equal(code, 0);
  t.match(stdout, /principal +alice\n/);
  t.match(stdout, /client +127\.0\.0\.1:50123\n/);
  t.match(stdout, /blake2b +[0-9a-f]{128}\n/);
  t.ok(stdout.includes(path));
});

t.test('grep: in statements, parameters, results, errors and decisions', async (t) => {
  const { dataDir } = await recordSession(t, shopSession());
  const grep = (text: string) => runCommand(runSessions, ['grep', text, '--data-dir', dataDir]);
  t.match(await grep('drop table'), {
    code: 0,
    stdout: 'session-1  +0.020s  alice  query  DROP TABLE customers\n',
  });
  t.match((await grep('ann')).stdout, /row {2}Ann\n/);
  t.match((await grep('[redacted]')).stdout, /row {2}\[redacted\]\n/);
  t.match((await grep('no-destruction')).stdout, /decision .*\n.*error /);
  t.match(await grep('nowhere to be found'), { code: 1, stdout: '' });
});

t.test('a recording that cannot be read is said, and the others are shown', async (t) => {
  const { dataDir, path } = await recordSession(t, shopSession());
  writeFileSync(join(path, '..', 'broken.weir'), 'x');
  const { code, stdout, stderr } = await runCommand(runSessions, ['--data-dir', dataDir]);
  t.equal(code, 1);
  t.match(stdout, /session-1/);
  t.match(stderr, /broken\.weir/);
});

t.test('what a client sent cannot drive the terminal', async (t) => {
  const evil = 'find\x1b[2Jme';
  const { dataDir } = await recordSession(
    t,
    [
      { at: 0, from: 'client', bytes: startup({ user: 'a' }) },
      { at: 1, note: { kind: 'signed-in', principal: evil, user: evil, database: evil } },
      { at: 2, from: 'client', bytes: query(evil) },
    ],
    { header: { connection: evil, clientAddress: evil, policyVersion: evil }, reason: evil },
  );
  for (const argv of [['list'], ['show', 'last'], ['grep', 'find']]) {
    const { stdout } = await runCommand(runSessions, [...argv, '--data-dir', dataDir]);
    t.ok(stdout.includes('find\\x1b[2Jme'));
    t.notOk(stdout.includes('\x1b'));
  }
});

t.test('wrong arguments are told', async (t) => {
  const dataDir = temporaryDirectory(t);
  const cases = [
    ['show'],
    ['grep'],
    ['frobnicate'],
    ['list', 'x'],
    ['show', 'a', 'b'],
    ['--limit', '0'],
    ['--nonsense'],
    ['show', 'nobody', '--data-dir', dataDir],
  ];
  for (const argv of cases) {
    t.match(await runCommand(runSessions, argv), {
      code: 2,
      stdout: '',
      stderr: /weir sessions: /,
    });
  }
  t.match(await runCommand(runSessions, ['--help']), { code: 0, stdout: /Usage: weir sessions/ });
});
