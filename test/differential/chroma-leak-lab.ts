/**
 * What the leak suite of Chroma is about: collections with values that alice must never get, the policy
 * that says so, and what an attempt is. Everything secret has ZEBRA in it, in any case.
 */

import {
  type ChromaLab,
  type ChromaUser,
  type RawAnswer,
  type RawRequest,
  sendRaw,
} from './chroma-lab.ts';

/** In every value that must not come out. */
export const SECRET = /zebra/i;

export const LEAK_POLICY = `
[[rule]]
name = "no-vault"
effects = ["*"]
objects = ["chroma:vault"]
principals = ["alice", "bob"]
action = "block"
[[rule]]
name = "no-drops"
effects = ["drop", "admin"]
principals = ["alice", "bob"]
action = "block"
[[rule]]
name = "own-records"
effects = ["search", "read", "export", "count", "upsert", "delete"]
objects = ["chroma:customers"]
principals = ["alice"]
action = "allow"
filter = { tenant = "\${principal.group}" }
[[rule]]
name = "few"
effects = ["search", "read", "export"]
objects = ["chroma:open"]
principals = ["bob"]
action = "allow"
limit_max = 2
vectors = false
[[mask]]
name = "contacts"
fields = ["email", "person.phone", "#uri"]
detect = ["email"]
objects = ["chroma:customers", "chroma:notes"]
mode = "strict"
except = ["group:privacy"]
[[mask]]
name = "texts"
fields = ["#document"]
objects = ["chroma:notes"]
mode = "strict"
except = ["group:privacy"]
`;

export const FOLDER = '/api/v2/tenants/default_tenant/databases/default_database/collections';

/** UUIDs of the collections of one round. */
export interface Ids {
  readonly customers: string;
  readonly notes: string;
  readonly vault: string;
  readonly open: string;
}

const vector = (at: number): number[] => [1, at, -at / 3];

/** Everything anew; what must stay as it is comes back as a text. */
export async function fillAgain({ server }: ChromaLab): Promise<Ids> {
  await server.ask('POST', '/reset');
  const customers = await server.fill('customers', {
    ids: ['own1', 'own2', 'zebra-id1', 'zebra-id2'],
    embeddings: [vector(1), vector(2), vector(1), vector(2)],
    documents: ['mine, ask zebra1@example.org', 'mine too', 'ZEBRA text', 'another Zebra text'],
    metadatas: [
      { tenant: 'acme', email: 'zebra1@example.org', 'person.phone': 'zebra-555', n: 1 },
      { tenant: 'acme', email: 'zebra2@example.org', n: 2 },
      { tenant: 'other', email: 'zebra3@example.org', n: 1, note: 'zebra' },
      { tenant: 'Acme', note: 'zebra', n: 2 },
    ],
    uris: ['zebra://1', null, 'zebra://3', null],
  });
  const notes = await server.fill('notes', {
    ids: ['n1', 'n2'],
    embeddings: [vector(1), vector(2)],
    documents: ['the ZEBRA is in here', 'zebra again'],
    metadatas: [
      {
        email: 'zebra1@example.org',
        'person.phone': 'zebra-555',
        tags: ['a', 'zebra9@example.org'],
      },
      { email: 'zebra2@example.org' },
    ],
  });
  const vault = await server.fill('vault', {
    ids: ['zebra-v1'],
    embeddings: [vector(1)],
    documents: ['ZEBRA of the vault'],
    metadatas: [{ tenant: 'acme', note: 'zebra' }],
  });
  const open = await server.fill('open', {
    ids: ['1', '2', '3', '4', '5'],
    embeddings: [1, 2, 3, 4, 5].map(vector),
    documents: ['a', 'b', 'c', 'd', 'e'],
  });
  return { customers, notes, vault, open };
}

/** What nobody but its owner may change, read past the gateway; own records of alice are not in it. */
export async function readState({ server }: ChromaLab, ids: Ids): Promise<string> {
  const folder = FOLDER.slice('/api/v2'.length);
  const get = async (id: string, where?: object): Promise<string> => {
    const body = { where, include: ['documents', 'metadatas', 'embeddings', 'uris'] };
    const { text } = await server.ask('POST', `${folder}/${id}/get`, body);
    return JSON.stringify(JSON.parse(text), sortKeys);
  };
  const names: unknown = JSON.parse((await server.ask('GET', folder)).text);
  const all = Array.isArray(names) ? names.map((one: { name: string }) => one.name).toSorted() : [];
  return JSON.stringify([
    all,
    await get(ids.customers, { tenant: { $ne: 'acme' } }),
    await get(ids.notes),
    await get(ids.vault),
    await get(ids.open),
  ]);
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

export interface Attempt {
  readonly name: string;
  /** `alice` unless said otherwise. */
  readonly user?: ChromaUser;
  /** One after the other; `guess` takes the place of the value that is guessed, in oracles. */
  requests(ids: Ids, guess: string): readonly RawRequest[];
  /** Guesses, the right one first: their answers must not differ. */
  readonly oracle?: readonly [string, string];
  /** Asked direct, it gives something secret (or, an oracle, tells guesses apart): so it proves something. */
  readonly isProven?: boolean;
}

export async function sendAll(
  lab: ChromaLab,
  attempt: Attempt,
  way: 'direct' | 'through',
  { ids, guess }: { readonly ids: Ids; readonly guess: string },
): Promise<readonly RawAnswer[]> {
  const to = way === 'direct' ? lab.direct : lab.through(attempt.user ?? 'alice');
  const answers: RawAnswer[] = [];
  for (const request of attempt.requests(ids, guess)) {
    try {
      answers.push(await sendRaw(to, request));
    } catch (error) {
      // A connection that is ended tells nothing.
      answers.push({ status: 0, text: error instanceof Error ? error.message : String(error) });
    }
  }
  return answers;
}

/** A body that is no text goes out as JSON. */
export function post(path: string, body: unknown, headers?: RawRequest['headers']): RawRequest {
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return { method: 'POST', path, body: text, ...(headers === undefined ? {} : { headers }) };
}

export const on = (id: string, what: string): string => `${FOLDER}/${id}/${what}`;
