import { readFileSync } from 'node:fs';
import t from 'tap';
import { runMain } from './run-main.ts';

const COMMANDS = ['demo', 'serve', 'check', 'explain', 'sessions', 'replay', 'verify', 'user'];

t.test('help names every command and the exit codes', async (t) => {
  for (const argv of [['help'], ['--help'], ['-h']]) {
    const { code, stdout, stderr } = await runMain(argv);
    t.equal(code, 0);
    t.equal(stderr, '');
    for (const command of COMMANDS) t.match(stdout, new RegExp(`weir ${command}\\b`), command);
    t.match(stdout, /0 ok, 1 failure at run time, 2 usage or configuration error/);
    t.ok(
      stdout.split('\n').every((line) => line.length <= 100),
      'fits a terminal',
    );
  }
  const { code, stdout, stderr } = await runMain([]);
  t.equal(code, 2, 'without a command nothing was done');
  t.equal(stdout, '');
  t.match(stderr, /Usage: weir COMMAND/);
});

t.test('each command has a help of its own, by both ways', async (t) => {
  for (const command of COMMANDS) {
    const { code, stdout, stderr } = await runMain([command, '--help']);
    t.equal(code, 0, `${command}: ${stderr}`);
    t.match(stdout, /^usage: /im, command);
    t.equal((await runMain(['help', command])).stdout, stdout, command);
  }
});

t.test('the version is that of the package', async (t) => {
  const file = new URL('../../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  t.same(await runMain(['--version']), { code: 0, stdout: `weir ${version}\n`, stderr: '' });
});

t.test('what makes no sense is 2, with the way on', async (t) => {
  t.match(await runMain(['constructor']), {
    code: 2,
    stderr: /there is no command "constructor"\. Commands: demo, serve/,
  });
  t.match(await runMain(['check', '--nonsense']), {
    code: 2,
    stderr: /weir check: .*--nonsense[^]*weir check --help tells the options/,
  });
  t.match(await runMain(['check', '-c', 'no/such.toml']), {
    code: 2,
    stdout: '',
    stderr: /^no\/such\.toml: there is no such file/,
  });
  t.match(await runMain(['serve', '-c', 'no/such.toml']), { code: 2 });
});
