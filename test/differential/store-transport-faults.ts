/** Floods, stalls and deaths on either side of the gateway: memory stays bounded, others go on, recordings replay. */

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { listRecordings } from '../../lib/recording/library.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import type { TransportLab } from './store-transport.ts';
import { KEY, MASKED_KEY, startTransportGateway, type Way } from './store-transport-lab.ts';
import { Call, openGrpc, pause, say, Talk, until } from './store-transport-talk.ts';

const MB = 1024 * 1024;
const LARGE = 64 * MB;
/** What a gateway may take more than before for bodies that it streams, or refuses to inflate. */
const GROWTH_MAX = 150 * MB;
/** More than sockets and windows hold. */
const HELD_MAX = 40 * MB;

export async function checkFaults(context: SuiteContext, lab: TransportLab): Promise<void> {
  await checkLarge(context, lab);
  await checkStalls(context, lab);
  await checkBombs(context, lab);
  await checkSlow(context, lab);
  await checkDeaths(context, lab);
  await checkManyClosed(context, lab);
  await checkKilledGateway(context, lab);
}

async function othersGoOn(way: Way): Promise<void> {
  const talk = new Talk(way);
  talk.socket.write(say('GET /snapshots/sized'));
  const [answer = ''] = await talk.answers(1);
  talk.socket.destroy();
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`others: ${answer}`);
  const session = openGrpc(way);
  const call = new Call(session, 'echo');
  call.stream.end('x');
  const shown = await call.shown();
  session.destroy();
  if (!shown.includes('grpc-status: 0')) throw new Error(`others: ${shown}`);
}

/** Writes as fast as it is taken; gives the bytes that were. */
function pour(to: NodeJS.WritableStream, size: number): { taken: number } {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const state = { taken: 0 };
  const more = (): void => {
    while (state.taken < size) {
      state.taken += piece.length;
      if (!to.write(piece)) return void to.once('drain', more);
    }
  };
  more();
  return state;
}

async function checkLarge(context: SuiteContext, { way, target }: TransportLab): Promise<void> {
  const before = await target.peakMemory();
  await context.check('64 MB up and down over HTTP/1.1', async () => {
    const up = new Talk(way);
    up.socket.write(say('POST /snapshots/upload', `content-length: ${LARGE}\r\n`));
    pour(up.socket, LARGE);
    const [answer = ''] = await up.answers(1);
    const hash = createHash('sha256').update(Buffer.alloc(LARGE, 'x')).digest('hex');
    if (!answer.includes(hash)) throw new Error(answer);
    up.socket.destroy();
    const down = new Talk(way, false);
    down.socket.write(say(`GET /snapshots/large?size=${LARGE}`));
    await until(() => down.size > LARGE, 'all of it');
    down.socket.destroy();
  });
  await context.check('64 MB up and down over gRPC at once', async () => {
    const session = openGrpc(way);
    const call = new Call(session, 'echo');
    pour(call.stream, LARGE);
    await until(() => call.size === LARGE, 'the echo');
    call.stream.end();
    await call.shown();
    session.destroy();
  });
  const after = await target.peakMemory();
  await context.check('and the gateway holds none of it', () => {
    if (after - before > GROWTH_MAX) throw new Error(`it grew by ${(after - before) / MB} MB`);
  });
  const [from, to] = [before, after].map((size) => Math.round(size / MB));
  context.progress(`256 MB streamed, peak memory of the gateway ${from} MB before, ${to} MB after`);
}

/** Until a number stands still for a second; a slow machine may take longer than that to begin. */
async function settled(read: () => number): Promise<number> {
  await until(() => read() > 0, 'the first bytes');
  for (let last = -1; ; ) {
    const now = read();
    if (now === last) return now;
    last = now;
    await pause(1000);
  }
}

