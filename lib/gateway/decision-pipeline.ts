/**
 * The order in which the parts of Weir judge what a session asks: identity, then SQL, policy and masks.
 * One pipeline for each connection of the configuration; `openSession` gives each client its own view.
 */

import type { Decision, Inspection, Operation, UpstreamLogin } from '../../protocols/contract.ts';
import type { StoreCredential } from '../../protocols/store.ts';
import type { Catalog, CatalogSnapshot } from '../catalog/catalog.ts';
import type { Config, ConnectionConfig } from '../config/config.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { Principal } from '../identity/principal.ts';
import { planMysqlResult } from '../masking/mysql-plan.ts';
import type { Sensitive } from '../masking/sensitive.ts';
import type { MaskConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { masksInForce, rulesInForce } from '../policy/in-force.ts';
import { matchesPrincipal } from '../policy/principals.ts';
import { describeViolation } from '../policy/reason.ts';
import { evaluateRules } from '../policy/rules.ts';
import type { SqlReader } from '../sql/analysis.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import type { Decided } from './driver-parts.ts';
import { findLargeObjectRoutine } from './large-objects.ts';
import { foldMask, foldRule } from './mysql-names.ts';
import { blocked } from './blocks.ts';
import type { PlanResult } from './result-decider.ts';
import { PreparedTexts } from './retrace.ts';
import { StatementDecider } from './statement-decider.ts';
import type { StoreDecider } from './store-decider.ts';

export interface PipelineParts {
  readonly config: Config;
  readonly connection: ConnectionConfig;
  /** Undefined with stores: nothing is said in SQL there. */
  readonly reader: SqlReader | undefined;
  /** Undefined where nobody may read the catalog. */
  readonly catalogOf: ((database: string) => Catalog) | undefined;
  readonly findSensitive: (
    snapshot: CatalogSnapshot,
    masks: readonly MaskConfig[],
  ) => Sensitive | Promise<Sensitive>;
  /** Undefined with auth = "passthrough". */
  readonly credentials: Credentials | undefined;
  readonly login: UpstreamLogin;
  readonly hashKey: Buffer | undefined;
  readonly cancels: CancelRegistry;
  /** Judges requests; undefined with SQL. */
  readonly store?: StoreDecider | undefined;
}

/** NAMEDATALEN - 1 in PostgreSQL, bytes; the server cuts a longer name. */
const NAME_SIZE_MAX = 63;
/** Where the MySQL family cuts: MariaDB, and MySQL since 5.7. Characters. */
const MYSQL_NAME_LENGTHS = [80, 32] as const;
/** Deciders kept; each holds a cache. With more principals at once the least recent start cold. */
const DECIDERS_MAX = 256;

export class DecisionPipeline {
  readonly #parts: PipelineParts;
  readonly #deciders = new Map<string, StatementDecider>();

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  openSession(): SessionDecider {
    return new SessionDecider(this.#parts, (principal, database) =>
      this.decider(principal, database),
    );
  }

  /** Sessions of one principal on one database share what was decided. */
  decider(principal: Principal, database: string): StatementDecider {
    const key = JSON.stringify([principal.name, principal.groups, database]);
    const known = this.#deciders.get(key);
    this.#deciders.delete(key);
    const decider = known ?? this.#createDecider(principal, database);
    this.#deciders.set(key, decider);
    if (this.#deciders.size > DECIDERS_MAX) {
      const [oldest] = this.#deciders.keys();
      if (oldest !== undefined) this.#deciders.delete(oldest);
    }
    return decider;
  }

  /** For `SessionOptions.knows`. */
  knows(credential: StoreCredential): boolean {
    return this.#parts.store?.knows(credential) ?? true;
  }

  /** Rejects with GatewayError where the catalog of that database cannot be read. */
  async readCatalog(database: string): Promise<void> {
    await this.#parts.catalogOf?.(database).snapshot();
  }

  /** What kind of server it is, where the catalog tells (MySQL). */
  async serverOf(database: string): Promise<CatalogSnapshot['server']> {
    return (await this.#parts.catalogOf?.(database).snapshot())?.server;
  }

  #createDecider(principal: Principal, database: string): StatementDecider {
    const { config, connection, reader, catalogOf, findSensitive, hashKey } = this.#parts;
    if (reader === undefined) throw new Error('a statement on a connection without SQL');
    const isMysql = connection.protocol === 'mysql';
    const ownMasks = masksInForce(config.masks, connection.name, principal);
    const ownRules = rulesInForce(config.rules, connection.name, principal);
    const masks = isMysql ? ownMasks.map(foldMask) : ownMasks;
    return new StatementDecider({
      connection: connection.name,
      principal,
      rules: isMysql ? ownRules.map(foldRule) : ownRules,
      masks,
      ...(isMysql ? { plan: planByLineage } : {}),
      reader,
      catalog: catalogOf?.(database),
      findSensitive: (snapshot) => findSensitive(snapshot, masks),
      hashKey,
    });
  }
}

export class SessionDecider {
  readonly #parts: PipelineParts;
  readonly #deciderOf: (principal: Principal, database: string) => StatementDecider;
  #principal: Principal | undefined;
  #decider: StatementDecider | undefined;
  #database = '';
  #hasMasks = false;
  #isInspected = false;
  #signInCount = 0;
  readonly #prepared = new PreparedTexts();

  constructor(
    parts: PipelineParts,
    deciderOf: (principal: Principal, database: string) => StatementDecider,
  ) {
    this.#parts = parts;
    this.#deciderOf = deciderOf;
  }

  get principal(): Principal | undefined {
    return this.#principal;
  }

  decide(operation: Operation): Decided | Promise<Decided> {
    switch (operation.kind) {
      case 'sign-in':
        return this.#decideSignIn(operation);
      case 'statement':
      case 'result':
        return this.#decideByCatalog(operation);
      case 'call':
        return this.#decideCall(operation.routine);
      case 'cancel':
        return this.#decideCancel(operation.key);
      case 'request':
        return this.#decideRequest(operation);
    }
  }

  /** A definition changed in this session, inspected or not: what is cached is read again. */
  onSchemaChanged(): void {
    this.#parts.store?.onNamesChanged();
    try {
      this.#parts.catalogOf?.(this.#database).invalidate();
    } catch (error) {
      // Without room for that database's catalog nothing of it is cached either (CATALOG_COUNT).
      if (!(error instanceof GatewayError)) throw error;
    }
  }

  /** One database too many on this connection blocks its statements, not the session (CATALOG_COUNT). */
  #decideByCatalog(
    operation: Extract<Operation, { kind: 'statement' | 'result' }>,
  ): Decided | Promise<Decided> {
    let decider: StatementDecider;
    try {
      decider = this.#currentDecider();
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return blocked(undefined, `Weir cannot judge this statement: ${error.message}`);
    }
    if (operation.kind === 'statement') {
      const { text, reading } = operation;
      // Types of MySQL run no code, and their numbers are no oids.
      const isMysql = this.#parts.connection.protocol === 'mysql';
      const reads = reading === undefined ? {} : { reading };
      return this.#noted(text, decider.decideStatement(text, isMysql ? reads : operation));
    }
    const prepared = this.#prepared;
    return (
      decider.decideResultNow(operation, prepared) ?? decider.decideResult(operation, prepared)
    );
  }

  #noted(text: string, decided: Decided | Promise<Decided>): Decided | Promise<Decided> {
    if (decided instanceof Promise) return decided.then((known) => this.#noted(text, known));
    this.#prepared.note(text, decided);
    return decided;
  }

  /** With HTTP each request says who asks, so the principal may be another one each time. */
  #decideRequest(operation: Extract<Operation, { kind: 'request' }>): Decided | Promise<Decided> {
    const { store } = this.#parts;
    if (store === undefined) throw new Error('a request on a connection without a store');
    return store.decide(operation, this.#whoSignedIn(operation.user), (principal) => {
      this.#principal = principal;
    });
  }

  /** Without a name it is the only one who ever tried; of several, nobody can say who succeeded. */
  #whoSignedIn(user: string | undefined): Principal | undefined {
    if (user === undefined) return this.#signInCount === 1 ? this.#principal : undefined;
    const groups = this.#parts.config.users.find(({ name }) => name === user)?.groups ?? [];
    return { name: user, groups };
  }

  #decideSignIn(operation: Extract<Operation, { kind: 'sign-in' }>): Decided {
    const { config, connection, credentials, login } = this.#parts;
    const isMysql = connection.protocol === 'mysql';
    const known = credentials?.lookup(operation.user);
    const groups = config.users.find(({ name }) => name === operation.user)?.groups ?? [];
    const principal: Principal = { name: operation.user, groups };
    this.#principal = principal;
    // A session may sign in again, as another user (COM_CHANGE_USER, AUTH).
    this.#decider = undefined;
    this.#signInCount += 1;
    if (operation.isReplication && !matchesPrincipal(connection.replication, principal)) {
      const reason = 'replication connections are not allowed through this gateway';
      return signInBlocked('42501', 'replication', reason);
    }
    const tooLong = known === undefined ? this.#whyTooLong(principal) : undefined;
    if (tooLong !== undefined) return signInBlocked('28000', undefined, tooLong);
    // One catalog holds all databases there, and each statement comes with its own. With passthrough it is the
    // client's start-up that goes to the server, whatever database the configuration names.
    const isOwn = connection.auth === 'gateway';
    const database = (isOwn ? login.database : undefined) ?? operation.database;
    this.#database = isMysql ? '' : database;
    const inspection = this.#inspectionOf(principal, operation.isReplication);
    this.#isInspected = inspection.statements;
    const isPostgres = connection.protocol === 'postgres';
    if (isPostgres && this.#isInspected && movesCatalog(operation.settings)) {
      const reason =
        'search_path may name pg_catalog in the first place only, because Weir reads names that way';
      return signInBlocked('42501', 'lexer-state', reason);
    }
    if (known === undefined) {
      return { decision: { kind: 'allow', inspection }, note: undefined };
    }
    const { verifier, isKnown } = known;
    return { decision: { kind: 'prove', verifier, isKnown, login, inspection }, note: undefined };
  }

  /** The server cuts a name that is too long for it: then it is another user than rules would see. */
  #whyTooLong({ name }: Principal): string | undefined {
    // Stores have no such length.
    if (this.#parts.store !== undefined) return undefined;
    if (this.#parts.connection.protocol === 'postgres') {
      const isLong = Buffer.byteLength(name) > NAME_SIZE_MAX;
      return isLong ? `user names have at most ${NAME_SIZE_MAX} bytes` : undefined;
    }
    const characters = Array.from(name);
    const [lengthMax] = MYSQL_NAME_LENGTHS;
    if (characters.length > lengthMax) return `user names have at most ${lengthMax} characters`;
    const own = this.#policyOf(name);
    const other = MYSQL_NAME_LENGTHS.find((length) => {
      const cut = characters.slice(0, length).join('');
      return cut !== name && this.#policyOf(cut) !== own;
    });
    return other === undefined
      ? undefined
      : `some servers cut user names at ${other} characters, and other rules are in force for that user`;
  }

  /** The names of what is in force for a user. */
  #policyOf(name: string): string {
    const { config, connection } = this.#parts;
    const groups = config.users.find((user) => user.name === name)?.groups ?? [];
    const principal: Principal = { name, groups };
    return JSON.stringify([
      rulesInForce(config.rules, connection.name, principal).map((rule) => rule.name),
      masksInForce(config.masks, connection.name, principal).map((mask) => mask.name),
    ]);
  }

  /** A replication stream is not SQL: whoever may open one is outside of rules and masks (PG-53). */
  #inspectionOf(principal: Principal, isReplication: boolean): Inspection {
    const { config, connection } = this.#parts;
    if (isReplication) return { statements: false, results: false };
    // What is asked of a store is always judged, so that the recording tells who saw what.
    if (this.#parts.store !== undefined) return { statements: true, results: true };
    this.#hasMasks = masksInForce(config.masks, connection.name, principal).length > 0;
    const hasRules = rulesInForce(config.rules, connection.name, principal).length > 0;
    return { statements: hasRules || this.#hasMasks, results: this.#hasMasks };
  }

  /** FunctionCall: large objects are judged by their effects, other routines are refused (PG-46). */
  #decideCall(routine: number): Decided {
    const known = findLargeObjectRoutine(routine);
    if (known === undefined) {
      if (this.#parts.connection.functionCalls && !this.#isInspected) return CALL_ALLOWED;
      const why = 'it runs code past every rule';
      return callBlocked(
        'function-call',
        `the FunctionCall message (routine ${routine}) is not allowed: ${why}`,
      );
    }
    // A large object may hold what was copied out of a masked column.
    if (this.#hasMasks) {
      return callBlocked(
        'masked-data',
        `large objects cannot be masked, so ${known.name} is not allowed`,
      );
    }
    const { config, connection } = this.#parts;
    const object = { kind: 'other', schema: undefined, name: known.name } as const;
    const violation = evaluateRules({
      rules: config.rules,
      connection: connection.name,
      principal: this.#principal ?? { name: '', groups: [] },
      effects: known.effects.map((effect) => ({ effect, object })),
      resolve: () => [],
    });
    return violation === undefined
      ? CALL_ALLOWED
      : callBlocked(violation.rule, describeViolation(violation));
  }

  /** Only a session that is at work can be cancelled; a late cancel would hit the next query (PG-12). */
  #decideCancel(key: Buffer): Decided {
    const target = this.#parts.cancels.find(key);
    const decision: Decision =
      target?.isBusy === true
        ? { kind: 'allow' }
        : {
            kind: 'block',
            rule: undefined,
            code: '57014',
            reason: 'no session is at work for this key',
          };
    return { decision, note: undefined };
  }

  #currentDecider(): StatementDecider {
    if (this.#decider !== undefined) return this.#decider;
    if (this.#principal === undefined || !this.#isInspected) {
      throw new Error('a statement came before the sign-in');
    }
    // Only now has the server accepted the database: each one costs a catalog of its own.
    this.#decider = this.#deciderOf(this.#principal, this.#database);
    return this.#decider;
  }
}

