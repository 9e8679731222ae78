/**
 * What every protocol must do, whatever it speaks: run over each one's transcripts, with no test code of
 * its own. Two transcripts have fixed names and end with what their name says: `unknown-message` and
 * `length-over-limit`.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Test } from 'tap';
import type {
  Decision,
  Operation,
  Protocol,
  SessionEvent,
  Side,
} from '../../protocols/contract.ts';
import { ProtocolError } from '../../protocols/errors.ts';
import {
  cut,
  type Decide,
  decisionsOf,
  handleAll,
  hasClosed,
  playEvents,
  replay,
  sentTo,
  summarize,
  withoutDecisions,
} from '../support/play.ts';
import { readTranscript, type Transcript } from '../support/transcript.ts';
import { mutate, mutation } from './mutations.ts';

const RUNS = Number(process.env['WEIR_TEST_RUNS'] ?? 25);
/** A run that gives more bytes than this for each byte that it got makes memory of nothing. */
const GROWTH_MAX = 20;
/** What refusals and the gateway's own messages may add, bytes. */
const GROWTH_FREE = 64 * 1024;
/** How much of a held client may come before the session ends; the transcripts' limit is 1 MiB. */
const HELD_SIZE_MAX = 4 * 1024 * 1024;

export interface NamedTranscript {
  readonly name: string;
  readonly transcript: Transcript;
}

export function transcriptsOf(protocol: Protocol): NamedTranscript[] {
  const folder = join('test/fixtures/transcripts', protocol.name);
  const files = readdirSync(folder).filter((file) => file.endsWith('.transcript'));
  return files.toSorted().map((file) => ({
    name: file.replace(/\.transcript$/, ''),
    transcript: readTranscript(join(folder, file)),
  }));
}

/** Any cut of the bytes gives the same commands. */
export function testCuts(t: Test, protocol: Protocol, { name, transcript }: NamedTranscript): void {
  const events = withoutDecisions(transcript);
  const run = (cutter: (event: SessionEvent) => SessionEvent[]): string =>
    summarize(
      playEvents(
        protocol.createSession(fresh(transcript)),
        events.flatMap(cutter),
        decisionsOf(transcript),
      ),
    );
  const whole = run((event) => [event]);
  t.equal(
    run((event) => cut(event, everyOffset(event))),
    whole,
    `${name}: byte by byte`,
  );
  check(t, `${name}: random cuts`, fc.array(fc.nat({ max: 700 }), { maxLength: 12 }), (offsets) => {
    if (run((event) => cut(event, offsets)) !== whole) throw new Error('other commands');
  });
}

/** The same events give the same commands, however often. */
export function testReplay(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const commands = replay(protocol, { ...transcript, options: fresh(transcript) });
  const again = replay(protocol, { ...transcript, options: fresh(transcript) });
  t.same(again, commands, `${name}: twice the same`);
  t.ok(commands.length > 0, `${name}: there is something to compare`);
}

/** Nothing of a held operation reaches the other side before its decision, nor of what follows it. */
export function testHolds(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const decisions = decisionsOf(transcript);
  const held = operationsOf(protocol, transcript);
  for (const { operation, holds } of held) {
    const session = protocol.createSession(fresh(transcript));
    const decide: Decide = (asked) => (asked.id === operation.id ? undefined : decisions(asked));
    let isHeld = false;
    let leaked = 0;
    for (const event of withoutDecisions(transcript)) {
      // The other side may go on: it is not what waits.
      if (isHeld && event.kind === 'received' && event.from !== holds) continue;
      if (isHeld && event.kind !== 'received') break;
      const commands = handleAll(session, event, decide);
      const asked = commands.findIndex(
        (one) => one.kind === 'decide' && one.operation.id === operation.id,
      );
      if (isHeld) leaked += sentTo(otherSide(holds), commands).length;
      else if (asked >= 0) leaked += sentTo(otherSide(holds), commands.slice(asked)).length;
      isHeld ||= asked >= 0;
    }
    t.ok(isHeld, `${name}: #${operation.id} was asked for again`);
    t.equal(leaked, 0, `${name}: nothing passes while #${operation.id} ${operation.kind} waits`);
  }
}

