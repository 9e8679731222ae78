/** Reads the addresses in a configuration: `host:port` to listen on, and database URLs. */
import { isIP, isIPv4 } from 'node:net';

/** What is spoken at a URL, as far as its scheme tells. */
export type Scheme = 'postgres' | 'mysql' | 'http' | 'redis';

interface SchemeFacts {
  readonly protocol: Scheme;
  /** Undefined: the port must be written, as it is another one for each product. */
  readonly port: number | undefined;
  /** The URL says by itself whether there is TLS. */
  readonly isSecure?: boolean;
}

const SCHEMES: Readonly<Record<string, SchemeFacts>> = {
  'postgres:': { protocol: 'postgres', port: 5432 },
  'postgresql:': { protocol: 'postgres', port: 5432 },
  'mysql:': { protocol: 'mysql', port: 3306 },
  'mariadb:': { protocol: 'mysql', port: 3306 },
  'http:': { protocol: 'http', port: undefined, isSecure: false },
  'https:': { protocol: 'http', port: undefined, isSecure: true },
  'redis:': { protocol: 'redis', port: 6379, isSecure: false },
  'rediss:': { protocol: 'redis', port: 6379, isSecure: true },
};
/** URL leaves out a port that is the usual one of its scheme, so it is looked for in the text. */
const WRITTEN_PORT = /^[a-z]+:\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^:/?#@]*):(\d{1,5})(?:[/?#]|$)/i;
const PORT_MAX = 65_535;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port` or `[ipv6]:port`; undefined: it is neither. Port 0 means any free one. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > PORT_MAX) return undefined;
  if (match?.[1] !== undefined && isIP(host) !== 6) return undefined;
  return { host, port };
}

export interface DatabaseUrl extends HostPort {
  readonly protocol: Scheme;
  readonly user: string | undefined;
  readonly database: string | undefined;
  /** https and rediss: true; http and redis: false; undefined: the scheme does not say. */
  readonly isSecure?: boolean;
}

/**
 * `postgres://[user@]host[:port][/database]`, or `mysql://`, `mariadb://`; of stores `http[s]://[user@]host:port`
 * and `redis[s]://[user@]host[:port]`. A text says what is wrong with it, never showing it.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl | string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'it is no URL';
  }
  const scheme = Object.hasOwn(SCHEMES, url.protocol) ? SCHEMES[url.protocol] : undefined;
  if (scheme === undefined) {
    return 'it does not start with postgres://, mysql://, http://, https://, redis:// or rediss://';
  }
  const written = WRITTEN_PORT.exec(text.trim())?.[1];
  const port = written === undefined ? scheme.port : Number(written);
  return whyUnusable(url, scheme, port) ?? readUrl(url, scheme, port ?? 0);
}

function whyUnusable(
  url: URL,
  { isSecure }: SchemeFacts,
  port: number | undefined,
): string | undefined {
  if (url.password !== '') return 'it holds a password';
  if (url.hostname === '') return 'it names no host';
  if (url.search !== '' || url.hash !== '') return 'it has parameters behind the database';
  if (port === undefined) return 'it names no port';
  if (port === 0) return 'its port is 0';
  const isStore = isSecure !== undefined;
  return isStore && !['', '/'].includes(url.pathname) ? 'it has a path behind the port' : undefined;
}

function readUrl(
  url: URL,
  { protocol, isSecure }: SchemeFacts,
  port: number,
): DatabaseUrl | string {
  try {
    const user = decodeURIComponent(url.username);
    const database = decodeURIComponent(url.pathname.slice(1));
    return {
      protocol,
      host: decodeURIComponent(url.hostname.replace(/^\[(.*)\]$/, '$1')),
      port,
      user: user === '' ? undefined : user,
      database: database === '' ? undefined : database,
      ...(isSecure === undefined ? {} : { isSecure }),
    };
  } catch {
    return 'it has a broken % sequence';
  }
}

/** Only this machine can connect to it or listen in. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
