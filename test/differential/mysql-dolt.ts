/**
 * Clients of MySQL 8 on a server that only speaks its protocol: Dolt's engine, direct against through the
 * gateway, with both kinds of sign-in; then blocks and masks. What it runs is not what MySQL runs (all
 * version comments), and information_schema tells less: that is why it is here.
 */

import mysql from 'mysql2/promise';
import type { MaskConfig, RuleConfig } from '../../lib/config/config.ts';
import { clientLogin, type Login } from '../support/gateway-process.ts';
import { type MysqlGatewayOptions, startMysqlTarget } from '../support/mysql-gateway.ts';
import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { ALICE, APP, DATABASE, isInstalled, runProgram } from './lab.ts';
import {
  DOLT_ALLOWED,
  DOLT_BLOCKED,
  DOLT_DATABASE,
  DOLT_LEAKS,
  DOLT_MASKED,
  DOLT_SAME,
  DOLT_SCRIPT,
} from './mysql-dolt-cases.ts';
import { type DoltServer, startDoltEngine } from './mysql-dolt-server.ts';

const RULE: RuleConfig = {
  name: 'no-destruction',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['*'],
  action: 'block',
};
const MASK: MaskConfig = {
  name: 'addresses',
  connections: ['*'],
  columns: ['lab.people.email'],
  with: 'redact',
  mode: 'mask',
  except: [],
};
const SECRET = /@secret\.example/i;
const ER_TABLEACCESS_DENIED = 1142;

interface DoltWay extends Login {
  readonly name: 'direct' | 'through';
  readonly port: number;
}

type Form = 'query' | 'execute';

async function connectTo(way: DoltWay): Promise<mysql.Connection> {
  const { port, user, password } = way;
  return mysql.createConnection({
    host: '127.0.0.1',
    port,
    user,
    password,
    database: DATABASE,
    supportBigNumbers: true,
    bigNumberStrings: true,
    multipleStatements: true,
  });
}

/** One answer as a text: rows as arrays, what the server says of columns, counts, or an error. */
async function answerTo(client: mysql.Connection, form: Form, sql: string): Promise<string> {
  try {
    const options = { sql, rowsAsArray: true };
    const [rows, fields] =
      form === 'query' ? await client.query(options) : await client.execute(options);
    const columns = Array.isArray(fields)
      ? fields.flat().map((field) => [field?.name, field?.type, field?.flags, field?.table])
      : [];
    return JSON.stringify([columns, rows]);
  } catch (error) {
    return JSON.stringify(describe(error));
  }
}

function describe(error: unknown): unknown {
  if (!(error instanceof Error)) throw error;
  const errno = 'errno' in error ? error.errno : undefined;
  const state = 'sqlState' in error ? error.sqlState : undefined;
  // An error of the connection is none of the server's.
  if (state === undefined) throw error;
  return [errno, state, error.message];
}

