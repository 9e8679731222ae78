/**
 * The decision pipeline without a client: for `weir explain`. Where the catalog cannot be read it still
 * judges the text by the rules, and says what it could not look at.
 */

import type { Config, ConnectionConfig, MaskConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { masksInForce, rulesInForce } from '../policy/in-force.ts';
import { CancelRegistry } from './cancel-registry.ts';
import type { DecisionPipeline } from './decision-pipeline.ts';
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
  const shared = createSharedParts(config, SILENT);
  const principalOf = (user: string) => ({
    name: user,
    groups: config.users.find(({ name }) => name === user)?.groups ?? [],
  });
  const byTextAlone = (user: string): StatementDecider =>
    new StatementDecider({
      connection: connection.name,
      principal: principalOf(user),
      rules: rulesInForce(config.rules, connection.name, principalOf(user)),
      masks: [],
      reader: shared.readerFor(connection),
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
      return { ...(await decider.explain(text)), unread };
    },
    masksOf: (user) => masksInForce(config.masks, connection.name, principalOf(user)),
    close: () => shared.close(),
  };
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
