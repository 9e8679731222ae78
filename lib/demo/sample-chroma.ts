/**
 * The documents of the demo's Chroma: what customers of the sample shop wrote to its support. The same on
 * every machine, no word of it a person's (`sample-rows.ts`). Embeddings are counted words, hashed: enough
 * to find a ticket by its words, and nothing has to be downloaded for them.
 */
import { GatewayError } from '../errors.ts';
import { makeSampleRows } from './sample-rows.ts';

export const COLLECTION = 'support-tickets';
const FOLDER = '/api/v2/tenants/default_tenant/databases/default_database/collections';

const TICKET_COUNT = 120;
/** Of an embedding. */
const DIMENSIONS = 32;

/** `NAME`, `EMAIL` and `PHONE` are the customer's. */
const TEXTS: readonly string[] = [
  'My parcel has not come yet. Please write to EMAIL when it is on its way.',
  'The watering can leaks at the bottom. Call me at PHONE, best after five.',
  'I ordered two bread knives and got one. Regards, NAME.',
  'Please change the address of my account. You reach me under EMAIL or PHONE.',
  'The invoice shows the wrong amount. Send the right one to EMAIL.',
  'How long may I return the espresso cups? They are unused.',
  'The pan came with a crack. I want my money back. Regards, NAME.',
  'Your courier called a number that is not mine. Mine is PHONE.',
];

export interface Ticket {
  readonly id: string;
  readonly text: string;
  readonly metadata: Readonly<Record<string, string | number>>;
}

export function makeTickets(): readonly Ticket[] {
  const { customers } = makeSampleRows();
  return Array.from({ length: TICKET_COUNT }, (_, index) => {
    const customer = customers[(index * 7) % customers.length] ?? {};
    const value = (key: string): string => String(customer[key] ?? '');
    const pattern = TEXTS[index % TEXTS.length] ?? '';
    return {
      id: `ticket-${index + 1}`,
      text: pattern
        .replaceAll('NAME', value('full_name'))
        .replaceAll('EMAIL', value('email'))
        .replaceAll('PHONE', value('phone')),
      metadata: {
        customer_id: Number(customer['id'] ?? 0),
        email: value('email'),
        phone: value('phone'),
        status: index % 3 === 0 ? 'open' : 'closed',
      },
    };
  });
}

/** Each word counts at a place that its letters give; the whole has length 1. */
export function embedText(text: string): number[] {
  const counts = Array.from({ length: DIMENSIONS }, () => 0);
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    let hash = 0;
    for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
    const place = hash % DIMENSIONS;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  const length = Math.hypot(...counts) || 1;
  return counts.map((count) => count / length);
}

/** Gives the number of documents. */
export async function loadChromaSample(server: {
  readonly host: string;
  readonly port: number;
}): Promise<number> {
  const tickets = makeTickets();
  const base = `http://${server.host}:${server.port}${FOLDER}`;
  const made = await post(base, { name: COLLECTION });
  const id = typeof made === 'object' && made !== null && 'id' in made ? String(made.id) : '';
  await post(`${base}/${id}/add`, {
    ids: tickets.map((ticket) => ticket.id),
    documents: tickets.map(({ text }) => text),
    metadatas: tickets.map(({ metadata }) => metadata),
    embeddings: tickets.map(({ text }) => embedText(text)),
  });
  return tickets.length;
}

async function post(url: string, content: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(content) });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new GatewayError('CHROMA_SAMPLE_FAILED', `The documents could not be loaded: ${text}`);
}
