/**
 * For each key of the configuration file: what is expected there and a line that works. Every
 * message about a key is made from this table, and docs/CONFIGURATION.md is checked against it.
 */
import { STORE_EFFECTS } from '../../protocols/store.ts';
import { EFFECTS } from '../sql/analysis.ts';
import { DETECTOR_NAMES } from './config.ts';

export interface Hint {
  readonly expected: string;
  /** A line that can be copied. */
  readonly write: string;
  /** The same where the connection is of that protocol. */
  readonly writeFor?: Readonly<Record<string, string>>;
  /** Never shown in messages, whatever stands there: a password written in the wrong place. */
  readonly isSecret?: boolean;
}

export type Section = 'file' | 'connection' | 'user' | 'rule' | 'mask';

const SECRET = '{ env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", "ARGUMENT"] }';
const NAME = 'a name of lower-case letters, digits, "-" and "_", at most 63';
const PRINCIPALS = 'a list of user names (* stands for any characters) and "group:NAME"';
const CONNECTIONS = 'a list of connection names (* stands for any characters)';
const URL_EXPECTED =
  'a URL like postgres://user@host:port/database, mysql://..., http[s]://host:port or redis[s]://user@host:port, without a password';
const OBJECTS =
  'a list of "schema.table" or "table" patterns, of stores "qdrant:collection", "milvus:database/collection", "chroma:tenant/database/collection" or "redis:key" (* stands for any characters)';
const COUNT = 'a whole number from 1 to 1000000000';

function secretHint(key: string, variable: string): Hint {
  return { expected: SECRET, write: `${key} = { env = "${variable}" }`, isSecret: true };
}

function sizeHint(key: string, range: string, value: number): Hint {
  return { expected: `a whole number of bytes, ${range}`, write: `${key} = ${value}` };
}

