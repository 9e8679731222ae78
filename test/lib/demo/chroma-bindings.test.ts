import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  findChromaBindings,
  lowerGlibcNeeds,
  prepareChromaBindings,
} from '../../../lib/demo/chroma-bindings.ts';

t.test('where there is no server for a machine, the reason is told', async (t) => {
  t.match(findChromaBindings('aix-ppc64', ''), /no Chroma server for aix-ppc64/);
  t.match(findChromaBindings('linux-x64', ''), /needs glibc/);
  t.match(findChromaBindings('linux-x64', '2.31'), /needs glibc 2\.34 or newer, and this is 2\.31/);
});

t.test('a file that is no such module is left alone', async (t) => {
  for (const bytes of [Buffer.from('text'), Buffer.alloc(0), Buffer.from('7f454c460201', 'hex')]) {
    t.throws(() => lowerGlibcNeeds(bytes, 36), { code: 'CHROMA_NOT_RUNNABLE' });
  }
});

const found = findChromaBindings();
const skip =
  typeof found === 'string' ? found : found.glibcMinor === undefined ? 'not Linux' : false;

t.test('the module from npm', { skip }, async (t) => {
  if (typeof found === 'string') return;
  const { file } = found;

  t.test('is changed once, in few places, and keeps its size', async (t) => {
    const before = readFileSync(file);
    const bytes = Buffer.from(before);
    lowerGlibcNeeds(bytes, 36);
    t.equal(bytes.length, before.length);
    let changed = 0;
    for (let at = 0; at < bytes.length; at++) if (bytes[at] !== before[at]) changed++;
    t.ok(changed > 0 && changed <= 16, `${changed} bytes`);
    const again = Buffer.from(bytes);
    lowerGlibcNeeds(again, 36);
    t.ok(again.equals(bytes), 'a second time changes nothing');
  });

  t.test('is never changed where npm put it', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-chroma-test-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const before = readFileSync(file);
    t.equal(
      await prepareChromaBindings({ file, glibcMinor: 36 }, folder),
      join(folder, 'chroma.node'),
    );
    t.ok(readFileSync(file).equals(before));
    t.equal(await prepareChromaBindings({ file, glibcMinor: 39 }, folder), file);
    t.equal(await prepareChromaBindings({ file, glibcMinor: undefined }, folder), file);
  });
});
