/** The watched database of the `block` suite: whether something changed it, and how to restore it. */

import pg from 'pg';
import type { RuleConfig } from '../../lib/config/config.ts';
import { CHECKSUM } from './block-database.ts';
import type { SuiteContext } from './harness.ts';
import { DATABASE, type Lab, openLab, type Way } from './lab.ts';

export const RULE: RuleConfig = {
  name: 'no-destruction',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['*'],
  action: 'block',
};

const TEMPLATE = 'lab_template';

/** Any transaction that writes takes a number: as long as it stands still, nothing was written. */
const NEXT_TRANSACTION = 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next';

export class BlockLab {
  readonly direct: Way;
  readonly through: Way;
  readonly lab: Lab;
  private checksum = '';
  private readonly watcher: pg.Client;

  private constructor(lab: Lab, watcher: pg.Client) {
    this.lab = lab;
    this.direct = lab.direct;
    this.through = lab.through;
    this.watcher = watcher;
  }

  static async open(context: SuiteContext, database: string): Promise<BlockLab> {
    const lab = await openLab(context, { rules: [RULE], settings: { autovacuum: 'off' } });
    // The strongest user: nothing but the gateway is in the way.
    await lab.admin('ALTER ROLE app SUPERUSER', 'postgres');
    await lab.admin(`CREATE DATABASE ${TEMPLATE} OWNER app`, 'postgres');
    await lab.admin(
      'CREATE ROLE spare; CREATE ROLE spare_owner; CREATE ROLE spare_member',
      'postgres',
    );
    await lab.admin(database, TEMPLATE);
    await lab.admin(
      'CREATE TABLE watched.owned (id int); ALTER TABLE watched.owned OWNER TO spare_owner',
      TEMPLATE,
    );
    await lab
      .admin('CREATE SCHEMA links; CREATE EXTENSION dblink SCHEMA links', TEMPLATE)
      .catch(() => undefined);
    const { host, port, user, password } = lab.server;
    const watcher = new pg.Client({ host, port, user, password, database: 'postgres' });
    await watcher.connect();
    context.teardown(() => watcher.end());
    const made = new BlockLab(lab, watcher);
    await made.restore();
    made.checksum = await made.readChecksum();
    return made;
  }

  /** True when `act` changed the watched schema; whatever it changed is undone. */
  async doesHarm(act: () => Promise<void>): Promise<boolean> {
    const before = await this.nextTransaction();
    let failure: unknown;
    await act().catch((error: unknown) => {
      failure = error;
    });
    if ((await this.nextTransaction()) === before) {
      if (failure !== undefined) throw failure;
      return false;
    }
    const isHarmed = (await this.readChecksum()) !== this.checksum;
    await this.restore();
    if (!isHarmed && failure !== undefined) throw failure;
    return isHarmed;
  }

  async restore(): Promise<void> {
    await this.watcher.query(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await this.watcher.query(`CREATE DATABASE ${DATABASE} TEMPLATE ${TEMPLATE} OWNER app`);
    await this.watcher.query(
      `DO $$ BEGIN IF to_regrole('spare') IS NULL THEN CREATE ROLE spare; END IF; END $$;
       ALTER ROLE app RESET ALL`,
    );
  }

  private async nextTransaction(): Promise<string> {
    const result = await this.watcher.query<{ next: string }>(NEXT_TRANSACTION);
    return result.rows[0]?.next ?? '';
  }

  /** Something that cannot be read any more has changed as well. */
  private async readChecksum(): Promise<string> {
    const rows = await this.lab.admin(CHECKSUM).catch((error: unknown) => [{ sum: String(error) }]);
    return String(rows[0]?.['sum']);
  }
}
