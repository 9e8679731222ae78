/**
 * Secrets that a client sends in statements and sign-ins must not be found in what Weir keeps, neither in
 * recordings nor in the log (GW-16), and everything that reached the server must be in a recording.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listRecordings } from '../../lib/recording/library.ts';
import { openRecording } from '../../lib/recording/reader.ts';
import { COM, command, uint16 } from '../support/mysql-packets.ts';
import { finishSignIn, SignInRefused } from '../support/mysql-sign-in.ts';
import { execute, uint32 } from '../support/mysql-packets.ts';
import type { SuiteContext } from './harness.ts';
import { DATABASE } from './lab.ts';
import { connectLab, type MysqlLab, type MysqlWay, openMysqlLab } from './mysql-lab.ts';

const SECRET = 'pl4nted-S3CRET';

/** Each with a secret of its own, `$`; several fail, and the server's error quotes them. */
const STATEMENTS: readonly string[] = [
  "SET PASSWORD FOR nobody@localhost = PASSWORD('$')",
  "SET PASSWORD FOR nobody@localhost = '$'",
  "CREATE USER carl@localhost IDENTIFIED BY '$'",
  "CREATE USER IF NOT EXISTS dora@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('$')",
  "ALTER USER carl@localhost IDENTIFIED BY '$'",
  "/*!50000 ALTER USER */ carl@localhost IDENTIFIED /* by */ BY '$'",
  "GRANT SELECT ON lab.* TO carl@localhost IDENTIFIED BY '$'",
  'GRANT SELECT ON lab.* TO carl@localhost IDENTIFIED BY "$"',
  "CHANGE MASTER TO MASTER_HOST = 'nowhere.invalid', MASTER_PASSWORD = '$'",
  "CREATE SERVER far FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h', PASSWORD '$')",
  "ALTER SERVER far OPTIONS (PASSWORD '$')",
  "PREPARE s FROM 'CREATE USER emil@localhost IDENTIFIED BY \\'$\\''",
  "EXECUTE IMMEDIATE 'ALTER USER carl@localhost IDENTIFIED BY \\'$\\''",
  "CREATE USER carl@localhost IDENTIFIED BY '$' SELEKT",
  // No SQL: Weir's own error quotes them.
  "SELEKT 1, PASSWORD('$')",
  "ALTER USRE carl@localhost IDENTIFIED BY '$'",
  "SELECT 1; ALTER USER carl@localhost IDENTIFIED BY '$'",
  "CREATE TABLE remote (id INT) ENGINE=FEDERATED CONNECTION='mysql://u:$@h/d/t'",
  "BEGIN NOT ATOMIC CREATE USER gina@localhost IDENTIFIED BY '$'; END",
];

async function sendStatements(way: MysqlWay): Promise<void> {
  let number = 0;
  for (const statement of STATEMENTS) {
    const client = await connectLab(way);
    const next = (): string => statement.replace('$', `${SECRET}-${way.name}-${(number += 1)}`);
    await client.query(next());
    await client.prepare(next());
    // A secret on the border of two packets of TCP.
    const text = command(COM.query, next());
    const length = Buffer.of(text.length, 0, 0, 0);
    client.startReply();
    for (const byte of Buffer.concat([length, text])) client.socket.write(Buffer.of(byte));
    await client.readResults();
    client.close();
  }
}

/** As a parameter: in the binary protocol and by COM_STMT_SEND_LONG_DATA. */
async function sendParameters(way: MysqlWay): Promise<void> {
  const client = await connectLab(way);
  const texts = [
    'SET PASSWORD FOR nobody@localhost = ?',
    'CREATE USER hans@localhost IDENTIFIED BY ?',
    'SELECT PASSWORD(?)',
  ];
  for (const text of texts) {
    const prepared = await client.prepare(text);
    if ('kind' in prepared) continue;
    await client.execute(execute(prepared.id, [`${SECRET}-bound`]));
    client.send(command(COM.longData, uint32(prepared.id), uint16(0), `${SECRET}-long`));
    await client.execute(
      command(COM.execute, uint32(prepared.id), Buffer.of(0), uint32(1), Buffer.of(0, 1, 0xfc, 0)),
    );
  }
  client.close();
}

