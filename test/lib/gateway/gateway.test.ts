import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { MaskConfig, RuleConfig } from '../../../lib/config/config.ts';
import { listRecordings } from '../../../lib/recording/library.ts';
import { openRecording, type RecordedEvent } from '../../../lib/recording/reader.ts';
import { makeTemporary } from '../../support/gateway-process.ts';
import { openSocket, pause, type RawClient } from '../../support/raw-client.ts';
import {
  bind,
  cancelRequest,
  decodeDataRow,
  describe,
  execute,
  type Message,
  parse,
  query,
  sync,
} from '../../support/raw-postgres.ts';
import { embeddedPostgres, embeddedPostgresMissing } from '../../support/servers.ts';
import { until } from './duplex-pair.ts';
import {
  createShop,
  errorOf,
  type GatewayRig,
  startGateway,
  statusOf,
  types,
} from './gateway-rig.ts';

const RULES: readonly RuleConfig[] = [
  {
    name: 'no-destruction',
    connections: ['*'],
    principals: ['*'],
    effects: ['drop', 'truncate', 'delete'],
    objects: ['*'],
    action: 'block',
  },
];
const MASKS: readonly MaskConfig[] = [
  {
    name: 'contact-data',
    connections: ['*'],
    columns: ['public.customers.email', 'public.customers.phone'],
    with: 'redact',
    mode: 'mask',
    except: ['group:privacy'],
  },
];

function valuesOf(messages: readonly Message[]): (string | null)[][] {
  return messages
    .filter(({ type }) => type === 'D')
    .map(({ body }) => decodeDataRow(body).map((value) => value?.toString() ?? null));
}

/** Sends a cancel request as a client does, and gives what came back before the end. */
async function untilPlaceIsFree(rig: GatewayRig): Promise<boolean> {
  for (let left = 800; left > 0; left -= 1) {
    const client = await rig.connect().catch(() => undefined);
    client?.close();
    if (client !== undefined) return true;
    await pause(25);
  }
  return false;
}

async function cancel(port: number, key: Buffer | undefined): Promise<string> {
  const socket = await openSocket(port);
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.write(cancelRequest(key ?? Buffer.alloc(8)));
  await ended;
  return text;
}

async function readEvents(dataDir: string): Promise<RecordedEvent[]> {
  const [stored] = await listRecordings(dataDir);
  if (stored === undefined) throw new Error('there is no recording');
  const recording = await openRecording(stored.path);
  const all: RecordedEvent[] = [];
  for await (const event of recording.events()) {
    // The bytes are the reader's own, and only until the next event.
    all.push(event.kind === 'wire' ? { ...event, bytes: Buffer.from(event.bytes) } : event);
  }
  return all;
}

