/** The outside world fails: a session is killed, the server ends, the gateway is killed, a side is half closed. */

import { listRecordings } from '../../lib/recording/library.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import { type RunningTarget, targetKind } from '../support/gateway-process.ts';
import { printResults } from '../support/mysql-client.ts';
import { type MysqlGatewayOptions, startMysqlGateway } from '../support/mysql-gateway.ts';
import { COM, command } from '../support/mysql-packets.ts';
import { connectMysql, SignInRefused } from '../support/mysql-sign-in.ts';
import { pause } from '../support/raw-client.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import { ALICE, APP, DATABASE } from './lab.ts';
import {
  checkMysqlGoesOn,
  type MysqlHostileLab,
  readMysqlEnd,
  waitForMysqlWork,
} from './mysql-hostile-lab.ts';
import { connectLab, type MysqlWay } from './mysql-lab.ts';

async function checkSessions(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  for (const isBusy of [true, false]) {
    const name = isBusy ? 'in the middle of a statement' : 'while idle';
    await context.check(
      `a session killed ${name} ends as it does direct (GW-14, MY-17)`,
      async () => {
        const texts: string[] = [];
        for (const way of [lab.direct, lab.through]) {
          const client = await connectLab(way);
          if (isBusy) {
            client.send(command(COM.query, 'SELECT SLEEP(56)'));
            await waitForMysqlWork(lab, 'SELECT SLEEP(56)');
          }
          await lab.admin(`KILL CONNECTION ${client.greeting?.connectionId}`);
          texts.push(await readMysqlEnd(client));
        }
        assertSameText(texts[1] ?? '', texts[0] ?? '', 'the end');
        await checkMysqlGoesOn(lab);
      },
    );
  }
  await context.check('a client that closes its writing half (GW-14)', async () => {
    const texts: string[] = [];
    for (const way of [lab.direct, lab.through]) {
      const client = await connectLab(way);
      client.send(command(COM.query, "SELECT SLEEP(0.3), 'answer'"));
      client.socket.end();
      const results = await client.readResults().then(printResults, String);
      const isClosed = await client.ended();
      client.close();
      texts.push(`${results} ${isClosed}`);
    }
    assertSameText(texts[1] ?? '', texts[0] ?? '', 'what came after the half close');
  });
}

/** A gateway of its own for a fault that it does not survive. */
async function startVictim(
  context: SuiteContext,
  lab: MysqlHostileLab,
  options: Partial<MysqlGatewayOptions>,
): Promise<[RunningTarget, MysqlWay]> {
  const target = await startMysqlGateway(context, {
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
      if (event.kind === 'wire' && event.from === 'client') {
        parts.push(event.bytes.toString('latin1'));
      }
      if (event.kind === 'finish') states.push(event.state);
    }
  }
  return { text: parts.join(''), states };
}

async function checkKilled(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  for (const durability of ['strict', 'synced'] as const) {
    await context.check(
      `kill -9 of the gateway loses no acknowledged statement, ${durability}`,
      async () => {
        const [target, way] = await startVictim(context, lab, { durability });
        const acknowledged: string[] = [];
        const state = { isKilled: false };
        const work = async (name: string): Promise<void> => {
          const client = await connectLab(way);
          for (let number = 0; !state.isKilled; number += 1) {
            const mark = `mark-${name}-${number}-`;
            const answer = await client.query(`SELECT '${mark}'`).catch(() => undefined);
            if (answer === undefined) return;
            acknowledged.push(mark);
          }
        };
        const workers = ['a', 'b', 'c', 'd'].map(work);
        for (let waited = 0; acknowledged.length < 200 && waited < 60_000; waited += 50) {
          await pause(50);
        }
        target.child.kill('SIGKILL');
        state.isKilled = true;
        await Promise.all(workers);
        const { text, states } = await readRecordings(target.dataDir);
        const lost = acknowledged.filter((mark) => !text.includes(mark));
        if (acknowledged.length < 50) throw new Error(`only ${acknowledged.length} statements ran`);
        if (lost.length > 0) {
          throw new Error(`${lost.length} of ${acknowledged.length} lost, such as ${lost[0]}`);
        }
        if (states.includes('damaged'))
          throw new Error(`states of the recordings: ${states.join()}`);
      },
    );
  }
  await context.check('kill -9 of the gateway leaves no session at the server', async () => {
    const [target, way] = await startVictim(context, lab, {});
    const client = await connectLab(way);
    const id = client.greeting?.connectionId;
    client.send(command(COM.query, 'SELECT SLEEP(0.1)'));
    target.child.kill('SIGKILL');
    for (let tries = 0; tries < 400; tries += 1) {
      const count = await lab.admin(
        `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ${id}`,
      );
      if (count.trim() === '0') return client.close();
      await pause(50);
    }
    throw new Error('it is still there');
  });
}

/** Last, because nothing works behind it. */
async function checkServerGone(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await context.check(
    'the server is killed: sessions end, new ones get an error (MY-1)',
    async () => {
      const client = await connectLab(lab.through);
      client.send(command(COM.query, 'SELECT SLEEP(57)'));
      await waitForMysqlWork(lab, 'SELECT SLEEP(57)');
      process.kill(lab.server.pid, 'SIGKILL');
      await lab.server.exited;
      const end = await readMysqlEnd(client);
      if (!client.isClosed && !end.includes('closed')) throw new Error(`the session saw: ${end}`);
      const { port, user, password } = lab.through;
      const refused: unknown = await connectMysql({
        port,
        user,
        password,
        database: DATABASE,
      }).catch((error: unknown) => error);
      // An error packet in front of any greeting, with no state in it.
      if (!(refused instanceof SignInRefused)) throw new Error(`a new session: ${String(refused)}`);
      if (refused.error.state !== '') throw new Error(JSON.stringify(refused.error));
      if (lab.target.child.exitCode !== null) {
        throw new Error(`the gateway died: ${lab.target.readLog()}`);
      }
    },
  );
}

export async function checkMysqlFaults(context: SuiteContext, lab: MysqlHostileLab): Promise<void> {
  await checkSessions(context, lab);
  if (targetKind() === 'copy') context.skip('kill -9 of the gateway', 'there is none');
  else await checkKilled(context, lab);
  await checkServerGone(context, lab);
}
