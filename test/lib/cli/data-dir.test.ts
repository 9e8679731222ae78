import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import { resolveDataDir } from '../../../lib/cli/data-dir.ts';
import { runReplay } from '../../../lib/cli/replay.ts';
import { runSessions } from '../../../lib/cli/sessions.ts';
import { runVerify } from '../../../lib/cli/verify.ts';
import { recordSession, shopSession, temporaryDirectory } from '../recording/session-fixture.ts';
import { runCommand } from './command-run.ts';

t.test('the default is that of the configuration', async (t) => {
  t.equal(resolveDataDir({}), resolve('weir-data'));
  t.equal(resolveDataDir({ 'data-dir': '/x' }), '/x');
  t.throws(() => resolveDataDir({ config: 'a', 'data-dir': 'b' }), /not both/);
});

t.test('-c FILE: the recordings are where the configuration says', async (t) => {
  const { dataDir } = await recordSession(t, shopSession());
  const file = join(temporaryDirectory(t), 'weir.toml');
  writeFileSync(
    file,
    `data_dir = "${dataDir}"

[[connection]]
name = "shop"
protocol = "postgres"
listen = "127.0.0.1:6432"
upstream = "postgres://127.0.0.1:5432/shop"
auth = "passthrough"
`,
  );
  const replayed = await runCommand(runReplay, ['last', '-c', file, '--speed', 'max']);
  t.match(replayed, { code: 0, stdout: /DROP TABLE customers/ });
  t.match(await runCommand(runSessions, ['-c', file]), { code: 0, stdout: /session-1/ });
  t.match(await runCommand(runVerify, ['-c', file]), { code: 0, stdout: /1 ended and whole/ });
});

t.test('a configuration that is not valid is a wrong argument', async (t) => {
  const file = join(temporaryDirectory(t), 'weir.toml');
  writeFileSync(file, 'nonsense = [');
  for (const argv of [['last', '-c', file]]) {
    t.match(await runCommand(runReplay, argv), { code: 2, stderr: /weir\.toml/ });
  }
  t.match(await runCommand(runSessions, ['-c', file]), { code: 2, stderr: /weir\.toml/ });
  t.match(await runCommand(runVerify, ['-c', file]), { code: 2, stderr: /weir\.toml/ });
});
