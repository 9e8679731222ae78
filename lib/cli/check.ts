/** `weir check`: is the configuration valid, and what is in force with it? Nothing is started. */
import { parseArgs } from 'node:util';
import type {
  Config,
  ConnectionConfig,
  RuleConfig,
  SecretSource,
  UpstreamConfig,
} from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { readSecret } from '../config/secrets.ts';
import { configWarnings } from '../config/warnings.ts';
import { GatewayError } from '../errors.ts';
import { createClientFacingTls } from '../net/tls.ts';
import { CONFIG_HELP, CONFIG_OPTIONS } from './config-option.ts';
import type { MainIo } from './main.ts';
import { formatTable } from './table.ts';

const HELP = `Usage: weir check [-c FILE]

Says what is wrong with the configuration, with file and line, and exits with 2; or prints the
connections, rules and masks in force and exits with 0. Warnings do not change the exit code.
Secrets in variables and files are looked for, commands are not run, no server is asked.

${CONFIG_HELP}
`;

/** Throws ConfigError with every problem of the file. */
export async function runCheck(argv: readonly string[], io: MainIo): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: CONFIG_OPTIONS });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const config = loadConfig(values.config);
  io.stdout.write(describeConfig(config));
  for (const warning of [...configWarnings(config), ...outsideWarnings(config)]) {
    io.stderr.write(`warning: ${warning}\n`);
  }
  return 0;
}

function describeConfig(config: Config): string {
  const { users } = config;
  const canSignIn = users.filter(({ scram, mysqlNative, keys }) =>
    [scram, mysqlNative, keys].some((proof) => proof !== undefined),
  ).length;
  return [
    formatSection(
      'Connections',
      ['NAME', 'PROTOCOL', 'LISTEN', 'TLS', 'UPSTREAM', 'TLS', 'SIGN-IN'],
      config.connections.map(describeConnection),
    ),
    formatSection(
      'Rules',
      ['NAME', 'ACTION', 'EFFECTS', 'OBJECTS', 'PRINCIPALS', 'CONNECTIONS', 'CONDITIONS'],
      config.rules.map((rule) => {
        const { name, action, effects, objects, principals, connections } = rule;
        const lists = [effects, objects, principals, connections, conditionsOf(rule)];
        return [name, action, ...lists.map(formatList)];
      }),
    ),
    formatSection(
      'Masks',
      ['NAME', 'WITH', 'MODE', 'COLUMNS', 'NOT FOR', 'CONNECTIONS', 'FIELDS', 'DETECT', 'OBJECTS'],
      config.masks.map((mask) => {
        const { name, mode, columns, except, connections, fields = [], detect = [] } = mask;
        const isForStores = fields.length + detect.length > 0;
        const objects = mask.objects ?? (isForStores ? ['*'] : []);
        const lists = [columns, except, connections, fields, detect, objects];
        return [name, mask.with, mode, ...lists.map(formatList)];
      }),
    ),
    `Users: ${users.length}, of which ${canSignIn} can sign in to the gateway.\n`,
    `Recordings: ${config.dataDir}, ${config.durability}.\n`,
    `Policy version: ${config.version}\n`,
  ].join('');
}

/** What a rule for stores allows no further than. */
function conditionsOf({ filter = [], limitMax, rowsPerHour, hidesVectors }: RuleConfig): string[] {
  return [
    ...filter.map(({ field, value }) => `${field}=${JSON.stringify(value)}`),
    ...(limitMax === undefined ? [] : [`limit_max=${limitMax}`]),
    ...(rowsPerHour === undefined ? [] : [`rows_per_hour=${rowsPerHour}`]),
    ...(hidesVectors === true ? ['vectors=false'] : []),
  ];
}

function formatSection(title: string, head: string[], rows: string[][]): string {
  return rows.length === 0 ? `${title}: none\n\n` : `${title}\n${formatTable(head, rows)}\n`;
}

function describeConnection(connection: ConnectionConfig): string[] {
  const { name, protocol, listen, tls, upstream, upstreamGrpc, auth } = connection;
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const address = `${host}:${listen.port}`;
  const grpc = upstreamGrpc === undefined ? '' : `, gRPC ${describeUpstream(upstreamGrpc)}`;
  const server = `${describeUpstream(upstream)}${grpc}`;
  return [name, protocol, address, tls?.mode ?? 'off', server, upstream.tls, auth];
}

function describeUpstream({ user, host, port, database }: UpstreamConfig): string {
  const who = user === undefined ? '' : `${user}@`;
  const where = host.includes(':') ? `[${host}]` : host;
  return `${who}${where}:${port}${database === undefined ? '' : `/${database}`}`;
}

function formatList(list: readonly string[]): string {
  return list.length === 0 ? '-' : list.join(' ');
}

/** What the file points at and is not there or not right, on this machine and at this moment. */
function outsideWarnings({ connections, hashKey }: Config): string[] {
  const warnings = secretWarnings('hash_key', hashKey);
  for (const { name, upstream, catalog, tls, auth } of connections) {
    const place = `connection "${name}"`;
    if (auth === 'gateway')
      warnings.push(...secretWarnings(`${place}: password`, upstream.password));
    warnings.push(...secretWarnings(`${place}: catalog_password`, catalog?.password));
    if (tls !== undefined) {
      const load = () => void createClientFacingTls({ certFile: tls.cert, keyFile: tls.key });
      warnings.push(...warningsOf(`${place}: tls`, load));
    }
  }
  return warnings;
}

function secretWarnings(place: string, source: SecretSource | undefined): string[] {
  // A command may ask somebody or cost something; it runs when the gateway starts.
  if (source === undefined || 'command' in source) return [];
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(`${place}: ${text}`);
  return [...warningsOf(place, () => void readSecret(source, { warn })), ...warnings];
}

function warningsOf(place: string, look: () => void): string[] {
  try {
    look();
    return [];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [`${place}: ${error.message}`];
  }
}
