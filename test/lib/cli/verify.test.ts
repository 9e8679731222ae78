import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runVerify } from '../../../lib/cli/verify.ts';
import { PREAMBLE_SIZE } from '../../../lib/recording/format.ts';
import { recordSession, shopSession, temporaryDirectory } from '../recording/session-fixture.ts';
import { runCommand } from './command-run.ts';

t.test('whole recordings, those of open sessions among them, are ok', async (t) => {
  const { dataDir } = await recordSession(t, shopSession());
  await recordSession(t, shopSession(), {
    dataDir,
    header: { session: 'open' },
    reason: undefined,
  });
  const { code, stdout } = await runCommand(runVerify, [dataDir]);
  t.equal(code, 0);
  t.match(stdout, /^2 recordings: 1 ended and whole, 1 open\n/);
  t.match(stdout, /audit log is not there yet/);
});

t.test('an altered byte is found: file and offset are named', async (t) => {
  const { dataDir, path } = await recordSession(t, shopSession());
  const bytes = readFileSync(path);
  const place = bytes.indexOf('DROP TABLE');
  bytes.write('d', place);
  writeFileSync(path, bytes);
  const { code, stdout } = await runCommand(runVerify, ['--data-dir', dataDir]);
  t.equal(code, 1);
  const offset = Number(/DAMAGED .*session-1\.weir: .*at offset (\d+)/.exec(stdout)?.[1]);
  t.ok(offset < place && place < offset + 60, 'the frame that holds the byte');
});

t.test('a recording that ends too early is not ok', async (t) => {
  const dataDir = temporaryDirectory(t);
  const script = fileURLToPath(new URL('../recording/endless-writer.js', import.meta.url));
  const child = spawn(process.execPath, [script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  t.match(await runCommand(runVerify, [dataDir]), { code: 0, stdout: /1 open/ });
  child.kill('SIGKILL');
  await exited;
  t.match(await runCommand(runVerify, [dataDir]), {
    code: 1,
    stdout: /CUT OFF .*session-1\.weir: .* after \d+ whole frames, at offset \d+/,
  });

  const { dataDir: other, path } = await recordSession(t, shopSession());
  truncateSync(path, PREAMBLE_SIZE + 40);
  t.match(await runCommand(runVerify, [other]), {
    code: 1,
    stdout: /before the end of the header/,
  });
});

t.test('bytes that never become a frame are damage, even in an open session', async (t) => {
  const { dataDir, path } = await recordSession(t, shopSession(), { reason: undefined });
  appendFileSync(path, Buffer.from([0, 0]));
  t.match(await runCommand(runVerify, [dataDir]), {
    code: 1,
    stdout: /DAMAGED .*bytes that never became a frame/,
  });
});

t.test('what cannot be checked is neither ok nor broken', async (t) => {
  const none = join(temporaryDirectory(t), 'none');
  t.match(await runCommand(runVerify, [none]), { code: 3, stderr: /cannot read/ });
  const { dataDir, path } = await recordSession(t, shopSession());
  mkdirSync(join(path, '..', 'directory.weir'));
  t.match(await runCommand(runVerify, [dataDir]), {
    code: 3,
    stdout: /UNCHECKED .*directory\.weir.*\n2 recordings: 1 ended and whole, 1 unchecked/,
  });
  writeFileSync(join(path, '..', 'x.weir'), 'x');
  t.equal((await runCommand(runVerify, [dataDir])).code, 1, 'broken weighs more');
});

t.test('wrong arguments are told', async (t) => {
  for (const argv of [['a', 'b'], ['a', '--data-dir', 'b'], ['--nonsense']]) {
    t.match(await runCommand(runVerify, argv), { code: 2, stderr: /weir verify: / });
  }
  t.match(await runCommand(runVerify, ['--help']), { code: 0, stdout: /Usage: weir verify/ });
});
