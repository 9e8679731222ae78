/** The rules of the exchange session one by one; what holds for every event is in test/conformance/exchanges.ts. */

import { gzipSync } from 'node:zlib';
import t from 'tap';
import { inflate } from '../../../lib/gateway/inflate.ts';
import type {
  Decision,
  HeaderList,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../../../protocols/contract.ts';
import type { StoreCredential } from '../../../protocols/store.ts';
import { STRANGER_SIZE_MAX } from '../../../protocols/wire/exchange-request.ts';
import { EXCHANGES_MAX } from '../../../protocols/wire/exchange-session.ts';
import {
  answers,
  asks,
  MASKED,
  piece,
  requestHead,
  tellExchange,
} from '../../support/exchanges.ts';
import { handleAll, playEvents } from '../../support/play.ts';
import { toyStore } from '../../support/toy-store.ts';
import { sessionOptions } from '../../support/transcript.ts';
import './exchange-memory-cases.ts';

const SEARCH = 'POST /c/people/search';
const ALLOW: Decision = { kind: 'allow' };

export function open(options: Partial<SessionOptions> = {}): ProtocolSession {
  return toyStore.createSession({ ...sessionOptions({ auth: 'gateway' }), inflate, ...options });
}

function run(
  events: readonly SessionEvent[],
  decision: Decision = ALLOW,
  options: Partial<SessionOptions> = {},
): SessionCommand[] {
  return playEvents(open(options), events, () => decision);
}

function statusOf(commands: readonly SessionCommand[], exchange = 1): number | undefined {
  for (const one of commands) {
    if (one.kind === 'answer' && one.exchange === exchange) return one.head.status;
  }
  return undefined;
}

function isAsked(commands: readonly SessionCommand[]): boolean {
  return commands.some(({ kind }) => kind === 'ask');
}

t.test('a route that the table does not name is refused without a question', async (t) => {
  const commands = run(asks(1, 'GET /secret/path?key=value'));
  t.equal(statusOf(commands), 403);
  t.notOk(commands.some(({ kind }) => kind === 'decide'));
  t.notOk(tellExchange(commands, 1).includes('key=value'), 'the query is not repeated');
  t.ok(commands.some((one) => one.kind === 'note' && one.fact.kind === 'refused'));
});

t.test('codes of decisions become what the product makes of them', async (t) => {
  const wanted: Record<string, number> = {
    '28P01': 401,
    '28000': 401,
    '42501': 403,
    '0A000': 403,
    '53300': 429,
    '53400': 429,
    '54000': 413,
    '22P02': 400,
    '58030': 503,
    '57P01': 503,
    '08006': 503,
    XX000: 403,
  };
  for (const [code, status] of Object.entries(wanted)) {
    const block: Decision = { kind: 'block', rule: 'r', code, reason: 'no' };
    t.equal(statusOf(run(asks(1, SEARCH, '{}'), block)), status, code);
  }
});

t.test('a request that is too large, by its head or by its bytes', async (t) => {
  const small = { statementSizeMax: 10 };
  const [head] = asks(1, SEARCH, '{}', { headers: [['content-length', '11']] });
  t.equal(statusOf(run(head === undefined ? [] : [head], ALLOW, small)), 413, 'at once');
  const commands = run(asks(1, SEARCH, '{"limit":100}'), ALLOW, small);
  t.equal(statusOf(commands), 413);
  t.notOk(isAsked(commands));
  t.equal(statusOf(run([...asks(2, SEARCH, '{}'), ...answers(2, 200)], ALLOW, small), 2), 200);
});

t.test('of a caller that is not known yet little is held, inflated and read', async (t) => {
  const asked: string[] = [];
  const knows = ({ secret }: { secret: string }): boolean =>
    asked.push(secret) > 0 && secret === 'k';
  const options = { knows, statementSizeMax: 4 * STRANGER_SIZE_MAX };
  const large = `{"limit":1,"x":"${'a'.repeat(STRANGER_SIZE_MAX)}"}`;
  const by = (secret: string | undefined, body: string | Buffer, more: HeaderList = []) =>
    asks(1, SEARCH, body, {
      headers: [...(secret === undefined ? [] : [['api-key', secret] as const]), ...more],
    });
  const gzip: HeaderList = [['content-encoding', 'gzip']];
  const bomb = gzipSync(large);
  t.equal(statusOf(run(by('k', large), ALLOW, options)), undefined, 'a known one');
  t.equal(statusOf(run(by('k', bomb, gzip), ALLOW, options)), undefined, 'compressed');
  for (const secret of ['other', undefined]) {
    const refused = run(by(secret, large), ALLOW, options);
    t.equal(statusOf(refused), 413, `${secret}`);
    t.match(tellExchange(refused, 1), 'until a smaller one has shown who asks');
    t.equal(statusOf(run(by(secret, bomb, gzip), ALLOW, options)), 400, `${secret}, compressed`);
    t.ok(isAsked(run(by(secret, '{"limit":1}'), ALLOW, options)), 'a small one is decided on');
  }
  const session = open(options);
  asked.length = 0;
  for (const exchange of [1, 2, 3]) {
    playEvents(session, asks(exchange, SEARCH, '{}', { headers: [['api-key', 'k']] }), () => ALLOW);
  }
  t.same(asked, ['k'], 'looked up once for a connection');
});

t.test(
  'a caller is the same object in every request, so that it need not be hashed again',
  async (t) => {
    const knows = ({ secret }: { secret: string }): boolean => secret !== 'stranger';
    const session = open({ knows });
    const ask = (exchange: number, secret: string): StoreCredential | undefined => {
      const headers: HeaderList = [['api-key', secret]];
      const commands = playEvents(session, asks(exchange, SEARCH, '{}', { headers }), () => ALLOW);
      const decide = commands.find((one) => one.kind === 'decide');
      const operation = decide?.kind === 'decide' ? decide.operation : undefined;
      return operation?.kind === 'request' ? operation.credential : undefined;
    };
    const first = ask(1, 'ann');
    t.same(first, { user: undefined, secret: 'ann' });
    t.equal(ask(2, 'ann'), first);
    const other = ask(3, 'bob');
    t.match(other, { secret: 'bob' }, 'another caller on the same connection');
    t.not(ask(4, 'stranger'), ask(5, 'stranger'), 'who is not known is looked up each time');
    t.equal(ask(6, 'bob'), other);
    t.match(ask(7, 'ann'), { secret: 'ann' });
  },
);

t.test('strangers hold little together, however many requests they begin', async (t) => {
  const session = open({ knows: () => false, statementSizeMax: 4 * STRANGER_SIZE_MAX });
  const begin = (exchange: number): SessionCommand[] =>
    playEvents(session, [
      { kind: 'request', exchange, head: requestHead(SEARCH) },
      { kind: 'body', exchange, from: 'client', bytes: Buffer.alloc(STRANGER_SIZE_MAX) },
    ]);
  t.equal(statusOf(begin(1), 1), undefined);
  t.equal(statusOf(begin(2), 2), undefined);
  t.equal(statusOf(begin(3), 3), 429);
  session.handle({ kind: 'cancelled', exchange: 1, from: 'client', code: 8, reason: '' });
  t.equal(statusOf(begin(4), 4), undefined, 'there is room again');
});

t.test('an answer to a stranger who was allowed may be as large as any', async (t) => {
  const text = 'a '.repeat(2 * STRANGER_SIZE_MAX);
  const events = [...asks(1, SEARCH, '{}'), ...answers(1, 200, `{"points":[],"x":"${text}"}`)];
  const large = { knows: () => false, rowSizeMax: 8 * STRANGER_SIZE_MAX };
  t.equal(statusOf(run(events, MASKED, large)), 200);
});

t.test('what one connection holds has a limit, and is given back', async (t) => {
  const session = open({ statementSizeMax: 1000, rowSizeMax: 1000 });
  const begin = (exchange: number): SessionCommand[] =>
    playEvents(session, [
      { kind: 'request', exchange, head: requestHead(SEARCH) },
      { kind: 'body', exchange, from: 'client', bytes: Buffer.alloc(900) },
    ]);
  t.equal(statusOf(begin(1)), undefined);
  t.equal(statusOf(begin(2)), undefined);
  t.equal(statusOf(begin(3), 3), 429, 'the third large request');
  session.handle({ kind: 'cancelled', exchange: 1, from: 'client', code: 8, reason: '' });
  t.equal(statusOf(begin(4), 4), undefined, 'there is room again');
});

t.test('as many exchanges at once as there may be', async (t) => {
  const session = open();
  for (let exchange = 1; exchange <= EXCHANGES_MAX; exchange += 1) {
    session.handle({ kind: 'request', exchange, head: requestHead(SEARCH) });
  }
  const late = session.handle({ kind: 'request', exchange: 9999, head: requestHead(SEARCH) });
  t.equal(statusOf(late, 9999), 429);
});

t.test('bodies that cannot be read are refused', async (t) => {
  const cases: Record<string, SessionEvent[]> = {
    'no JSON': asks(1, SEARCH, 'hello'),
    'another length': asks(1, SEARCH, '{}', { headers: [['content-length', '3']] }),
    'two lengths': asks(1, SEARCH, '{}', {
      headers: [
        ['content-length', '2'],
        ['content-length', '2'],
      ],
    }),
    'no gzip': asks(1, SEARCH, '{}', { headers: [['content-encoding', 'gzip']] }),
    zstd: asks(1, SEARCH, '{}', { headers: [['content-encoding', 'zstd']] }),
    'a gRPC content type': asks(1, SEARCH, '{}', {
      headers: [['content-type', 'application/grpc-web']],
    }),
  };
  for (const [name, events] of Object.entries(cases)) {
    const commands = run(events);
    t.equal(statusOf(commands), 400, name);
    t.notOk(isAsked(commands), `${name}: not passed on`);
  }
});

t.test('a held request goes up as it came; credentials are exchanged', async (t) => {
  const body = Buffer.from('{ "limit" :1 }');
  const commands = run(
    asks(1, SEARCH, body, {
      headers: [
        ['api-key', 'of ann'],
        ['accept-encoding', 'br, gzip'],
        ['x-other', '1'],
      ],
    }),
    {
      kind: 'allow',
      store: {
        restrictions: undefined,
        masks: undefined,
        login: { user: undefined, secret: 'own' },
      },
    },
  );
  const ask = commands.find((one) => one.kind === 'ask');
  t.same(ask?.kind === 'ask' && ask.head.headers, [
    ['x-other', '1'],
    ['api-key', 'own'],
    ['accept-encoding', 'gzip'],
  ]);
  t.ok(
    commands.some((one) => one.kind === 'body' && one.to === 'server' && one.bytes.equals(body)),
  );
  const decide = commands.find((one) => one.kind === 'decide');
  t.match(decide, {
    operation: { credential: { secret: 'of ann' }, request: { route: 'POST /c/{c}/search' } },
  });
});

t.test(
  'without a login of its own the gateway passes no credential on; passthrough does',
  async (t) => {
    const events = asks(1, SEARCH, '{}', {
      headers: [
        ['api-key', 'of ann'],
        ['authorization', 'Basic x'],
      ],
    });
    t.notMatch(tellExchange(run(events), 1).replace(/decide.*/, ''), /of ann|Basic x/);
    t.match(tellExchange(run(events, ALLOW, { auth: 'passthrough' }), 1), /ask.*of ann.*Basic x/);
  },
);

t.test('an open route passes without a question, and without the key', async (t) => {
  const commands = run([
    ...asks(1, 'GET /health', undefined, { headers: [['api-key', 'stale']] }),
    ...answers(1, 200, 'ok'),
  ]);
  t.equal(statusOf(commands), 200);
  t.notOk(commands.some(({ kind }) => kind === 'decide'));
  t.notOk(tellExchange(commands, 1).includes('stale'));
});

t.test('an open route takes no body without end from strangers', async (t) => {
  const head = requestHead('GET /health');
  const more = piece(1, 'client', Buffer.alloc(3000));
  const commands = run([{ kind: 'request', exchange: 1, head }, ...more, ...more, ...more]);
  t.equal(statusOf(commands), 413);
  const passed = commands.filter((one) => one.kind === 'body' && one.to === 'server');
  t.equal(passed.length, 1);
  t.ok(commands.some((one) => one.kind === 'abandon' && one.to === 'server'));
});

t.test('facts: called once, names twice for each change', async (t) => {
  const session = open();
  const facts = [1, 2].flatMap((exchange) =>
    playEvents(
      session,
      [...asks(exchange, 'DELETE /c/people'), ...answers(exchange, exchange === 1 ? 200 : 404)],
      () => ALLOW,
    ).flatMap((one) => (one.kind === 'note' ? [one.fact.kind] : [])),
  );
  t.same(facts, ['called', 'schema-changed', 'schema-changed', 'schema-changed']);
});

t.test('TLS, where it is required', async (t) => {
  const options = { clientTls: 'require' } as const;
  t.equal(statusOf(run(asks(1, SEARCH, '{}'), ALLOW, options)), 403);
  const secured: SessionEvent = {
    kind: 'secured',
    side: 'client',
    alpn: 'h2',
    channelBinding: undefined,
  };
  const commands = run([secured, ...asks(1, SEARCH, '{}'), ...answers(1, 200)], ALLOW, options);
  t.equal(statusOf(commands), 200);
  t.match(
    commands.find(({ kind }) => kind === 'decide'),
    { operation: { isSecure: true } },
  );
});

t.test('a store that cannot be reached, or is lost', async (t) => {
  const lost: SessionEvent = {
    kind: 'cancelled',
    exchange: 1,
    from: 'server',
    code: undefined,
    reason: 'connect ECONNREFUSED 10.0.0.1:6333',
  };
  const before = run([...asks(1, SEARCH, '{}'), lost]);
  t.equal(statusOf(before), 503);
  t.notOk(tellExchange(before, 1).includes('10.0.0.1'), 'the address of the store is not told');
  const [head] = answers(1, 200, 'x');
  const within = run([...asks(1, SEARCH, '{}'), ...(head === undefined ? [] : [head]), lost]);
  t.match(tellExchange(within, 1), /abandon client 2/);
});

t.test('a reset by either side reaches the other one', async (t) => {
  const cancel = (from: 'client' | 'server'): SessionEvent => ({
    kind: 'cancelled',
    exchange: 1,
    from,
    code: 8,
    reason: 'deadline',
  });
  t.match(tellExchange(run([...asks(1, SEARCH, '{}'), cancel('client')]), 1), /abandon server 8/);
  const head = { version: '2' } as const;
  const gone = run([...asks(1, SEARCH, '{}', head), cancel('server')]);
  t.match(tellExchange(gone, 1), /abandon client 8/);
});

t.test('an answer before the end of the request ends the exchange', async (t) => {
  const events: SessionEvent[] = [
    { kind: 'request', exchange: 1, head: requestHead('PUT /c/people') },
    { kind: 'body', exchange: 1, from: 'client', bytes: Buffer.from('first') },
    ...answers(1, 413, 'enough'),
  ];
  const session = open();
  const commands = playEvents(session, events, () => ALLOW);
  t.match(tellExchange(commands, 1), /end client .*\nabandon server 0/s);
  const late = session.handle({
    kind: 'body',
    exchange: 1,
    from: 'client',
    bytes: Buffer.from('x'),
  });
  t.same(late, [], 'the rest is of no use');
  t.equal(session.isBusy, false);
});

t.test('stopping tells everyone, then nothing more', async (t) => {
  const session = open();
  playEvents(session, asks(1, SEARCH, '{}'), () => ALLOW);
  playEvents(session, asks(2, SEARCH, '{}'));
  const last = session.handle({ kind: 'stopped', code: '57P01', reason: 'going down' });
  t.equal(statusOf(last, 1), 503);
  t.equal(statusOf(last, 2), 503);
  t.match(tellExchange(last, 1), /abandon server 8/);
  t.equal(last.at(-1)?.kind, 'close');
  t.same(session.handle({ kind: 'closed', side: 'client' }), []);
});

t.test('refusals cannot write headers of their own', async (t) => {
  const reason = 'delete on "x\r\nset-cookie: a=b" é';
  const commands = run(asks(1, SEARCH, '{}'), { kind: 'block', rule: 'r', code: '42501', reason });
  const answer = commands.find((one) => one.kind === 'answer');
  t.match(answer?.kind === 'answer' && answer.head.reason, 'x??set-cookie: a=b" ?');
});

t.test('decisions that come late are of no account', async (t) => {
  const session = open();
  const [decide] = handleAll(session, { kind: 'opened', side: 'client' }, () => undefined);
  t.equal(decide, undefined);
  playEvents(session, asks(1, SEARCH, '{}'));
  session.handle({ kind: 'cancelled', exchange: 1, from: 'client', code: 8, reason: '' });
  t.same(session.handle({ kind: 'decided', id: 1, decision: MASKED }), []);
});
