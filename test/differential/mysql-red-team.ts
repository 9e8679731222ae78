/**
 * A hostile user against the masks of a MariaDB server, and the same user's everyday work, which must not
 * be refused: the cases are data in mysql-red-team-*.ts. Each attack first proves direct that it would
 * have worked.
 */

import type { MysqlClient, MysqlResult } from '../support/mysql-client.ts';
import { printResults } from '../support/mysql-client.ts';
import { execute } from '../support/mysql-packets.ts';
import { startMysqlTarget } from '../support/mysql-gateway.ts';
import { targetKind } from '../support/gateway-process.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { ALICE, APP } from './lab.ts';
import {
  connectLab,
  isMariadbMissing,
  type MysqlLab,
  type MysqlWay,
  openMysqlLab,
} from './mysql-lab.ts';
import { findMysqlSecret } from './mysql-mask-database.ts';
import { MYSQL_RED_TEAM_DATABASE, redTeamMasks } from './mysql-red-team-database.ts';
import { MYSQL_EVERYDAY } from './mysql-red-team-everyday.ts';
import { MYSQL_WIRE_LEAKS } from './mysql-red-team-commands.ts';
import { MYSQL_LEAK_STATEMENTS } from './mysql-red-team-leaks.ts';
import { MYSQL_LEAK_SEQUENCES } from './mysql-red-team-sequences.ts';
import { MYSQL_LEAK_TRACES } from './mysql-red-team-traces.ts';

interface RedLab extends MysqlLab {
  readonly strict: MysqlWay;
  /** Past the gateway. */
  readonly watcher: MysqlClient;
  readonly before: { state: string };
}

type Act = (client: MysqlClient) => Promise<readonly MysqlResult[]>;

async function sendAll(client: MysqlClient, texts: readonly string[]): Promise<MysqlResult[]> {
  const seen: MysqlResult[] = [];
  for (const text of texts) seen.push(...(await client.query(text)));
  return seen;
}

async function prepareAll(client: MysqlClient, texts: readonly string[]): Promise<MysqlResult[]> {
  const seen: MysqlResult[] = [];
  for (const text of texts) {
    const statement = await client.prepare(text);
    if ('kind' in statement) seen.push({ columns: [], rows: [], end: statement });
    else seen.push(...(await client.execute(execute(statement.id))));
  }
  return seen;
}

/** The first secret among the bytes as they came, the values put together, and the numbers of OK packets. */
async function secretIn(way: MysqlWay, act: Act): Promise<string | undefined> {
  const client = await connectLab(way, { capabilities: 0x180_0000 });
  client.keepsBytes = true;
  try {
    const results = await act(client);
    const values = results.flatMap(({ rows }) => rows.flat().filter((value) => value !== null));
    const numbers = results.map(({ end }) =>
      end.kind === 'ok' ? `${end.insertId} ${end.affected}` : '',
    );
    return (
      findMysqlSecret(Buffer.concat(client.bytes)) ??
      findMysqlSecret(Buffer.concat(values)) ??
      findMysqlSecret(Buffer.from(numbers.join(' ')))
    );
  } finally {
    client.close();
  }
}

/** What an attack can leave behind: the next one must find everything as it was. */
const STATE = `CHECKSUM TABLE users, vault, other.vault, mine, notes, sink, checked, keyed, ranged, parted, mysql.column_stats;
SELECT MD5(GROUP_CONCAT(TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE ORDER BY 1)) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema');
SELECT GROUP_CONCAT(TABLE_NAME, VIEW_DEFINITION ORDER BY 1) FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN ('lab', 'other');
SELECT COUNT(*) FROM mysql.proc; SELECT COUNT(*) FROM information_schema.TRIGGERS; SELECT COUNT(*) FROM mysql.event;
SELECT COUNT(*) FROM information_schema.SCHEMATA`;

interface Attack {
  readonly title: string;
  readonly act: (form: string) => Act;
  readonly forms: readonly string[];
}

/** The database as it was, and both gateways know of it: they have no word of what is done past them (GW-7). */
async function reset(lab: RedLab): Promise<'changed' | 'same'> {
  if (lab.before.state === (await stateOf(lab))) return 'same';
  await recreateAll(lab);
  return 'changed';
}

async function recreateAll(lab: RedLab): Promise<void> {
  await lab.recreate(MYSQL_RED_TEAM_DATABASE);
  for (const way of [lab.through, lab.strict]) {
    const client = await connectLab(way);
    await client.query('CREATE OR REPLACE VIEW seen AS SELECT 1');
    client.close();
  }
  lab.before.state = await stateOf(lab);
}

async function stateOf(lab: RedLab): Promise<string> {
  return printResults(await lab.watcher.query(`USE lab; ${STATE}`));
}