/** A refusal leaves a session that goes on without a fault, or that has closed; the text stays here. */
export function testRefusals(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const decisions = decisionsOf(transcript);
  const block: Decision = { kind: 'block', rule: 'conformance', code: '42501', reason: 'refused' };
  for (const { operation } of operationsOf(protocol, transcript)) {
    const session = protocol.createSession(fresh(transcript));
    const decide: Decide = (asked) => (asked.id === operation.id ? block : decisions(asked));
    const commands = playEvents(session, withoutDecisions(transcript), decide);
    const answered = commands.findIndex(
      (one) => one.kind === 'decide' && one.operation.id === operation.id,
    );
    const after = commands.slice(answered);
    const says = after.some((one) => one.kind === 'send' || one.kind === 'close');
    t.ok(says, `${name}: the refusal of #${operation.id} ${operation.kind} does something`);
    if (operation.kind !== 'statement' || operation.text.trim().length < 8) continue;
    const isSentLater = commands.some(
      (one) =>
        one.kind === 'decide' &&
        one.operation.kind === 'statement' &&
        one.operation.id > operation.id &&
        one.operation.text.includes(operation.text),
    );
    if (!isSentLater)
      t.notOk(
        sentTo('server', after).includes(operation.text),
        `${name}: "${operation.text}" stays here`,
      );
  }
}

/** Hostile bytes give commands, never a fault of ours, and not much more than came in. */
export function testMutations(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const events = withoutDecisions(transcript);
  const decisions = decisionsOf(transcript);
  // Changed bytes ask for other things than the transcript decided.
  const decide: Decide = (operation) => fitting(operation, decisions(operation));
  check(
    t,
    `${name}: mutations`,
    fc.array(mutation, { minLength: 1, maxLength: 4 }),
    (mutations) => {
      const changed = mutations.reduce(mutate, events);
      const commands = survive(() =>
        playEvents(protocol.createSession(fresh(transcript)), changed, decide),
      );
      const gotSize = changed.reduce(
        (size, one) => size + (one.kind === 'received' ? one.bytes.length : 0),
        0,
      );
      const gave = commands.reduce(
        (size, one) => size + ('bytes' in one ? one.bytes.length : 0),
        0,
      );
      if (gave > gotSize * GROWTH_MAX + GROWTH_FREE)
        throw new Error(`${gave} bytes for ${gotSize}`);
      const closeAt = commands.findIndex(({ kind }) => kind === 'close');
      if (closeAt >= 0 && closeAt !== commands.length - 1)
        throw new Error('commands follow a close');
    },
  );
}

/** Strangers: any bytes at all, from the first one on. */
export function testStrangers(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 64 }), { maxLength: 6 });
  check(t, `${name}: random first bytes`, chunks, (all) => {
    const session = protocol.createSession(fresh(transcript));
    const events = all.map(
      (bytes): SessionEvent => ({ kind: 'received', from: 'client', bytes: Buffer.from(bytes) }),
    );
    survive(() =>
      playEvents(session, [{ kind: 'opened', side: 'client' }, ...events], (operation) =>
        fitting(operation, undefined),
      ),
    );
  });
}

/** Events in any order, twice or never: what a driver may do in the worst case with sides that end. */
export function testEnds(t: Test, protocol: Protocol, { name, transcript }: NamedTranscript): void {
  const ends: SessionEvent[] = [
    { kind: 'closed', side: 'client' },
    { kind: 'closed', side: 'server' },
    { kind: 'closed', side: 'client', reason: 'reset' },
    { kind: 'stopped', code: '57P01', reason: 'shutting down' },
    { kind: 'woke', alarm: 'sign-in' },
  ];
  const where = fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: ends.length - 1 })), {
    minLength: 1,
    maxLength: 3,
  });
  check(t, `${name}: ends anywhere`, where, (places) => {
    const events = [...withoutDecisions(transcript)];
    for (const [at, which] of places)
      events.splice(at % (events.length + 1), 0, ends[which] ?? { kind: 'closed', side: 'client' });
    playEvents(protocol.createSession(fresh(transcript)), events, decisionsOf(transcript));
  });
}

