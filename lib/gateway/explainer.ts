/** The decision pipeline without a client: for `weir explain`. */

import type { Config, ConnectionConfig, MaskConfig } from '../config/config.ts';
import { masksInForce } from '../policy/in-force.ts';
import { CancelRegistry } from './cancel-registry.ts';
import { createPipeline, createSharedParts } from './parts.ts';
import type { Explanation } from './statement-decider.ts';

export interface Explainer {
  explain(user: string, database: string, text: string): Promise<Explanation>;
  masksOf(user: string): readonly MaskConfig[];
  close(): Promise<void>;
}

const SILENT = { info: ignore, warn: ignore, error: ignore };

export async function createExplainer(
  config: Config,
  connection: ConnectionConfig,
): Promise<Explainer> {
  const shared = await createSharedParts(config, SILENT);
  const pipeline = createPipeline(shared, connection, new CancelRegistry());
  return {
    explain: (user, database, text) =>
      pipeline.decider(pipeline.principalOf(user), database).explain(text),
    masksOf: (user) => masksInForce(config.masks, connection.name, pipeline.principalOf(user)),
    close: () => shared.close(),
  };
}

function ignore(): void {
  // What goes wrong is in the explanation itself; there is nobody to log to.
}