async function withClient<T>(
  way: DoltWay,
  use: (client: mysql.Connection) => Promise<T>,
): Promise<T> {
  const client = await connectTo(way);
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

async function answersTo(way: DoltWay, form: Form, texts: readonly string[]): Promise<string[]> {
  return withClient(way, async (client) => {
    const answers: string[] = [];
    for (const sql of texts) answers.push(await answerTo(client, form, sql));
    return answers;
  });
}

class DoltLab {
  readonly direct: DoltWay;
  readonly server: DoltServer;
  private readonly context: SuiteContext;

  constructor(context: SuiteContext, server: DoltServer) {
    this.context = context;
    this.server = server;
    this.direct = { name: 'direct', port: server.port, ...APP };
  }

  async gateway(options: Partial<MysqlGatewayOptions> = {}): Promise<DoltWay> {
    const base = { users: [ALICE], ...options, upstreamPort: this.server.port, upstream: APP };
    const target = await startMysqlTarget(this.context, base);
    return { name: 'through', port: target.port, ...clientLogin(base) };
  }

  recreate(): Promise<void> {
    return this.server.admin(DOLT_DATABASE);
  }

  /** Everything that a refused statement could have changed. */
  async state(): Promise<string> {
    const texts = [
      'SHOW TABLES',
      'SHOW CREATE TABLE people',
      'SELECT * FROM log ORDER BY id',
      "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'lab' ORDER BY 1",
    ];
    return (await answersTo(this.direct, 'query', texts)).join('\n');
  }
}

async function checkSame(context: SuiteContext, lab: DoltLab, through: DoltWay): Promise<void> {
  for (const form of ['query', 'execute'] as const) {
    await lab.recreate();
    const direct = await answersTo(lab.direct, form, DOLT_SAME);
    await lab.recreate();
    const other = await answersTo(through, form, DOLT_SAME);
    for (const [index, sql] of DOLT_SAME.entries()) {
      await context.check(`mysql2, ${form}: ${sql}`, () =>
        assertSameText(other[index] ?? '', direct[index] ?? '', sql),
      );
    }
  }
  await context.check('mysql2: values of a prepared statement, twice', async () => {
    const ask = (way: DoltWay): Promise<string> =>
      withClient(way, async (client) => {
        const sql = 'SELECT ?, ?, name FROM people WHERE id = ? OR born > ?';
        const seen: unknown[] = [];
        for (const values of [
          [1, 'zwei ✓', 2, '1999-12-31'],
          [null, 'x', 1, '2100-01-01'],
        ]) {
          seen.push((await client.execute({ sql, rowsAsArray: true }, values))[0]);
        }
        return JSON.stringify(seen);
      });
    assertSameText(await ask(through), await ask(lab.direct), 'values');
  });
}

async function checkProgram(context: SuiteContext, lab: DoltLab, through: DoltWay): Promise<void> {
  if (!(await isInstalled('mariadb'))) {
    return context.skip('mariadb', 'the mariadb program is not installed');
  }
  for (const args of [['-t'], ['--batch', '--column-type-info'], ['--xml']]) {
    await context.check(`mariadb ${args.join(' ')}`, async () => {
      const [direct, other] = [await run(lab, lab.direct, args), await run(lab, through, args)];
      assertSameText(other, direct, 'mariadb');
    });
  }
}

async function run(lab: DoltLab, way: DoltWay, args: readonly string[]): Promise<string> {
  await lab.recreate();
  const login = [`--port=${way.port}`, `--user=${way.user}`, `--password=${way.password}`];
  const place = ['--host=127.0.0.1', '--skip-ssl', '--default-character-set=utf8mb4', '--force'];
  const command = ['mariadb', '--no-defaults', ...login, ...place, ...args, DATABASE];
  const result = await runProgram(way, command, { input: DOLT_SCRIPT });
  const text = `exit ${result.code}\n${result.stdout}\n${result.stderr}`;
  return text.replace(/\(\d+\.\d+ sec\)/g, '(TIME)');
}

/** The engine panics when an EXECUTE is prepared, and ends the connection. */
function formsOf(texts: readonly string[]): readonly Form[] {
  return texts.some((text) => text.startsWith('EXECUTE')) ? ['query'] : ['query', 'execute'];
}

async function checkBlocks(context: SuiteContext, lab: DoltLab): Promise<void> {
  await lab.recreate();
  const through = await lab.gateway({ rules: [RULE] });
  const before = await lab.state();
  for (const texts of DOLT_BLOCKED) {
    const title = texts.join(' / ');
    for (const form of formsOf(texts)) {
      await context.check(`blocked, ${form}: ${title}`, async () => {
        const answers = await answersTo(through, form, [...texts, "SELECT 'usable'"]);
        assertSameText(await lab.state(), before, title);
        if (!answers.at(-1)?.includes('usable')) throw new Error(answers.join('\n'));
        const isRefused = answers.some((one) => one.startsWith(`[${ER_TABLEACCESS_DENIED},`));
        if (!isRefused) throw new Error(`no refusal: ${answers.join('\n')}`);
      });
    }
    await answersTo(lab.direct, 'query', texts);
    if ((await lab.state()) === before) context.fail(title, 'does no harm even direct');
    await lab.recreate();
  }
  for (const sql of DOLT_ALLOWED) {
    await context.check(`allowed: ${sql}`, async () => {
      await lab.recreate();
      const [direct] = await answersTo(lab.direct, 'query', [sql]);
      await lab.recreate();
      const [other] = await answersTo(through, 'query', [sql]);
      assertSameText(other ?? '', direct ?? '', sql);
    });
  }
}

async function checkMasks(context: SuiteContext, lab: DoltLab): Promise<void> {
  await lab.recreate();
  const through = await lab.gateway({ masks: [MASK] });
  for (const form of ['query', 'execute'] as const) {
    for (const { sql } of DOLT_MASKED) {
      await context.check(`masked, ${form}: ${sql}`, async () => {
        const [direct = ''] = await answersTo(lab.direct, form, [sql]);
        const [other = ''] = await answersTo(through, form, [sql]);
        if (!SECRET.test(direct)) throw new Error(`shows nothing even direct: ${direct}`);
        if (SECRET.test(other)) throw new Error(`came to the client: ${other}`);
      });
    }
    for (const texts of DOLT_LEAKS.filter((one) => formsOf(one).includes(form))) {
      await context.check(`masked, ${form}: ${texts.join(' / ')}`, async () => {
        const seen = (await answersTo(through, form, texts)).join('\n');
        if (SECRET.test(seen)) throw new Error(`came to the client: ${seen}`);
      });
      await lab.recreate();
    }
  }
  await context.check(
    'masked and not refused: rows, NULLs and clear values are those of the table',
    async () => {
      for (const sql of [
        'SELECT * FROM people ORDER BY id',
        'SELECT * FROM everyone ORDER BY id',
      ]) {
        for (const form of ['query', 'execute'] as const) {
          const [direct = ''] = await answersTo(lab.direct, form, [sql]);
          const [other = ''] = await answersTo(through, form, [sql]);
          assertSameText(other, direct.replaceAll(/"\w+@secret\.example!?"/g, '"***"'), sql);
        }
      }
    },
  );
}

async function runMysqlDolt(context: SuiteContext): Promise<void> {
  const server = await startDoltEngine(context);
  if (server === undefined) return;
  const lab = new DoltLab(context, server);
  for (const auth of ['gateway', 'passthrough'] as const) {
    context.progress(`the same answers, auth = "${auth}"`);
    const through = await lab.gateway(auth === 'gateway' ? {} : { auth, users: [] });
    await checkSame(context, lab, through);
    await checkProgram(context, lab, through);
  }
  context.progress('blocks');
  await checkBlocks(context, lab);
  context.progress('masks');
  await checkMasks(context, lab);
}

export const mysqlDolt: Suite = {
  name: 'mysql-dolt',
  about: "Dolt's engine (go-mysql-server) in place of MySQL 8: same answers, blocks, masks",
  run: runMysqlDolt,
};
