/** What `weir demo` tells people to do once everything runs. */

import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface DemoAddress {
  readonly host: string;
  readonly port: number;
}

export interface DemoPlaces {
  readonly postgres: DemoAddress;
  /** A text: why MariaDB is left out. */
  readonly mysql: DemoAddress | string;
  /** A text: why Chroma is left out. */
  readonly chroma: DemoAddress | string;
  readonly dataDir: string;
}

/** Compiled, this file lies in build/lib/cli. */
const REPLAY = fileURLToPath(new URL('../../../bin/replay', import.meta.url));
const WEIR = fileURLToPath(new URL('../../../bin/weir', import.meta.url));

export function describeDemo({ postgres, mysql, chroma, dataDir }: DemoPlaces): string {
  const url = (user: string): string =>
    `postgres://${user}:${user}-demo@${postgres.host}:${postgres.port}/shop`;
  // `bin/replay` looks in ./weir-data by itself.
  const where = dataDir === resolve('weir-data') ? '' : ` --data-dir ${shorten(dataDir)}`;
  return `
Connect as alice, an analyst (in another terminal):

  psql "${url('alice')}"

and try these four:

  1. Personal data is masked:
     SELECT id, full_name, email, phone FROM customers ORDER BY id LIMIT 3;

  2. A DROP is blocked:
     DROP TABLE customers;

  3. So is a DELETE that hides in a CTE:
     WITH gone AS (DELETE FROM order_items RETURNING *) SELECT count(*) FROM gone;

  4. Leave psql with \\q, then replay what you did:
     ${shorten(REPLAY)} last${where}

${typeof mysql === 'string' ? `MariaDB is left out: ${mysql}.\n` : describeMysql(mysql)}
${typeof chroma === 'string' ? `Chroma is left out: ${chroma}.\n` : describeChroma(chroma, where)}
Petra of the privacy group sees the values: psql "${url('petra')}"
Rules, masks and users are those of config.example.toml. Ctrl-C stops everything.
`;
}

function describeMysql({ host, port }: DemoAddress): string {
  // Clients from MariaDB 11.4 on insist on TLS, which the demo has no certificate for.
  return `The same shop is in MariaDB, behind the same rules:

  mariadb --skip-ssl -h ${host} -P ${port} -u alice -palice-demo shop

  1. Masked as well, where it comes out under another name, too:
     SELECT id, contact FROM (SELECT id, email AS contact FROM customers) c ORDER BY id LIMIT 3;

  2. A DELETE in a comment that MariaDB runs is blocked:
     /*!50000 DELETE FROM order_items */;

  3. So is one in the body of a function:
     SELECT forget_customer(1);
`;
}

/** To be pasted into Node's own prompt, from a folder where `chromadb` is installed, which Weir's is. */
function describeChroma({ host, port }: DemoAddress, where: string): string {
  return `What customers wrote to the shop is in Chroma. Start node in the folder of Weir, and paste:

  const chroma = new (require('chromadb').ChromaClient)({ host: '${host}', port: ${port}, headers: { 'x-chroma-token': 'alice-demo' } })
  const tickets = await chroma.getCollection({ name: 'support-tickets' })

  1. Addresses and numbers are masked, in the metadata and in the text:
     (await tickets.get({ limit: 2 })).rows()

  2. Finding one by a value that is masked is refused:
     await tickets.get({ where: { email: 'amara.abbott@example.net' } })

  3. So is a drop:
     await chroma.deleteCollection({ name: 'support-tickets' })

  4. Leave node with .exit, and ask who saw a ticket, when, and by which request:
     ${shorten(WEIR)} who-saw --connection tickets --collection support-tickets --id ticket-1${where}

Python's client (chromadb-client) connects in the same way:

  chroma = chromadb.HttpClient(host='${host}', port=${port}, headers={'x-chroma-token': 'alice-demo'})
  tickets = chroma.get_collection('support-tickets', embedding_function=None)
`;
}

/** As a person in the current folder would type it. */
function shorten(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}
