import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import type { FieldMasks, FieldPath } from '../../../protocols/store.ts';
import { JSON_DEPTH_MAX, type JsonPlan, maskJson } from '../../../protocols/wire/json.ts';

/** Masks by dotted names; a field is masked with all that lies in it. */
function masksOf(names: readonly string[], detects = false): FieldMasks {
  const dotted = (path: FieldPath): string => path.join('.');
  return {
    maskOf: (path) =>
      names.some((name) => `${dotted(path)}.`.startsWith(`${name}.`))
        ? (text) => (text === 'gone' ? null : '***')
        : undefined,
    mayMaskBelow: (path) =>
      names.some((name) => path.length === 0 || `${name}.`.startsWith(`${dotted(path)}.`)),
    detect: detects ? (text) => text.replaceAll(/\w+@\w+/g, '[EMAIL]') : undefined,
  };
}

const keys = (plans: Readonly<Record<string, JsonPlan>>, other?: JsonPlan): JsonPlan => ({
  keys: new Map(Object.entries(plans)),
  ...(other === undefined ? {} : { other }),
});

const POINTS = keys({ result: keys({ points: keys({ payload: { record: [] } }) }) });

function mask(text: string, plan: JsonPlan, masks: FieldMasks): string {
  return maskJson(Buffer.from(text), plan, masks).toString();
}