t.test('end to end', { skip: embeddedPostgresMissing() }, async (t) => {
  const server = await embeddedPostgres(t, { port: 27_850 });
  const direct = await createShop(server);
  t.teardown(() => direct.end());
  const countOrders = async (): Promise<number> =>
    (await direct.query<{ count: number }>('SELECT count(*)::int FROM orders')).rows[0]?.count ?? 0;
  const isAtWork = async (marker: string): Promise<boolean> => {
    const { rows } = await direct.query(
      `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()`,
      [`%${marker}%`],
    );
    return rows.length > 0;
  };
  const untilAtWork = async (marker: string, wanted: boolean): Promise<boolean> => {
    for (let left = 800; left > 0; left -= 1) {
      if ((await isAtWork(marker)) === wanted) return true;
      await pause(25);
    }
    return false;
  };

  t.test('what no rule forbids passes as it is', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES });
    const client = await rig.connect();
    const answer = await client.query('SELECT id, email FROM customers ORDER BY id');
    t.equal(types(answer), 'TDDCZ');
    t.same(valuesOf(answer), [
      ['1', 'ann@example.com'],
      ['2', null],
    ]);
    t.match(errorOf(await client.query('SELECT 1/0')), { C: '22012' });
    client.close();
  });

  t.test('a wrong password and an unknown user get the same refusal (PG-15)', async (t) => {
    const rig = await startGateway(t, server);
    const messageOf = (user: string, password: string): Promise<string> =>
      rig.connect(user, password).then(
        () => 'signed in',
        (error: unknown) => String(error),
      );
    const unknown = await messageOf('mallory', 'wrong');
    t.match(unknown, /28P01/);
    t.equal((await messageOf('alice', 'wrong')).replace('alice', 'mallory'), unknown);
  });

  t.test('a blocked statement fails its transaction and nothing else (PG-28)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES });
    const client = await rig.connect();
    t.equal(statusOf(await client.query('BEGIN')), 'T');
    const blocked = await client.query(
      'WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone',
    );
    t.match(errorOf(blocked), { S: 'ERROR', C: '42501', M: /delete on orders.*no-destruction/ });
    t.equal(statusOf(blocked), 'E');
    t.match(errorOf(await client.query('SELECT 1')), { C: '25P02' });
    t.equal(statusOf(await client.query('ROLLBACK')), 'I');
    t.same(valuesOf(await client.query('SELECT 7')), [['7']]);
    t.equal(await countOrders(), 10);
    client.close();
  });

  t.test('behind a blocked statement a pipeline is skipped up to its Sync (PG-29)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES });
    const client = await rig.connect();
    const insert = [parse('', 'INSERT INTO orders VALUES (100, 1)'), bind('', ''), execute()];
    const remove = [parse('', 'DELETE FROM orders'), bind('', ''), execute()];
    const answer = await client.exchange(
      [...insert, ...remove, ...insert, sync(), query('SELECT 1')],
      2,
    );
    t.equal(types(answer), '12CEZTDCZ');
    t.match(errorOf(answer), { C: '42501', M: /no-destruction/ });
    t.equal(await countOrders(), 10, 'the implicit transaction was rolled back');
    client.close();
  });

  t.test('a long pipeline keeps its order (GW-2)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES });
    const client = await rig.connect();
    const count = 1000;
    const parts = Array.from({ length: count }, (_, index) => [
      parse('', `SELECT ${index}, '${index % 10}'`),
      bind('', ''),
      execute(),
    ]).flat();
    const answer = await client.exchange([...parts, sync()]);
    t.same(
      valuesOf(answer).map(([value]) => Number(value)),
      [...Array(count).keys()],
    );
    client.close();
  });

  t.test('masked columns are masked in every form, NULL stays NULL (PG-40, PG-77)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES, masks: MASKS });
    const client = await rig.connect();
    const sql = 'SELECT email AS e, id, phone FROM customers ORDER BY id';
    const forms: Record<string, readonly Buffer[]> = {
      simple: [query(sql)],
      'extended, text': [parse('', sql), bind('', ''), describe('P'), execute(), sync()],
      'extended, binary': [
        parse('', sql),
        bind('', '', { resultFormats: [1] }),
        describe('P'),
        execute(),
        sync(),
      ],
      'without a Describe': [
        parse('', sql),
        bind('', '', { resultFormats: [1, 0, 1] }),
        execute(),
        sync(),
      ],
    };
    for (const [name, parts] of Object.entries(forms)) {
      client.bytes = [];
      const answer = await client.exchange(parts);
      const rows = valuesOf(answer);
      t.equal(rows.length, 2, name);
      t.equal(rows[1]?.[0], null, name);
      t.ok(rows[0]?.[0], name);
      t.notMatch(Buffer.concat(client.bytes).toString('latin1'), /ann@|example\.com|555-/, name);
    }
    t.equal(
      types(await client.exchange(forms['without a Describe'] ?? [])),
      '12DDCZ',
      'nothing is added for the client',
    );
    t.match(errorOf(await client.query('SELECT upper(email) FROM customers')), {
      C: '42501',
      M: /masked data/,
    });
    client.close();
    const petra = await rig.connect('petra');
    t.match(valuesOf(await petra.query(sql)), [['ann@example.com', '1', '555-0100']]);
    petra.close();
  });

  t.test('a session leaves a recording of what the client saw (GW-16)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES, masks: MASKS });
    const client = await rig.connect();
    await client.query('SELECT email FROM customers');
    await client.query('DROP TABLE customers');
    client.send(Buffer.from('X\0\0\0\x04', 'latin1'));
    await client.ended();
    await rig.gateway.close();
    const events = await readEvents(rig.dataDir);
    const wire = (from: string): string =>
      Buffer.concat(
        events.flatMap((event) =>
          event.kind === 'wire' && event.from === from ? [event.bytes] : [],
        ),
      ).toString('latin1');
    t.match(wire('client'), 'SELECT email FROM customers');
    t.match(wire('client'), 'DROP TABLE customers');
    t.match(wire('server'), 'no-destruction');
    t.notMatch(wire('server'), /ann@/);
    const sawClient = Buffer.concat(client.bytes).toString('latin1');
    t.ok(
      sawClient.includes(wire('server').slice(-20)),
      'the last bytes are those that the client got',
    );
    const notes = JSON.stringify(events.filter(({ kind }) => kind === 'note'));
    t.match(notes, /"signed-in"/);
    t.match(notes, /no-destruction/);
    t.match(notes, /public\.customers\.email/);
    t.notMatch(wire('client') + wire('server') + notes, server.password);
  });

  t.test('a cancel request reaches its session, and no other (PG-12)', async (t) => {
    const rig = await startGateway(t, server, { rules: RULES });
    const client = await rig.connect();
    const sleeping = client.query('SELECT pg_sleep(30), 1 AS cancelled_one');
    t.ok(await untilAtWork('cancelled_one', true));
    t.equal(await cancel(rig.port, Buffer.alloc(8, 9)), '', 'an unknown key: the end and no byte');
    t.ok(await isAtWork('cancelled_one'));
    t.equal(await cancel(rig.port, client.key), '');
    t.match(errorOf(await sleeping), { C: '57014' });
    t.equal(await cancel(rig.port, client.key), '', 'a late cancel');
    t.same(
      valuesOf(await client.query('SELECT 1 FROM pg_sleep(0.1)')),
      [['1']],
      'does not hit the next query',
    );
    t.equal((await listRecordings(rig.dataDir)).length, 1, 'cancels leave no recording');
    client.close();
  });

  t.test(
    'one session too many is told so in the words of the server; cancels still pass',
    async (t) => {
      const rig = await startGateway(t, server, { rules: RULES, limits: { sessionsMax: 1 } });
      const client = await rig.connect();
      await t.rejects(rig.connect(), /too many clients already/);
      client.send(query('SELECT pg_sleep(30), 1 AS at_the_limit'));
      t.ok(await untilAtWork('at_the_limit', true));
      t.equal(await cancel(rig.port, client.key), '');
      t.match(errorOf(await client.until('Z')), { C: '57014' });
      client.close();
      t.ok(await untilPlaceIsFree(rig), 'a place is free again when its session is over');
    },
  );

  t.test('a client that is lost in the middle of a query takes it along (GW-14)', async (t) => {
    const closeTimes: number[] = [];
    // What lingers takes the shutdown time-out, 5 s, each time; a busy machine may take as long once.
    while (closeTimes.length < 3 && closeTimes.every((time) => time >= 4500)) {
      const rig = await startGateway(t, server, { rules: RULES });
      const client = await rig.connect();
      client.send(query('SELECT pg_sleep(30), 1 AS lost_client'));
      t.ok(await untilAtWork('lost_client', true));
      client.socket.resetAndDestroy();
      t.ok(await untilAtWork('lost_client', false), 'the server stops working for it');
      const start = performance.now();
      await rig.gateway.close();
      closeTimes.push(performance.now() - start);
    }
    t.ok(
      closeTimes.some((time) => time < 4500),
      `nothing of it lingers until the shutdown time-out: ${closeTimes.join()} ms`,
    );
  });

  t.test(
    'a client that was killed ends in order, and takes its query along all the same (GW-14)',
    async (t) => {
      const rig = await startGateway(t, server, { rules: RULES });
      const client = await rig.connect();
      client.send(query('SELECT pg_sleep(30), 1 AS killed_client'));
      t.ok(await untilAtWork('killed_client', true));
      client.socket.end();
      t.ok(await untilAtWork('killed_client', false), 'the server stops working for it');
    },
  );

  t.test(
    'close ends sessions in the words of the server, and leaves nothing at work',
    async (t) => {
      const rig = await startGateway(t, server, { rules: RULES });
      const idle = await rig.connect();
      const busy = await rig.connect();
      busy.send(query('SELECT pg_sleep(30), 1 AS at_shutdown'));
      t.ok(await untilAtWork('at_shutdown', true));
      const closing = rig.gateway.close();
      for (const client of [idle, busy]) {
        t.match(errorOf(await client.until('E')), { S: 'FATAL', C: '57P01' });
        await untilEnd(client);
        client.close();
      }
      await closing;
      t.ok(await untilAtWork('at_shutdown', false));
      await t.rejects(openSocket(rig.port), { code: 'ECONNREFUSED' });
    },
  );

  t.test('a session that cannot be recorded is refused, and says so', async (t) => {
    const dataDir = await makeTemporary(t, 'weir-full-');
    const rig = await startGateway(t, server, { dataDir });
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'recordings'), 'not a directory');
    await t.rejects(rig.connect(), { message: /58030 Weir cannot record this session/ });
    t.match(rig.log.join('\n'), /RECORDING_OPEN/);
  });

  t.test('every level of durability serves', async (t) => {
    for (const durability of ['relaxed', 'synced'] as const) {
      const rig = await startGateway(t, server, { rules: RULES, durability });
      const client = await rig.connect();
      for (let index = 0; index < 20; index += 1) {
        t.same(valuesOf(await client.query(`SELECT ${index}`)), [[`${index}`]]);
      }
      const parts = [parse('', 'SELECT 1'), bind('', ''), execute()];
      const answer = await client.exchange([
        ...Array.from({ length: 50 }, () => parts).flat(),
        sync(),
      ]);
      t.equal(valuesOf(answer).length, 50, durability);
      client.close();
    }
  });

  t.test('an upstream that is down is told to the client, with 08006', async (t) => {
    const rig = await startGateway(t, server, { upstreamPort: 27_899 });
    await t.rejects(rig.connect(), { message: /08006 Weir could not reach the database/ });
  });

  t.end();
});

async function untilEnd(client: RawClient): Promise<void> {
  await until(() => client.socket.readableEnded || client.isClosed);
}