/** The names in a column definition can be chosen by a query, what was read of the statement cannot (MY-64). */
const planByLineage: PlanResult = (sensitive, { columns, traces }, origins, options) =>
  planMysqlResult(sensitive, columns, traces.length === origins.length ? origins : [], options);

const CALL_ALLOWED: Decided = { decision: { kind: 'allow' }, note: undefined };

function callBlocked(rule: string, reason: string): Decided {
  return {
    decision: { kind: 'block', rule, code: '42501', reason },
    note: { kind: 'decision', operation: 'call', outcome: 'block', rule, reason },
  };
}

function signInBlocked(code: string, rule: string | undefined, reason: string): Decided {
  const named = rule === undefined ? {} : { rule };
  return {
    decision: { kind: 'block', rule, code, reason },
    note: { kind: 'decision', operation: 'sign-in', outcome: 'block', ...named, reason },
  };
}

/**
 * pg_catalog is searched first unless search_path names it later; then a function of the client's own
 * could stand in for a built-in one (PG-72). `options` holds command-line switches; it is not taken apart.
 */
function movesCatalog(
  settings: readonly { readonly name: string; readonly value: string }[],
): boolean {
  return settings.some(({ name, value }) => {
    if (name.toLowerCase() === 'search_path')
      return /pg_catalog/i.test(value) && !/^\s*"?pg_catalog\b/i.test(value);
    return name === 'options' && /search[_\\-]*path/i.test(value) && /pg_catalog/i.test(value);
  });
}
