/**
 * The reader of MySQL against a real MariaDB, over the statements of MariaDB's own test suite (Debian's
 * mariadb-test-data, read where it is installed): it reads what the server reads, it knows the columns
 * of a result, and it calls no statement less than what the server counts it as. CI looks at a fixed
 * sample of files; WEIR_CORPUS=full at all of them, WEIR_CORPUS_FINDINGS=file writes down what differs.
 */

import { createHash } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { mariadbMissing, type MariadbServer, startMariadb } from '../support/mariadb-server.ts';
import type { Suite, SuiteContext } from './harness.ts';
import { disguises, mayRun, Sandbox } from './mysql-corpus-danger.ts';
import {
  corpusFiles,
  CORPUS_FOLDER,
  isCorpusThere,
  shapeOf,
  statementsOf,
} from './mysql-corpus-extract.ts';
import { readColumns, readEffects } from './mysql-corpus-reader.ts';
import { LOST, OracleConnection } from './mysql-corpus-server.ts';
import { CorpusSchema } from './mysql-corpus-schema.ts';

const SEED = 'weir 1';
const SAMPLE_FILES = 900;
const DANGER_STATEMENTS = 500;
/** On 2 slow cores; what is not reached then is not judged, and the sample is in random order. */
const TIME_MAX = 90_000;
const DIFFERENCES_SHOWN = 12;
/** Test suites hold statements that end connections. */
const LOST_MAX = 20;

const COVERAGE_MIN = 0.995;
const COLUMNS_MIN = 0.999;

/** The compatibility suite switches to the Oracle dialect, which the reader refuses (MY-42). */
const OTHER_DIALECT = /\/compat\/oracle\//;

interface Tally {
  right: number;
  readonly wrong: string[];
}

interface Counts {
  statements: number;
  invalid: number;
  invalidRead: number;
  /** Statements at which the server gave no answer. */
  lost: number;
  readonly read: Tally;
  readonly columns: Tally;
  readonly stars: Tally;
  readonly valid: string[];
}

const isFull = process.env['WEIR_CORPUS'] === 'full';

function orderOf(text: string): string {
  return createHash('sha1')
    .update(`${SEED} ${text.replace(CORPUS_FOLDER, '')}`)
    .digest('hex');
}

/** The same files in the same order on every machine with the same package. */
function chooseFiles(): string[] {
  const files = corpusFiles().filter((file) => !OTHER_DIALECT.test(file));
  const shuffled = files.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return isFull ? shuffled : shuffled.slice(0, SAMPLE_FILES);
}

async function walkCorpus(context: SuiteContext, server: MariadbServer): Promise<Counts> {
  const account = { user: server.rootUser, password: server.rootPassword };
  const oracle = new OracleConnection(server, account);
  context.teardown(async () => oracle.close());
  const counts: Counts = {
    statements: 0,
    invalid: 0,
    invalidRead: 0,
    lost: 0,
    read: { right: 0, wrong: [] },
    columns: { right: 0, wrong: [] },
    stars: { right: 0, wrong: [] },
    valid: [],
  };
  const seen = new Set<string>();
  const endAt = Date.now() + TIME_MAX;
  const files = chooseFiles();
  let fileCount = 0;
  for (const file of files) {
    if (!isFull && Date.now() > endAt) break;
    fileCount += 1;
    await walkFile(file, { oracle, schema: new CorpusSchema(oracle), seen, counts });
    if (fileCount % 500 === 0)
      context.progress(`${fileCount} of ${files.length} files, ${counts.statements} shapes`);
  }
  context.progress(`${fileCount} files, ${counts.statements} distinct shapes`);
  return counts;
}

interface Walk {
  readonly oracle: OracleConnection;
  readonly schema: CorpusSchema;
  readonly seen: Set<string>;
  readonly counts: Counts;
}

async function walkFile(file: string, { oracle, schema, seen, counts }: Walk): Promise<void> {
  await schema.begin();
  for (const statement of statementsOf(file)) {
    const shape = shapeOf(statement);
    if (!seen.has(shape)) {
      seen.add(shape);
      counts.statements += 1;
      await judge(statement, oracle, schema, counts);
    }
    await schema.follow(statement);
  }
}

