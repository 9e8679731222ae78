import t from 'tap';
import { maskCollections, maskErrors, maskRecords } from '../../../protocols/chroma/answers.ts';
import type { ResponseHead } from '../../../protocols/contract.ts';
import type { FieldMasks, FieldPath } from '../../../protocols/store.ts';

const OK: ResponseHead = { status: 200, headers: [] };
const BAD: ResponseHead = { status: 400, headers: [] };

/** `***` for these fields and what lies below them, `@@@` for an address anywhere. */
function masks(...fields: readonly string[]): FieldMasks {
  const isBelow = (path: FieldPath, field: string): boolean => {
    const text = path.join('.');
    return text === field || text.startsWith(`${field}.`);
  };
  return {
    maskOf: (path) =>
      fields.some((field) => isBelow(path, field)) ? (): string => '***' : undefined,
    mayMaskBelow: (path) =>
      path.length === 0 ||
      fields.some((field) => isBelow(path, field) || field.startsWith(`${path.join('.')}.`)),
    detect: (text) => text.replaceAll(/\w+@\w+\.\w+/g, '@@@'),
  };
}

function run(mask: typeof maskRecords, text: string, some: FieldMasks, head = OK): string {
  return mask(Buffer.from(text), some, head).toString();
}

t.test('records of get: documents, metadata and URIs, and nothing else', async (t) => {
  const answer =
    '{"ids":["ann@x.org"],"embeddings":[[1.0,-0.0]],"documents":["call ann@x.org",null],"uris":["s3://ann"],' +
    '"metadatas":[{"n":1.0,"em\\u0061il":"e","tags":["a","ann@x.org"],"big":9007199254740993},null],"include":["documents"]}';
  t.equal(
    run(maskRecords, answer, masks('email', '#uri')),
    '{"ids":["ann@x.org"],"embeddings":[[1.0,-0.0]],"documents":["call @@@",null],"uris":["***"],' +
      '"metadatas":[{"n":1.0,"em\\u0061il":"***","tags":["a","@@@"],"big":9007199254740993},null],"include":["documents"]}',
  );
  t.match(run(maskRecords, answer, masks('#document')), '"documents":["***",null]');
  t.match(
    run(maskRecords, answer, masks('n')),
    '"metadatas":[{"n":null,',
    'what is no text becomes null',
  );
});

t.test('records of query and search lie one array deeper', async (t) => {
  const answer =
    '{"ids":[["a"]],"embeddings":null,"documents":[["ann@x.org"]],"uris":null,"metadatas":[[{"email":"e"}]],' +
    '"distances":[[0.5]],"scores":[[1.0]],"select":[[{"MetadataField":"email"},"Score"]]}';
  t.equal(
    run(maskRecords, answer, masks('email')),
    '{"ids":[["a"]],"embeddings":null,"documents":[["@@@"]],"uris":null,"metadatas":[[{"email":"***"}]],' +
      '"distances":[[0.5]],"scores":[[1.0]],"select":[[{"MetadataField":"email"},"Score"]]}',
  );
});

t.test('the same bytes come back where nothing is masked', async (t) => {
  const body = Buffer.from('{"ids":["a"],"metadatas":[{"x":"y"}],"documents":["d"]}');
  t.equal(maskRecords(body, masks('email'), OK), body);
  const empty = Buffer.alloc(0);
  t.equal(maskRecords(empty, masks('email'), BAD), empty);
});

t.test('a key with dots is the field that rules write with dots', async (t) => {
  const answer = '{"metadatas":[{"author.phone":"5","author.name":"n"}]}';
  const split: FieldMasks = {
    maskOf: ([one, two]) => (one === 'author' && two === 'phone' ? (): string => '***' : undefined),
    mayMaskBelow: ([one]) => one === undefined || one === 'author',
    detect: undefined,
  };
  t.equal(
    run(maskRecords, answer, split),
    '{"metadatas":[{"author.phone":"***","author.name":"n"}]}',
  );
});

t.test("a text under the server's own key is the text", async (t) => {
  const answer = '{"ids":["1"],"metadatas":[{"chroma:document":"x","chroma:uri":"y","z":"z"}]}';
  t.equal(
    run(maskRecords, answer, masks('#document', '#uri')),
    '{"ids":["1"],"metadatas":[{"chroma:document":"***","chroma:uri":"***","z":"z"}]}',
  );
});

t.test('members that this version does not have are looked at by content', async (t) => {
  t.equal(
    run(maskRecords, '{"data":[["ann@x.org"]],"ids":[]}', masks()),
    '{"data":[["@@@"]],"ids":[]}',
  );
});

t.test('metadata of collections is masked, their settings are looked at by content', async (t) => {
  const answer =
    '[{"id":"i","name":"ann@x.org","configuration_json":{"hnsw":{"resize_factor":1.2}},"metadata":{"email":"e"}}]';
  t.equal(run(maskCollections, answer, masks('email')), answer.replace('"e"', '"***"'));
  t.equal(run(maskCollections, '7', masks('email')), '7');
  const settings =
    '{"name":"a@b.org","configuration_json":{"embedding_function":{"config":["a@b.org"]}}}';
  t.equal(
    run(maskCollections, settings, masks()),
    '{"name":"a@b.org","configuration_json":{"embedding_function":{"config":["@@@"]}}}',
  );
});

t.test('errors say nothing that a detector would find', async (t) => {
  const error = '{"error":"InvalidArgumentError","message":"Got: ann@x.org"}';
  for (const mask of [maskRecords, maskCollections, maskErrors]) {
    t.equal(run(mask, error, masks('email'), BAD), error.replace('ann@x.org', '@@@'));
  }
  t.throws(() => run(maskRecords, 'Got: ann@x.org', masks('email'), BAD), { code: 'JSON_SYNTAX' });
});
