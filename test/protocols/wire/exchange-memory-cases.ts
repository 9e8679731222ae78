/** What an exchange holds is asked for first, and given back however the exchange ends. */

import { gzipSync } from 'node:zlib';
import t from 'tap';
import { inflate } from '../../../lib/gateway/inflate.ts';
import type {
  Decision,
  SessionCommand,
  SessionEvent,
  SessionOptions,
} from '../../../protocols/contract.ts';
import { answers, asks, MASKED, piece } from '../../support/exchanges.ts';
import { playEvents } from '../../support/play.ts';
import { toyStore } from '../../support/toy-store.ts';
import { sessionOptions } from '../../support/transcript.ts';

const SEARCH = 'POST /c/people/search';
const BODY = JSON.stringify({ filter: 'x'.repeat(1000) });
const ANSWER = JSON.stringify({ note: 'y'.repeat(1000) });
const BLOCKED: Decision = { kind: 'block', rule: 'r', code: '42501', reason: 'no' };

class Memory {
  taken = 0;
  peak = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  take(size: number): boolean {
    if (this.taken + size > this.#max) return false;
    this.taken += size;
    this.peak = Math.max(this.peak, this.taken);
    return true;
  }

  give(size: number): void {
    this.taken -= size;
  }
}

function run(
  memory: Memory,
  events: readonly SessionEvent[],
  decision: Decision,
  options: Partial<SessionOptions> = {},
): SessionCommand[] {
  const base = { ...sessionOptions({ auth: 'gateway' }), inflate, memory };
  const session = toyStore.createSession({ ...base, ...options });
  return playEvents(session, events, () => decision);
}

function statuses(commands: readonly SessionCommand[]): readonly number[] {
  return commands.flatMap((one) => (one.kind === 'answer' ? [one.head.status] : []));
}

const cancelled = (from: 'client' | 'server'): SessionEvent => ({
  kind: 'cancelled',
  exchange: 1,
  from,
  code: 8,
  reason: 'reset',
});
const json = (body: string, half = body): SessionEvent[] => [
  ...asks(1, SEARCH, body),
  { kind: 'response', exchange: 1, head: { status: 200, headers: [] } },
  ...piece(1, 'server', half),
];

const PATHS: readonly (readonly [name: string, events: readonly SessionEvent[], Decision])[] = [
  ['masked', [...asks(1, SEARCH, BODY), ...answers(1, 200, ANSWER)], MASKED],
  ['streamed', [...asks(1, SEARCH, BODY), ...answers(1, 200, ANSWER)], { kind: 'allow' }],
  ['blocked', asks(1, SEARCH, BODY), BLOCKED],
  ['a request that cannot be read', asks(1, SEARCH, BODY.slice(0, -1)), MASKED],
  [
    'an answer that cannot be read',
    [...asks(1, SEARCH, BODY), ...answers(1, 200, ANSWER.slice(0, -1))],
    MASKED,
  ],
  [
    'a compressed answer',
    [
      ...asks(1, SEARCH, BODY),
      ...answers(1, 200, gzipSync(ANSWER), [['content-encoding', 'gzip']]),
    ],
    MASKED,
  ],
  [
    'the client cancels its request',
    [...asks(1, SEARCH, BODY).slice(0, -1), cancelled('client')],
    MASKED,
  ],
  ['the client cancels in the answer', [...json(BODY, ANSWER), cancelled('client')], MASKED],
  ['the server cancels its answer', [...json(BODY, ANSWER), cancelled('server')], MASKED],
  ['the client goes', [...json(BODY, ANSWER), { kind: 'closed', side: 'client' }], MASKED],
  [
    'the gateway stops',
    [...json(BODY, ANSWER), { kind: 'stopped', code: '57P01', reason: 'stop' }],
    MASKED,
  ],
];

t.test('what was held comes back', async (t) => {
  for (const [name, events, decision] of PATHS) {
    const memory = new Memory(1_000_000);
    run(memory, events, decision);
    t.ok(memory.peak >= 1000, `${name}: something was held`);
    t.equal(memory.taken, 0, `${name}: nothing is left`);
  }
});

t.test(
  'where all sessions hold too much, a request is told so, and the next one passes',
  async (t) => {
    const memory = new Memory(500);
    const small = JSON.stringify({ filter: 'x' });
    const events = [
      ...asks(1, SEARCH, BODY),
      ...asks(2, SEARCH, small),
      ...answers(2, 200, ANSWER),
      ...asks(3, SEARCH, small),
      ...answers(3, 200, small),
    ];
    const commands = run(memory, events, MASKED);
    t.same(statuses(commands), [429, 429, 200]);
    t.equal(memory.taken, 0);
  },
);