async function checkStalls(context: SuiteContext, { way, server }: TransportLab): Promise<void> {
  await context.check(
    'a reader that stops has the server wait (GW-12), and others go on',
    async () => {
      const size = 3 * HELD_MAX;
      const talk = new Talk(way, false);
      const before = server.written;
      talk.socket.pause();
      talk.socket.write(say(`GET /snapshots/large?size=${size}`));
      const written = await settled(() => server.written - before);
      if (written === 0 || written > HELD_MAX) throw new Error(`${written} bytes were taken`);
      await othersGoOn(way);
      talk.socket.resume();
      await until(() => talk.size > size, 'the rest');
      talk.socket.destroy();
    },
  );
  await context.check('a gRPC reader that stops likewise', async () => {
    const session = openGrpc(way);
    const before = server.written;
    const call = new Call(session, `pour${3 * HELD_MAX}`);
    call.stream.pause();
    call.stream.end();
    const written = await settled(() => server.written - before);
    if (written === 0 || written > HELD_MAX) throw new Error(`${written} bytes were taken`);
    await othersGoOn(way);
    const other = new Call(session, 'echo');
    other.stream.end('x');
    await other.shown();
    call.stream.resume();
    await until(() => call.size === 3 * HELD_MAX, 'the rest');
    session.destroy();
  });
  await context.check(
    'a server that does not read has the client wait, and others go on',
    async () => {
      const talk = new Talk(way);
      talk.socket.write(say('POST /snapshots/upload?later', `content-length: ${LARGE}\r\n`));
      const poured = pour(talk.socket, LARGE);
      const taken = await settled(() => poured.taken);
      if (taken > HELD_MAX) throw new Error(`${taken} bytes were taken`);
      await othersGoOn(way);
      server.readOn();
      const [answer = ''] = await talk.answers(1);
      if (!answer.includes(`"size":${LARGE}`)) throw new Error(answer);
      talk.socket.destroy();
    },
  );
}