async function checkAttack(context: SuiteContext, lab: RedLab, attack: Attack): Promise<void> {
  const { title, act, forms } = attack;
  const [first = 'text'] = forms;
  const potent = await secretIn(lab.direct, act(first)).catch(() => undefined);
  const state = await reset(lab);
  if (potent === undefined) return context.fail(`leak: ${title}`, 'shows no secret even direct');
  for (const [mode, way] of [
    ['mask', lab.through],
    ['strict', lab.strict],
  ] as const) {
    // Where each attempt costs a new database, one way of asking must do.
    if (mode === 'strict' && state === 'changed') continue;
    const isOnce = mode === 'strict' || state === 'changed';
    for (const form of isOnce ? forms.slice(0, 1) : forms) {
      await context.check(`leak, ${mode}, ${form}: ${title}`, async () => {
        const found = await secretIn(way, act(form));
        await reset(lab);
        if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
      });
    }
  }
}

const MYSQL_LEAKS: readonly (readonly string[])[] = [
  ...MYSQL_LEAK_STATEMENTS.map((one) => [one]),
  ...MYSQL_LEAK_SEQUENCES,
  ...MYSQL_LEAK_TRACES,
];

async function checkLeaks(context: SuiteContext, lab: RedLab): Promise<void> {
  for (const [index, steps] of MYSQL_LEAKS.entries()) {
    if (index % 40 === 0) context.progress(`leak ${index + 1} of ${MYSQL_LEAKS.length}`);
    await checkAttack(context, lab, {
      title: steps.join(' / '),
      act: (form) => (client) =>
        form === 'text' ? sendAll(client, steps) : prepareAll(client, steps),
      forms: ['text', 'prepared'],
    });
  }
}

async function checkWire(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('commands and states');
  for (const one of MYSQL_WIRE_LEAKS) {
    await checkAttack(context, lab, {
      title: one.title,
      act: () => (client) => one.act(client, (sql) => lab.admin(sql)),
      forms: ['wire'],
    });
  }
}

/** Rows that are equal by ORDER BY, and all rows without one, come in whatever order the server likes that day. */
function withRowsSorted(printed: string): string {
  return printed.replace(/(?:^row .*\n?)+/gm, (rows) =>
    rows.endsWith('\n')
      ? `${rows.slice(0, -1).split('\n').toSorted().join('\n')}\n`
      : rows.split('\n').toSorted().join('\n'),
  );
}

async function checkEveryday(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('everyday statements');
  const ask = async (way: MysqlWay, texts: readonly string[]): Promise<string> => {
    const client = await connectLab(way);
    try {
      return withRowsSorted(printResults(await sendAll(client, texts)));
    } finally {
      client.close();
    }
  };
  for (const texts of MYSQL_EVERYDAY) {
    const expected = await ask(lab.direct, texts);
    await reset(lab);
    for (const way of [lab.through, lab.strict]) {
      await context.check(`everyday: ${texts.join(' / ').slice(0, 150)}`, async () => {
        assertSameText(await ask(way, texts), expected, 'the answer');
      });
      await reset(lab);
    }
  }
}

async function openRedLab(context: SuiteContext): Promise<RedLab> {
  const lab = await openMysqlLab(context, {
    masks: redTeamMasks('mask'),
    args: ['--event-scheduler=ON', '--log-bin-trust-function-creators=ON', '--secure-file-priv='],
    grant: 'ALL ON *.*',
  });
  const strict = await startMysqlTarget(context, {
    upstreamPort: lab.server.port,
    upstream: APP,
    users: [ALICE],
    masks: redTeamMasks('strict'),
  });
  const login = targetKind() === 'copy' ? APP : ALICE;
  const watcher = await connectLab(lab.direct);
  const red: RedLab = {
    ...lab,
    strict: { name: 'through', port: strict.port, ...login },
    watcher,
    before: { state: '' },
  };
  await recreateAll(red);
  return red;
}

async function runMysqlRedTeam(context: SuiteContext): Promise<void> {
  if (isMariadbMissing(context, 'mysql-red-team')) return;
  const lab = await openRedLab(context);
  const parts = { everyday: checkEveryday, wire: checkWire, leaks: checkLeaks };
  const wanted = process.env['WEIR_RED_TEAM_PARTS']?.split(',');
  for (const [name, check] of Object.entries(parts)) {
    if (wanted === undefined || wanted.includes(name)) await check(context, lab);
  }
}

export const mysqlRedTeam: Suite = {
  name: 'mysql-red-team',
  about: 'a hostile user of MariaDB gets nothing masked, and everyday work goes on',
  run: runMysqlRedTeam,
};
