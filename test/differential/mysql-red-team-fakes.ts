/**
 * Servers that are none, behind the gateway: what they say in place of a greeting, a sign-in or an answer
 * may cost the session that asked and nothing else.
 */

import { createServer, type Socket } from 'node:net';
import type { RunningTarget } from '../support/gateway-process.ts';
import { frame } from '../support/mysql-packets.ts';
import {
  eof,
  err,
  greeting,
  ok,
  okPayload,
  shape,
  stateAnswer,
  textRow,
} from '../support/mysql-session.ts';
import { connectMysql } from '../support/mysql-sign-in.ts';
import { startMysqlGateway } from '../support/mysql-gateway.ts';
import type { SuiteContext } from './harness.ts';
import { checkMemory, MEGABYTE } from './hostile-lab.ts';
import { ALICE, APP, DATABASE } from './lab.ts';

const SIGN_IN_TIME_MAX = 5_000;
/** The largest payload of one frame. */
const FRAME_MAX = 0xff_ffff;

export function checkLog(target: RunningTarget): void {
  if (target.child.exitCode !== null) throw new Error(`the gateway died: ${target.readLog()}`);
  const bad = target
    .readLog()
    .split('\n')
    .find((line) => /internal error|unhandled|bug|TypeError|RangeError|at .*\.js:\d/i.test(line));
  if (bad !== undefined) throw new Error(`in the log: ${bad.slice(0, 600)}`);
}

type Fake = (socket: Socket) => void;

const CAPABILITIES = 0x81bf_f7df;
const GREETING = greeting('10.11.6-MariaDB', CAPABILITIES);
const header = (length: number, sequence: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUIntLE(length, 0, 3);
  bytes[3] = sequence;
  return bytes;
};

/** Says these one after another, each after something has come. */
function saying(...answers: readonly Buffer[]): Fake {
  return (socket) => {
    const left = [...answers];
    socket.write(left.shift() ?? Buffer.alloc(0));
    socket.on('data', () => {
      const next = left.shift();
      if (next !== undefined) socket.write(next);
    });
  };
}

/** To a query. */
function answering(...bytes: readonly Buffer[]): Fake {
  return saying(GREETING, ok(2), Buffer.concat(bytes));
}

