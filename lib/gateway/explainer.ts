/**
 * The decision pipeline without a client: for `weir explain`. Where the catalog cannot be read it still
 * judges the text by the rules, and says what it could not look at.
 */

import type { Reading } from '../../protocols/contract.ts';
import {
  type Config,
  type ConnectionConfig,
  isSqlProtocol,
  type MaskConfig,
} from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { masksInForce, rulesInForce } from '../policy/in-force.ts';
import { CancelRegistry } from './cancel-registry.ts';
import type { DecisionPipeline } from './decision-pipeline.ts';
import { foldRule } from './mysql-names.ts';
import { createPipeline, createSharedParts } from './parts.ts';
import { type Explanation, StatementDecider } from './statement-decider.ts';

export interface Explainer {
  explain(user: string, database: string, text: string): Promise<ExplainedStatement>;
  masksOf(user: string): readonly MaskConfig[];
  close(): Promise<void>;
}

export interface ExplainedStatement extends Explanation {
  /** Why the catalog was not read; then function bodies, views and masks are not in the decision. */
  readonly unread: string | undefined;
}

const SILENT = { info: ignore, warn: ignore, error: ignore };

export async function createExplainer(
  config: Config,
  connection: ConnectionConfig,
): Promise<Explainer> {
  const { protocol } = connection;
  if (!isSqlProtocol(protocol)) throw new Error('no statements are explained for a store');
  const shared = createSharedParts(config, SILENT);
  const principalOf = (user: string) => ({
    name: user,
    groups: config.users.find(({ name }) => name === user)?.groups ?? [],
  });
  const byTextAlone = (user: string): StatementDecider =>
    new StatementDecider({
      connection: connection.name,
      principal: principalOf(user),
      rules: rulesInForce(config.rules, connection.name, principalOf(user)).map((rule) =>
        connection.protocol === 'mysql' ? foldRule(rule) : rule,
      ),
      masks: [],
      reader: shared.readerFor(protocol, connection.limits),
      catalog: undefined,
      findSensitive: () => Promise.reject(new Error('no masks are in force')),
      hashKey: undefined,
    });
  return {
    explain: async (user, database, text) => {
      const { pipeline, unread } = await openPipeline(
        () => createPipeline(shared, connection, new CancelRegistry()),
        database,
      );
      const decider = pipeline?.decider(principalOf(user), database) ?? byTextAlone(user);
      if (connection.protocol === 'postgres') return { ...(await decider.explain(text)), unread };
      const server = await pipeline?.serverOf(database);
      const readings = readingsOf(database, server);
      return { ...(await explainAll(decider, text, readings)), unread };
    },
    masksOf: (user) => masksInForce(config.masks, connection.name, principalOf(user)),
    close: () => shared.close(),
  };
}

/** What a server that cannot be asked may be; the newest run the most of what stands in version comments. */
const ANY_SERVER: readonly Reading['server'][] = [
  { flavor: 'mysql', version: 999_999 },
  { flavor: 'mariadb', version: 999_999 },
];

/** A session that has just begun, in the modes that servers have by default. */
function readingsOf(database: string, server: Reading['server'] | undefined): readonly Reading[] {
  return (server === undefined ? ANY_SERVER : [server]).map((one) => ({
    database: database === '' ? undefined : database,
    server: one,
    ansiQuotes: false,
    noBackslashEscapes: false,
  }));
}

/** What is blocked in one reading is blocked. */
async function explainAll(
  decider: StatementDecider,
  text: string,
  readings: readonly Reading[],
): Promise<Explanation> {
  const [reading, ...others] = readings;
  const explanation = await decider.explain(text, reading === undefined ? {} : { reading });
  if (others.length === 0 || explanation.decision.kind === 'block') return explanation;
  return explainAll(decider, text, others);
}

/** The pipeline if the catalog answers, otherwise why it does not. */
async function openPipeline(
  create: () => DecisionPipeline,
  database: string,
): Promise<{ pipeline: DecisionPipeline | undefined; unread: string | undefined }> {
  try {
    const pipeline = create();
    await pipeline.readCatalog(database);
    return { pipeline, unread: undefined };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { pipeline: undefined, unread: error.message };
  }
}

function ignore(): void {
  // What goes wrong is in the explanation itself; there is nobody to log to.
}