/** By key; a key inside an inline table is written with a dot. */
export const HINTS: Readonly<Record<Section, Readonly<Record<string, Hint>>>> = {
  file: {
    data_dir: { expected: 'the path of a folder', write: 'data_dir = "./weir-data"' },
    durability: { expected: '"relaxed", "strict" or "synced"', write: 'durability = "strict"' },
    hash_key: secretHint('hash_key', 'WEIR_HASH_KEY'),
    connection: { expected: 'at least one [[connection]] table', write: '[[connection]]' },
    user: { expected: 'tables with double brackets', write: '[[user]]' },
    rule: { expected: 'tables with double brackets', write: '[[rule]]' },
    mask: { expected: 'tables with double brackets', write: '[[mask]]' },
  },
  connection: {
    name: { expected: NAME, write: 'name = "shop"' },
    protocol: {
      expected: '"postgres", "mysql", "chroma", "qdrant", "milvus" or "redis"',
      write: 'protocol = "postgres"',
    },
    listen: { expected: '"host:port"', write: 'listen = "127.0.0.1:6432"' },
    upstream: {
      expected: URL_EXPECTED,
      write: 'upstream = "postgres://app@127.0.0.1:5432/shop"',
      writeFor: {
        mysql: 'upstream = "mysql://app@127.0.0.1:3306/shop"',
        chroma: 'upstream = "http://127.0.0.1:8000"',
        qdrant: 'upstream = "http://127.0.0.1:6333"',
        milvus: 'upstream = "http://127.0.0.1:19530"',
        redis: 'upstream = "redis://127.0.0.1:6379"',
      },
    },
    upstream_grpc: {
      expected: 'a URL like http://host:port or https://host:port',
      write: 'upstream_grpc = "http://127.0.0.1:6334"',
    },
    password: secretHint('password', 'SHOP_PASSWORD'),
    auth: { expected: '"gateway" or "passthrough"', write: 'auth = "gateway"' },
    catalog: { expected: URL_EXPECTED, write: 'catalog = "postgres://reader@127.0.0.1:5432"' },
    catalog_password: secretHint('catalog_password', 'CATALOG_PASSWORD'),
    upstream_tls: {
      expected: '"off", "require" or "verify-full"',
      write: 'upstream_tls = "verify-full"',
    },
    upstream_ca: {
      expected: 'the path of a PEM file',
      write: 'upstream_ca = "/etc/weir/database-ca.pem"',
    },
    tls: {
      expected: 'a table with cert, key and mode',
      write: 'tls = { cert = "server.pem", key = "server.key", mode = "require" }',
    },
    'tls.cert': { expected: 'the path of a PEM file', write: 'cert = "server.pem"' },
    'tls.key': { expected: 'the path of a PEM file', write: 'key = "server.key"' },
    'tls.mode': { expected: '"allow" or "require"', write: 'mode = "require"' },
    function_calls: { expected: 'true or false', write: 'function_calls = false' },
    replication: { expected: PRINCIPALS, write: 'replication = ["group:operations"]' },
    local_infile: { expected: 'true or false', write: 'local_infile = false' },
    limits: { expected: 'a table of limits', write: 'limits = { sessions_max = 500 }' },
    'limits.sessions_max': {
      expected: 'a whole number from 1 to 100000',
      write: 'sessions_max = 500',
    },
    'limits.statement_size_max': sizeHint('statement_size_max', '128 to 1073741823', 67_108_864),
    'limits.parse_size_max': sizeHint('parse_size_max', '128 to 67108864', 1_048_576),
    'limits.row_size_max': sizeHint('row_size_max', '128 to 1073741823', 67_108_864),
    'limits.sign_in_timeout': {
      expected: 'a whole number of milliseconds, 100 to 3600000',
      write: 'sign_in_timeout = 60000',
    },
  },
  user: {
    name: {
      expected: 'a user name of at most 63 bytes, without "*" and not starting with "group:"',
      write: 'name = "alice"',
    },
    groups: { expected: 'a list of group names without "*"', write: 'groups = ["analysts"]' },
    scram: {
      expected: 'SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey, as `weir user add` prints it',
      write: 'scram = "SCRAM-SHA-256$4096:..."',
      isSecret: true,
    },
    mysql_native: {
      expected: '"*" and 40 hex digits, as `weir user add --mysql` prints it',
      write: 'mysql_native = "*94BD..."',
      isSecret: true,
    },
    keys: {
      expected: 'a list of "sha256:" and 64 hex digits, as `weir user add NAME --key` prints it',
      write: 'keys = ["sha256:..."]',
      isSecret: true,
    },
  },
  rule: {
    name: { expected: NAME, write: 'name = "no-destruction"' },
    connections: { expected: CONNECTIONS, write: 'connections = ["*"]' },
    principals: { expected: PRINCIPALS, write: 'principals = ["*"]' },
    effects: {
      expected: `a list of effects (SQL: ${EFFECTS.join(', ')}; stores: ${STORE_EFFECTS.join(', ')}) or "*"`,
      write: 'effects = ["drop", "truncate", "delete"]',
    },
    objects: { expected: OBJECTS, write: 'objects = ["public.*"]' },
    action: { expected: '"allow" or "block"', write: 'action = "block"' },
    filter: {
      expected:
        'a table of fields and texts, in which ${principal.name} and ${principal.group} may stand',
      write: 'filter = { tenant = "${principal.group}" }',
    },
    limit_max: { expected: COUNT, write: 'limit_max = 100' },
    rows_per_hour: { expected: COUNT, write: 'rows_per_hour = 10000' },
    vectors: { expected: 'false', write: 'vectors = false' },
  },
  mask: {
    name: { expected: NAME, write: 'name = "contact-data"' },
    connections: { expected: CONNECTIONS, write: 'connections = ["*"]' },
    columns: {
      expected: 'a list of "schema.table.column" patterns (* stands for any characters)',
      write: 'columns = ["public.customers.email"]',
    },
    fields: {
      expected:
        'a list of field paths of stores, like "author.phone" (* stands for any characters)',
      write: 'fields = ["email", "author.phone"]',
    },
    detect: {
      expected: `a list of ${DETECTOR_NAMES.map((name) => `"${name}"`).join(', ')}`,
      write: 'detect = ["email", "credit-card"]',
    },
    objects: { expected: OBJECTS, write: 'objects = ["qdrant:customers"]' },
    with: { expected: '"redact", "partial", "hash" or "null"', write: 'with = "redact"' },
    mode: { expected: '"mask" or "strict"', write: 'mode = "mask"' },
    except: { expected: PRINCIPALS, write: 'except = ["group:privacy"]' },
  },
};

/** Keys that people may know from the plan of the project and that this version does not have. */
export const NOT_YET: Readonly<Record<Section, Readonly<Record<string, string>>>> = {
  file: {},
  connection: { ssh: 'SSH tunnels are not there yet. Open the tunnel outside and take this out.' },
  user: {},
  rule: {},
  mask: {},
};

/** The same for values: by key, then value; also for what goes by another name here. */
export const VALUE_NOT_YET: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  action: {
    hold: 'approvals are not there yet, so "hold" cannot be kept. Write action = "block".',
  },
  protocol: {
    mariadb: 'MariaDB is served as MySQL is. Write protocol = "mysql".',
    valkey: 'Valkey is served as Redis is. Write protocol = "redis".',
  },
  with: { token: 'tokens are not there yet. Write with = "hash".' },
};
