/** The outside world fails: the server is killed, the gateway is killed, the disk is full, a side is half closed. */

import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listRecordings } from '../../lib/recording/library.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import {
  type GatewayOptions,
  makeTemporary,
  type RunningTarget,
  startGatewayProcess,
  targetKind,
} from '../support/gateway-process.ts';
import { connectRaw, openSocket, pause, type RawClient, RawEnd } from '../support/raw-client.ts';
import {
  decodeFields,
  printMessage,
  PROTOCOL_3_2,
  query,
  cancelRequest,
} from '../support/raw-postgres.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../support/servers.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import {
  checkOthersGoOn,
  type HostileLab,
  SIGN_IN_TIME_MAX,
  signIn,
  waitForWork,
} from './hostile-lab.ts';
import { ALICE, APP, DATABASE, type Way } from './lab.ts';

const run = promisify(execFile);

/** Codes of the errors that came, then how the connection ended. */
async function readEnd(client: RawClient): Promise<string> {
  const seen: string[] = [];
  try {
    for (;;) {
      const one = await client.next(20_000);
      if (one.type === 'E') {
        const { V, C } = decodeFields(one.body);
        seen.push(`${V} ${C}`);
      } else if (one.type === 'Z') seen.push('Z');
    }
  } catch (error) {
    client.close();
    return [...seen, error instanceof RawEnd ? error.message : String(error)].join(', ');
  }
}

async function checkServer(context: SuiteContext, lab: HostileLab): Promise<void> {
  for (const [name, isBusy] of [
    ['in the middle of a statement', true],
    ['while idle', false],
  ] as const) {
    await context.check(
      `a session ended by the server ${name} hears why, then the end (PG-48)`,
      async () => {
        const texts: string[] = [];
        for (const way of [lab.direct, lab.through]) {
          const client = await signIn(way, { application_name: 'to be ended' });
          if (isBusy) {
            client.send(query('SELECT pg_sleep(30)'));
            await waitForWork(lab, 'SELECT pg_sleep(30)');
          }
          await lab.admin(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be ended'",
          );
          texts.push(await readEnd(client));
        }
        assertSameText(texts[1] ?? '', texts[0] ?? '', 'the end');
        await checkOthersGoOn(lab);
      },
    );
  }
  await context.check(
    'a client that closes its writing half still gets its answer (GW-14)',
    async () => {
      const texts: string[] = [];
      for (const way of [lab.direct, lab.through]) {
        const client = await signIn(way);
        client.send(query("SELECT pg_sleep(0.05), 'answer'"));
        client.socket.end();
        const seen: string[] = [];
        const end = await (async () => {
          for (;;) seen.push(printMessage(await client.next(20_000)));
        })().catch((error: unknown) => String(error));
        client.close();
        texts.push([...seen, end].join('\n'));
      }
      assertSameText(texts[1] ?? '', texts[0] ?? '', 'what came after the half close');
    },
  );
}

/** A gateway of its own for a fault that it does not survive. */
async function startVictim(
  context: SuiteContext,
  lab: HostileLab,
  options: Partial<GatewayOptions>,
): Promise<[RunningTarget, Way]> {
  const target = await startGatewayProcess(context, {
    upstreamPort: lab.direct.port,
    upstream: APP,
    users: [ALICE],
    ...options,
  });
  return [target, { name: 'through', port: target.port, ...ALICE }];
}

/** All client bytes of all recordings, and how each of them ends. */
async function readRecordings(dataDir: string): Promise<{ text: string; states: string[] }> {
  const parts: string[] = [];
  const states: string[] = [];
  for (const { path } of await listRecordings(dataDir)) {
    const recording = await openRecording(path);
    for await (const event of recording.events()) {
      if (event.kind === 'wire' && event.from === 'client')
        parts.push(event.bytes.toString('latin1'));
      if (event.kind === 'finish') states.push(event.state);
    }
  }
  return { text: parts.join(''), states };
}

async function checkKilled(context: SuiteContext, lab: HostileLab): Promise<void> {
  for (const durability of ['strict', 'synced'] as const) {
    await context.check(
      `kill -9 of the gateway loses no acknowledged statement, ${durability}`,
      async () => {
        const [target, way] = await startVictim(context, lab, { durability });
        const acknowledged: string[] = [];
        const state = { isKilled: false };
        const work = async (name: string): Promise<void> => {
          const client = await signIn(way);
          for (let number = 0; !state.isKilled; number += 1) {
            const mark = `mark-${name}-${number}-`;
            const answer = await client.query(`SELECT '${mark}'`).catch(() => undefined);
            if (answer === undefined) return;
            acknowledged.push(mark);
          }
        };
        const workers = ['a', 'b', 'c', 'd'].map(work);
        for (let waited = 0; acknowledged.length < 200 && waited < 60_000; waited += 50)
          await pause(50);
        target.child.kill('SIGKILL');
        state.isKilled = true;
        await Promise.all(workers);
        const { text, states } = await readRecordings(target.dataDir);
        const lost = acknowledged.filter((mark) => !text.includes(mark));
        if (acknowledged.length < 50) throw new Error(`only ${acknowledged.length} statements ran`);
        if (lost.length > 0)
          throw new Error(`${lost.length} of ${acknowledged.length} lost, such as ${lost[0]}`);
        if (states.includes('damaged'))
          throw new Error(`states of the recordings: ${states.join()}`);
      },
    );
  }
  await context.check('kill -9 of the gateway leaves no session at the server', async () => {
    const [target, way] = await startVictim(context, lab, {});
    const client = await signIn(way, { application_name: 'orphan' });
    client.send(query('SELECT pg_sleep(0.1)'));
    target.child.kill('SIGKILL');
    const text =
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'orphan'";
    for (let tries = 0; tries < 400; tries += 1) {
      const [row] = await lab.admin(text);
      if (row?.['n'] === 0) return client.close();
      await pause(50);
    }
    throw new Error('it is still there');
  });
}

