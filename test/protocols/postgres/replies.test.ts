import fc from 'fast-check';
import t from 'tap';
import { ProtocolError } from '../../../protocols/errors.ts';
import {
  EXPECT_BIND,
  EXPECT_EXECUTE,
  EXPECT_PARSE,
  EXPECT_QUERY,
  EXPECT_SYNC,
  type Expected,
  Replies,
} from '../../../protocols/postgres/replies.ts';
import { type FakeMessage, FakeServer } from '../../support/fake-server.ts';

/** A queue whose start-up is over. */
function newReplies(): Replies {
  const replies = new Replies();
  replies.onReady();
  return replies;
}

function expectAll(replies: Replies, ...entries: readonly Expected[]): void {
  for (const entry of entries) replies.expect(entry);
}

t.test('the start-up is one answer, ended by ReadyForQuery', async (t) => {
  const replies = new Replies();
  t.equal(replies.head?.kind, 'start');
  replies.onError();
  t.equal(replies.head?.kind, 'start', 'an error does not end it');
  t.ok(replies.onReady());
  t.equal(replies.head, undefined);
  t.notOk(replies.onReady(), 'a ReadyForQuery that nobody is owed');
});

t.test('an error drops everything up to the next Sync, a Query too (PG-28)', async (t) => {
  const replies = newReplies();
  expectAll(
    replies,
    EXPECT_PARSE,
    EXPECT_BIND,
    EXPECT_QUERY,
    EXPECT_SYNC,
    EXPECT_PARSE,
    EXPECT_SYNC,
  );
  replies.onError();
  t.equal(replies.head?.kind, 'sync');
  t.ok(replies.onReady());
  t.equal(replies.head?.kind, 'parse', 'what follows the Sync is answered');
});

t.test('without a Sync in sight what is sent next is dropped as well (PG-28)', async (t) => {
  const replies = newReplies();
  replies.expect(EXPECT_PARSE);
  replies.onError();
  expectAll(replies, EXPECT_QUERY, EXPECT_BIND);
  replies.expectCopyEnd();
  t.equal(replies.size, 0);
  replies.expect(EXPECT_SYNC);
  t.equal(replies.head?.kind, 'sync');
});

t.test('the error of a Query or a Sync is followed by its ReadyForQuery (PG-29)', async (t) => {
  const replies = newReplies();
  expectAll(replies, EXPECT_QUERY, EXPECT_SYNC, EXPECT_QUERY);
  replies.onError();
  t.equal(replies.size, 3);
  t.ok(replies.onReady());
  replies.onError();
  t.equal(replies.head?.kind, 'sync');
  t.ok(replies.onReady());
  t.equal(replies.head?.kind, 'query');
});

t.test('a Sync sent into a COPY that works is not answered (PG-50)', async (t) => {
  const replies = newReplies();
  expectAll(replies, EXPECT_EXECUTE, EXPECT_SYNC);
  replies.onCopyIn();
  expectAll(replies, EXPECT_SYNC, EXPECT_SYNC);
  replies.expectCopyEnd();
  expectAll(replies, EXPECT_SYNC);
  replies.onAnswer();
  replies.pop();
  t.equal(replies.size, 1, 'of four Syncs the one behind CopyDone is left');
});

t.test('CopyDone that was sent before CopyInResponse marks its place (PG-50)', async (t) => {
  const replies = newReplies();
  expectAll(replies, EXPECT_QUERY, EXPECT_SYNC);
  replies.expectCopyEnd();
  expectAll(replies, EXPECT_SYNC, EXPECT_QUERY);
  replies.onCopyIn();
  replies.onAnswer();
  t.ok(replies.onReady());
  t.equal(replies.head?.kind, 'sync', 'the Sync behind CopyDone is answered');
  t.equal(replies.size, 2);
});

t.test('a COPY that fails before it reads answers the early Sync after all (PG-50)', async (t) => {
  for (const count of [1, 2]) {
    const replies = newReplies();
    expectAll(replies, EXPECT_EXECUTE, EXPECT_SYNC);
    replies.onCopyIn();
    replies.onError();
    if (count === 2) t.ok(replies.onReady(), 'of the early Sync');
    replies.expect(EXPECT_SYNC);
    t.ok(replies.onReady(), 'of the late Sync');
    replies.expect(EXPECT_PARSE);
    replies.pop();
    t.notOk(replies.onReady(), 'and no more');
  }
});

t.test(
  'where it cannot be told whether a message was dropped, nobody guesses (PG-50)',
  async (t) => {
    const late = newReplies();
    expectAll(late, EXPECT_EXECUTE, EXPECT_SYNC);
    late.onCopyIn();
    late.onError();
    t.throws(() => late.expect(EXPECT_PARSE), ProtocolError);
    const early = newReplies();
    expectAll(early, EXPECT_EXECUTE, EXPECT_SYNC);
    early.expectCopyEnd();
    expectAll(early, EXPECT_PARSE, EXPECT_SYNC);
    early.onCopyIn();
    t.throws(() => early.onError(), ProtocolError);
  },
);

