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
import { MYSQL_LEAKS, MYSQL_WIRE_LEAKS } from './mysql-red-team-leaks.ts';

interface RedLab extends MysqlLab {
  readonly strict: MysqlWay;
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

/** An attack may change what the next one reads, also where it was refused in part. */
const CHANGES =
  /\b(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|CALL|ALTER|DROP|RENAME|TRUNCATE|LOAD|GLOBAL|ANALYZE|EXECUTE)\b/i;

interface Attack {
  readonly title: string;
  readonly act: (form: string) => Act;
  readonly forms: readonly string[];
  readonly changes: boolean;
}

async function checkAttack(context: SuiteContext, lab: RedLab, attack: Attack): Promise<void> {
  const { title, act, forms, changes } = attack;
  const reset = async (): Promise<void> => {
    if (changes) await lab.recreate(MYSQL_RED_TEAM_DATABASE);
  };
  const attempt = async (way: MysqlWay, form: string): Promise<string | undefined> => {
    const found = await secretIn(way, act(form));
    await reset();
    return found;
  };
  const [first = 'text'] = forms;
  const isPotent = (await attempt(lab.direct, first).catch(() => undefined)) !== undefined;
  if (!isPotent) return context.fail(`leak: ${title}`, 'shows no secret even direct');
  for (const [mode, way] of [
    ['mask', lab.through],
    ['strict', lab.strict],
  ] as const) {
    for (const form of mode === 'strict' ? forms.slice(0, 1) : forms) {
      await context.check(`leak, ${mode}, ${form}: ${title}`, async () => {
        const found = await attempt(way, form);
        if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
      });
    }
  }
}

async function checkLeaks(context: SuiteContext, lab: RedLab): Promise<void> {
  for (const [index, steps] of MYSQL_LEAKS.entries()) {
    if (index % 40 === 0) context.progress(`leak ${index + 1} of ${MYSQL_LEAKS.length}`);
    await checkAttack(context, lab, {
      title: steps.join(' / '),
      act: (form) => (client) =>
        form === 'text' ? sendAll(client, steps) : prepareAll(client, steps),
      forms: ['text', 'prepared'],
      changes: steps.some((step) => CHANGES.test(step)),
    });
  }
}

async function checkWire(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('commands and states');
  for (const one of MYSQL_WIRE_LEAKS) {
    await checkAttack(context, lab, {
      title: one.title,
      act: () => (client) => one.act(client, lab.admin),
      forms: ['wire'],
      changes: true,
    });
  }
}

async function checkEveryday(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('everyday statements');
  const ask = async (way: MysqlWay, texts: readonly string[]): Promise<string> => {
    const client = await connectLab(way);
    try {
      return printResults(await sendAll(client, texts));
    } finally {
      client.close();
    }
  };
  for (const texts of MYSQL_EVERYDAY) {
    const isChange = texts.some((one) => CHANGES.test(one));
    const expected = await ask(lab.direct, texts);
    if (isChange) await lab.recreate(MYSQL_RED_TEAM_DATABASE);
    for (const way of [lab.through, lab.strict]) {
      await context.check(`everyday: ${texts.join(' / ').slice(0, 150)}`, async () => {
        assertSameText(await ask(way, texts), expected, 'the answer');
      });
      if (isChange) await lab.recreate(MYSQL_RED_TEAM_DATABASE);
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
  await lab.recreate(MYSQL_RED_TEAM_DATABASE);
  const login = targetKind() === 'copy' ? APP : ALICE;
  return { ...lab, strict: { name: 'through', port: strict.port, ...login } };
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
