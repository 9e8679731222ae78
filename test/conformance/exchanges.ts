/** What every session over HTTP must do, whatever product it is for: run over scripts (exchange-scripts.ts). */

import fc from 'fast-check';
import type { Test } from 'tap';
import { inflate } from '../../lib/gateway/inflate.ts';
import type {
  Decision,
  Operation,
  ProtocolSession,
  SessionCommand,
  SessionEvent,
} from '../../protocols/contract.ts';
import { cutBody, everyByte, findDisorder, tellAll, tellExchange } from '../support/exchanges.ts';
import { handleAll, playEvents } from '../support/play.ts';
import { sessionOptions } from '../support/transcript.ts';
import type { ExchangeScript } from './exchange-scripts.ts';

const RUNS = Number(process.env['WEIR_TEST_RUNS'] ?? 25);
const BLOCK: Decision = {
  kind: 'block',
  rule: 'conformance',
  code: '42501',
  reason: 'refused here',
};

export function newSession({ protocol }: ExchangeScript): ProtocolSession {
  return protocol.createSession({ ...sessionOptions({ auth: 'gateway' }), inflate });
}

function play(script: ExchangeScript, events = script.events): SessionCommand[] {
  return playEvents(newSession(script), events, script.decide);
}

/** Any cut of the bodies gives the same commands and records; the same events twice, too. */
export function testCuts(t: Test, script: ExchangeScript): void {
  const whole = play(script);
  t.same(play(script), whole, 'twice the same');
  t.equal(findDisorder(whole), undefined, 'in an order that HTTP has');
  t.equal(tellAll(play(script, script.events.flatMap(everyByte))), tellAll(whole), 'byte by byte');
  const offsets = fc.array(fc.nat({ max: 300 }), { maxLength: 12 });
  check(t, 'random cuts', offsets, (all) => {
    const cut = script.events.flatMap((event) => cutBody(event, all));
    if (tellAll(play(script, cut)) !== tellAll(whole)) throw new Error('other commands');
  });
}

/** Keys and masked values stay where they belong. */
export function testSecrets(t: Test, script: ExchangeScript): void {
  for (const events of [script.events, script.events.flatMap(everyByte)]) {
    const commands = play(script, events);
    const shown = commands.filter((one) => {
      if (one.kind === 'record' || one.kind === 'answer') return true;
      return (one.kind === 'body' || one.kind === 'end') && one.to === 'client';
    });
    t.ok(containsText(shown, '***'), 'what is masked was asked for and came back');
    const asked = commands.filter(({ kind }) => kind === 'ask');
    for (const secret of script.secrets) {
      t.notOk(containsText(shown, secret), `neither shown nor recorded: ${secret}`);
      t.notOk(containsText(asked, secret), `not passed on in a head: ${secret}`);
    }
  }
}

function containsText(commands: readonly SessionCommand[], text: string): boolean {
  const bytes = commands.flatMap((one) => ('bytes' in one ? [one.bytes] : []));
  return Buffer.concat(bytes).includes(text) || JSON.stringify(commands).includes(text);
}

/** Nothing of a request reaches the store before its decision; others go on as if it were not there. */
export function testHolds(t: Test, script: ExchangeScript): void {
  const whole = play(script);
  const asked = decidesOf(whole);
  t.ok(asked.length > 0, 'there is something to decide');
  for (const { exchange, operation } of asked) {
    const session = newSession(script);
    const held: SessionCommand[] = [];
    let late: number | undefined;
    for (const event of script.events) {
      const decide = (other: Operation): Decision | undefined => {
        if (other.id !== operation.id) return script.decide(other);
        late = other.id;
        return undefined;
      };
      held.push(...handleAll(session, event, decide));
    }
    const reached = held.filter((one) => isToServer(one) && numberOf(one) === exchange);
    t.same(reached, [], `#${exchange}: nothing passes while it waits`);
    for (const other of exchangesOf(whole).filter((one) => one !== exchange)) {
      const tale = withoutIds(tellExchange(held, other));
      t.equal(
        tale,
        withoutIds(tellExchange(whole, other)),
        `#${other} goes on beside #${exchange}`,
      );
    }
    if (late === undefined) throw new Error(`#${exchange} was not asked for again`);
    const after = session.handle({ kind: 'decided', id: late, decision: script.decide(operation) });
    t.ok(
      after.some((one) => one.kind === 'ask'),
      `#${exchange} is asked after its decision`,
    );
  }
}