async function checkDisk(context: SuiteContext, lab: HostileLab): Promise<void> {
  const name = 'a full disk: sessions are refused, never unrecorded';
  const folder = await makeTemporary(context, 'weir-full-');
  const disk = join(folder, 'disk');
  await mkdir(disk);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]);
  } catch {
    return context.skip(name, 'a small file system cannot be mounted here');
  }
  context.teardown(async () => void (await run('umount', ['-l', disk])));
  await context.check(name, async () => {
    const [target, way] = await startVictim(context, lab, { durability: 'strict', dataDir: disk });
    const client = await signIn(way);
    const filler = join(disk, 'filler');
    await run('sh', ['-c', `dd if=/dev/zero of=${filler} bs=64k 2>/dev/null; true`]);
    let last = 'nothing';
    let ran = 0;
    for (; ran < 400 && last !== 'closed'; ran += 1) {
      last = await client.query(`SELECT '${'z'.repeat(4000)}', ${ran}`, 20_000).then(
        () => 'answered',
        () => 'closed',
      );
    }
    if (last !== 'closed') throw new Error(`${ran} statements of 4 kB went on with a full disk`);
    const refused = await signIn(way).then(
      () => 'signed in',
      (error: unknown) => String(error),
    );
    if (!/sign-in refused/.test(refused)) throw new Error(`a new session: ${refused}`);
    if (target.child.exitCode !== null) throw new Error(`the gateway died: ${target.readLog()}`);
    await rm(filler);
    const again = await signIn(way);
    const answer = await again.query("SELECT 'room again'");
    again.close();
    if (answer[1]?.type !== 'D') throw new Error('no answer once there was room');
  });
}

/** PG-8, PG-11: 32-byte keys exist with protocol 3.2 only, which takes PostgreSQL 18. */
async function checkLongKeys(context: SuiteContext): Promise<void> {
  const name = 'protocol 3.2: a 32-byte key cancels (PG-8, PG-12)';
  const missing = embeddedPostgresMissing();
  if (missing !== false) return context.skip(name, missing);
  await context.check(name, async () => {
    const server = await embeddedPostgres(context);
    const upstream = { user: 'postgres', password: server.password };
    const target = await startGatewayProcess(context, {
      upstreamPort: server.port,
      upstream,
      users: [ALICE],
    });
    for (const [version, size] of [
      [PROTOCOL_3_2, 32],
      [undefined, 4],
    ] as const) {
      const client = await connectRaw({
        port: target.port,
        ...ALICE,
        ...(version === undefined ? {} : { version }),
      });
      await client.until('Z');
      const key = client.key ?? Buffer.alloc(0);
      if (key.length !== size + 4)
        throw new Error(`key of ${key.length - 4} bytes, ${size} expected`);
      client.send(query('SELECT pg_sleep(30)'));
      const state = { isAnswered: false };
      const answering = client.until('Z', 1, 20_000).finally(() => (state.isAnswered = true));
      // Whoever awaits it below hears of a failure.
      answering.catch(() => undefined);
      // Again and again, because one that comes before the statement runs has nothing to cancel.
      while (!state.isAnswered) {
        await pause(200);
        const socket = await openSocket(target.port);
        socket.on('error', () => undefined);
        socket.end(cancelRequest(key));
      }
      const answer = await answering;
      client.close();
      if (!answer.some((one) => one.type === 'E')) throw new Error('not cancelled');
    }
    await server.stop();
  });
}

/** Last, because nothing works behind it. */
async function checkServerGone(context: SuiteContext, lab: HostileLab): Promise<void> {
  await context.check(
    'the server stops: sessions hear it, new ones get an error at once',
    async () => {
      const client = await signIn(lab.through);
      client.send(query('SELECT pg_sleep(30)'));
      await waitForWork(lab, 'SELECT pg_sleep(30)');
      await lab.server.stop();
      const end = await readEnd(client);
      if (!/57P0\d.*closed/.test(end)) throw new Error(`the session saw: ${end}`);
      const startedAt = Date.now();
      const refused = await connectRaw({ ...lab.through, database: DATABASE }).then(
        () => 'signed in',
        (error: unknown) => String(error),
      );
      if (Date.now() - startedAt > SIGN_IN_TIME_MAX) throw new Error('a new session waited long');
      if (refused === 'signed in') throw new Error(refused);
      if (lab.target.child.exitCode !== null)
        throw new Error(`the gateway died: ${lab.target.readLog()}`);
    },
  );
}

export async function checkFaults(context: SuiteContext, lab: HostileLab): Promise<void> {
  await checkServer(context, lab);
  if (targetKind() === 'gateway') {
    await checkKilled(context, lab);
    await checkDisk(context, lab);
    await checkLongKeys(context);
  }
  await checkServerGone(context, lab);
}
