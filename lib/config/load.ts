/** Reads a configuration file: TOML in, the checked `Config` out, or every problem at once. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import type { z } from 'zod';
import { isLoopback, type DatabaseUrl } from './addresses.ts';
import type {
  Config,
  ConnectionConfig,
  LimitsConfig,
  MaskConfig,
  RuleConfig,
  UpstreamConfig,
  UserConfig,
} from './config.ts';
import { checkTogether, type Placed, type WrittenParts } from './cross-checks.ts';
import { ConfigError, type ConfigProblem } from './errors.ts';
import type { Section } from './hints.ts';
import { type FindLine, locateKeys } from './key-lines.ts';
import { describePlace, type Place, problemAt, problemsOf } from './problems.ts';
import {
  connectionSchema,
  fileSchema,
  maskSchema,
  ruleSchema,
  userSchema,
  type WrittenConnection,
  type WrittenFile,
  type WrittenMask,
  type WrittenRule,
  type WrittenUser,
} from './schema.ts';

const KEY_PREFIX = 'sha256:';

/** A configuration of thousands of rules is a tenth of this; more is some other file. */
const FILE_SIZE_MAX = 4 * 2 ** 20;

/** Throws ConfigError. Paths in the file count from the folder in which Weir is started. */
export function loadConfig(file: string): Config {
  let bytes: Buffer;
  let text: string;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw failWhole(file, describeReadError(cause), cause);
  }
  if (bytes.length > FILE_SIZE_MAX) {
    throw failWhole(file, `expected at most ${FILE_SIZE_MAX} bytes, found ${bytes.length}.`);
  }
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw failWhole(file, 'expected UTF-8, found other bytes. Save it as UTF-8.', cause);
  }
  return buildConfig(text, file, bytes);
}

/** The same for a text; `file` is what messages call it. */
export function parseConfig(text: string, file: string): Config {
  return buildConfig(text, file, Buffer.from(text));
}

function buildConfig(text: string, file: string, bytes: Buffer): Config {
  const { written, ...parts } = readParts(file, parseText(text, file), locateKeys(text));
  return {
    file: resolve(file),
    version: createHash('sha256').update(bytes).digest('hex'),
    dataDir: resolve(written.data_dir),
    durability: written.durability,
    hashKey: written.hash_key,
    connections: parts.connections.map(({ value }) => buildConnection(value)),
    users: parts.users.map(({ value }) => buildUser(value)),
    rules: parts.rules.map(({ value }) => buildRule(value)),
    masks: parts.masks.map(({ value }) => buildMask(value)),
  };
}

function parseText(text: string, file: string): unknown {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // Its message goes on with the lines around, which may hold secrets.
    const [reason = ''] = cause.message.replace(/^Invalid TOML document: /, '').split('\n');
    const problem = {
      line: cause.line,
      text: `not valid TOML: ${reason} (column ${cause.column}).`,
    };
    throw new ConfigError(file, [problem], { cause });
  }
}

function readParts(
  file: string,
  raw: unknown,
  findLine: FindLine,
): WrittenParts & { readonly written: WrittenFile } {
  const problems: ConfigProblem[] = [];
  const top: Place = { section: 'file', path: [], title: '', raw };

  function check<T extends z.ZodType>(schema: T, place: Place): z.output<T> | undefined {
    const result = schema.safeParse(place.raw);
    if (result.success) return result.data;
    problems.push(...problemsOf(place, findLine, result.error.issues));
    return undefined;
  }

  function checkAll<T extends z.ZodType>(schema: T, section: Section): Placed<z.output<T>>[] {
    return readTables(raw, section).flatMap((table, index) => {
      const place = describePlace(section, index, table);
      const value = check(schema, place);
      return value === undefined ? [] : [{ place, value }];
    });
  }

  const written = check(fileSchema, top);
  const connections = checkAll(connectionSchema, 'connection');
  const users = checkAll(userSchema, 'user');
  const rules = checkAll(ruleSchema, 'rule');
  const masks = checkAll(maskSchema, 'mask');
  const parts: WrittenParts = {
    // As written: a key that is broken is there, and its own problem is told already.
    hasHashKey: readTop(raw, 'hash_key') !== undefined,
    connections,
    users,
    rules,
    masks,
    areUsersWhole: users.length === readTables(raw, 'user').length,
  };
  for (const { place, key, text } of checkTogether(parts)) {
    problems.push(problemAt(place, findLine, key, text));
  }
  if (written === undefined || problems.length > 0) throw new ConfigError(file, problems);
  return { ...parts, written };
}

