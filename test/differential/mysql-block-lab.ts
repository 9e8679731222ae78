/** The watched database of the `mysql-block` suite: whether something changed it, and how to restore it. */

import mysql from 'mysql2/promise';
import type { RuleConfig } from '../../lib/config/config.ts';
import type { SuiteContext } from './harness.ts';
import {
  MYSQL_BLOCK_DATABASE,
  MYSQL_BLOCK_ROWS,
  MYSQL_BLOCK_STATE,
} from './mysql-block-database.ts';
import { connectLab, type MysqlLab, type MysqlWay, openMysqlLab } from './mysql-lab.ts';

export const MYSQL_RULE: RuleConfig = {
  name: 'no-destruction',
  connections: ['*'],
  principals: ['*'],
  effects: ['drop', 'truncate', 'delete'],
  objects: ['*'],
  action: 'block',
};

interface State {
  readonly structure: string;
  readonly rows: string;
}

export class MysqlBlockLab {
  readonly direct: MysqlWay;
  readonly through: MysqlWay;
  readonly lab: MysqlLab;
  private state: State = { structure: '', rows: '' };
  private readonly watcher: mysql.Connection;

  private constructor(lab: MysqlLab, watcher: mysql.Connection) {
    this.lab = lab;
    this.direct = lab.direct;
    this.through = lab.through;
    this.watcher = watcher;
  }

  static async open(context: SuiteContext, rule: RuleConfig = MYSQL_RULE): Promise<MysqlBlockLab> {
    const lab = await openMysqlLab(context, {
      rules: [rule],
      args: ['--event-scheduler=ON', '--log-bin-trust-function-creators=ON'],
      // The strongest user: nothing but the gateway is in the way.
      grant: 'ALL ON *.*',
    });
    const { host, port, rootUser, rootPassword } = lab.server;
    const watcher = await mysql.createConnection({
      host,
      port,
      user: rootUser,
      password: rootPassword,
      multipleStatements: true,
      dateStrings: true,
    });
    context.teardown(() => watcher.end());
    const made = new MysqlBlockLab(lab, watcher);
    await made.restore();
    made.state = await made.readState();
    return made;
  }

  /** True when `act` changed something watched; whatever it changed is undone. */
  async doesHarm(act: () => Promise<void>): Promise<boolean> {
    let failure: unknown;
    await act().catch((error: unknown) => {
      failure = error;
    });
    const now = await this.readState();
    const isHarmed = now.structure !== this.state.structure || now.rows !== this.state.rows;
    if (now.structure !== this.state.structure) await this.restore();
    else if (isHarmed) await this.refill();
    if (!isHarmed && failure !== undefined) throw failure;
    return isHarmed;
  }

  async restore(): Promise<void> {
    await this.lab.server.sql(MYSQL_BLOCK_DATABASE);
    // Global settings that an attempt may have changed.
    await this.watcher.query('SET GLOBAL sql_mode = DEFAULT; SET GLOBAL read_only = 0');
    await this.tellGateway();
  }

  /** A change that it sees makes it read the catalog again, which it may have read half way through. */
  private async tellGateway(): Promise<void> {
    const client = await connectLab(this.through);
    await client.query("ALTER TABLE lab.sink COMMENT = 'restored'");
    client.close();
  }

  /** The rows alone, which takes a tenth of the time. */
  async refill(): Promise<void> {
    await this.watcher.query('SET GLOBAL sql_mode = DEFAULT');
    await this.watcher.query(MYSQL_BLOCK_ROWS);
  }

  /** Something that cannot be read any more has changed as well. */
  private async readState(): Promise<State> {
    try {
      const [results] = await this.watcher.query<mysql.RowDataPacket[][]>(MYSQL_BLOCK_STATE);
      const rows = JSON.stringify(results.at(-1));
      return { structure: JSON.stringify(results.slice(0, -1)), rows };
    } catch (error) {
      return { structure: String(error), rows: '' };
    }
  }
}