t.test('a million Syncs behind a COPY are one step', async (t) => {
  const replies = newReplies();
  replies.expect(EXPECT_EXECUTE);
  for (let count = 0; count < 900_000; count++) replies.expect(EXPECT_SYNC);
  const start = Date.now();
  replies.onCopyIn();
  t.ok(Date.now() - start < 20_000, `${Date.now() - start} ms`);
});

const KINDS = [
  'query',
  'query-error',
  'query-copy',
  'query-copy-fails',
  'parse',
  'parse-error',
  'bind',
  'execute',
  'execute-error',
  'execute-copy',
  'execute-copy-fails',
  'call',
  'sync',
  'sync',
  'flush',
  'copy-data',
  'copy-done',
  'copy-done',
  'copy-fail',
] as const;

/**
 * A server that follows PostgreSQL's rules answers a random pipeline, and answers travel at random times:
 * each one must meet the message it is for. `ProtocolError` is the queue's way of saying that it cannot
 * know; it is right only where Syncs went into a COPY that failed.
 */
t.test('the queue agrees with a server that follows the rules', async (t) => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...KINDS) },
      { weight: 2, arbitrary: fc.nat({ max: 4 }) },
    ),
    { maxLength: 40 },
  );
  const seed = Number(process.env['WEIR_TEST_SEED'] ?? Date.now() % 0x7fff_ffff);
  let answers = 0;
  let unknown = 0;
  const result = fc.check(
    fc.property(steps, (all) => {
      const outcome = runModel(all);
      answers += outcome.answers;
      unknown += outcome.isUnknown ? 1 : 0;
    }),
    { numRuns: Number(process.env['WEIR_TEST_RUNS'] ?? 4_000), seed },
  );
  t.notOk(result.failed, `seed ${seed}`, {
    counterexample: result.counterexample,
    error: String(result.errorInstance),
  });
  t.ok(answers > 1_000, `${answers} answers, ${unknown} pipelines that cannot be told`);
});

function runModel(steps: readonly (FakeMessage['kind'] | number)[]): {
  answers: number;
  isUnknown: boolean;
} {
  const replies = newReplies();
  const server = new FakeServer();
  const sent = new Map<Expected, number>();
  let number = 0;
  let answers = 0;
  try {
    for (const step of [...steps, 'copy-done', 'sync', 100] as const) {
      if (typeof step !== 'number') {
        number += 1;
        expectMessage(replies, step, { number, sent });
        server.receive({ kind: step, number });
        continue;
      }
      for (const answer of server.take(step)) {
        answers += 1;
        check(replies, answer, sent);
      }
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (!server.hasFailedCopy) throw new Error('it gave up without a reason', { cause: error });
    return { answers, isUnknown: true };
  }
  if (server.isFatal || replies.size === 0) return { answers, isUnknown: false };
  throw new Error(`${replies.size} answers are still expected`);
}

function expectMessage(
  replies: Replies,
  kind: FakeMessage['kind'],
  { number, sent }: { number: number; sent: Map<Expected, number> },
): void {
  if (kind === 'flush' || kind === 'copy-data') return;
  if (kind === 'copy-done' || kind === 'copy-fail') {
    replies.expectCopyEnd();
    return;
  }
  // Each entry is an object of its own here, so that it can be told from its neighbours.
  const entry = entryOf(kind);
  sent.set(entry, number);
  replies.expect(entry);
}

function entryOf(kind: FakeMessage['kind']): Expected {
  if (kind.startsWith('query')) return { kind: 'query' };
  if (kind.startsWith('parse')) return { kind: 'parse' };
  if (kind.startsWith('execute')) return { kind: 'execute' };
  if (kind === 'bind') return { kind: 'bind' };
  return kind === 'call' ? { kind: 'call' } : { kind: 'sync' };
}

function check(
  replies: Replies,
  answer: ReturnType<FakeServer['take']>[number],
  sent: Map<Expected, number>,
): void {
  const { head } = replies;
  const isRight = head !== undefined && sent.get(head) === answer.number;
  const mayBeOther =
    (answer.kind === 'ready' && answer.of === 'sync') ||
    (answer.kind === 'error' && answer.of === 'copy');
  if (!isRight && !mayBeOther) throw new Error(`${answer.kind} of ${answer.number}`);
  switch (answer.kind) {
    case 'ready':
      // A Sync's answers are all alike, so only their number counts.
      if (!replies.onReady()) throw new Error(`ready of ${answer.number} was not expected`);
      return;
    case 'error':
      replies.onError();
      return;
    case 'complete':
      replies.onAnswer();
      if (head?.kind === 'execute') replies.pop();
      return;
    case 'done':
      replies.pop();
      return;
    case 'copy-in':
      replies.onCopyIn();
  }
}