async function judge(
  statement: string,
  oracle: OracleConnection,
  schema: CorpusSchema,
  counts: Counts,
): Promise<void> {
  const prepared = await oracle.prepare(statement);
  if (prepared.errno === LOST) {
    counts.lost += 1;
    return;
  }
  const database = schema.database;
  const read = readColumns(statement, { database, relations: await schema.relations(statement) });
  if (prepared.errno === 1064) {
    counts.invalid += 1;
    if (read.kind === 'read') counts.invalidRead += 1;
    return;
  }
  counts.valid.push(statement);
  if (read.kind === 'refused') {
    counts.read.wrong.push(`${read.reason}\n${statement}`);
    return;
  }
  counts.read.right += 1;
  if (prepared.errno !== 0 || read.columns === undefined) return;
  const tally = read.hasStar ? counts.stars : counts.columns;
  const isSame =
    read.columns.length === prepared.columns.length &&
    read.columns.every(
      (name, index) => name === undefined || isSameName(name, prepared.columns[index]),
    );
  if (isSame) tally.right += 1;
  else tally.wrong.push(`${prepared.columns.join()} | ${read.columns.join()}\n${statement}`);
}

function isSameName(ours: string, theirs: string | undefined): boolean {
  return theirs !== undefined && ours.toLowerCase().trim() === theirs.toLowerCase().trim();
}

function share({ right, wrong }: Tally): number {
  return right + wrong.length === 0 ? 1 : right / (right + wrong.length);
}

async function report(
  context: SuiteContext,
  name: string,
  tally: Tally,
  min: number,
): Promise<void> {
  const total = tally.right + tally.wrong.length;
  context.progress(`${name}: ${tally.right} of ${total} (${(100 * share(tally)).toFixed(3)} %)`);
  await writeFindings(name, tally.wrong);
  await context.check(`${name}: at least ${100 * min} %`, () => {
    if (total < 100) throw new Error(`only ${total} were looked at`);
    if (share(tally) < min) throw new Error(tally.wrong.slice(0, DIFFERENCES_SHOWN).join('\n'));
  });
}

async function writeFindings(name: string, differences: readonly string[]): Promise<void> {
  const file = process.env['WEIR_CORPUS_FINDINGS'];
  if (file === undefined) return;
  const text = differences.map((difference) => `--- ${name}: ${difference}\n`).join('');
  await appendFile(file, text);
}

async function checkDanger(
  context: SuiteContext,
  server: MariadbServer,
  valid: readonly string[],
): Promise<void> {
  const sandbox = await Sandbox.open(server);
  context.teardown(async () => sandbox.close());
  // Queries are the most, and the least interesting.
  const isQuery = (statement: string): boolean => /^\W*(?:select|explain|show)\b/i.test(statement);
  const candidates = valid.filter((text) => mayRun(text) && !isQuery(text));
  const chosen = candidates
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
    .slice(0, isFull ? 3000 : DANGER_STATEMENTS);
  const endAt = Date.now() + TIME_MAX;
  const tally: Tally = { right: 0, wrong: [] };
  for (const text of chosen.flatMap(disguises)) {
    if (!isFull && Date.now() > endAt) break;
    const judgement = await sandbox.judge({ text, effects: readEffects(text) });
    if (judgement === undefined) continue;
    if (judgement.untold === undefined) tally.right += 1;
    else tally.wrong.push(`${judgement.untold}\n${text}`);
  }
  await report(context, 'told as what the server counts', tally, 1);
}

async function runCorpus(context: SuiteContext): Promise<void> {
  const missing = mariadbMissing();
  if (missing !== undefined) return context.skip('mysql-corpus', missing);
  if (!isCorpusThere())
    return context.skip('mysql-corpus', 'the Debian package mariadb-test-data is not installed');
  const server = await startMariadb({
    args: [
      '--local-infile=0',
      '--default-storage-engine=MyISAM',
      '--enforce-storage-engine=MyISAM',
      '--skip-log-bin',
    ],
  });
  context.teardown(() => server.stop());
  const counts = await walkCorpus(context, server);
  context.progress(`${counts.invalid} are not valid, ${counts.invalidRead} of them are read`);
  await context.check('the server answers', () => {
    if (counts.lost > LOST_MAX) throw new Error(`${counts.lost} statements got no answer`);
  });
  await report(context, 'valid shapes are read', counts.read, COVERAGE_MIN);
  await report(context, 'columns as the server names and counts them', counts.columns, COLUMNS_MIN);
  await report(context, 'stars as the server expands them', counts.stars, COLUMNS_MIN);
  await checkDanger(context, server, counts.valid);
}

export const mysqlCorpus: Suite = {
  name: 'mysql-corpus',
  about: "the reader of MySQL against a real server, over MariaDB's own test suite",
  run: runCorpus,
};
