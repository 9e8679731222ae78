/**
 * The same bytes to a real MariaDB, once directly and once through the session machine: the server's
 * packets must be the same ones, sequence ids included, with inspection off and on, for each set of
 * capabilities that changes the packets.
 */

import t from 'tap';
import type { Decision, Inspection, Operation } from '../../protocols/contract.ts';
import { mysql } from '../../protocols/mysql/index.ts';
import { mariadbMissing, type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import { CAPABILITY, frame, command, COM } from '../support/mysql-packets.ts';
import { connectMysql } from '../support/mysql-sign-in.ts';
import { type Pair, startPair } from '../support/pair.ts';
import { pause } from '../support/raw-client.ts';
import { sessionOptions } from '../support/transcript.ts';
import { largeScripts, type MysqlScript, mysqlScripts, query, SETUP } from './mysql-scripts.ts';

t.setTimeout(300_000);

/** Directly: silence of this length behind an answer ends a step. */
const QUIET_TIME = 12;
/** How long the bytes of a step may take at the most; a slow machine needs a while. */
const STEP_TIME_MAX = 30_000;
/** The last answer of each script has it, so that no run ends too early. */
const MARK = 'the script is over';

const INSPECTIONS: readonly { readonly name: string; readonly inspection: Inspection }[] = [
  { name: 'inspection off', inspection: { statements: false, results: false } },
  { name: 'statements inspected', inspection: { statements: true, results: false } },
  { name: 'all inspected', inspection: { statements: true, results: true } },
];

const VARIANTS: readonly { readonly name: string; readonly capabilities: number }[] = [
  { name: 'EOF packets', capabilities: 0 },
  { name: 'DEPRECATE_EOF', capabilities: CAPABILITY.deprecateEof },
  { name: 'SESSION_TRACK', capabilities: CAPABILITY.sessionTrack },
  { name: 'both', capabilities: CAPABILITY.deprecateEof | CAPABILITY.sessionTrack },
];

function allowAll(inspection: Inspection): (operation: Operation) => Decision {
  return (operation) => {
    if (operation.kind === 'sign-in') return { kind: 'allow', inspection };
    if (operation.kind === 'statement') return { kind: 'allow', isSensitive: false };
    // A plan that changes nothing: each row is still taken apart and put together again.
    if (operation.kind === 'result')
      return { kind: 'allow', plan: operation.columns.map(() => (value: Buffer) => value) };
    return { kind: 'allow' };
  };
}

interface Answers {
  /** How many bytes had come after each step. */
  readonly counts: readonly number[];
  readonly bytes: Buffer;
  readonly isEnded: boolean;
}

/** What came back. `direct` undefined: for each step whatever comes until it is quiet. */
async function runScript(
  port: number,
  script: MysqlScript,
  capabilities: number,
  direct?: Answers,
): Promise<Answers> {
  const client = await connectMysql({
    port,
    user: 'root',
    password: 'root-secret',
    database: 'script',
    capabilities: capabilities | (script.capabilities ?? 0),
  });
  client.socket.on('end', () => void (isEnded = true));
  let isEnded = false;
  let count = 0;
  let last = Date.now();
  client.socket.on('data', (chunk: Buffer) => {
    count += chunk.length;
    last = Date.now();
  });
  const counts: number[] = [];
  const steps = script.ends === true ? script.steps : [...script.steps, query(`select '${MARK}'`)];
  for (const [index, step] of steps.entries()) {
    const start = count;
    client.socket.write(step);
    const wanted = direct?.counts[index];
    const isLast = index === steps.length - 1;
    const isMarked = (): boolean =>
      Buffer.concat(client.bytes.slice(-3)).includes(Buffer.from(MARK, 'latin1')) || isEnded;
    await waitFor(() => {
      if (wanted !== undefined) return count >= wanted || isEnded;
      if (count === start && !isEnded) return false;
      return Date.now() - last > QUIET_TIME && (!isLast || isMarked());
    });
    counts.push(count);
  }
  if (direct === undefined ? script.ends === true : direct.isEnded) await waitFor(() => isEnded);
  // What comes too much comes here.
  else await pause(5);
  client.close();
  return { counts, bytes: Buffer.concat(client.bytes), isEnded };
}

async function waitFor(isThere: () => boolean): Promise<void> {
  const end = Date.now() + STEP_TIME_MAX;
  while (!isThere() && Date.now() < end) await pause(1);
}

/** One line a packet, the sequence id in front; long ones by their beginning and size. */
function packetsOf(bytes: Buffer): string[] {
  const packets: string[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = bytes.readUIntLE(at, 3);
    const payload = bytes.subarray(at + 4, at + 4 + size);
    const shown = payload.subarray(0, 200).toString('latin1');
    packets.push(`${bytes[at + 3]} ${size} ${shown}`);
    at += 4 + size;
  }
  return packets;
}

async function openPair(upstreamPort: number, inspection: Inspection): Promise<Pair> {
  return startPair({
    protocol: mysql,
    upstreamPort,
    sessionOptions: () => ({
      ...sessionOptions({ statementSizeMax: 2 ** 26, rowSizeMax: 2 ** 26 }),
      localInfile: true,
    }),
    decide: allowAll(inspection),
  });
}

async function setUp(server: MariadbServer): Promise<void> {
  const client = await connectMysql({ port: server.port, user: 'root', password: 'root-secret' });
  for (const sql of SETUP) {
    const [result] = await client.query(sql);
    if (result?.end.kind === 'error') throw new Error(`${sql}: ${result.end.message}`);
  }
  client.send(frame(command(COM.quit)));
  client.close();
}

t.test('MariaDB', { skip: mariadbMissing() ?? false }, async (t) => {
  const server = await startMariadb({
    args: [
      '--local-infile=1',
      '--max-allowed-packet=64M',
      // A cached thread goes on with the statement ids of the connection before.
      '--thread-cache-size=0',
      // A status bit tells of slow queries.
      '--long-query-time=1000',
    ],
  });
  t.teardown(() => server.stop());
  await setUp(server);
  for (const variant of VARIANTS) {
    const scripts = variant.name === 'both' ? [...mysqlScripts, ...largeScripts] : mysqlScripts;
    for (const script of scripts) {
      const direct = await runScript(server.port, script, variant.capabilities);
      const name = `${script.name}, ${variant.name}`;
      t.ok(direct.bytes.length > 0, `${name}: the server answered`);
      for (const { name: how, inspection } of INSPECTIONS) {
        if (script.isRefused === true && inspection.statements) continue;
        const pair = await openPair(server.port, inspection);
        const through = await runScript(pair.port, script, variant.capabilities, direct);
        await pair.close();
        t.same(packetsOf(through.bytes), packetsOf(direct.bytes), `${name}, ${how}`);
        t.ok(through.bytes.equals(direct.bytes), `${name}, ${how}: to the byte`);
        t.equal(through.isEnded, direct.isEnded, `${name}, ${how}: ended or not`);
        t.same(pair.errors, [], `${name}, ${how}: no fault`);
      }
    }
  }
});