async function changeUser(way: MysqlWay, password: string): Promise<void> {
  const client = await connectLab(way);
  const text = (value: string): Buffer => Buffer.from(`${value}\0`);
  client.send(
    command(
      COM.changeUser,
      text(way.user),
      Buffer.of(0),
      text(DATABASE),
      uint16(45),
      text('mysql_native_password'),
    ),
  );
  await finishSignIn(client, { password }, { plugin: '', nonce: Buffer.alloc(0) }).catch(
    (error: unknown) => {
      if (!(error instanceof SignInRefused)) throw error;
    },
  );
  client.close();
}

/** Every file below the folder as text, and the events of all recordings, which may be packed in the file. */
async function readKept(dataDir: string): Promise<string> {
  const parts: string[] = [];
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) parts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'));
  for (const { path } of await listRecordings(dataDir)) {
    const recording = await openRecording(path);
    for await (const event of recording.events()) {
      parts.push(event.kind === 'wire' ? event.bytes.toString('latin1') : JSON.stringify(event));
    }
  }
  return parts.join('\n');
}

/** Also as UTF-16 or hex, and cut in half. */
function findSecret(text: string): string | undefined {
  const forms = [SECRET, Buffer.from(SECRET).toString('hex'), SECRET.slice(0, 8), SECRET.slice(6)];
  for (const form of forms) {
    const at = text.toLowerCase().indexOf(form.toLowerCase());
    if (at >= 0) return JSON.stringify(text.slice(Math.max(0, at - 120), at + 40));
  }
  return undefined;
}

const UNIQUE = /unique-mark-\d+(?!\d)/g;

/** Texts in every form of the protocol; the server's general log says which of them it got. */
async function sendMarks(way: MysqlWay): Promise<void> {
  const client = await connectLab(way);
  for (let mark = 0; mark < 40; mark += 4) {
    await client.query(`SELECT 'unique-mark-${mark}'`);
    const prepared = await client.prepare(`SELECT 'unique-mark-${mark + 1}', ?`);
    if (!('kind' in prepared))
      await client.execute(execute(prepared.id, [`unique-mark-${mark + 2}`]));
    client.sendAll([command(COM.query, `/* unique-mark-${mark + 3} */ DO 1`), command(COM.ping)]);
    client.startReply();
    await client.readResults();
    client.startReply();
    await client.readResults();
  }
  client.close();
}

interface RecordedWay {
  readonly way: MysqlWay;
  readonly dataDir: string;
  readonly readLog: () => string;
}

async function checkWay(
  context: SuiteContext,
  lab: MysqlLab,
  { way, dataDir, readLog }: RecordedWay,
): Promise<void> {
  await sendStatements(way);
  await sendParameters(way);
  await changeUser(way, `${SECRET}-changed`);
  await changeUser(way, way.password);
  await sendMarks(way);
  // A catalog connection or a session may still be writing.
  await context.check(
    `${way.name}: no secret is in a recording or in the log (GW-16)`,
    async () => {
      const kept = await readKept(dataDir);
      const found = findSecret(kept) ?? findSecret(readLog());
      if (found !== undefined) throw new Error(found);
      if (kept.includes(way.password)) throw new Error('the password of the sign-in is in it');
    },
  );
  await context.check(`${way.name}: what reached the server is in a recording`, async () => {
    const log = await readFile(join(lab.server.dataDir, 'general.log'), 'latin1');
    const kept = new Set((await readKept(dataDir)).match(UNIQUE));
    const lost = [...new Set(log.match(UNIQUE))].filter((mark) => !kept.has(mark));
    if (kept.size < 40) throw new Error(`${kept.size} of 40 marks are recorded`);
    if (lost.length > 0) throw new Error(lost.join());
  });
}

export async function checkMysqlSecrets(context: SuiteContext): Promise<void> {
  const masks = [] as const;
  const rule = {
    name: 'all-is-seen',
    connections: ['*'],
    principals: ['*'],
    effects: ['truncate'] as const,
    objects: ['nowhere.*'],
    action: 'block',
  } as const;
  for (const rules of [[rule], []]) {
    const lab = await openMysqlLab(context, {
      rules,
      masks,
      durability: 'strict',
      grant: 'ALL ON *.* ',
      args: ['--general-log=1', '--general-log-file=general.log', '--log-output=FILE'],
    });
    await lab.admin(`GRANT ALL ON *.* TO app@'127.0.0.1' WITH GRANT OPTION`);
    const { dataDir } = lab.target;
    context.progress(rules.length > 0 ? 'inspected' : 'not inspected');
    await checkWay(context, lab, {
      way: lab.through,
      dataDir,
      readLog: () => lab.target.readLog(),
    });
  }
}