/** What a client sends while it is held is kept up to a limit; then the session ends. */
export function testHeldSize(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const first = operationsOf(protocol, transcript).find(
    ({ operation }) => operation.kind === 'statement',
  );
  if (first === undefined) return;
  const session = protocol.createSession(fresh(transcript));
  const decisions = decisionsOf(transcript);
  const decide: Decide = (asked) =>
    asked.id === first.operation.id ? undefined : decisions(asked);
  let events = withoutDecisions(transcript);
  let isHeld = false;
  for (const event of events) {
    isHeld = handleAll(session, event, decide).some(
      (one) => one.kind === 'decide' && one.operation.id === first.operation.id,
    );
    if (isHeld) break;
  }
  t.ok(isHeld, `${name}: a statement waits`);
  events = [{ kind: 'received', from: 'client', bytes: Buffer.alloc(64 * 1024, 0x51) }];
  let size = 0;
  let isClosed = false;
  for (; size < HELD_SIZE_MAX && !isClosed; size += 64 * 1024)
    isClosed = hasClosed(playEvents(session, events));
  t.ok(isClosed, `${name}: closed after ${size} held bytes`);
}

/** The last chunk of the client is a message that nobody knows, or too long a one: it ends the session. */
export function testFatalChunk(
  t: Test,
  protocol: Protocol,
  { name, transcript }: NamedTranscript,
): void {
  const events = withoutDecisions(transcript);
  const at = events.findLastIndex((event) => event.kind === 'received' && event.from === 'client');
  const last = events[at];
  if (last?.kind !== 'received') throw new Error(`${name} has no chunk of the client`);
  const session = protocol.createSession(fresh(transcript));
  playEvents(session, events.slice(0, at), decisionsOf(transcript));
  let taken = 0;
  let sent = 0;
  let isClosed = false;
  for (const event of cut(last, everyOffset(last))) {
    const commands = handleAll(session, event, () => ({ kind: 'allow' }));
    taken += 1;
    sent += sentTo('server', commands).length;
    isClosed = hasClosed(commands);
    if (isClosed) break;
  }
  t.ok(isClosed, `${name}: closed after ${taken} of ${last.bytes.length} bytes`);
  t.equal(sent, 0, `${name}: nothing of it reached the server`);
  t.ok(taken < last.bytes.length, `${name}: refused before it was whole`);
  t.same(session.handle({ ...last }), [], `${name}: a closed session says nothing more`);
}

interface Asked {
  readonly operation: Operation;
  readonly holds: Side;
}

function operationsOf(protocol: Protocol, transcript: Transcript): Asked[] {
  const commands = replay(protocol, { ...transcript, options: fresh(transcript) });
  return commands.flatMap((one) => (one.kind === 'decide' ? [one] : []));
}

/** Options with a random source at its beginning. */
function fresh(transcript: Transcript): Transcript['options'] {
  return { ...transcript.options, random: transcript.newRandom() };
}

function everyOffset(event: SessionEvent): number[] {
  return event.kind === 'received' ? [...event.bytes.keys()] : [];
}

function otherSide(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}

/** A decision of the right sort for the operation, the written one where that is possible. */
function fitting(operation: Operation, written: Decision | undefined): Decision {
  if (written?.kind === 'prove') return operation.kind === 'sign-in' ? written : { kind: 'allow' };
  if (written?.kind === 'block') return written;
  const { plan, ...rest } = written ?? { kind: 'allow' };
  if (operation.kind !== 'result') return rest;
  const masks = operation.columns.map((_, index) => plan?.[index]);
  return { ...rest, plan: masks };
}

/** ProtocolError is the one error that a session may throw. */
function survive(run: () => ReturnType<typeof playEvents>): ReturnType<typeof playEvents> {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return [];
  }
}

/** One property; a failure shows its seed and the smallest input that was found. */
function check<T>(t: Test, name: string, inputs: fc.Arbitrary<T>, run: (input: T) => void): void {
  const seed = Number(process.env['WEIR_TEST_SEED'] ?? Date.now() % 0x7fff_ffff);
  const result = fc.check(fc.property(inputs, run), { numRuns: RUNS, seed });
  t.notOk(result.failed, `${name}, ${RUNS} runs, seed ${seed}`, {
    counterexample: result.counterexample,
    error: String(result.errorInstance),
  });
}
