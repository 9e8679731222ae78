import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chromaMissing, startTestChroma } from '../../support/chroma-server.ts';
import { freePort } from '../../support/servers.ts';

const skip = chromaMissing() ?? false;
const GONE_TIME_MAX = 30_000;

function useTemporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

t.test('a server starts, answers and leaves nothing behind', { skip }, async (t) => {
  const folder = useTemporaryFolder(t);
  const server = await startTestChroma();
  t.equal(server.host, '127.0.0.1');
  t.match(await server.ask('GET', '/heartbeat'), { status: 200, text: /nanosecond heartbeat/ });
  t.not(
    (await server.ask('POST', '/reset')).status,
    200,
    'a reset is not possible unless asked for',
  );
  await server.fill('customers', { ids: ['a'], embeddings: [[1]] });
  await server.stop();
  await server.stop();
  await server.exited;
  t.same(readdirSync(folder), []);
  t.match(server.readLog(), /Connect to Chroma at/);
});

t.test('a reset is possible where it was asked for', { skip }, async (t) => {
  const server = await startTestChroma({ allowReset: true });
  t.teardown(async () => await server.stop());
  t.equal((await server.ask('POST', '/reset')).status, 200);
});

t.test('a port that is taken is told', { skip }, async (t) => {
  const taken = createServer().listen(await freePort(), '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await t.rejects(startTestChroma({ port }), { code: 'CHROMA_START_FAILED' });
});

t.test('it ends with the program that started it, however that dies', { skip }, async (t) => {
  const folder = useTemporaryFolder(t);
  const support = new URL('../../support/chroma-server.js', import.meta.url).href;
  const script = `const { startTestChroma } = await import(${JSON.stringify(support)});
    const server = await startTestChroma(); console.log(server.pid); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  const pid = Number(String(line).trim());
  t.ok(existsSync(`/proc/${pid}`) || process.platform !== 'linux');
  child.kill('SIGKILL');
  const end = performance.now() + GONE_TIME_MAX;
  while (isAlive(pid) && performance.now() < end) await new Promise((done) => setTimeout(done, 50));
  t.notOk(isAlive(pid), 'the server is gone');
  while (readdirSync(folder).length > 0 && performance.now() < end) {
    await new Promise((done) => setTimeout(done, 50));
  }
  t.same(readdirSync(folder), []);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // There is no such process.
  }
}
