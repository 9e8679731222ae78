/**
 * The shape of a configuration file, as written: snake_case, every key, strict. What keys mean
 * together is checked in `cross-checks.ts`; how a problem is worded is in `problems.ts` and `hints.ts`.
 */
import { z } from 'zod';
import { STORE_EFFECTS } from '../../protocols/store.ts';
import { EFFECTS } from '../sql/analysis.ts';
import { type DatabaseUrl, parseDatabaseUrl, parseHostPort } from './addresses.ts';
import { DETECTOR_NAMES, SQL_PROTOCOLS, STORE_PROTOCOLS } from './config.ts';

/** Names go to the server inside the text that stands in for a blocked statement: no quotes, no newlines. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
/** PostgreSQL cuts names at 63 bytes. */
const USER_NAME_SIZE_MAX = 63;
/** A pattern part as lib/policy and lib/masking read it: bare, or in double quotes. */
const PART = '(?:"(?:[^"]|"")+"|[^".]+)';
const OBJECT_PATTERN = new RegExp(`^${PART}(?:\\.${PART})?$`);
/** Of stores: all behind the prefix is theirs (lib/policy/store-patterns.ts), parts with `/` between them. */
const STORE_PATTERN = /^(?:redis:.+|(?:chroma|qdrant|milvus):[^/]+(?:\/[^/]+)*)$/;
const STORE_PARTS_MAX = { chroma: 3, milvus: 2, qdrant: 1 } as const;
/** Names of a path with dots between them; `*` is any run of characters. */
const FIELD_PATTERN = /^[^.]+(?:\.[^.]+)*$/;
/** The SHA-256 of a key, as `weir user add NAME --key` prints it. */
const KEY = /^sha256:[0-9a-f]{64}$/;
/** What may stand in the value of a filter. */
const PLACEHOLDERS = /\$\{principal\.(?:name|group)\}/g;
const COLUMN_PATTERN = new RegExp(`^${PART}\\.${PART}\\.${PART}$`);
/** `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`; both keys are 32 bytes in base64. */
const SCRAM_VERIFIER =
  /^SCRAM-SHA-256\$([1-9]\d{0,9}):((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/;
/** What PostgreSQL allows for scram_iterations. */
const SCRAM_ITERATIONS_MAX = 2 ** 31 - 1;
/** As mysql.user and `SELECT PASSWORD('...')` show it. */
const MYSQL_NATIVE = /^\*[0-9A-Fa-f]{40}$/;
/** The server takes no message of a gigabyte (PG-23). */
const MESSAGE_SIZE_MAX = 0x3fff_ffff;
/** No store gives out more records at once. */
const COUNT_MAX = 1_000_000_000;

const name = z.string().regex(NAME);
const text = z.string().min(1);
const pattern = text.refine((value) => !/[\0\n\r]/.test(value));
const patterns = z.array(pattern).min(1);
const principal = pattern.refine((value) => value !== 'group:');
const secret = z.union([
  z.strictObject({ env: text }),
  z.strictObject({ file: text }),
  z.strictObject({ command: z.array(text).min(1) }),
]);

const hostPort = z.string().transform((value, context) => {
  const address = parseHostPort(value);
  if (address !== undefined) return address;
  context.issues.push({ code: 'custom', input: value });
  return z.NEVER;
});

const databaseUrl = z.string().transform((value, context): DatabaseUrl => {
  const url = parseDatabaseUrl(value);
  if (typeof url !== 'string') return url;
  context.issues.push({ code: 'custom', input: value, params: { reason: url } });
  return z.NEVER;
});

function whole(min: number, max: number, byDefault: number) {
  return z.number().int().min(min).max(max).default(byDefault);
}

const limits = z.strictObject({
  sessions_max: whole(1, 100_000, 500),
  statement_size_max: whole(128, MESSAGE_SIZE_MAX, 64 * 2 ** 20),
  parse_size_max: whole(128, 64 * 2 ** 20, 2 ** 20),
  row_size_max: whole(128, MESSAGE_SIZE_MAX, 64 * 2 ** 20),
  sign_in_timeout: whole(100, 3_600_000, 60_000),
});

export const connectionSchema = z.strictObject({
  name,
  protocol: z.enum([...SQL_PROTOCOLS, ...STORE_PROTOCOLS]),
  listen: hostPort,
  upstream: databaseUrl,
  upstream_grpc: databaseUrl.optional(),
  password: secret.optional(),
  auth: z.enum(['gateway', 'passthrough']).default('gateway'),
  catalog: databaseUrl.optional(),
  catalog_password: secret.optional(),
  upstream_tls: z.enum(['off', 'require', 'verify-full']).optional(),
  upstream_ca: text.optional(),
  tls: z
    .strictObject({ cert: text, key: text, mode: z.enum(['allow', 'require']).default('allow') })
    .optional(),
  function_calls: z.boolean().default(false),
  replication: z.array(principal).default([]),
  local_infile: z.boolean().optional(),
  limits: limits.prefault({}),
});

export const userSchema = z.strictObject({
  name: text
    .refine((value) => Buffer.byteLength(value) <= USER_NAME_SIZE_MAX && !/[*\0\n\r]/.test(value))
    .refine((value) => !value.startsWith('group:')),
  groups: z.array(text.refine((value) => !/[*\0\n\r]/.test(value))).default([]),
  scram: z.string().refine(isVerifier).optional(),
  mysql_native: z.string().regex(MYSQL_NATIVE).optional(),
  keys: z.array(z.string().regex(KEY)).min(1).optional(),
});

function isVerifier(value: string): boolean {
  const match = SCRAM_VERIFIER.exec(value);
  return match !== null && match[2] !== '' && Number(match[1]) <= SCRAM_ITERATIONS_MAX;
}

const object = pattern.refine((value) => isObjectPattern(value));

function isObjectPattern(value: string): boolean {
  const protocol = /^(chroma|qdrant|milvus|redis):/.exec(value)?.[1];
  if (protocol === undefined) return OBJECT_PATTERN.test(value);
  if (!STORE_PATTERN.test(value)) return false;
  const max = Object.entries(STORE_PARTS_MAX).find(([one]) => one === protocol)?.[1];
  const bare = value.replaceAll(/"(?:[^"]|"")+"/g, '');
  return max === undefined || bare.split('/').length <= max;
}

const filter = z
  .record(
    text,
    z.string().refine((value) => !value.replaceAll(PLACEHOLDERS, '').includes('${'), {
      params: { reason: 'another ${...} stands in it' },
    }),
  )
  .refine((value) => Object.keys(value).length > 0, { params: { reason: 'it is empty' } });

export const ruleSchema = z.strictObject({
  name,
  connections: patterns.default(['*']),
  principals: z.array(principal).min(1).default(['*']),
  effects: z.array(z.enum([...new Set([...EFFECTS, ...STORE_EFFECTS]), '*'])).min(1),
  objects: z.array(object).min(1).default(['*']),
  action: z.enum(['allow', 'block']),
  filter: filter.optional(),
  limit_max: z.number().int().min(1).max(COUNT_MAX).optional(),
  rows_per_hour: z.number().int().min(1).max(COUNT_MAX).optional(),
  vectors: z.literal(false).optional(),
});

export const maskSchema = z.strictObject({
  name,
  connections: patterns.default(['*']),
  columns: z.array(pattern.regex(COLUMN_PATTERN)).min(1).optional(),
  fields: z.array(pattern.regex(FIELD_PATTERN)).min(1).optional(),
  detect: z.array(z.enum(DETECTOR_NAMES)).min(1).optional(),
  objects: z.array(object).min(1).optional(),
  with: z.enum(['redact', 'partial', 'hash', 'null']).default('redact'),
  mode: z.enum(['mask', 'strict']).default('mask'),
  except: z.array(principal).default([]),
});

/** The file's top level; the tables in its arrays are checked one by one, each by its own schema. */
export const fileSchema = z.strictObject({
  data_dir: text.default('./weir-data'),
  durability: z.enum(['relaxed', 'strict', 'synced']).default('strict'),
  hash_key: secret.optional(),
  connection: z.array(z.unknown()).min(1),
  user: z.array(z.unknown()).default([]),
  rule: z.array(z.unknown()).default([]),
  mask: z.array(z.unknown()).default([]),
});

export type WrittenConnection = z.infer<typeof connectionSchema>;
export type WrittenUser = z.infer<typeof userSchema>;
export type WrittenRule = z.infer<typeof ruleSchema>;
export type WrittenMask = z.infer<typeof maskSchema>;
export type WrittenFile = z.infer<typeof fileSchema>;