function codeOf(text: string | Buffer, plan: JsonPlan = 'pass'): string {
  try {
    maskJson(Buffer.from(text), plan, masksOf(['email'], true));
    return 'none';
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.blame}`;
    throw error;
  }
}

t.test('an answer of points: payloads only, all else to the byte', async (t) => {
  const answer = (email: string, deep: string): string =>
    `{"result": {"points":[ {"id":9007199254740993,"score":-0.0, "email":"top@level",
      "payload":{"em\\u0061il":${email},"n":1E400,"author":{"email":"x@y","phone":${deep}}, "tags":["a@b"]},
      "vector":[ 1.0, -0.0,1e-7 ]}]},"status":"ok"}`;
  const masks = masksOf(['email', 'author.phone']);
  t.equal(
    mask(answer('"b@c"', '[1, {"x":"y","z":null}]'), POINTS, masks),
    answer('"***"', '[null, {"x":"***","z":null}]'),
  );
  t.equal(mask(answer('"gone"', 'true'), POINTS, masks), answer('null', 'null'));
  t.equal(mask(answer('17', '[1, 2 ,3]'), POINTS, masks), answer('null', '[null,null,null]'));
  t.equal(mask(answer('[]', '{}'), POINTS, masks), answer('[]', '{}'));
  const nothing = Buffer.from(answer('null', 'null'));
  t.equal(maskJson(nothing, POINTS, masks), nothing, 'the same Buffer');
});

t.test('a key twice is masked twice, whatever hides it', async (t) => {
  const masks = masksOf(['email']);
  t.equal(
    mask('[{"email":"a","email":"b","\\u0065mail":["c"]}]', { record: [] }, masks),
    '[{"email":"***","email":"***","\\u0065mail":["***"]}]',
  );
  t.equal(
    mask(
      '{"payload":{"email":"a"},"payload":{"email":"b"}}',
      keys({ payload: { record: [] } }),
      masks,
    ),
    '{"payload":{"email":"***"},"payload":{"email":"***"}}',
  );
});

t.test('plans: keys, other, fields that are none, values, detectors', async (t) => {
  const both = masksOf(['email', '#document'], true);
  const text = '{"a":"x@y","email":"x@y","c":["x@y",{"email":"q"}]}';
  t.equal(mask(text, 'pass', both), text);
  t.equal(
    mask(text, 'detect', both),
    '{"a":"[EMAIL]","email":"[EMAIL]","c":["[EMAIL]",{"email":"q"}]}',
  );
  t.equal(
    mask(text, keys({ a: 'detect' }), both),
    '{"a":"[EMAIL]","email":"x@y","c":["x@y",{"email":"q"}]}',
  );
  t.equal(
    mask(text, keys({ a: 'pass' }, 'detect'), both),
    '{"a":"x@y","email":"[EMAIL]","c":["[EMAIL]",{"email":"q"}]}',
  );
  t.equal(
    mask(text, { record: [], keys: new Map([['a', 'pass']]) }, both),
    '{"a":"x@y","email":"***","c":["[EMAIL]",{"email":"q"}]}',
    'only the first level has the name of the mask',
  );
  t.equal(mask('[["x@y",null]]', { value: ['#document'] }, both), '[["***",null]]');
  t.equal(mask('[["x@y",1]]', { value: ['other'] }, both), '[["[EMAIL]",1]]');
  t.equal(mask('"x@y"', { record: [] }, both), '"[EMAIL]"', 'where a record is a text');
  t.equal(mask('"x@y"', keys({ a: 'detect' }), both), '"x@y"', 'where there are no keys');
  t.equal(
    mask('{"email":"a","email2":"b"}', { record: ['author'] }, masksOf(['author.email'])),
    '{"email":"***","email2":"b"}',
  );
  t.equal(
    mask('{"a":{"b":[1,"x"]}}', { record: ['author'] }, masksOf(['author'])),
    '{"a":{"b":[null,"***"]}}',
  );
});

t.test('members that are no fields keep their plan where nothing else is masked', async (t) => {
  const masks = masksOf([], true);
  t.equal(
    mask(
      '[{"vector":"x@y","text":"x@y"}]',
      { record: [], keys: new Map([['vector', 'pass']]) },
      masks,
    ),
    '[{"vector":"x@y","text":"[EMAIL]"}]',
  );
});

t.test('texts that hold JSON are masked inside, where a mask lies below', async (t) => {
  const inner = (email: string): string =>
    JSON.stringify(`{"author":{"email":"${email}"},"n":[1.0,-0.0]}`);
  const text = (email: string): string => `{"meta":${inner(email)},"other":${inner('q')}}`;
  t.equal(mask(text('q'), { record: [] }, masksOf(['meta.author.email'])), text('***'));
  t.equal(mask(text('q'), { record: [] }, masksOf(['meta.author.phone'])), text('q'));
  t.equal(mask(text('x@y'), { record: [] }, masksOf(['meta.author.phone'], true)), text('[EMAIL]'));
  const twice = (email: string): string =>
    JSON.stringify({ meta: JSON.stringify([JSON.parse(inner(email))]) });
  t.equal(mask(twice('q'), { record: [] }, masksOf(['meta.author.email'])), twice('***'));
  const quoted = (email: string): string =>
    JSON.stringify({ meta: JSON.stringify(JSON.parse(inner(email))) });
  t.equal(mask(quoted('q'), { record: [] }, masksOf(['meta.author.email'])), quoted('***'));
  const broken = '{"meta":"{\\"author\\": x@y"}';
  t.equal(mask(broken, { record: [] }, masksOf(['meta.author.email'], true)), '{"meta":"***"}');
  const lines = (more: string): string =>
    JSON.stringify({ meta: `{"author":{"email":"q"}}${more}` });
  for (const more of ['x', '\n{"author":{"email":"r"}}', ',', '\u0000']) {
    const hidden = mask(lines(more), { record: [] }, masksOf(['meta.author.email']));
    t.equal(hidden, '{"meta":"***"}', more);
  }
  const prose = '{"meta":"{name} writes \\"x@y\\""}';
  t.equal(
    mask(prose, { record: [] }, masksOf(['meta.author.email'], true)),
    '{"meta":"{name} writes \\"[EMAIL]\\""}',
  );
});

t.test('an answer that cannot be read is withheld', async (t) => {
  for (const plan of [
    'pass',
    'detect',
    POINTS,
    { record: [] },
    { value: ['email'] },
  ] satisfies JsonPlan[]) {
    for (const text of [
      ' ',
      '[1,]',
      '{"a":1',
      '{"a":}',
      '[1]x',
      '[NaN]',
      '{"result":{"points":[{]}}',
      '"a\nb"',
      '[1 2]',
      '[01]',
    ]) {
      t.equal(codeOf(text, plan), 'JSON_SYNTAX server', `${text} ${JSON.stringify(plan)}`);
    }
    t.equal(codeOf('\ufeff{}', plan), 'JSON_ENCODING server');
    t.equal(codeOf(Buffer.from('["a"]', 'utf16le'), plan), 'JSON_ENCODING server');
    t.equal(codeOf(Buffer.from('2280ff22', 'hex'), plan), 'JSON_ENCODING server');
    t.equal(codeOf('['.repeat(JSON_DEPTH_MAX) + ']'.repeat(JSON_DEPTH_MAX), plan), 'none');
    t.equal(codeOf('['.repeat(JSON_DEPTH_MAX + 1), plan), 'JSON_DEPTH server');
    t.equal(codeOf('{"result":'.repeat(100_000), plan), 'JSON_DEPTH server');
    t.equal(codeOf('', plan), 'none', 'an empty body has nothing in it');
  }
});

t.test(
  'halves of surrogate pairs stay, and are written as escapes where text changes',
  async (t) => {
    const masks = masksOf([], true);
    t.equal(
      mask('["\\ud800", "\\uD800 a@b \\u00e9"]', 'detect', masks),
      '["\\ud800", "\\ud800 [EMAIL] é"]',
    );
  },
);

interface Doc {
  readonly kind: 'token' | 'array' | 'object';
  readonly token: string;
  readonly items: readonly { readonly key: string; readonly gap: string; readonly value: Doc }[];
}

/** Documents as texts: each token in the form it has on the wire, white space anywhere. */
const docs = fc.letrec<{ doc: Doc; token: Doc; array: Doc; object: Doc; vector: Doc }>((tie) => {
  const gap = fc.constantFrom('', '', ' ', '\n\t', ' \r');
  const key = fc.constantFrom(
    '"email"',
    '"em\\u0061il"',
    '"author"',
    '"phone"',
    '"a.b"',
    '"é"',
    '"😀"',
    '""',
  );
  const number = fc.constantFrom(
    '0',
    '-0.0',
    '1.0',
    '9007199254740993',
    '1E400',
    '-1e-7',
    '12.25e+3',
  );
  const text = fc.oneof(
    fc.string({ unit: 'grapheme' }).map((one) => JSON.stringify(one)),
    fc.constantFrom(
      '"a@b"',
      '"\\u0061@b"',
      '"\\ud800"',
      '"gone"',
      '"\\"[{\\\\"',
      '"{\\"email\\":1}"',
    ),
  );
  const token = fc.oneof(number, text, fc.constantFrom('true', 'false', 'null'));
  const leaf = (one: string): Doc => ({ kind: 'token', token: one, items: [] });
  const item = (value: fc.Arbitrary<Doc>): fc.Arbitrary<Doc['items'][number]> =>
    fc.record({ key, gap, value });
  const within = (kind: Doc['kind'], value: fc.Arbitrary<Doc>, minLength = 0): fc.Arbitrary<Doc> =>
    fc.array(item(value), { maxLength: 5, minLength }).map((items) => ({ kind, token: '', items }));
  return {
    token: token.map(leaf),
    vector: within('array', number.map(leaf), 1),
    array: within('array', tie('doc')),
    object: within('object', tie('doc')),
    doc: fc.oneof({ maxDepth: 5 }, tie('token'), tie('vector'), tie('array'), tie('object')),
  };
});

const PATHS = masksOf(['email', 'author.phone', 'author.email.a.b'], true);

/** What a token becomes at that place, by the letter of what `FieldMasks` says. */
function expectedToken(token: string, path: FieldPath): string {
  const byName = PATHS.maskOf(path);
  const parsed: unknown = JSON.parse(token);
  if (typeof parsed !== 'string') return byName === undefined ? token : 'null';
  // A text with JSON inside has fields of its own.
  if (byName === undefined && parsed.startsWith('{"email"') && PATHS.mayMaskBelow(path)) {
    return PATHS.maskOf([...path, 'email']) === undefined ? token : '"{\\"email\\":null}"';
  }
  const masked = byName === undefined ? (PATHS.detect?.(parsed) ?? parsed) : byName(parsed);
  return masked === parsed ? token : JSON.stringify(masked);
}

function write(doc: Doc, path: FieldPath | undefined): string {
  if (doc.kind === 'token') return path === undefined ? doc.token : expectedToken(doc.token, path);
  const isVector =
    doc.items.length > 0 && doc.items.every(({ value }) => /^[-\d]/.test(value.token));
  if (doc.kind === 'array') {
    if (isVector && path !== undefined && PATHS.maskOf(path) !== undefined) {
      return `[${doc.items.map(() => 'null').join()}]`;
    }
    return `[${doc.items.map(({ gap, value }) => gap + write(value, path) + gap).join()}]`;
  }
  const members = doc.items.map(({ key, gap, value }) => {
    const below = path === undefined ? undefined : [...path, String(JSON.parse(key))];
    return `${gap}${key}${gap}:${gap}${write(value, below)}`;
  });
  return `{${members.join()} }`;
}

t.test('any document: what is masked is masked, all other bytes are the same', async (t) => {
  const property = fc.property(docs.doc, (doc) => {
    const text = write(doc, undefined);
    const expected = write(doc, []);
    JSON.parse(expected);
    return mask(text, { record: [] }, PATHS) === expected && mask(text, 'pass', PATHS) === text;
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }));
});

t.test(
  'any change of a document: it throws ProtocolError, or what comes out is JSON',
  async (t) => {
    const property = fc.property(
      docs.doc,
      fc.nat(),
      fc.nat(4),
      fc.uint8Array({ maxLength: 3 }),
      (doc, at, gone, added) => {
        const bytes = Buffer.from(write(doc, undefined));
        const place = at % (bytes.length + 1);
        const changed = Buffer.concat([
          bytes.subarray(0, place),
          added,
          bytes.subarray(place + gone),
        ]);
        if (changed.length === 0 || codeOf(changed, { record: [] }) !== 'none') return;
        JSON.parse(maskJson(changed, { record: [] }, PATHS).toString());
      },
    );
    t.doesNotThrow(() => fc.assert(property, { numRuns: 3000 }));
  },
);
