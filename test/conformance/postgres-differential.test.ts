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
import { debianPostgres15Missing, embeddedPostgresMissing } from '../support/servers.ts';
import { sessionOptions } from '../support/transcript.ts';
import { differentialScripts, type Script } from './postgres-scripts.ts';

const PORTS = { 15: 27_811, 18: 27_812 } as const;
/** Direct: silence of this length ends a step. */
const QUIET_TIME = 40;
/** Through the session: how long the bytes of a step may take. */
const STEP_TIME_MAX = 3_000;

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
    if (operation.kind === 'result') return { kind: 'allow', plan: operation.columns.map(() => undefined) };
    return { kind: 'allow' };
  };
}

/** What came back for each step. `sizes` undefined: whatever comes until it is quiet. */
async function runScript(port: number, script: Script, sizes: readonly number[] | undefined): Promise<Buffer[]> {
  const socket = await openSocket(port);
  socket.setNoDelay(true);
  let got: Buffer[] = [];
  let last = Date.now();
  socket.on('data', (chunk: Buffer) => {
    got.push(chunk);
    last = Date.now();
  });
  socket.on('error', () => undefined); // a reset is one way to be closed
  const answers: Buffer[] = [];
  for (const [index, step] of script.steps.entries()) {
    got = [];
    last = Date.now();
    socket.write(step);
    const end = Date.now() + STEP_TIME_MAX;
    const size = sizes?.[index];
    const isThere = (): boolean =>
      size === undefined ? Date.now() - last > (script.quiet ?? QUIET_TIME) : Buffer.concat(got).length >= size;
    while (!isThere() && Date.now() < end) await pause(2);
    answers.push(Buffer.concat(got));
  }
  // What comes too much comes here.
  got = [];
  await pause(5);
  answers.push(Buffer.concat([...got, Buffer.from(socket.readableEnded ? 'the end' : 'open')]));
  socket.destroy();
  return answers;
}

/** Process ids and keys are of one connection: BackendKeyData's body, NotificationResponse's first word. */
function withoutIds(bytes: Buffer): string {
  const copy = Buffer.from(bytes);
  for (let at = 0; at + 5 <= copy.length; ) {
    const size = copy.readInt32BE(at + 1) + 1;
    const tag = copy.toString('latin1', at, at + 1);
    if (size < 5) break;
    if (tag === 'K') copy.fill(0, at + 5, at + size);
    if (tag === 'A') copy.fill(0, at + 5, at + 9);
    at += size;
  }
  return copy.toString('latin1');
}

for (const version of [18, 15] as const) {
  const missing = version === 15 ? debianPostgres15Missing() : embeddedPostgresMissing();
  t.test(`PostgreSQL ${version}`, { skip: missing }, async (t) => {
    const server = await startLab(t, version, PORTS[version]);
    for (const script of differentialScripts) {
      const direct = await runScript(server.port, script, undefined);
      for (const { name, inspection } of INSPECTIONS) {
        const pair = await startPair({
          protocol: postgres,
          upstreamPort: server.port,
          sessionOptions: () => sessionOptions(),
          decide: allowAll(inspection),
        });
        const sizes = direct.map(({ length }) => length);
        const through = await runScript(pair.port, script, sizes);
        await pair.close();
        t.same(through.map(withoutIds), direct.map(withoutIds), `${script.name}, ${name}`);
        t.same(pair.errors, [], `${script.name}, ${name}: no fault`);
      }
    }
  });
}