const FAKES: Readonly<Record<string, Fake>> = {
  'hangs up at once': (socket) => socket.destroy(),
  'says nothing': () => undefined,
  'greets with noise': saying(Buffer.alloc(2000, 0xee)),
  'greets without an end': saying(header(60_000, 0), Buffer.alloc(100, 10)),
  'greets in 16 MB': saying(Buffer.concat([header(FRAME_MAX, 0), Buffer.alloc(FRAME_MAX, 10)])),
  'greets with an error': saying(err(0, 1040, '08004', 'Too many connections')),
  'greets with protocol 9': saying(frame(Buffer.from('\x095.0\0\0\0\0\0'), 0)),
  'greets with a short nonce': saying(frame(GREETING.subarray(4, 40), 0)),
  'asks for another proof for ever': saying(
    GREETING,
    ...Array.from({ length: 200 }, (_, index) =>
      frame(Buffer.from(`\xfemysql_native_password\0${'n'.repeat(20)}\0`, 'latin1'), 2 + 2 * index),
    ),
  ),
  'asks for a clear password': saying(
    GREETING,
    frame(Buffer.from('\xfemysql_clear_password\0', 'latin1'), 2),
  ),
  'asks for the old password': saying(GREETING, frame(Buffer.of(0xfe), 2)),
  'asks for an unknown plugin': saying(
    GREETING,
    frame(Buffer.from('\xfe../../evil\0abc', 'latin1'), 2),
  ),
  'answers with a wrong number': answering(ok(77)),
  'answers twice': answering(ok(1), ok(2), ok(1), ok(1)),
  'announces more columns than there are': answering(frame(Buffer.of(0xfd, 255, 255, 255), 1)),
  'announces 2^64 columns': answering(
    frame(Buffer.concat([Buffer.of(0xfe), Buffer.alloc(8, 0xff)]), 1),
  ),
  'announces none': answering(frame(Buffer.of(0xfc, 0, 0), 1)),
  'has rows before columns': answering(frame(Buffer.of(2), 1), textRow(2, ['a'])),
  'has columns that lie about lengths': answering(
    frame(Buffer.of(1), 1),
    frame(Buffer.of(0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1), 2),
    eof(3),
  ),
  'has rows that lie about lengths': answering(
    shape(1, ['a']),
    frame(Buffer.of(0xfd, 255, 255, 255, 1), 4),
    eof(5),
  ),
  'has longer and shorter rows': answering(
    shape(1, ['a', 'b']),
    textRow(5, ['1']),
    textRow(6, ['1', '2', '3']),
    eof(7),
  ),
  'tells of changes that lie': answering(
    frame(
      Buffer.concat([
        Buffer.of(0, 0, 0, 0, 0x40, 0, 0, 0, 0xfd, 255, 255, 255),
        Buffer.alloc(9, 7),
      ]),
      1,
    ),
  ),
  'has a truncated OK': answering(frame(Buffer.of(0), 1)),
  'has a truncated error': answering(frame(Buffer.of(0xff), 1)),
  'asks for a file': answering(frame(Buffer.from('\xfb/etc/passwd', 'latin1'), 1)),
  'says there are more results for ever': (socket) => {
    saying(GREETING, ok(2))(socket);
    const more = Array.from({ length: 5000 }, (_, index) =>
      frame(okPayload({ status: 0x000a }), (index + 1) & 0xff),
    );
    let count = 0;
    socket.on('data', () => {
      count += 1;
      if (count === 2) socket.write(Buffer.concat(more));
    });
    setTimeout(() => socket.destroy(), 1500).unref();
  },
  'hangs up in the middle of a row': (socket) => {
    saying(
      GREETING,
      ok(2),
      Buffer.concat([shape(1, ['a']), header(5000, 4), Buffer.alloc(20)]),
    )(socket);
    setTimeout(() => socket.destroy(), 1500).unref();
  },
  'speaks when not asked': (socket) => {
    saying(GREETING, ok(2))(socket);
    setTimeout(() => socket.write(ok(0)), 300).unref();
  },
  'goes on with another state': saying(GREETING, ok(2), stateAnswer({ charset: 'gbk' })),
};

export async function checkFakes(context: SuiteContext): Promise<void> {
  let behave: Fake = () => undefined;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.teardown(async () => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  for (const isInspected of [false, true]) {
    const target = await startMysqlGateway(context, {
      users: [ALICE],
      upstream: APP,
      upstreamPort: address.port,
      limits: { signInTimeout: SIGN_IN_TIME_MAX },
      rules: isInspected
        ? [
            {
              name: 'r',
              connections: ['*'],
              principals: ['*'],
              effects: ['drop'],
              objects: ['*'],
              action: 'block',
            },
          ]
        : [],
    });
    for (const [name, fake] of Object.entries(FAKES)) {
      await context.check(`a server that ${name}${isInspected ? ', inspected' : ''}`, async () => {
        behave = fake;
        await checkMemory({ target }, 150 * MEGABYTE, () => useFake(target.port));
        checkLog(target);
        const log = target.readLog();
        if (log.includes(APP.password)) throw new Error('the log holds the password');
      });
    }
  }
}

/** Whatever comes of it, but within the time that a sign-in and a query may take. */
async function useFake(port: number): Promise<void> {
  const client = await connectMysql({ port, ...ALICE, database: DATABASE, wait: 20_000 }).catch(
    () => undefined,
  );
  if (client === undefined) return;
  try {
    const results = await client.query('SELECT 1', 3000);
    const text = JSON.stringify(results);
    if (text.includes('root:')) throw new Error('a file was sent');
  } catch {
    // Any end will do.
  }
  client.close();
}
