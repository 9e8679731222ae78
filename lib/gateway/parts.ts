/** Makes what the connections of one gateway share, and each connection's pipeline, from the configuration. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import type { UpstreamLogin } from '../../protocols/contract.ts';
import { type Catalogs, createCatalogs, createMysqlCatalogs } from '../catalog/catalogs.ts';
import type { MysqlSettings } from '../catalog/mysql-connection.ts';
import {
  type Config,
  type ConnectionConfig,
  isStoreProtocol,
  type SqlProtocol,
  type UpstreamConfig,
} from '../config/config.ts';
import { readSecret } from '../config/secrets.ts';
import { GatewayError } from '../errors.ts';
import { createCredentials } from '../identity/credentials.ts';
import { createSensitiveFinder } from '../masking/sensitive.ts';
import type { SqlReader } from '../sql/analysis.ts';
import { createMysqlReader } from '../sql/mysql/reader.ts';
import { createPostgresReader } from '../sql/reader.ts';
import type { CancelRegistry } from './cancel-registry.ts';
import { DecisionPipeline } from './decision-pipeline.ts';
import type { Log } from './gateway.ts';
import { foldAnswers } from './mysql-names.ts';
import type { StoreConnection } from './store-decider.ts';
import { createStoreDecider } from './store-parts.ts';

export interface SharedParts {
  readonly config: Config;
  readonly log: Log;
  /** Of a PEM file with authorities; undefined where none is named. */
  readCa(file: string | undefined): Buffer | undefined;
  /** With a protocol of SQL. */
  readerFor(protocol: SqlProtocol, limits: ConnectionConfig['limits']): SqlReader;
  addCatalogs(catalogs: { close(): Promise<void> | void }): void;
  readonly hashKey: Buffer | undefined;
  /** For mock verifiers of unknown users (PG-15): the same salt for the same name, also after a restart. */
  readonly serverSecret: Buffer;
  /** Starts the SQL workers, so that the first statement does not wait for them. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

export function createSharedParts(config: Config, log: Log): SharedParts {
  const readers = new Map<string, SqlReader>();
  const catalogs: { close(): Promise<void> | void }[] = [];
  return {
    config,
    log,
    readCa,
    hashKey: config.hashKey === undefined ? undefined : Buffer.from(readSecret(config.hashKey)),
    serverSecret: mockSecret(config),
    addCatalogs: (more) => catalogs.push(more),
    readerFor: (protocol, { parseSizeMax }) => {
      // Worker threads are costly, so connections of one protocol with the same limit share one reader.
      const key = `${protocol} ${parseSizeMax}`;
      const known = readers.get(key);
      if (known !== undefined) return known;
      const reader =
        protocol === 'mysql'
          ? foldAnswers(createMysqlReader({ parseSizeMax }))
          : createPostgresReader({ parseSizeMax });
      readers.set(key, reader);
      return reader;
    },
    warmUp: async () => {
      await Promise.all([...readers.values()].map(async (reader) => reader.analyze('SELECT 1')));
    },
    close: async () => {
      await Promise.all(catalogs.map(async (one) => one.close()));
      await Promise.all([...readers.values()].map((reader) => reader.close()));
    },
  };
}

export function createPipeline(
  shared: SharedParts,
  connection: ConnectionConfig,
  cancels: CancelRegistry,
): DecisionPipeline {
  const { config, hashKey } = shared;
  const { protocol } = connection;
  if (isStoreProtocol(protocol)) {
    return createStorePipeline(shared, { ...connection, protocol }, cancels);
  }
  const reader = shared.readerFor(protocol, connection.limits);
  const catalogs = createConnectionCatalogs(shared, connection);
  return new DecisionPipeline({
    config,
    connection,
    reader,
    catalogOf: catalogs === undefined ? undefined : (database) => catalogs.forDatabase(database),
    findSensitive: createSensitiveFinder(reader, protocol),
    credentials:
      connection.auth === 'gateway'
        ? createCredentials(config.users, shared.serverSecret, protocol)
        : undefined,
    login: loginOf(connection),
    hashKey,
    cancels,
  });
}

function createStorePipeline(
  shared: SharedParts,
  connection: StoreConnection,
  cancels: CancelRegistry,
): DecisionPipeline {
  const { config, hashKey } = shared;
  const { store, credentials } = createStoreDecider(shared, connection);
  return new DecisionPipeline({
    config,
    connection,
    reader: undefined,
    catalogOf: undefined,
    findSensitive: () => Promise.reject(new Error('a store has no columns')),
    credentials,
    login: loginOf(connection),
    hashKey,
    cancels,
    store,
  });
}

function createConnectionCatalogs(
  shared: SharedParts,
  connection: ConnectionConfig,
): Catalogs | undefined {
  const source = connection.auth === 'gateway' ? connection.upstream : connection.catalog;
  if (source?.user === undefined) return undefined;
  const password = source.password === undefined ? undefined : readSecret(source.password);
  const { log } = shared;
  const catalogs =
    connection.protocol === 'mysql'
      ? createMysqlCatalogs({ connect: () => mysqlSettingsOf(source, password, shared), log })
      : createCatalogs({
          connect: (database) => clientConfigOf(source, database, password, shared),
          log,
        });
  shared.addCatalogs(catalogs);
  return catalogs;
}

function clientConfigOf(
  source: UpstreamConfig,
  database: string,
  password: string | undefined,
  shared: SharedParts,
): ClientConfig {
  const { host, port, user, tls } = source;
  const ca = shared.readCa(source.ca);
  return {
    host,
    port,
    // That of the client, whatever stands in the URL: names and numbers of another one would be judged otherwise.
    database,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ssl:
      tls === 'off'
        ? false
        : { rejectUnauthorized: tls === 'verify-full', ...(ca === undefined ? {} : { ca }) },
  };
}

function mysqlSettingsOf(
  { host, port, user = '', tls, ca }: UpstreamConfig,
  password: string | undefined,
  shared: SharedParts,
): MysqlSettings {
  return {
    host,
    port,
    user,
    password,
    tls: tls === 'off' ? undefined : { isVerified: tls === 'verify-full', ca: shared.readCa(ca) },
  };
}

function loginOf(connection: ConnectionConfig): UpstreamLogin {
  const { user, database, password } = connection.upstream;
  return {
    user: user ?? '',
    // With passthrough it is the client that signs in.
    password:
      connection.auth === 'gateway' && password !== undefined ? readSecret(password) : undefined,
    database,
  };
}

/** Nobody who does not know the verifiers can tell a mock salt from a real one. */
function mockSecret(config: Config): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(config.users.map(({ scram, mysqlNative }) => [scram, mysqlNative])))
    .digest();
}

function readCa(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new GatewayError('TLS_FILES', `cannot read the authorities in ${file}`, { cause });
  }
}