async function checkBombs(
  context: SuiteContext,
  { way, server, target }: TransportLab,
): Promise<void> {
  const before = await target.peakMemory();
  await context.check('a request that inflates without end is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(256 * MB, ' ')).toString('latin1');
    const asked = server.asked;
    const talk = new Talk(way);
    const headers = `content-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n`;
    talk.socket.write(say('POST /collections/c/points/query', headers, bomb), 'latin1');
    const [answer = ''] = await talk.answers(1);
    if (!/^HTTP\/1\.1 4\d\d /.test(answer)) throw new Error(answer.slice(0, 200));
    if (server.asked !== asked) throw new Error('the server was asked');
    talk.socket.destroy();
  });
  await context.check(
    'an answer that inflates without end is withheld where it is masked',
    async () => {
      const body = '{"query":[1,2]}';
      const headers = `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
      const asked = server.asked;
      const talk = new Talk(way);
      talk.socket.write(say('POST /collections/c/points/query', headers, body, MASKED_KEY));
      const [answer = ''] = await talk.answers(1);
      if (!/^HTTP\/1\.1 [45]\d\d /.test(answer)) throw new Error(answer.slice(0, 200));
      if (server.asked === asked) throw new Error(`the server was not asked: ${answer}`);
      talk.socket.destroy();
    },
  );
  await context.check('and neither was inflated', async () => {
    const growth = (await target.peakMemory()) - before;
    if (growth > GROWTH_MAX) throw new Error(`it grew by ${growth / MB} MB`);
    await othersGoOn(way);
  });
}

async function checkSlow(context: SuiteContext, { way }: TransportLab): Promise<void> {
  await context.check('heads that never end are closed, others go on', async () => {
    const texts = ['', 'P', 'PRI', 'GET / HT', say('GET /snapshots/sized').slice(0, -2)];
    const slow = texts.map((text) => {
      const talk = new Talk(way);
      if (text !== '') talk.socket.write(text);
      return talk;
    });
    const timer = setInterval(() => slow.at(-1)?.socket.write('x: y\r\n'), 300);
    try {
      await othersGoOn(way);
      await until(() => slow.every(({ hasEnded, isClosed }) => hasEnded || isClosed), 'their end');
    } finally {
      clearInterval(timer);
      for (const { socket } of slow) socket.destroy();
    }
  });
}

async function checkDeaths(context: SuiteContext, { way, server }: TransportLab): Promise<void> {
  await context.check('a server that dies within its answer: a part is no whole', async () => {
    const shown: string[] = [];
    for (const one of [server.way, way]) {
      const talk = new Talk(one);
      talk.socket.write(say('GET /snapshots/dies'));
      await until(() => talk.isClosed || talk.hasEnded, 'the end');
      shown.push(`${talk.text.split('\r\n')[0]} ${talk.text.endsWith('half')}`);
      talk.socket.destroy();
    }
    assertSameText(shown[1] ?? '', shown[0] ?? '', 'what came');
    await othersGoOn(way);
  });
  await context.check(
    'all its connections lost: who waits is told, the next call is answered',
    async () => {
      const session = openGrpc(way);
      const asked = server.asked;
      const call = new Call(session, 'silent');
      call.stream.write('x');
      const talk = new Talk(way);
      talk.socket.write(say('GET /snapshots/silent'));
      await until(() => server.asked === asked + 2, 'both');
      server.killAll();
      const shown = await call.shown();
      if (!/grpc-status: 14/.test(shown)) throw new Error(shown);
      const [answer = ''] = await talk.answers(1);
      if (!/^HTTP\/1\.1 5\d\d /.test(answer)) throw new Error(answer);
      const next = new Call(session, 'echo');
      next.stream.end('x');
      if (!(await next.shown()).includes('grpc-status: 0')) throw new Error(await next.shown());
      talk.socket.write(say('GET /snapshots/sized'));
      const [again = ''] = await talk.answers(1);
      if (!again.startsWith('HTTP/1.1 200')) throw new Error(again);
      talk.socket.destroy();
      session.destroy();
    },
  );
}

async function countHandles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

async function checkManyClosed(
  context: SuiteContext,
  { way, server, target }: TransportLab,
): Promise<void> {
  await context.check('200 connections closed at once leave nothing open', async () => {
    await until(() => server.sockets.size <= 2, 'those of before are gone');
    const handles = await countHandles(target.pid);
    const asked = server.asked;
    const talks = Array.from({ length: 100 }, () => new Talk(way));
    for (const { socket } of talks) socket.write(say('GET /snapshots/silent'));
    const sessions = Array.from({ length: 100 }, () => openGrpc(way));
    for (const session of sessions) new Call(session, 'silent').stream.write('x');
    await until(() => server.asked === asked + 200, 'all of them');
    for (const { socket } of talks) socket.resetAndDestroy();
    for (const session of sessions) session.destroy();
    await until(() => server.sockets.size <= 2, 'the server is left');
    for (let left = 600; (await countHandles(target.pid)) > handles + 5; left -= 1) {
      if (left === 0)
        throw new Error(`${await countHandles(target.pid)} handles, ${handles} before`);
      await pause(100);
    }
    await othersGoOn(way);
  });
}

async function checkKilledGateway(context: SuiteContext, { server }: TransportLab): Promise<void> {
  await context.check('a gateway killed within an answer: what was sent is on record', async () => {
    const victim = await startTransportGateway(context, server, 'sessions_max = 10');
    const talk = new Talk(victim.way);
    talk.socket.write(say('GET /snapshots/half'));
    await until(() => talk.text.endsWith('half'), 'a half of it');
    victim.target.child.kill('SIGKILL');
    await until(() => talk.isClosed || talk.hasEnded, 'the end');
    const parts: string[] = [];
    const states: string[] = [];
    for (const { path } of await listRecordings(victim.target.dataDir)) {
      const recording = await openRecording(path);
      for await (const event of recording.events()) {
        if (event.kind === 'wire') parts.push(`${event.from} ${event.bytes.toString('latin1')}`);
        if (event.kind === 'finish') states.push(event.state);
      }
    }
    assertSameText(states.join(), 'unended', 'the recording');
    const text = parts.join('\n');
    if (!text.includes('/snapshots/half') || !text.includes('half')) throw new Error(text);
    if (text.includes(KEY)) throw new Error('the key is on record');
  });
}