/** The tables of one array; a value of another kind is told by the schema of the file. */
function readTables(raw: unknown, section: Section): readonly unknown[] {
  const tables = readTop(raw, section);
  return Array.isArray(tables) ? tables : [];
}

function readTop(raw: unknown, key: string): unknown {
  return typeof raw === 'object' && raw !== null ? Reflect.get(raw, key) : undefined;
}

function buildConnection(written: WrittenConnection): ConnectionConfig {
  const { name, protocol, listen, upstream, auth, tls, catalog, replication } = written;
  const { upstream_grpc: grpc } = written;
  return {
    name,
    protocol,
    listen,
    upstream: buildUpstream(written, upstream, written.password),
    ...(grpc === undefined ? {} : { upstreamGrpc: buildUpstream(written, grpc, written.password) }),
    auth,
    tls,
    catalog: catalog && buildUpstream(written, catalog, written.catalog_password),
    functionCalls: written.function_calls,
    replication,
    ...(protocol === 'mysql' ? { localInfile: written.local_infile === true } : {}),
    limits: buildLimits(written.limits),
  };
}

function buildUser({ mysql_native: mysqlNative, keys, ...user }: WrittenUser): UserConfig {
  return {
    ...user,
    scram: user.scram,
    ...(mysqlNative === undefined ? {} : { mysqlNative }),
    ...(keys === undefined ? {} : { keys: keys.map((key) => key.slice(KEY_PREFIX.length)) }),
  };
}

function buildRule(written: WrittenRule): RuleConfig {
  const { filter, limit_max: limitMax, rows_per_hour: rowsPerHour, vectors, ...rule } = written;
  return {
    ...rule,
    ...(filter === undefined
      ? {}
      : { filter: Object.entries(filter).map(([field, value]) => ({ field, value })) }),
    ...(limitMax === undefined ? {} : { limitMax }),
    ...(rowsPerHour === undefined ? {} : { rowsPerHour }),
    ...(vectors === undefined ? {} : { hidesVectors: true }),
  };
}

function buildMask(written: WrittenMask): MaskConfig {
  const { name, connections, columns = [], fields, detect, objects, mode, except } = written;
  return {
    name,
    connections,
    columns,
    ...(fields === undefined ? {} : { fields }),
    ...(detect === undefined ? {} : { detect }),
    ...(objects === undefined ? {} : { objects }),
    with: written.with,
    mode,
    except,
  };
}

function buildUpstream(
  written: WrittenConnection,
  { protocol: _protocol, isSecure, ...url }: DatabaseUrl,
  password: UpstreamConfig['password'],
): UpstreamConfig {
  // Nobody sits between two programs on one machine; everywhere else the name is checked.
  const isSecured = isSecure ?? !(isLoopback(url.host) && written.upstream_ca === undefined);
  const byDefault = isSecured ? 'verify-full' : 'off';
  // What http:// or redis:// goes to has no TLS, whatever holds for the URL beside it.
  const tls = isSecure === false ? 'off' : (written.upstream_tls ?? byDefault);
  return { ...url, password, tls, ca: written.upstream_ca };
}

function buildLimits(written: WrittenConnection['limits']): LimitsConfig {
  return {
    sessionsMax: written.sessions_max,
    statementSizeMax: written.statement_size_max,
    parseSizeMax: written.parse_size_max,
    rowSizeMax: written.row_size_max,
    signInTimeout: written.sign_in_timeout,
  };
}

function failWhole(file: string, text: string, cause?: unknown): ConfigError {
  return new ConfigError(file, [{ line: undefined, text }], { cause });
}

function describeReadError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file. Name another with -c FILE, or copy config.example.toml.';
    case 'EACCES':
      return 'not allowed to read this file.';
    case 'EISDIR':
      return 'this is a folder, not a file.';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
