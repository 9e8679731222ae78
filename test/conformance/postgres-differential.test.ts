/**
 * The same bytes to a real server, once directly and once through the session machine: the server's
 * bytes must be the same ones (process ids and keys apart), with inspection off and on.
 */

import t from 'tap';
import type { Decision, Inspection, Operation } from '../../protocols/contract.ts';
import { postgres } from '../../protocols/postgres/index.ts';
import { startPair } from '../support/pair.ts';
import { startLab } from '../support/postgres-lab.ts';
import { openSocket, pause } from '../support/raw-client.ts';
import { MessageReader } from '../support/raw-postgres.ts';
import { debianPostgres15Missing, embeddedPostgresMissing } from '../support/servers.ts';
import { sessionOptions } from '../support/transcript.ts';
import { differentialScripts } from './postgres-scripts.ts';
import type { Script } from './script.ts';

t.setTimeout(460_000);

const PORTS = { 15: 27_811, 18: 27_812 } as const;
/**
 * Direct: silence of this length behind an answer ends a step; without any answer it takes longer. On
 * a busy machine a server may be silent in the middle of an answer, so a difference is looked at once
 * more with far more patience before it counts.
 */
const PATIENCE = [
  { quietTime: 25, silenceTime: 150 },
  { quietTime: 1_500, silenceTime: 3_000 },
] as const;
type Patience = (typeof PATIENCE)[number];
/** Through the session: how long the bytes of a step may take. */
const STEP_TIME_MAX = 20_000;

const INSPECTIONS: readonly { readonly name: string; readonly inspection: Inspection }[] = [
  { name: 'inspection off', inspection: { statements: false, results: false } },
  { name: 'statements inspected', inspection: { statements: true, results: false } },
  { name: 'all inspected', inspection: { statements: true, results: true } },
];

function allowAll(inspection: Inspection): (operation: Operation) => Decision {
  return (operation) => {
    if (operation.kind === 'sign-in') return { kind: 'allow', inspection };
    if (operation.kind === 'statement') return { kind: 'allow', isSensitive: false };
    // A plan that changes nothing: each row is still taken apart and put together again.
    if (operation.kind === 'result')
      return { kind: 'allow', plan: operation.columns.map(() => undefined) };
    return { kind: 'allow' };
  };
}

interface Answers {
  /** How many messages had come after each step. */
  readonly counts: readonly number[];
  readonly bytes: Buffer;
  readonly isEnded: boolean;
}

/** What came back: in as many messages as `pace` says, or for each step whatever comes until it is quiet. */
async function runScript(port: number, script: Script, pace: Answers | Patience): Promise<Answers> {
  const direct = 'counts' in pace ? pace : undefined;
  const { quietTime, silenceTime } = 'counts' in pace ? PATIENCE[0] : pace;
  const socket = await openSocket(port);
  socket.setNoDelay(true);
  const got: Buffer[] = [];
  const reader = new MessageReader();
  let count = 0;
  let last = Date.now();
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk);
    count += reader.push(chunk).length;
    last = Date.now();
  });
  socket.on('error', () => undefined); // a reset is one way to be closed
  const counts: number[] = [];
  for (const [index, step] of script.steps.entries()) {
    last = Date.now();
    socket.write(step);
    const wanted = direct?.counts[index];
    const start = count;
    const isThere = (): boolean =>
      wanted === undefined
        ? Date.now() - last > (count > start ? quietTime : silenceTime)
        : count >= wanted;
    await waitFor(isThere, STEP_TIME_MAX);
    counts.push(count);
  }
  if (direct?.isEnded === true) await waitFor(() => socket.readableEnded, STEP_TIME_MAX);
  // What comes too much comes here.
  else if (direct !== undefined) await pause(5);
  socket.destroy();
  return { counts, bytes: Buffer.concat(got), isEnded: socket.readableEnded };
}

async function waitFor(isThere: () => boolean, timeMax: number): Promise<void> {
  const end = Date.now() + timeMax;
  while (!isThere() && Date.now() < end) await pause(2);
}

/**
 * Without what is of one connection (process ids and keys) and without the place in the server's source
 * that an error names: for an Execute of nothing that is the Describe that was put before it.
 */
function normalize(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const size = Math.max(bytes.readInt32BE(at + 1) + 1, 5);
    const tag = bytes.toString('latin1', at, at + 1);
    const body = bytes.toString('latin1', at + 5, at + size);
    if (tag === 'K') messages.push(`K of ${size}`);
    else if (tag === 'A') messages.push(`A ${body.slice(4)}`);
    else if (tag === 'E') messages.push(`E ${body.replaceAll(/\0[FLR][^\0]*/g, '')}`);
    else messages.push(`${tag} ${body}`);
    at += size;
  }
  return messages;
}

interface Run {
  readonly direct: Answers;
  readonly through: Answers;
  readonly errors: readonly unknown[];
}

async function runThrough(
  port: number,
  script: Script,
  { inspection, direct }: { readonly inspection: Inspection; readonly direct: Answers },
): Promise<Run> {
  const pair = await startPair({
    protocol: postgres,
    upstreamPort: port,
    sessionOptions: () => sessionOptions(),
    decide: allowAll(inspection),
  });
  const through = await runScript(pair.port, script, direct);
  await pair.close();
  return { direct, through, errors: pair.errors };
}

function isAlike({ direct, through }: Run): boolean {
  const [one, other] = [normalize(direct.bytes), normalize(through.bytes)];
  return direct.isEnded === through.isEnded && one.join('\n') === other.join('\n');
}

for (const version of [18, 15] as const) {
  const missing = version === 15 ? debianPostgres15Missing() : embeddedPostgresMissing();
  t.test(`PostgreSQL ${version}`, { skip: missing }, async (t) => {
    const { port } = await startLab(t, version, PORTS[version]);
    for (const script of differentialScripts) {
      if (version === 15 && script.isLong === true) continue;
      const direct = await runScript(port, script, PATIENCE[0]);
      t.ok(direct.bytes.length > 0, `${script.name}: the server answered`);
      for (const { name, inspection } of INSPECTIONS) {
        // Payloads of notifications are data (GW-11): with all inspected they are redacted.
        if (inspection.results && script.hasPayloads === true) continue;
        if (inspection.statements && script.isRefused === true) continue;
        let run = await runThrough(port, script, { inspection, direct });
        if (!isAlike(run)) {
          const again = await runScript(port, script, PATIENCE[1]);
          run = await runThrough(port, script, { inspection, direct: again });
        }
        const { through, errors } = run;
        t.same(normalize(through.bytes), normalize(run.direct.bytes), `${script.name}, ${name}`);
        t.equal(through.isEnded, run.direct.isEnded, `${script.name}, ${name}: ended or not`);
        t.same(errors, [], `${script.name}, ${name}: no fault`);
      }
    }
  });
}
