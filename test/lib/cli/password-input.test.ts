import { PassThrough } from 'node:stream';
import t from 'tap';
import { askPassword } from '../../../lib/cli/password-input.ts';

/** A terminal: what is typed, the modes it was set to, what was shown. */
function createTerminal() {
  const modes: boolean[] = [];
  const shown: string[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (mode: boolean) => modes.push(mode),
  }) as unknown as NodeJS.ReadStream & PassThrough;
  const io = { stdin, stderr: { write: (text: string) => shown.push(text) } };
  return { stdin, io, modes, shown };
}

function createPipe(...chunks: (string | Buffer)[]) {
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream & PassThrough;
  for (const chunk of chunks) stdin.write(chunk);
  stdin.end();
  return { stdin, stderr: { write: () => t.fail('no prompt for a pipe') } };
}

t.test('a password is typed twice and never shown', async (t) => {
  const { stdin, io, modes, shown } = createTerminal();
  const asked = askPassword(io, 'alice');
  stdin.write('wrong\u0015hux');
  stdin.write('\u007fnter2');
  stdin.write('\r');
  await new Promise((resolve) => setTimeout(resolve, 20));
  stdin.write('hunter2\n');
  t.equal(await asked, 'hunter2');
  t.equal(shown.join(''), 'Password for alice: \nOnce more: \n');
  t.same(modes, [true, false, true, false], 'the terminal is left as it was');
});

t.test('both pasted at once', async (t) => {
  const { stdin, io } = createTerminal();
  const asked = askPassword(io, 'alice');
  stdin.write('pässwörd\rpässwörd\r');
  t.equal(await asked, 'pässwörd');
});

t.test('what goes wrong at a terminal leaves it usable', async (t) => {
  const attempts: readonly [string, { message: string | RegExp }][] = [
    ['a\rb\r', { message: 'the two passwords differ' }],
    ['\r', { message: 'the password is empty' }],
    ['abc\u0003', { message: 'interrupted.' }],
  ];
  for (const [typed, expected] of attempts) {
    const { stdin, io, modes } = createTerminal();
    const asked = askPassword(io, 'alice');
    stdin.write(typed);
    await t.rejects(asked, expected);
    t.equal(modes.at(-1), false);
  }
  const { stdin, io } = createTerminal();
  const asked = askPassword(io, 'alice');
  stdin.end('half');
  await t.rejects(asked, { message: 'the terminal was closed' });
});

t.test('a pipe is read to its end', async (t) => {
  t.equal(await askPassword(createPipe('hunt', 'er2\n'), 'a'), 'hunter2');
  t.equal(
    await askPassword(
      createPipe(Buffer.from('pä').subarray(0, 2), Buffer.from('ä').subarray(1)),
      'a',
    ),
    'pä',
  );
  await t.rejects(askPassword(createPipe(), 'a'), { message: /no password came/ });
  await t.rejects(askPassword(createPipe('a\nb\n'), 'a'), { message: /more than one line/ });
  await t.rejects(askPassword(createPipe('x'.repeat(5000)), 'a'), { message: /too long/ });
  await t.rejects(askPassword(createPipe(Buffer.from([0xff])), 'a'), { message: /not UTF-8/ });
});