/** A refusal is an answer to that one exchange, and the session is of use as before. */
export function testRefusals(t: Test, script: ExchangeScript): void {
  const whole = play(script);
  for (const { exchange, operation } of decidesOf(whole)) {
    const commands = playEvents(newSession(script), script.events, (other) =>
      other.id === operation.id ? BLOCK : script.decide(other),
    );
    t.equal(findDisorder(commands), undefined, `#${exchange} refused: an order that HTTP has`);
    const tale = tellExchange(commands, exchange);
    t.match(tale, /answer \{[\s\S]*end client/, `#${exchange}: an answer and its end`);
    t.match(decodeURIComponent(tale), 'refused here', `#${exchange}: the reason is in it`);
    t.notMatch(tale, /\nask|end server/, `#${exchange}: the store hears nothing`);
    for (const other of exchangesOf(whole).filter((one) => one !== exchange)) {
      t.equal(tellExchange(commands, other), tellExchange(whole, other), `#${other} is as before`);
    }
  }
}

/** Gives up, ends and stops at any moment, from any side. */
export function testEnds(t: Test, script: ExchangeScript): void {
  const numbers = exchangesOf(play(script));
  const ends: readonly SessionEvent[] = [
    ...numbers.flatMap((exchange): SessionEvent[] => [
      { kind: 'cancelled', exchange, from: 'client', code: 8, reason: 'reset' },
      { kind: 'cancelled', exchange, from: 'server', code: 2, reason: 'reset' },
      { kind: 'cancelled', exchange, from: 'server', code: undefined, reason: 'lost' },
    ]),
    { kind: 'closed', side: 'client' },
    { kind: 'closed', side: 'server', reason: 'reset' },
    { kind: 'stopped', code: '57P01', reason: 'shutting down' },
  ];
  for (const end of ends) {
    for (let at = 0; at <= script.events.length; at += 1) {
      const events = [...script.events.slice(0, at), end, ...script.events.slice(at)];
      const commands = play(script, events);
      const problem =
        findDisorder(commands) ??
        findAfterClose(commands) ??
        findOpen(commands, end) ??
        findAfterCancel(play(script, events.slice(0, at + 1)), commands, end);
      if (problem !== undefined) t.fail(`${JSON.stringify(end)} at ${at}: ${problem}`);
    }
  }
  t.pass(`${ends.length} ends at ${script.events.length + 1} places`);
}

/** Parts left out, told twice, or in another order: a faulty driver or a hostile peer. */
export function testDisorder(t: Test, script: ExchangeScript): void {
  const change = fc.record({ kind: fc.constantFrom('drop', 'double', 'swap'), at: fc.nat(200) });
  check(t, 'disorder', fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
    const events = changes.reduce(
      (list, { kind, at }) => disturb(list, kind, at),
      [...script.events],
    );
    const problem = findDisorder(play(script, withoutTwins(events)));
    if (problem !== undefined) throw new Error(problem);
  });
}

function disturb(events: readonly SessionEvent[], kind: string, at: number): SessionEvent[] {
  const index = at % events.length;
  const one = events.slice(index, index + 1);
  const next = events.slice(index + 1, index + 2);
  if (kind === 'drop') return events.toSpliced(index, 1);
  if (kind === 'double') return events.toSpliced(index, 1, ...one, ...one);
  return events.toSpliced(index, 2, ...next, ...one);
}

/** A driver never gives the same number twice. */
function withoutTwins(events: readonly SessionEvent[]): SessionEvent[] {
  const seen = new Set<number>();
  return events.filter((event) => {
    if (event.kind !== 'request') return true;
    if (seen.has(event.exchange)) return false;
    seen.add(event.exchange);
    return true;
  });
}

function findAfterClose(commands: readonly SessionCommand[]): string | undefined {
  const at = commands.findIndex(({ kind }) => kind === 'close');
  return at >= 0 && at !== commands.length - 1 ? 'commands follow a close' : undefined;
}

/** After the session's end the store must not be left working for nobody. */
function findOpen(commands: readonly SessionCommand[], end: SessionEvent): string | undefined {
  if (end.kind !== 'stopped') return undefined;
  for (const exchange of exchangesOf(commands)) {
    const tale = tellExchange(commands, exchange);
    const isHeard = /^(?:end client|abandon client)/m.test(tale);
    if (!isHeard) return `#${exchange} hears nothing of the end`;
  }
  return undefined;
}

/** Who has given up hears no more, and nobody works for them. */
function findAfterCancel(
  before: readonly SessionCommand[],
  commands: readonly SessionCommand[],
  end: SessionEvent,
): string | undefined {
  if (end.kind !== 'cancelled' || end.from !== 'client') return undefined;
  // It had not begun: the number means nothing yet.
  if (!before.some((one) => one.kind === 'record' && isRequestOf(one.bytes, end.exchange))) {
    return undefined;
  }
  const after = commands.slice(before.length).filter((one) => isSaid(one));
  const late = after.find((one) => numberOf(one) === end.exchange);
  return late && `#${end.exchange}: ${late.kind} after the client gave up`;
}

/** The record of a request's head (exchange-record.ts). */
function isRequestOf(bytes: Buffer, exchange: number): boolean {
  return bytes[0] === 0x51 && bytes.readUInt32BE(1) === exchange;
}

interface Asked {
  readonly exchange: number;
  readonly operation: Operation;
}

function decidesOf(commands: readonly SessionCommand[]): Asked[] {
  return commands.flatMap((one) =>
    one.kind === 'decide' ? [{ exchange: one.exchange ?? 0, operation: one.operation }] : [],
  );
}

/** Those that came to something. */
function exchangesOf(commands: readonly SessionCommand[]): number[] {
  const numbers = commands.flatMap((one) => (isSaid(one) ? [numberOf(one) ?? 0] : []));
  return [...new Set(numbers)];
}

function isSaid({ kind }: SessionCommand): boolean {
  return ['ask', 'answer', 'body', 'end', 'abandon', 'decide'].includes(kind);
}

function numberOf(command: SessionCommand): number | undefined {
  return 'exchange' in command ? command.exchange : undefined;
}

function isToServer(command: SessionCommand): boolean {
  if (command.kind === 'ask') return true;
  return 'to' in command && command.to === 'server';
}

/** Operations are counted by session, so one that waits changes the numbers of none. */
function withoutIds(tale: string): string {
  return tale.replaceAll(/"id":\d+/g, '"id":0');
}

function check<T>(t: Test, name: string, inputs: fc.Arbitrary<T>, run: (input: T) => void): void {
  const seed = Number(process.env['WEIR_TEST_SEED'] ?? Date.now() % 0x7fff_ffff);
  const result = fc.check(fc.property(inputs, run), { numRuns: RUNS, seed });
  t.notOk(result.failed, `${name}, ${RUNS} runs, seed ${seed}`, {
    counterexample: result.counterexample,
    error: String(result.errorInstance),
  });
}
