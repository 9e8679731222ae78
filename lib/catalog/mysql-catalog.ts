/**
 * The catalog of a MySQL or MariaDB server, all its databases at once, because a statement may name any
 * of them. Kept fresh by refreshed-catalog.ts.
 *
 * There is no cheap fingerprint of a whole catalog in these servers, so a read starts with the server's
 * counters of statements that change definitions. They count when a statement starts, not when it is
 * done: after a change the catalog is read twice, one check apart, and whatever they say after
 * FULL_AGE_MAX. DDL that goes through this gateway is seen at its end, like in PostgreSQL.
 */

import { createHash } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { Catalog, CatalogSnapshot, TextReading } from './catalog.ts';
import { asRow, type Row, textIn } from './catalog-rows.ts';
import { buildMysqlSnapshot, type MysqlRows } from './mysql-build.ts';
import {
  createMysqlConnection,
  errorNumberOf,
  type MysqlConnection,
  type MysqlSettings,
} from './mysql-connection.ts';
import * as queries from './mysql-queries.ts';
import { parseVersion, quoteName } from './mysql-texts.ts';
import { CATALOG_LIMITS, type CatalogLimits } from './read-names.ts';
import {
  CATALOG_IDLE_TIME_MAX,
  CATALOG_TIME_MAX,
  type CatalogLog,
  type CatalogSource,
  RefreshedCatalog,
} from './refreshed-catalog.ts';

export interface MysqlCatalogOptions {
  /** Asked for each connection, so that a credential can change. */
  readonly connect: () => MysqlSettings;
  /** How old an answer may be. */
  readonly maxAgeMs?: number;
  /** For connecting and for each query. */
  readonly timeoutMs?: number;
  /** The connection is closed when it was not used for this long. */
  readonly idleMs?: number;
  /** How long the counters are believed. */
  readonly fullAgeMs?: number;
  readonly limits?: CatalogLimits;
  readonly log: CatalogLog;
}

export const FULL_AGE_MAX = 60_000;

/** They speak the protocol, and read and print texts in ways of their own. */
const LOOKALIKE = /\b(?:dolt|tidb|vitess)\b/i;

const SYSTEM_SCHEMAS = new Set(['information_schema', 'mysql', 'performance_schema', 'sys']);

type ReadRows = (text: string, what: string, countMax: number) => Promise<readonly Row[]>;

interface LoadedMysql {
  readonly snapshot: CatalogSnapshot;
  /** Hash of all rows. */
  readonly content: string;
  /** The counters before it was read; undefined: this server has none that could be believed. */
  readonly counters: Counters | undefined;
  /** They were the same at the read before: what they count was over then. */
  readonly isSettled: boolean;
  readonly readAt: number;
}

interface Counters {
  readonly counts: string;
  /** Seconds; it falls when the server was started anew, and the counts with it. */
  readonly uptime: number;
  /** How often anybody asked for counters: a server that does not count this very question counts nothing. */
  readonly questions: number;
}

export function createMysqlCatalog(options: MysqlCatalogOptions): Catalog {
  return new RefreshedCatalog(new MysqlSource(options), options.log, options);
}

interface ReadCatalog {
  readonly server: TextReading['server'];
  readonly rows: MysqlRows;
  readonly content: string;
}

/** Reads of everything until two are alike; whoever changes definitions without end is refused. */
const READS_MAX = 6;

class MysqlSource implements CatalogSource<LoadedMysql> {
  readonly #connection: MysqlConnection;
  readonly #limits: CatalogLimits;
  readonly #fullAgeMs: number;
  readonly #log: CatalogLog;
  #hasWarned = false;

