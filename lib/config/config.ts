/** The checked configuration, as the rest of Weir sees it. `load.ts` makes it from TOML. */

import type { StoreEffect } from '../../protocols/store.ts';
import type { Effect } from '../sql/analysis.ts';

/** Databases that are spoken to in SQL. */
export const SQL_PROTOCOLS = ['postgres', 'mysql'] as const;
/** Vector databases and key-value stores. */
export const STORE_PROTOCOLS = ['chroma', 'qdrant', 'milvus', 'redis'] as const;
export type SqlProtocol = (typeof SQL_PROTOCOLS)[number];
export type StoreProtocol = (typeof STORE_PROTOCOLS)[number];

export function isSqlProtocol(protocol: string): protocol is SqlProtocol {
  return SQL_PROTOCOLS.some((one) => one === protocol);
}

export function isStoreProtocol(protocol: string): protocol is StoreProtocol {
  return STORE_PROTOCOLS.some((one) => one === protocol);
}

/** Where a secret comes from; it is read at start and never printed, logged or recorded. */
export type SecretSource =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] };

export interface UpstreamConfig {
  readonly host: string;
  readonly port: number;
  /** Undefined with stores: the credential is a key alone, or there is none. */
  readonly user: string | undefined;
  /** Undefined: the client's database name goes through. Stores have none. */
  readonly database: string | undefined;
  /** With stores it may be the key. */
  readonly password: SecretSource | undefined;
  readonly tls: 'off' | 'require' | 'verify-full';
  /** PEM file with the authorities to trust; undefined: those of Node. */
  readonly ca: string | undefined;
}

export interface ClientTlsConfig {
  readonly cert: string;
  readonly key: string;
  readonly mode: 'allow' | 'require';
}

export interface LimitsConfig {
  /** Sessions at once on this connection, sign-ins included. */
  readonly sessionsMax: number;
  /** Largest statement held in memory, bytes. */
  readonly statementSizeMax: number;
  /** Largest statement that is parsed, bytes; larger ones are blocked where a rule or mask applies. */
  readonly parseSizeMax: number;
  /** Largest row that is held to be masked, bytes. */
  readonly rowSizeMax: number;
  /** From connect to signed in, milliseconds. */
  readonly signInTimeout: number;
}

export interface ConnectionConfig {
  readonly name: string;
  /** `mysql` serves MySQL, MariaDB and what is compatible with them. */
  readonly protocol: SqlProtocol | StoreProtocol;
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: UpstreamConfig;
  /** Where the store speaks gRPC, if that is a port of its own (Qdrant); undefined: the same one. */
  readonly upstreamGrpc?: UpstreamConfig | undefined;
  readonly auth: 'gateway' | 'passthrough';
  readonly tls: ClientTlsConfig | undefined;
  /** Who reads the catalog with auth = "passthrough"; with "gateway" it is the upstream credential. */
  readonly catalog: UpstreamConfig | undefined;
  /** FunctionCall messages (PG-46): refused unless true. */
  readonly functionCalls: boolean;
  /** LOAD DATA LOCAL (MY-34, MY-40), only with protocol "mysql": refused unless true. */
  readonly localInfile?: boolean;
  /** Principals that may open replication connections (PG-53); empty: nobody. */
  readonly replication: readonly string[];
  readonly limits: LimitsConfig;
}

export interface UserConfig {
  readonly name: string;
  readonly groups: readonly string[];
  /** PostgreSQL's own form: `SCRAM-SHA-256$4096:salt$StoredKey:ServerKey`; undefined with passthrough. */
  readonly scram: string | undefined;
  /** For protocol "mysql", as mysql_native_password stores it: `*` and SHA1(SHA1(password)) in hex. */
  readonly mysqlNative?: string | undefined;
  /** SHA-256 of the keys that the user comes to stores with, hex in lower case. */
  readonly keys?: readonly string[];
}

export interface RuleConfig {
  readonly name: string;
  /** Globs over connection names. */
  readonly connections: readonly string[];
  /** Names (globs) and `group:NAME`. */
  readonly principals: readonly string[];
  readonly effects: readonly (Effect | StoreEffect | '*')[];
  /**
   * SQL: `schema.table` or `table` globs. Stores: parts with `/` from the right, globs each (Redis: one glob
   * over the whole key or index), perhaps behind `protocol:`. `*` is everything, what has no object included.
   */
  readonly objects: readonly string[];
  readonly action: 'allow' | 'block';
  /** From here on only of allow rules that concern stores. Values may hold ${principal.name} and ${principal.group}. */
  readonly filter?: readonly { readonly field: string; readonly value: string }[];
  readonly limitMax?: number;
  /** Records that one principal may be given by this rule in an hour. */
  readonly rowsPerHour?: number;
  /** `vectors = false`. */
  readonly hidesVectors?: boolean;
}

export interface MaskConfig {
  readonly name: string;
  readonly connections: readonly string[];
  /** `schema.table.column` globs of SQL; empty: it concerns no SQL connection. */
  readonly columns: readonly string[];
  /** Globs over field paths of stores: `email`, `author.phone`, `*.phone`; undefined: none by name. */
  readonly fields?: readonly string[];
  /** Kinds of content that are found in text wherever it stands; undefined: none. */
  readonly detect?: readonly DetectorName[];
  /** For `fields` and `detect`: patterns as in rules; undefined: everything. */
  readonly objects?: readonly string[];
  readonly with: 'redact' | 'partial' | 'hash' | 'null';
  readonly mode: 'mask' | 'strict';
  /** Principals (same forms as in rules) that see the values. */
  readonly except: readonly string[];
}

export const DETECTOR_NAMES = ['email', 'phone', 'credit-card', 'iban', 'ssn', 'ip'] as const;
export type DetectorName = (typeof DETECTOR_NAMES)[number];

export interface Config {
  /** Absolute path of the file it came from. */
  readonly file: string;
  /** SHA-256 of the file's bytes, hex: the policy version in recordings. */
  readonly version: string;
  readonly dataDir: string;
  /** relaxed: frames are written in the background. strict: written before forwarded. synced: and flushed to the disk. */
  readonly durability: 'relaxed' | 'strict' | 'synced';
  /** Key of `with = "hash"`; required where such a mask exists. */
  readonly hashKey: SecretSource | undefined;
  readonly connections: readonly ConnectionConfig[];
  readonly users: readonly UserConfig[];
  readonly rules: readonly RuleConfig[];
  readonly masks: readonly MaskConfig[];
}
