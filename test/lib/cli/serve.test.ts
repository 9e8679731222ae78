import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runMain } from './run-main.ts';

const PROGRAM = fileURLToPath(new URL('./serve-process.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'weir-serve-'));
t.teardown(() => rmSync(folder, { recursive: true }));

/** A gateway on `port`, for a server that nobody asks in these tests. */
function writeConfig(port: number): string {
  const file = join(folder, `weir-${port}.toml`);
  writeFileSync(
    file,
    `data_dir = ${JSON.stringify(join(folder, 'data'))}
[[connection]]
name = "shop"
protocol = "postgres"
listen = "127.0.0.1:${port}"
upstream = "postgres://127.0.0.1:27619"
auth = "passthrough"
[[rule]]
name = "r"
connections = ["shop", "shp"]
effects = ["drop"]
action = "block"
`,
  );
  return file;
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly connection?: string;
}

class ServeProcess {
  readonly child: ChildProcessWithoutNullStreams;
  #printed = '';

  constructor(...argv: string[]) {
    this.child = spawn(process.execPath, [PROGRAM, 'serve', ...argv]);
    this.child.stderr.on('data', (bytes) => {
      this.#printed += String(bytes);
    });
  }

  get printed(): string {
    return this.#printed;
  }

  get lines(): LogLine[] {
    return this.#printed
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  async find(pattern: RegExp): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find(({ msg }) => pattern.test(msg));
      if (line !== undefined) return line;
      if (this.child.exitCode !== null) throw new Error(`ended: ${this.#printed}`);
      await Promise.race([once(this.child.stderr, 'data'), once(this.child, 'exit')]);
    }
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

t.test('listens, says so, and ends in order on SIGTERM', async (t) => {
  const serve = new ServeProcess('-c', writeConfig(0));
  t.teardown(() => serve.child.kill('SIGKILL'));
  const listening = await serve.find(/^listening on/);
  t.equal(listening.connection, 'shop');
  const port = Number(/127\.0\.0\.1:(\d+)$/.exec(listening.msg)?.[1]);
  t.match(
    serve.lines,
    [
      { level: 40, msg: /^connection "shop": rule "r" has to do without a catalog/ },
      { level: 40, msg: 'rule "r": "shp" matches no connection.' },
    ],
    'warnings first',
  );

  const client = net.connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  const closed = once(client, 'close');
  client.resume();
  serve.child.kill('SIGTERM');
  t.equal(await serve.exit(), 0);
  await closed;
  t.match(serve.lines.at(-1), { msg: 'stopped' });
  t.match(serve.printed, /SIGTERM: ending the sessions/);
});

t.test('a second signal ends it at once', async (t) => {
  const serve = new ServeProcess('-c', writeConfig(0));
  t.teardown(() => serve.child.kill('SIGKILL'));
  const { msg } = await serve.find(/^listening on/);
  const client = net.connect(Number(/(\d+)$/.exec(msg)?.[1]), '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  serve.child.kill('SIGINT');
  serve.child.kill('SIGTERM');
  t.equal(await serve.exit(), 1);
  t.match(serve.printed, /again: stopping at once/);
});

t.test('a port that is taken is a failure at run time', async (t) => {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const serve = new ServeProcess('-c', writeConfig(port));
  t.equal(await serve.exit(), 1);
  t.match(
    serve.printed,
    `weir serve: cannot listen on 127.0.0.1:${port}: another program listens there.`,
  );
  server.close();
});

t.test('an invalid configuration and a wrong WEIR_LOG are 2', async (t) => {
  const file = join(folder, 'broken.toml');
  writeFileSync(file, 'nonsense = 1\n');
  t.match(await runMain(['serve', '-c', file]), {
    code: 2,
    stderr: new RegExp(`^${file}:1: nonsense: unknown key`, 'm'),
  });
  process.env['WEIR_LOG'] = 'loud';
  t.match(await runMain(['serve', '-c', writeConfig(0)]), {
    code: 2,
    stderr: /WEIR_LOG: expected/,
  });
  delete process.env['WEIR_LOG'];
});