  constructor(options: MysqlCatalogOptions) {
    this.#limits = options.limits ?? CATALOG_LIMITS;
    this.#fullAgeMs = options.fullAgeMs ?? FULL_AGE_MAX;
    this.#log = options.log;
    this.#connection = createMysqlConnection({
      connect: options.connect,
      timeoutMs: options.timeoutMs ?? CATALOG_TIME_MAX,
      idleMs: options.idleMs ?? CATALOG_IDLE_TIME_MAX,
    });
  }

  async load(current: LoadedMysql | undefined, isInvalid: boolean): Promise<LoadedMysql> {
    const counters = await this.#readCounters();
    const isSame = hasCountedNothing(current?.counters, counters);
    const readAt = performance.now();
    const isBelieved = current?.isSettled === true && readAt - current.readAt < this.#fullAgeMs;
    if (isSame && !isInvalid && isBelieved) return current;
    const { server, rows, content } = await this.#readWhole(current?.content);
    const read = { content, counters, isSettled: isSame, readAt };
    if (current?.content === content) return { ...read, snapshot: current.snapshot };
    const version = (current?.snapshot.version ?? 0) + 1;
    const snapshot = { ...buildMysqlSnapshot(rows, server, version), source: this };
    const milliseconds = Math.round(performance.now() - readAt);
    this.#log.info({ version, relations: rows.tables.length, milliseconds }, 'catalog read');
    this.#warnOfUnread(rows);
    return { ...read, snapshot };
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /**
   * Many queries make one snapshot, and a definition may change between two of them: a table would be
   * there without its columns. What is new counts only when it was read twice alike; `known` was.
   */
  async #readWhole(known: string | undefined): Promise<ReadCatalog> {
    let before: string | undefined = known;
    for (let tries = 0; tries < READS_MAX; tries += 1) {
      const server = await this.#readServer();
      const rows = await this.#readRows(server);
      const content = createHash('sha256')
        .update(JSON.stringify([server, rows]))
        .digest('hex');
      if (content === before) return { server, rows, content };
      before = content;
    }
    throw new GatewayError('CATALOG_CHANGING', 'definitions change faster than they can be read');
  }

  async #readServer(): Promise<TextReading['server']> {
    const [row] = (await this.#connection.query(queries.SERVER)).map(asRow);
    if (row === undefined) throw new GatewayError('CATALOG_ANSWER', 'the server told no version');
    const text = textIn(row, 'version');
    const version = parseVersion(text);
    if (version === undefined) {
      throw new GatewayError('CATALOG_ANSWER', 'the server told a version that is none');
    }
    refuseOracle(String(row['modes']));
    const kind = `${text} ${String(row['comment'])}`;
    if (/mariadb/i.test(kind)) return { flavor: 'mariadb', version };
    return { flavor: 'mysql', version, ...(LOOKALIKE.test(kind) ? { isLookalike: true } : {}) };
  }

  /** Servers that only speak the protocol (TiDB, Dolt) count for one node, show zeros, or have no such thing. */
  async #readCounters(): Promise<Counters | undefined> {
    try {
      const rows = (await this.#connection.query(queries.CHANGE_COUNTERS)).map(asRow);
      const counts = new Map(
        rows.map((row) => [textIn(row, 'Variable_name'), Number(row['Value'])] as const),
      );
      const uptime = counts.get('Uptime');
      const questions = counts.get('Com_show_status');
      if (uptime === undefined || questions === undefined) return undefined;
      if (!counts.has('Com_create_view') || !counts.has('Com_alter_table')) return undefined;
      counts.delete('Uptime');
      counts.delete('Com_show_status');
      return { counts: JSON.stringify([...counts]), uptime, questions };
    } catch (error) {
      if (errorNumberOf(error) === undefined) throw error;
      return undefined;
    }
  }

  async #readRows(server: TextReading['server']): Promise<MysqlRows> {
    const { relationsMax, columnsMax, linksMax } = this.#limits;
    const rows: ReadRows = async (text, what, countMax) => {
      const found = await this.#connection.query(`${text} LIMIT ${countMax + 1}`);
      if (found.length <= countMax) return found.map(asRow);
      throw new GatewayError(
        'CATALOG_TOO_LARGE',
        `the catalog has more than ${countMax} ${what}; Weir does not decide on a part of it`,
      );
    };
    const schemas = await rows(queries.SCHEMAS, 'databases', linksMax);
    const own = schemas.filter((row) => !SYSTEM_SCHEMAS.has(textIn(row, 'name').toLowerCase()));
    const isLookalike = server.isLookalike === true;
    const texts = isLookalike ? this.#inEach(own, rows) : rows;
    const columns = isLookalike ? this.#inEach(schemas, rows) : rows;
    return {
      schemas,
      tables: await rows(queries.TABLES, 'relations', relationsMax),
      // Those of views come from their texts.
      columns: await columns(queries.COLUMNS, 'columns', columnsMax),
      views: await texts(queries.VIEWS, 'views', linksMax),
      routines: await texts(queries.ROUTINES, 'routines', linksMax),
      parameters: await texts(queries.PARAMETERS, 'parameters', columnsMax),
      triggers: await texts(queries.TRIGGERS, 'triggers', linksMax),
      cascades: await rows(queries.CASCADES, 'foreign keys', linksMax),
      loadables: await this.#readLoadables(),
    };
  }

  /** Dolt reads the texts of all databases as if they were of the session's own: each is asked there. */
  #inEach(schemas: readonly Row[], read: ReadRows): ReadRows {
    return async (text, what, countMax) => {
      const found: Row[] = [];
      for (const schema of schemas) {
        const name = textIn(schema, 'name');
        await this.#connection.query(`USE ${quoteName(name)}`);
        const rows = await read(text, what, countMax);
        found.push(...rows.filter((row) => row['schema'] === name));
      }
      // That one cannot be dropped.
      await this.#connection.query('USE information_schema');
      return found;
    };
  }

  async #readLoadables(): Promise<readonly Row[] | undefined> {
    for (const text of queries.LOADABLE_FUNCTIONS) {
      try {
        return (await this.#connection.query(text)).map(asRow);
      } catch (error) {
        // No privilege, or no such table on this kind of server: the other one may be there.
        if (errorNumberOf(error) === undefined) throw error;
      }
    }
    return undefined;
  }

  /** Once for each gateway: it is a matter of grants. */
  #warnOfUnread({ views, routines, triggers, loadables }: MysqlRows): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const count = [...views, ...routines, ...triggers].filter(isUnread).length;
    if (count > 0) {
      this.#log.warn(
        { count },
        'views, routines or triggers may not be read by the user that reads the catalog; statements that use them count as unknown',
      );
    }
    if (loadables === undefined) {
      this.#log.warn(
        {},
        'functions of loaded libraries may not be listed by the user that reads the catalog; statements that call them count as unknown (GRANT SELECT ON mysql.func)',
      );
    }
  }
}

/**
 * A session that starts in ORACLE mode is refused at its sign-in. One that init_connect put into another mode
 * can go to the server's own by SET sql_mode = DEFAULT or @@GLOBAL.sql_mode, which the reader of SQL trusts
 * (MY-42, MY-61): so while the server's own is ORACLE nothing is decided.
 */
function refuseOracle(modes: string): void {
  if (!modes.toUpperCase().split(',').includes('ORACLE')) return;
  const why = "the server's own sql_mode has ORACLE, whose SQL Weir does not read";
  throw new GatewayError('CATALOG_ANSWER', why);
}

function isUnread(row: Row): boolean {
  return row['definition'] === null || row['definition'] === '';
}

function hasCountedNothing(before: Counters | undefined, now: Counters | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  const isCounting = now.questions > before.questions && now.uptime >= before.uptime;
  return isCounting && now.counts === before.counts;
}
