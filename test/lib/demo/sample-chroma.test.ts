import t from 'tap';
import {
  COLLECTION,
  embedText,
  loadChromaSample,
  makeTickets,
} from '../../../lib/demo/sample-chroma.ts';
import { chromaMissing, DATABASE, startTestChroma, TENANT } from '../../support/chroma-server.ts';

t.test('tickets are the same ones each time, and speak of customers', async (t) => {
  const tickets = makeTickets();
  t.same(makeTickets(), tickets);
  t.equal(new Set(tickets.map(({ id }) => id)).size, tickets.length);
  for (const { text, metadata } of tickets) {
    t.notMatch(text, /NAME|EMAIL|PHONE|undefined/);
    t.match(String(metadata['email']), /^\S+@example\.(?:com|org|net)$/);
    t.match(metadata, { customer_id: Number, phone: /\d/ });
  }
  t.ok(
    tickets.some(({ text }) => /@example\./.test(text)),
    'some addresses stand in the text',
  );
});

t.test('an embedding has length 1, and the same words give the same one', async (t) => {
  t.same(embedText('Leaks, leaks!'), embedText('leaks LEAKS'));
  t.ok(Math.abs(Math.hypot(...embedText('a watering can')) - 1) < 1e-9);
  t.equal(Math.hypot(...embedText('')), 0);
});

t.test('a server takes them', { skip: chromaMissing() ?? false }, async (t) => {
  const server = await startTestChroma();
  t.teardown(async () => await server.stop());
  t.equal(await loadChromaSample(server), makeTickets().length);
  const folder = `/tenants/${TENANT}/databases/${DATABASE}/collections`;
  const id =
    /"id":"([^"]+)"/.exec((await server.ask('GET', `${folder}/${COLLECTION}`)).text)?.[1] ?? '';
  const near = await server.ask('POST', `${folder}/${id}/query`, {
    query_embeddings: [embedText('the watering can leaks')],
    n_results: 3,
  });
  t.match(near.text, /The watering can leaks/);
  await t.rejects(
    loadChromaSample(server),
    { code: 'CHROMA_SAMPLE_FAILED' },
    'it is there already',
  );
});
