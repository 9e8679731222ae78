import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import { JsonScanner } from '../../../protocols/wire/json-scan.ts';

/** Two words and more, so that a byte stands in each place of a word and in the rest. */
const LENGTH = 11;

function isRead(bytes: Buffer, take: (scanner: JsonScanner) => void): boolean {
  try {
    const scanner = new JsonScanner(bytes, 'client');
    take(scanner);
    scanner.finish();
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function parses(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** Texts of `filler` with each byte in each place, as a part of the documents that `around` makes. */
function wrongOnes(
  filler: string,
  around: (text: Buffer) => Buffer,
  take: (scanner: JsonScanner, end: number) => void,
): string[] {
  const wrong: string[] = [];
  for (let place = 0; place < LENGTH; place += 1) {
    for (let byte = 0; byte < 0x80; byte += 1) {
      const text = Buffer.from(filler.repeat(LENGTH));
      text[place] = byte;
      const bytes = around(text);
      const read = isRead(bytes, (scanner) => take(scanner, bytes.length));
      if (read !== parses(bytes)) wrong.push(bytes.toString());
    }
  }
  return wrong;
}

/** Not all of a larger memory belongs to the document. */
function within(text: Buffer): Buffer {
  return Buffer.concat([Buffer.from('x"1'), text, Buffer.from('1"x')]).subarray(3, 3 + text.length);
}

t.test('each byte in each place of a string, as JSON.parse has it', async (t) => {
  const quoted = (text: Buffer): Buffer =>
    within(Buffer.concat([Buffer.from('"'), text, Buffer.from('"')]));
  const skip = (scanner: JsonScanner): void => scanner.skipValue(0);
  t.same(wrongOnes('a', quoted, skip), []);
  t.same(wrongOnes('\\', quoted, skip), []);
  t.same(wrongOnes('\u007f', quoted, skip), []);
});

t.test('each byte in each place of a number', async (t) => {
  for (const digit of '0123456789') {
    const skip = (scanner: JsonScanner): void => scanner.skipValue(0);
    t.same(wrongOnes(digit, within, skip), []);
    t.same(
      wrongOnes(digit, (text) => within(Buffer.concat([Buffer.from('0.'), text])), skip),
      [],
    );
    const list = (text: Buffer): Buffer => within(Buffer.from(`[1.5,${text.toString()},2]`));
    t.same(wrongOnes(digit, list, skip), []);
    t.same(
      wrongOnes(digit, (text) => within(Buffer.from(`[${text.toString()}]`)), skip),
      [],
    );
  }
});

t.test('each byte in each place of the numbers that vectors are made of', async (t) => {
  const skip = (scanner: JsonScanner): void => scanner.skipValue(0);
  for (const around of [
    '[0.@,-0.5,0.25,1e-7,0.125]',
    '[-0.@]',
    '[7,-0.@,1]',
    '[0.5,@,0.25,0.125,0.0625]',
    '[@,-0.12345678]',
  ]) {
    const list = (text: Buffer): Buffer =>
      within(Buffer.from(around.replace('@', () => text.toString())));
    for (const digit of '09') t.same(wrongOnes(digit, list, skip), [], around);
  }
  const counted = (text: string): number =>
    new JsonScanner(Buffer.from(text), 'client').takeNumbers();
  const random = Array.from(
    { length: 500 },
    (_, index) => Math.sin(index * 7) / (index % 9 || 1e-9),
  );
  for (let digits = 1; digits <= 17; digits += 1) {
    const texts = random.map((one) => one.toPrecision(digits));
    t.equal(counted(`[${texts.join()}]`), texts.length);
    t.equal(counted(`[ ${texts.join(' ,\n ')} ]`), texts.length);
    t.equal(counted(`[${texts.join()},x]`), 0);
    const fraction = `0.${'7'.repeat(digits)}`;
    for (const wrong of [',', ' 1', '.', '-', 'x', ':']) {
      t.equal(counted(`[${fraction}${wrong},${texts.join()}]`), 0, fraction + wrong);
    }
  }
});

t.test('arrays of numbers are taken whole, others not at all', async (t) => {
  const taken = (text: string): readonly number[] => {
    const scanner = new JsonScanner(Buffer.from(text), 'client');
    return [scanner.takeNumbers(), scanner.at];
  };
  t.same(taken('[1]'), [1, 3]);
  t.same(taken('[ 1 ,\n-2.5e-7\t, 0 ] x'), [3, 20 - 1]);
  for (const other of [
    '[]',
    '[ ]',
    '["a"]',
    '[1,"a"]',
    '[1,[2]]',
    '[1,]',
    '[1',
    '[1,',
    '[',
    '[1 2]',
    '[01]',
    '[-]',
    '[1e]',
    '[null]',
    '[1,2}',
  ]) {
    t.same(taken(other), [0, 0], other);
  }
});

t.test('what a string has in it', async (t) => {
  const read = (text: string): readonly [number, string] => {
    const scanner = new JsonScanner(Buffer.from(text), 'client');
    scanner.takeString();
    return [scanner.traits, scanner.text(0)];
  };
  t.same(read('"plain text"'), [1, 'plain text']);
  t.same(read('""'), [0, '']);
  t.same(read('"wide ä and more"'), [3, 'wide ä and more']);
  t.same(read('"\\u0061\\n\\/"'), [4, 'a\n/']);
  t.same(read('"ä\\"ä"')[1], 'ä"ä');
});
