import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { inflate } from '../../../lib/gateway/inflate.ts';
import type {
  Decision,
  HeaderList,
  ResponseHead,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../../../protocols/contract.ts';
import { frameMessage } from '../../../protocols/wire/grpc.ts';
import {
  answers,
  asks,
  GRPC_ANSWER,
  GRPC_HEADERS,
  MASKED,
  type RequestFacts,
} from '../../support/exchanges.ts';
import { playEvents } from '../../support/play.ts';
import { toyStore } from '../../support/toy-store.ts';
import { sessionOptions } from '../../support/transcript.ts';

const SEARCH = 'POST /c/people/search';
const FOUND = '{"id":1,"email":"bob@example.com"}';
const SHOWN = '{"id":1,"email":"***"}';
const RESTRICTED: Decision = {
  kind: 'allow',
  store: {
    restrictions: {
      filter: [{ field: 'tenant', value: 'a' }],
      limitMax: undefined,
      hidesVectors: false,
    },
    masks: undefined,
    login: undefined,
  },
};

interface Seen {
  readonly ask: { readonly headers: HeaderList; readonly body: string } | undefined;
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly trailers: HeaderList | undefined;
  readonly commands: readonly SessionCommand[];
}

function see(
  events: readonly SessionEvent[],
  decision: Decision = MASKED,
  options: Partial<SessionOptions> = {},
): Seen {
  const all = { ...sessionOptions({ auth: 'gateway' }), inflate, ...options };
  const commands = playEvents(toyStore.createSession(all), events, () => decision);
  const bodyTo = (side: string): string =>
    Buffer.concat(
      commands.flatMap((one) => (one.kind === 'body' && one.to === side ? [one.bytes] : [])),
    ).toString();
  const ask = commands.find((one) => one.kind === 'ask');
  const answer = commands.find((one) => one.kind === 'answer');
  const end = commands.find((one) => one.kind === 'end' && one.to === 'client');
  return {
    ask: ask?.kind === 'ask' ? { headers: ask.head.headers, body: bodyTo('server') } : undefined,
    head: answer?.kind === 'answer' ? answer.head : undefined,
    body: bodyTo('client'),
    trailers: end?.kind === 'end' ? end.trailers : undefined,
    commands,
  };
}

function search(facts: RequestFacts = {}): SessionEvent[] {
  return asks(1, SEARCH, '{}', facts);
}

t.test(
  'a masked answer has the length of what is shown, and no facts of what is not',
  async (t) => {
    const headers: HeaderList = [
      ['content-type', 'application/json'],
      ['content-length', String(FOUND.length)],
      ['etag', '"abc"'],
      ['content-md5', 'x'],
      ['x-time', '3'],
    ];
    const { head, body, ask } = see([
      ...search({
        headers: [
          ['range', 'bytes=0-4'],
          ['if-none-match', '"abc"'],
          ['accept-encoding', 'gzip'],
        ],
      }),
      ...answers(1, 200, FOUND, headers),
    ]);
    t.equal(body, SHOWN);
    t.same(head?.headers, [
      ['content-type', 'application/json'],
      ['x-time', '3'],
      ['content-length', String(SHOWN.length)],
    ]);
    t.same(
      ask?.headers,
      [
        ['accept-encoding', 'identity'],
        ['api-key', 'of the store'],
      ].toReversed(),
    );
  },
);

t.test('compressed all the same: read, masked and sent plain', async (t) => {
  for (const [coding, bytes] of [
    ['gzip', gzipSync(FOUND)],
    ['br', brotliCompressSync(FOUND)],
  ] as const) {
    const { head, body } = see([
      ...search(),
      ...answers(1, 200, bytes, [['content-encoding', coding]]),
    ]);
    t.equal(body, SHOWN, coding);
    t.same(head?.headers, [['content-length', String(SHOWN.length)]]);
  }
});

t.test('answers that cannot be read or held are withheld', async (t) => {
  const cases: Record<string, readonly [SessionEvent[], number]> = {
    zstd: [answers(1, 200, FOUND, [['content-encoding', 'zstd']]), 503],
    'broken gzip': [answers(1, 200, FOUND, [['content-encoding', 'gzip']]), 503],
    'a bomb': [answers(1, 200, gzipSync(Buffer.alloc(5000)), [['content-encoding', 'gzip']]), 503],
    'no JSON': [answers(1, 200, `unreadable ${FOUND}`), 503],
    'a part': [answers(1, 206, FOUND), 503],
    'too large': [answers(1, 200, `${FOUND}${' '.repeat(2000)}`), 413],
  };
  for (const [name, [events, status]] of Object.entries(cases)) {
    const { head, body } = see([...search(), ...events], MASKED, { rowSizeMax: 1000 });
    t.equal(head?.status, status, name);
    t.notMatch(body, 'bob@', name);
  }
});

t.test('an error of the store is masked like any answer', async (t) => {
  const { head, body } = see([...search(), ...answers(1, 422, FOUND)]);
  t.equal(head?.status, 422);
  t.equal(body, SHOWN);
});

t.test('interim answers and answers without a body', async (t) => {
  const interim: SessionEvent = {
    kind: 'response',
    exchange: 1,
    head: { status: 103, headers: [] },
  };
  t.equal(see([...search(), interim, ...answers(1, 200, FOUND)]).head?.status, 200);
  t.equal(see([...search(), ...answers(1, 204)]).head?.status, 204);
  const { head, body } = see([
    ...asks(1, 'HEAD /c/people'),
    ...answers(1, 200, undefined, [['content-length', '34']]),
  ]);
  t.same([head?.headers, body], [[], ''], 'the length of what is masked is not told');
});

t.test('without masks and checks an answer streams through as it is', async (t) => {
  const bytes = gzipSync(FOUND);
  const { head, commands } = see(
    [...search(), ...answers(1, 200, bytes, [['content-encoding', 'gzip']], [['x-sum', '1']])],
    { kind: 'allow' },
  );
  t.same(head?.headers, [['content-encoding', 'gzip']]);
  t.ok(
    commands.some((one) => one.kind === 'body' && one.to === 'client' && one.bytes.equals(bytes)),
  );
});

t.test('restrictions: the request is written anew, the answer is checked', async (t) => {
  const gzipped = asks(1, SEARCH, gzipSync('{"limit":1}'), {
    headers: [
      ['content-encoding', 'gzip'],
      ['content-md5', 'x'],
      ['content-length', String(gzipSync('{"limit":1}').length)],
    ],
  });
  const { ask, body } = see([...gzipped, ...answers(1, 200, FOUND)], RESTRICTED);
  t.equal(ask?.body, '{"limit":1,"only":"tenant=a"}');
  t.same(ask?.headers, [
    ['accept-encoding', 'identity'],
    ['content-length', '29'],
  ]);
  t.equal(body, FOUND, 'nothing is masked');
  const { head } = see([...search(), ...answers(1, 200, '{"foreign":1}')], RESTRICTED);
  t.equal(head?.status, 403);
});

t.test('what cannot carry a restriction is refused and not asked', async (t) => {
  const { ask, head, body } = see(asks(1, 'DELETE /c/people'), RESTRICTED);
  t.equal(ask, undefined);
  t.equal(head?.status, 403);
  t.match(body, 'takes no filter');
});

const GRPC = { version: '2', headers: GRPC_HEADERS } as const;
const OK: HeaderList = [['grpc-status', '0']];

function grpc(bytes: Buffer, answerHead: HeaderList = GRPC_ANSWER, trailers = OK): SessionEvent[] {
  return [
    ...asks(1, 'POST /toy.Store/Search', frameMessage(Buffer.from('who')), GRPC),
    ...answers(1, 200, bytes, answerHead, trailers),
  ];
}

t.test('gRPC: message by message, those without a mask untouched', async (t) => {
  const plain = frameMessage(Buffer.from('nothing'));
  const { body, trailers, ask } = see(
    grpc(Buffer.concat([plain, frameMessage(Buffer.from('bob@example.com')), plain])),
  );
  const wanted = Buffer.concat([plain, frameMessage(Buffer.from('***')), plain]);
  t.equal(body, wanted.toString());
  t.same(trailers, OK);
  t.ok(
    ask?.headers.some(([name, value]) => name === 'grpc-accept-encoding' && value === 'identity'),
  );
});

t.test('gRPC: compressed messages are read and sent plain', async (t) => {
  const zipped = gzipSync('bob@example.com');
  const frame = frameMessage(zipped);
  frame[0] = 1;
  const head: HeaderList = [...GRPC_ANSWER, ['grpc-encoding', 'gzip']];
  t.equal(see(grpc(frame, head)).body, frameMessage(Buffer.from('***')).toString());
  t.same(see(grpc(frame)).trailers?.[0], ['grpc-status', '14'], 'a flag without a coding');
  const odd: HeaderList = [...GRPC_ANSWER, ['grpc-encoding', 'zstd']];
  t.same(see(grpc(frame, odd)).trailers?.[0], ['grpc-status', '14']);
});

t.test('gRPC: what cannot be read ends the answer by its trailers', async (t) => {
  const good = frameMessage(Buffer.from('fine'));
  const { body, trailers } = see(
    grpc(Buffer.concat([good, frameMessage(Buffer.from('unreadable bob@example.com')), good])),
  );
  t.equal(body, good.toString(), 'what came before it was given');
  t.same(trailers?.[0], ['grpc-status', '14']);
  t.same(see(grpc(good.subarray(0, 6))).trailers?.[0], ['grpc-status', '14'], 'cut off');
  const long = see(grpc(Buffer.from([0, 0, 0, 255, 255])), MASKED, { rowSizeMax: 100 });
  t.same(long.trailers?.[0], ['grpc-status', '8'], 'too large');
});

t.test('gRPC: an answer that is none, and a status that quotes values', async (t) => {
  const html = see([
    ...asks(1, 'POST /toy.Store/Search', frameMessage(Buffer.from('who')), GRPC),
    ...answers(1, 502, '<p>bob@example.com', [['content-type', 'text/html']]),
  ]);
  t.same(html.trailers?.[0], ['grpc-status', '14']);
  t.equal(html.body, '');
  const { trailers } = see(
    grpc(Buffer.alloc(0), GRPC_ANSWER, [
      ['grpc-status', '3'],
      ['grpc-message', 'bad value bob@example.com'],
      ['grpc-status-details-bin', 'Ym9i'],
    ]),
  );
  t.same(trailers, [
    ['grpc-status', '3'],
    ['grpc-message', 'bad value ***'],
  ]);
});

t.test('gRPC: "trailers only" ends as trailers, whoever reads it', async (t) => {
  const head: HeaderList = [...GRPC_ANSWER, ['grpc-status', '5'], ['grpc-message', 'not there']];
  for (const decision of [MASKED, { kind: 'allow' } as const]) {
    const { trailers, head: shown } = see(grpc(Buffer.alloc(0), head, []), decision);
    t.same(shown?.headers, GRPC_ANSWER);
    t.same(trailers, [
      ['grpc-status', '5'],
      ['grpc-message', 'not there'],
    ]);
  }
});

t.test('gRPC requests: codings, frames, versions', async (t) => {
  const request = (body: Buffer, more: HeaderList = [], version: '1.1' | '2' = '2'): Seen =>
    see(asks(1, 'POST /toy.Store/Search', body, { version, headers: [...GRPC_HEADERS, ...more] }));
  const message = frameMessage(Buffer.from('who'));
  const zipped = frameMessage(gzipSync('who'));
  zipped[0] = 1;
  t.ok(request(zipped, [['grpc-encoding', 'gzip']]).ask, 'gzip is read');
  t.equal(
    request(zipped, [['grpc-encoding', 'gzip']]).ask?.body,
    zipped.toString(),
    'and passed on as it came',
  );
  const unknown = request(zipped, [['grpc-encoding', 'zstd']]);
  t.same(unknown.trailers?.[0], ['grpc-status', '12']);
  t.ok(unknown.head?.headers.some(([name]) => name === 'grpc-accept-encoding'));
  const refused: Record<string, Seen> = {
    'no frame': request(Buffer.from('who')),
    'two messages': request(Buffer.concat([message, message])),
    'half a message': request(message.subarray(0, 6)),
    'no message': request(Buffer.alloc(0)),
    'a flag without a coding': request(zipped),
    'HTTP/1.1': request(message, [], '1.1'),
  };
  for (const [name, { ask, trailers }] of Object.entries(refused)) {
    t.equal(ask, undefined, name);
    t.same(trailers?.[0], ['grpc-status', '3'], name);
  }
});

t.test('gRPC: a restricted message goes up in a frame of its own', async (t) => {
  const zipped = frameMessage(gzipSync('who'));
  zipped[0] = 1;
  const headers: HeaderList = [...GRPC_HEADERS, ['grpc-encoding', 'gzip']];
  const { ask } = see(
    asks(1, 'POST /toy.Store/Search', zipped, { version: '2', headers }),
    RESTRICTED,
  );
  t.equal(ask?.body, frameMessage(Buffer.from('who;tenant=a')).toString());
});

t.test('the store sends no client past the gateway', async (t) => {
  const location: HeaderList = [['location', 'http://store:6333/c/people']];
  for (const status of [301, 302, 303, 307, 308]) {
    const { head, body } = see([...search(), ...answers(1, status, '', location)], {
      kind: 'allow',
    });
    t.equal(head?.status, 503);
    t.notMatch(JSON.stringify([head, body]), /store:6333/);
  }
});
