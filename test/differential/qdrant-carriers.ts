/**
 * Ways in Qdrant by which values leave the place that policy watches: scores and errors of formulas, copies and
 * archives, aliases that are moved by somebody who hangs up, servers that forget a condition.
 */

import { connect } from 'node:net';
import { encodeBytes, encodeString } from '../../protocols/wire/protobuf.ts';
import { encodeRpc } from '../support/qdrant-messages.ts';
import { assertSameText, type SuiteContext } from './harness.ts';
import {
  framed,
  openQdrantLab,
  type QdrantLab,
  type QdrantWay,
  type RawAnswer,
  sendRest,
  sendRpc,
} from './qdrant-lab.ts';

const POINTS = '/collections/customers/points';
const ADDRESS = /@example\.com/;

export async function checkCarriers(context: SuiteContext, lab: QdrantLab): Promise<void> {
  lab.reset();
  await context.check('an error of a formula quotes no masked value', async () => {
    const direct = await formulaOverRest(lab.direct);
    if (!ADDRESS.test(direct.text)) throw new Error(`it proves nothing: ${direct.text}`);
    for (const send of [formulaOverRest, formulaOverGrpc]) {
      const { text } = await send(lab.through('petra'));
      if (ADDRESS.test(text) || !/no score may be made/.test(decodeURIComponent(text))) {
        throw new Error(text);
      }
    }
  });
  await context.check('a copy or an archive is no way around a rule', async () => {
    const bob = lab.through('bob');
    const before = lab.emulator.seen.length;
    const requests = [
      post('PUT', '/collections/copy', { init_from: { collection: 'customers' } }),
      post('PUT', '/collections/mine/snapshots/recover', {
        location: 'file:///qdrant/snapshots/secrets/secrets.snapshot',
      }),
    ];
    for (const request of requests) {
      const { status, text } = await sendRest(bob, request);
      if (status !== 403) throw new Error(`${request.path}: ${status} ${text}`);
    }
    const reached = lab.emulator.seen.slice(before).filter((line) => line.startsWith('PUT'));
    assertSameText(JSON.stringify(reached), '[]', 'what reached the store');
  });
  await context.check('a block on reads holds a scroll back', async () => {
    const { status, text } = await sendRest(
      lab.through('alice'),
      post('POST', '/collections/secrets/points/scroll', {}),
    );
    if (status !== 403) throw new Error(`${status} ${text}`);
  });
  await context.check('an alias that is moved by somebody who hangs up is seen', async () => {
    await moveAndHangUp(lab);
  });
}

function post(method: string, path: string, body: object) {
  return { method, path, body: JSON.stringify(body) };
}

async function formulaOverRest(way: QdrantWay): Promise<RawAnswer> {
  const formula = { geo_distance: { origin: { lat: 0, lon: 0 }, to: 'email' } };
  return await sendRest(
    way,
    post('POST', `${POINTS}/query`, { prefetch: { query: [1, 0] }, query: { formula } }),
  );
}

async function formulaOverGrpc(way: QdrantWay): Promise<RawAnswer> {
  const distance = encodeBytes(
    4,
    Buffer.concat([encodeBytes(1, Buffer.alloc(0)), encodeString(2, 'email')]),
  );
  const formula = encodeBytes(8, encodeBytes(1, distance));
  const message = Buffer.concat([Buffer.from(encodeRpc('Query', {})), encodeBytes(3, formula)]);
  return await sendRpc(way, '/qdrant.Points/Query', framed(message));
}

/** The answer to the change never comes to the gateway's client, so nothing tells when it was done. */
async function moveAndHangUp(lab: QdrantLab): Promise<void> {
  const { aliases } = lab.emulator.engine;
  aliases.set('moving', 'open');
  lab.emulator.engine.create('open', {});
  const alice = lab.through('alice');
  const scroll = post('POST', '/collections/moving/points/scroll', {});
  const before = await sendRest(alice, scroll);
  if (before.status !== 200) throw new Error(`before: ${before.status} ${before.text}`);
  // A change of names that reaches the store; it is slow there, and comes true after the next question.
  await hangUp(lab, '/collections/other-name');
  await sendRest(alice, scroll);
  aliases.set('moving', 'secrets');
  const after = await sendRest(alice, scroll);
  if (after.status !== 403) throw new Error(`after: ${after.status} ${after.text}`);
  aliases.delete('moving');
}

async function hangUp(lab: QdrantLab, path: string): Promise<void> {
  const { restPort, key } = lab.through('alice');
  const body = '{"vectors":{"size":2,"distance":"Dot"}}';
  const before = lab.emulator.seen.length;
  const socket = connect(restPort, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(
    `PUT ${path} HTTP/1.1\r\nhost: x\r\napi-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  // It is there; whether its answer came back in time does not matter.
  while (!lab.emulator.seen.slice(before).some((line) => line.startsWith('PUT'))) {
    await new Promise((done) => setTimeout(done, 5));
  }
  socket.destroy();
}

/** A server before 1.16 says yes to `update_filter` and forgets it. */
export async function checkOldServer(context: SuiteContext, policy: string): Promise<void> {
  const lab = await openQdrantLab(context, policy);
  lab.emulator.engine.version = '1.15.5';
  const record = { id: 2, vector: [9, 9], payload: { tenant: 'a', city: 'taken over' } };
  const message = encodeRpc('Upsert', {
    points: [
      {
        id: { num: 2 },
        vectors: { vector: { dense: { data: [9, 9] } } },
        payload: { tenant: { stringValue: 'a' }, city: { stringValue: 'taken over' } },
      },
    ],
  });
  const ways: [string, (way: QdrantWay) => Promise<RawAnswer>][] = [
    ['upsert', async (way) => await sendRest(way, post('PUT', POINTS, { points: [record] }))],
    [
      'batch',
      async (way) =>
        await sendRest(
          way,
          post('POST', `${POINTS}/batch`, { operations: [{ upsert: { points: [record] } }] }),
        ),
    ],
    [
      'vectors',
      async (way) =>
        await sendRest(
          way,
          post('PUT', `${POINTS}/vectors`, { points: [{ id: 2, vector: [9, 9] }] }),
        ),
    ],
    ['gRPC upsert', async (way) => await sendRpc(way, '/qdrant.Points/Upsert', framed(message))],
  ];
  for (const [name, send] of ways) {
    await context.check(`an old server overwrites nothing of others: ${name}`, async () => {
      lab.reset();
      const before = JSON.stringify(lab.emulator.engine.retrieve('customers', [2]));
      const { text } = await send(lab.through('alice'));
      assertSameText(
        JSON.stringify(lab.emulator.engine.retrieve('customers', [2])),
        before,
        'the record of another tenant',
      );
      if (!/too old/.test(decodeURIComponent(text))) throw new Error(text);
      await send(lab.direct);
      const isProven = JSON.stringify(lab.emulator.engine.retrieve('customers', [2])) !== before;
      if (!isProven) throw new Error('it proves nothing: direct it changes nothing either');
    });
  }
}
