import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  JSON_DEPTH_MAX,
  JSON_NODES_MAX,
  type JsonNode,
  member,
  readJson,
} from '../../../protocols/wire/json.ts';

const RUNS = { numRuns: 300 };

function read(text: string | Buffer): JsonNode {
  return readJson(Buffer.from(text), 'client');
}

/** The code of the error; 'none' where it is read. */
function codeOf(text: string | Buffer): string {
  try {
    read(text);
    return 'none';
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.blame}`;
    throw error;
  }
}

/** What the spans say, as JSON.parse would have it. */
function valueOf(node: JsonNode, bytes: Buffer): unknown {
  if (node.kind === 'string') return node.text;
  if (node.kind === 'object') {
    return Object.fromEntries([...node.members].map(([key, one]) => [key, valueOf(one, bytes)]));
  }
  if (node.kind === 'array' && !node.isPacked) return node.items.map((one) => valueOf(one, bytes));
  return JSON.parse(bytes.toString('utf8', node.start, node.end));
}

t.test('values, with their spans', async (t) => {
  const bytes = Buffer.from(
    ' { "a" : [ 1, -2.5e+3 ] ,\n"b":["x",1],"c":{},"d":[],"e":null,"f":"\\u00e9\\n"}\t',
  );
  const node = readJson(bytes, 'client');
  t.equal(bytes.toString('utf8', node.start, node.end), bytes.toString().trim());
  const a = member(node, 'a');
  t.match(a, { kind: 'array', isPacked: true, count: 2, items: [] });
  t.equal(bytes.toString('utf8', a?.start, a?.end), '[ 1, -2.5e+3 ]');
  t.match(member(node, 'b'), { isPacked: false, count: 2, items: [{ text: 'x' }, { text: '1' }] });
  t.match(member(node, 'c'), { kind: 'object' });
  t.match(member(node, 'd'), { kind: 'array', isPacked: false, count: 0 });
  t.match(member(node, 'e'), { kind: 'null' });
  const f = member(node, 'f');
  t.match(f, { kind: 'string', text: 'é\n' });
  t.equal(bytes.toString('utf8', f?.start, f?.end), '"\\u00e9\\n"');
  t.equal(member(node, 'b', 'x'), undefined, 'an array has no members');
  t.equal(member(node, 'no', 'x'), undefined);
  t.equal(member(undefined, 'a'), undefined);
  t.equal(member(node), node);
});

t.test('numbers keep their text', async (t) => {
  for (const text of [
    '9007199254740993',
    '-0.0',
    '1.0',
    '1E400',
    '0',
    '-0',
    '1e-7',
    '18446744073709551615',
  ]) {
    t.match(read(text), { kind: 'number', text, start: 0, end: text.length });
  }
});

t.test('keys are compared as what they mean', async (t) => {
  t.equal(codeOf('{"email":1,"em\\u0061il":2}'), 'JSON_DUPLICATE_KEY client');
  t.equal(codeOf('{"a":{"b":1,"b":1}}'), 'JSON_DUPLICATE_KEY client');
  t.equal(codeOf('{"a":{"b":1},"b":1}'), 'none');
  t.match(member(read('{"em\\u0061il":"x"}'), 'email'), { text: 'x' });
  t.match(member(read('{"__proto__":"x","constructor":1}'), '__proto__'), { text: 'x' });
});

t.test('what is no JSON', async (t) => {
  const wrong = [
    '',
    ' ',
    'NaN',
    '[NaN]',
    'Infinity',
    '-Infinity',
    'nul',
    'nulll',
    'True',
    'undefined',
    "'a'",
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1,,2]',
    '[',
    '[1',
    '[1,',
    ']',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{a:1}',
    '{"a" 1}',
    '{1:1}',
    '{"a":1 "b":2}',
    '{"a":1}}',
    '[1]]',
    '1 2',
    '{} {}',
    '[1]x',
    '01',
    '-01',
    '[01]',
    '[-]',
    '-',
    '+1',
    '.5',
    '1.',
    '[1.]',
    '1.e5',
    '1e',
    '1e+',
    '[1e]',
    '0x1',
    '1_000',
    '--1',
    '00',
    '"a',
    '"a\\"',
    '"\\x41"',
    '"\\u12g4"',
    '"\\u12"',
    '"a\nb"',
    '"a\tb"',
    '"a\u0000b"',
    '"\u001fabcdefgh"',
    '// x\n1',
    '/* */1',
    '[1]/**/',
    '# x',
    '\u00a01',
    '\u000b1',
    '\u000c1',
    '[1\u00a0]',
    '"\\',
    '"\\u',
    '\u0001',
  ];
  for (const text of wrong) {
    t.match(codeOf(text), /^JSON_SYNTAX client$/, JSON.stringify(text));
    t.throws(() => JSON.parse(text), `JSON.parse refuses ${JSON.stringify(text)} too`);
  }
});

t.test('other encodings', async (t) => {
  t.equal(codeOf(Buffer.from('\ufeff{}')), 'JSON_ENCODING client');
  t.equal(codeOf(Buffer.from('{"a":1}', 'utf16le')), 'JSON_ENCODING client');
  t.equal(codeOf(Buffer.from('\ufeff{"a":1}', 'utf16le')), 'JSON_ENCODING client');
  t.equal(codeOf(Buffer.from('{"a":1}', 'utf16le').swap16()), 'JSON_ENCODING client');
  t.equal(codeOf(Buffer.from('22c328a122', 'hex')), 'JSON_ENCODING client');
  t.equal(codeOf(Buffer.from('22c0af22', 'hex')), 'JSON_ENCODING client', 'overlong');
  t.equal(codeOf(Buffer.from('22eda08022', 'hex')), 'JSON_ENCODING client', 'a surrogate');
  t.match(read('"日本 😀"'), { text: '日本 😀' });
});

t.test('half a surrogate pair is refused, a whole one is not', async (t) => {
  t.equal(codeOf('"\\ud800"'), 'JSON_ENCODING client');
  t.equal(codeOf('"\\udc00\\ud800"'), 'JSON_ENCODING client');
  t.equal(codeOf('{"\\ud800a":1}'), 'JSON_ENCODING client');
  t.match(read('"\\ud83d\\ude00"'), { text: '😀' });
});

t.test('depth is limited, and counts arrays of numbers and empty ones', async (t) => {
  const nested = (depth: number, inner = ''): string =>
    '['.repeat(depth) + inner + ']'.repeat(depth);
  for (const inner of ['', '1', '{}', '{"a":1}']) {
    const own = inner.startsWith('{') ? 1 : 0;
    t.equal(codeOf(nested(JSON_DEPTH_MAX - own, inner)), 'none', inner);
    t.equal(codeOf(nested(JSON_DEPTH_MAX - own + 1, inner)), 'JSON_DEPTH client', inner);
  }
  t.equal(codeOf('[1,'.repeat(500_000)), 'JSON_DEPTH client');
  t.equal(codeOf('{"a":'.repeat(100_000)), 'JSON_DEPTH client');
});

t.test('so is the number of values', async (t) => {
  t.equal(codeOf(`[${'[],'.repeat(JSON_NODES_MAX)}[]]`), 'JSON_NODES client');
  t.equal(codeOf(`[${'1,'.repeat(JSON_NODES_MAX)}1]`), 'none', 'a vector is one');
});

t.test('as JSON.parse reads what it reads', async (t) => {
  const text = fc.json({ stringUnit: 'grapheme', maxDepth: 6 });
  fc.assert(
    fc.property(text, fc.constantFrom(0, 1, '\t'), (one, indent) => {
      const bytes = Buffer.from(JSON.stringify(JSON.parse(one), null, indent));
      t.strictSame(valueOf(readJson(bytes, 'client'), bytes), JSON.parse(bytes.toString()));
    }),
    RUNS,
  );
});

/** Duplicate keys, depth and halves of pairs are ours alone to refuse. */
function agrees(text: string): boolean {
  const bytes = Buffer.from(text);
  let parsed: { readonly value: unknown } | undefined;
  try {
    parsed = { value: JSON.parse(bytes.toString()) };
  } catch {
    // It is no JSON; so must we find.
  }
  const code = codeOf(bytes);
  if (parsed === undefined) return code !== 'none';
  if (code !== 'none') return /DUPLICATE|ENCODING|DEPTH/.test(code);
  return Object.is(
    JSON.stringify(valueOf(readJson(bytes, 'client'), bytes)),
    JSON.stringify(parsed.value),
  );
}

t.test('and refuses what it refuses: documents with one part changed', async (t) => {
  const part = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '-',
    '0',
    '1',
    '.',
    'e',
    '+',
    ' ',
    '\n',
    'n',
    'null',
    '\u0000',
    'é',
    '\\u00',
    '\\ud83d',
  );
  const json = fc.json({ maxDepth: 3 });
  const changed = fc.property(json, part, fc.nat(), fc.nat(3), (text, added, place, gone) => {
    const at = place % (text.length + 1);
    return agrees(text.slice(0, at) + added + text.slice(at + gone));
  });
  t.doesNotThrow(() => fc.assert(changed, { numRuns: 3000 }));
  const random = fc.property(fc.array(part, { maxLength: 12 }), (parts) => agrees(parts.join('')));
  t.doesNotThrow(() => fc.assert(random, { numRuns: 3000 }));
});

t.test('any bytes: read or ProtocolError', async (t) => {
  const property = fc.property(
    fc.uint8Array({ maxLength: 40 }),
    (bytes) => codeOf(Buffer.from(bytes)) !== '',
  );
  t.doesNotThrow(() => fc.assert(property, RUNS));
});
