import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readSecret } from '../../../lib/config/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'weir-secrets-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function writeSecret(name: string, content: string | Buffer, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

function nodeCommand(script: string): { command: string[] } {
  return { command: [process.execPath, '-e', script] };
}

t.test('from a variable', async (t) => {
  process.env['WEIR_TEST_SECRET'] = 'pässword with spaces ';
  t.equal(readSecret({ env: 'WEIR_TEST_SECRET' }), 'pässword with spaces ');
  process.env['WEIR_TEST_SECRET'] = '';
  t.throws(() => readSecret({ env: 'WEIR_TEST_SECRET' }), {
    code: 'SECRET_READ',
    message: 'the environment variable WEIR_TEST_SECRET is empty.',
  });
  delete process.env['WEIR_TEST_SECRET'];
  t.throws(() => readSecret({ env: 'WEIR_TEST_SECRET' }), {
    message: 'the environment variable WEIR_TEST_SECRET is not set.',
  });
});

t.test('from a file, without its newline', async (t) => {
  const warnings: string[] = [];
  const options = { warn: (text: string) => warnings.push(text) };
  t.equal(readSecret({ file: writeSecret('lf', 'hunter2\n') }, options), 'hunter2');
  t.equal(readSecret({ file: writeSecret('crlf', 'hunter2\r\n') }, options), 'hunter2');
  t.equal(readSecret({ file: writeSecret('none', ' hunter2 ') }, options), ' hunter2 ');
  t.same(warnings, []);
  t.equal(readSecret({ file: writeSecret('open', 'hunter2\n', 0o644) }, options), 'hunter2');
  t.match(warnings, [/open to other users \(mode 0644\)\. Run chmod 600/]);
});

t.test('from a command', async (t) => {
  t.equal(readSecret(nodeCommand('console.log("hunter2")')), 'hunter2');
  t.equal(
    readSecret({ command: [process.execPath, '-p', '"$HOME; echo"'] }),
    '$HOME; echo',
    'no shell',
  );
});

t.test('what is no secret is refused, and never shown', async (t) => {
  const sources = {
    'more than one line': { file: writeSecret('lines', 'hunter2\nhunter2\n') },
    'is empty': { file: writeSecret('empty', '\n') },
    'not UTF-8': { file: writeSecret('bytes', Buffer.from('hunter2\xff', 'latin1')) },
    'larger than 16384 bytes': { file: writeSecret('large', 'hunter2'.repeat(5000)) },
    ENOENT: { file: join(folder, 'absent') },
    EISDIR: { file: folder },
    'does not exist': { command: [join(folder, 'absent'), 'hunter2'] },
    'exit code 3': nodeCommand('console.log("hunter2"); process.exit(3)'),
    'ended with SIGTERM': nodeCommand(
      'process.kill(process.pid, "SIGTERM"); setTimeout(() => 0, 9e3)',
    ),
    'printed more than': nodeCommand('process.stdout.write("hunter2".repeat(5000))'),
    'did not end within 500 ms': nodeCommand('console.log("hunter2"); setTimeout(() => 0, 9000)'),
  };
  for (const [expected, source] of Object.entries(sources)) {
    try {
      // Only the one that is to run out of time gets little of it: a busy machine is slow to start Node.
      const commandTimeout = expected.startsWith('did not end') ? 500 : 20_000;
      readSecret(source, { commandTimeout, warn: () => undefined });
      t.fail(`${expected}: not refused`);
    } catch (error) {
      t.match(error, { name: 'GatewayError', code: 'SECRET_READ' });
      if (!(error instanceof Error)) throw error;
      t.ok(error.message.includes(expected), error.message);
      const { stack, cause } = error;
      t.notMatch(`${stack} ${String(cause)} ${JSON.stringify(error)}`, /hunter2/);
    }
  }
});

t.test('a device without an end is read up to the limit', async (t) => {
  t.throws(() => readSecret({ file: '/dev/zero' }, { warn: () => undefined }), {
    message: /larger than/,
  });
});
