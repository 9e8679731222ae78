/** `weir explain`: what Weir would say to a statement or request, and why, without sending it anywhere. */

import { parseArgs } from 'node:util';
import {
  type Config,
  type ConnectionConfig,
  isStoreProtocol,
  type MaskConfig,
} from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { GatewayError } from '../errors.ts';
import { type ExplainedStatement, createExplainer } from '../gateway/explainer.ts';
import type { StoreConnection } from '../gateway/store-decider.ts';
import { createStoreExplainer } from '../gateway/store-explainer.ts';
import type { ObjectEffect, ObjectName } from '../sql/analysis.ts';
import { describeRequest } from './explain-request.ts';

export interface Io {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export const EXPLAIN_USAGE = `usage: weir explain -c weir.toml --connection NAME --as USER [--database NAME] "SQL"
       weir explain -c weir.toml --connection NAME --as USER "POST /path {json}"
       weir explain -c weir.toml --connection NAME --as USER "package.Service/Method hex:..."
       weir explain -c weir.toml --connection NAME --as USER "FT.SEARCH idx *"

  Prints what the statement or request does, the decision, the rule that made it and the masks in
  force. Function bodies, views and masks are read from the database where it can be reached, what
  names mean from the store.

exit codes: 0 allowed, 1 could not be judged in full, 2 usage or configuration error, 4 blocked
`;

const EXIT_ALLOWED = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_BLOCKED = 4;

/** What was given is wrong: the configuration, or the request, which would be refused by any rules. */
const USAGE_CODES: ReadonlySet<string> = new Set(['CONFIG_INVALID', 'EXPLAIN_TEXT']);

export async function runExplain(argv: readonly string[], io: Io): Promise<number> {
  const options = parse(argv);
  if (options === undefined) {
    io.stderr.write(EXPLAIN_USAGE);
    return EXIT_USAGE;
  }
  try {
    const config = loadConfig(options.config);
    const connection = config.connections.find(({ name }) => name === options.connection);
    if (connection === undefined) {
      const names = config.connections.map(({ name }) => name).join(', ');
      io.stderr.write(`no connection is called "${options.connection}"; there are: ${names}\n`);
      return EXIT_USAGE;
    }
    const { protocol } = connection;
    return isStoreProtocol(protocol)
      ? await explainRequest(config, { ...connection, protocol }, options, io)
      : await explainStatement(config, connection, options, io);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return USAGE_CODES.has(error.code) ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function explainStatement(
  config: Config,
  connection: ConnectionConfig,
  options: ExplainOptions,
  io: Io,
): Promise<number> {
  const explainer = await createExplainer(config, connection);
  try {
    // A client of PostgreSQL that names no database gets that of its user, one of MySQL gets none.
    const byDefault = connection.protocol === 'mysql' ? '' : options.user;
    const configured = connection.upstream.database ?? connection.catalog?.database;
    const database = options.database ?? configured ?? byDefault;
    const explanation = await explainer.explain(options.user, database, options.text);
    io.stdout.write(describe(explanation, explainer.masksOf(options.user)));
    if (explanation.decision.kind === 'block') return EXIT_BLOCKED;
    return explanation.unread === undefined ? EXIT_ALLOWED : EXIT_FAILED;
  } finally {
    await explainer.close();
  }
}

async function explainRequest(
  config: Config,
  connection: StoreConnection,
  { user, text }: ExplainOptions,
  io: Io,
): Promise<number> {
  const explainer = createStoreExplainer(config, connection);
  try {
    const explained = await explainer.explain(user, text);
    io.stdout.write(describeRequest(explained));
    if (explained.judgement.refusal !== undefined) return EXIT_BLOCKED;
    return explained.unread === undefined ? EXIT_ALLOWED : EXIT_FAILED;
  } finally {
    await explainer.close();
  }
}

interface ExplainOptions {
  readonly config: string;
  readonly connection: string;
  readonly user: string;
  readonly database: string | undefined;
  /** SQL, or a request to a store. */
  readonly text: string;
}

function parse(argv: readonly string[]): ExplainOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string', short: 'c' },
        connection: { type: 'string' },
        as: { type: 'string' },
        database: { type: 'string' },
      },
    });
    const [text] = positionals;
    const { config, connection, as: user, database } = values;
    if (config === undefined || connection === undefined || user === undefined) return undefined;
    return text === undefined || positionals.length > 1
      ? undefined
      : { config, connection, user, database, text };
  } catch {
    // An unknown option: the usage says what there is.
    return undefined;
  }
}

function describe(explained: ExplainedStatement, masks: readonly MaskConfig[]): string {
  const { decision, analysis, reaches, unread } = explained;
  const lines: string[] = [];
  if (unread !== undefined) {
    lines.push(`not read    the catalog: ${unread}`);
    lines.push(
      '            The decision is by the text alone: function bodies, views and masks are not in it.',
    );
  }
  if (analysis?.kind === 'analysis') {
    lines.push(`statements  ${analysis.statements.join(', ') || 'none (empty query)'}`);
    for (const effect of analysis.effects) lines.push(`effect      ${effectText(effect)}`);
    for (const reach of reaches) {
      lines.push(`calls       ${reach.routine}()`);
      for (const effect of reach.effects) lines.push(`  effect    ${effectText(effect)}`);
    }
    if (analysis.exposure?.touches === true) lines.push('masks       it touches masked columns');
  }
  for (const mask of masks) {
    lines.push(
      `mask        ${mask.name}: ${mask.columns.join(', ')} -> ${mask.with} (${mask.mode})`,
    );
  }
  if (decision.kind !== 'block') lines.push('decision    ALLOW');
  else {
    lines.push(
      `decision    BLOCK${decision.rule === undefined ? '' : ` by rule "${decision.rule}"`}`,
    );
    lines.push(`reason      ${decision.reason} (SQLSTATE ${decision.code})`);
    if (decision.hint !== undefined) lines.push(`hint        ${decision.hint}`);
  }
  return `${lines.join('\n')}\n`;
}

function effectText({ effect, object, via }: ObjectEffect): string {
  const what = object === undefined ? effect : `${effect} ${nameOf(object)}`;
  return via === undefined ? what : `${what} (${via})`;
}

function nameOf({ schema, name }: ObjectName): string {
  return schema === undefined ? name : `${schema}.${name}`;
}
