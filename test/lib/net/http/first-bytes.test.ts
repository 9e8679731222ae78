/** What a client speaks, by its first bytes, however they are cut; nothing of them is lost. */
import t from 'tap';
import { readSpoken, type Spoken, tellSpoken } from '../../../../lib/net/http/first-bytes.ts';
import { createPair, Received, settle, until } from '../../gateway/duplex-pair.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const TLS = Buffer.from('16030100050100000100', 'hex').toString('latin1');
const SAID: readonly (readonly [text: string, spoken: Spoken])[] = [
  [PREFACE, '2'],
  ['POST / HTTP/1.1\r\n\r\n', '1.1'],
  ['PUT / HTTP/1.1\r\n\r\n', '1.1'],
  ['PROPFIND / HTTP/1.1\r\n\r\n', '1.1'],
  ['GET / HTTP/1.1\r\n\r\n', '1.1'],
  ['\r\nPRI', '1.1'],
  ['pri * ', '1.1'],
  [TLS, 'tls'],
];

t.test('by the fewest bytes that tell it', async (t) => {
  t.equal(tellSpoken(Buffer.alloc(0)), undefined);
  t.equal(tellSpoken(Buffer.from('P')), undefined);
  t.equal(tellSpoken(Buffer.from('PR')), undefined);
  t.equal(tellSpoken(Buffer.from('PRI')), '2');
  t.equal(tellSpoken(Buffer.from('PRO')), '1.1');
  t.equal(tellSpoken(Buffer.from('PO')), '1.1');
  t.equal(tellSpoken(Buffer.from([0x16])), 'tls');
  for (const [text, spoken] of SAID) t.equal(tellSpoken(Buffer.from(text, 'latin1')), spoken, text);
});

t.test('cut at every byte, and byte by byte', async (t) => {
  for (const [text, expected] of SAID) {
    const cuts = Array.from({ length: text.length }, (_, cut) => [
      text.slice(0, cut),
      text.slice(cut),
    ]);
    for (const pieces of [...cuts, text.split('')]) {
      const { near, far } = createPair();
      const told: Spoken[] = [];
      let received: Received | undefined;
      readSpoken(near, (spoken) => {
        told.push(spoken);
        received = new Received(near);
      });
      for (const piece of pieces) {
        if (piece !== '') far.write(piece, 'latin1');
        await settle(3);
      }
      const shown = JSON.stringify(pieces.map(({ length }) => length));
      t.ok(await until(() => received?.text === text), `${JSON.stringify(text)} ${shown}`);
      t.same(told, [expected]);
      far.destroy();
      near.destroy();
    }
  }
});

t.test('a client that says too little, and ends, is never told of', async (t) => {
  for (const text of ['', 'P', 'PR']) {
    const { near, far } = createPair();
    let told = 0;
    let hasEnded = false;
    near.once('end', () => (hasEnded = true));
    readSpoken(near, () => (told += 1));
    if (text !== '') far.write(text);
    await settle();
    far.end();
    t.ok(await until(() => hasEnded), `${text}: its end is heard`);
    t.equal(told, 0);
    near.destroy();
  }
});

t.test('bytes and end at once: both are there for whoever takes over', async (t) => {
  const { near, far } = createPair();
  let received: Received | undefined;
  readSpoken(near, () => (received = new Received(near)));
  far.end('GET / HTTP/1.1\r\n\r\n');
  t.ok(await until(() => received?.hasEnded === true));
  t.equal(received?.text, 'GET / HTTP/1.1\r\n\r\n');
});
