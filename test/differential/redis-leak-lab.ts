/**
 * What an attempt of Redis' leak suite is, and how one is made: commands of alice, direct and through the
 * gateway, on the same records each time. Everything that must not come out has the mark ZEBRA in it.
 */

import { encodeRequest } from '../../protocols/wire/resp-request.ts';
import type { RawRedis, RedisKind } from '../support/redis-server.ts';
import type { SuiteContext } from './harness.ts';
import { openRaw, openRedisLab, type RedisLab, type RedisWay } from './redis-lab.ts';

/** One command, or some in one write. `NUMBER` is the last number of the answer before. */
export type Step = string | readonly string[];

export interface Attempt {
  readonly steps: readonly Step[];
  /** What must not come out, where it is not the mark. */
  readonly secret?: RegExp;
  /** The answer itself tells: it must be refused, and is none direct. */
  readonly isOracle?: boolean;
  /** What it needs of the protocol; undefined: tried in both. */
  readonly version?: 2 | 3;
}

export interface LeakRound {
  readonly name: string;
  readonly kind: RedisKind;
  readonly policy: string;
  readonly setup: readonly string[];
  readonly attempts: readonly (Attempt | string)[];
  /** What alice does every day: as direct, but for what is masked; never refused. */
  readonly everyday: readonly string[];
}

const MARK = /zebra/i;
const SHOWN_SIZE_MAX = 400;

/** Blanks split; "..." keeps them; \\xNN is a byte. */
export function wordsOf(line: string): Buffer[] {
  const words = line.match(/"[^"]*"|\S+/g) ?? [];
  return words.map((word) => {
    const bare = word.startsWith('"') ? word.slice(1, -1) : word;
    const bytes = bare.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(bytes, 'latin1');
  });
}

async function runSteps(way: RedisWay, { steps }: Attempt, version: 2 | 3): Promise<string[]> {
  const client = await openRaw(way, version);
  const replies: string[] = [];
  try {
    for (const step of steps) {
      const lines = typeof step === 'string' ? [step] : step;
      const numbers = [...(replies.at(-1) ?? '').matchAll(/[:\n](\d+)\r\n/g)];
      const number = numbers.at(-1)?.[1] ?? '1';
      const commands = lines.map((line) => wordsOf(line.replaceAll('NUMBER', number)));
      client.socket.write(Buffer.concat(commands.map((words) => encodeRequest(words))));
      for (const _ of lines) replies.push((await client.next()).toString('latin1'));
    }
  } finally {
    client.close();
  }
  return replies;
}

async function fill(direct: RawRedis, setup: readonly string[]): Promise<void> {
  const lines = ['FLUSHALL', ...setup];
  direct.socket.write(Buffer.concat(lines.map((line) => encodeRequest(wordsOf(line)))));
  for (const line of lines) {
    const reply = (await direct.next()).toString('latin1');
    if (reply.startsWith('-')) throw new Error(`${line}: ${reply}`);
  }
}

function isRefusal(reply: string | undefined): boolean {
  return /^-(?:NOPERM|EXECABORT)/.test(reply ?? '');
}

interface Round {
  readonly lab: RedisLab;
  readonly direct: RawRedis;
  readonly setup: readonly string[];
}

async function tryAttempt(
  { lab, direct, setup }: Round,
  attempt: Attempt,
  version: 2 | 3,
): Promise<void> {
  const { secret = MARK, isOracle = false } = attempt;
  await fill(direct, setup);
  const shown = await runSteps(lab.direct, attempt, version);
  const isProven = isOracle
    ? shown.at(-1)?.startsWith('-') !== true
    : shown.some((reply) => secret.test(reply));
  if (!isProven) throw new Error(`it proves nothing, direct gives ${shorten(shown)}`);
  await fill(direct, setup);
  const replies = await runSteps(lab.through('alice'), attempt, version);
  const leaks = isOracle
    ? !isRefusal(replies.at(-1))
    : replies.some((reply) => secret.test(reply) && !isRefusal(reply));
  if (leaks) throw new Error(`a leak: ${shorten(replies)}`);
}

function shorten(replies: readonly string[]): string {
  return JSON.stringify(replies).slice(0, SHOWN_SIZE_MAX);
}

async function tryEveryday({ lab, direct, setup }: Round, line: string): Promise<void> {
  for (const version of [2, 3] as const) {
    await fill(direct, setup);
    const [reply = ''] = await runSteps(lab.through('alice'), { steps: [line] }, version);
    if (reply.startsWith('-')) throw new Error(`RESP${version}: ${reply}`);
    if (MARK.test(reply)) throw new Error(`RESP${version}: a leak: ${shorten([reply])}`);
  }
}

/** Reconfigured for each round: a gateway and a server of its own. */
export async function runLeakRound(context: SuiteContext, round: LeakRound): Promise<void> {
  const lab = await openRedisLab(context, round.kind, round.policy);
  const direct = await openRaw(lab.direct);
  const parts: Round = { lab, direct, setup: round.setup };
  for (const one of round.attempts) {
    const attempt: Attempt = typeof one === 'string' ? { steps: [one] } : one;
    const versions = attempt.version === undefined ? ([2, 3] as const) : [attempt.version];
    for (const version of versions) {
      const name = attempt.steps.map((step) =>
        typeof step === 'string' ? step : step.join(' + '),
      );
      await context.check(`${round.name}, RESP${version}: ${name.join('; ')}`, async () =>
        tryAttempt(parts, attempt, version),
      );
    }
  }
  for (const line of round.everyday) {
    await context.check(`${round.name}, every day: ${line}`, async () => tryEveryday(parts, line));
  }
  direct.close();
}
