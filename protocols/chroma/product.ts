/**
 * Chroma as the generic session needs it. Tokens come in `x-chroma-token`, as a bearer, or as user and
 * password of Basic, which is all that its clients send (vector.md 2.4).
 */

import type { HeaderList, RequestHead } from '../contract.ts';
import type { StoreCredential, StoreLogin } from '../store.ts';
import type { StoreProduct } from '../wire/store-product.ts';
import { refuse } from './refusal.ts';
import { findRoute } from './routes.ts';

const TOKEN = 'x-chroma-token';
const AUTHORIZATION = 'authorization';
const CREDENTIALS: ReadonlySet<string> = new Set([TOKEN, AUTHORIZATION]);

export const chromaProduct: StoreProduct = {
  findRoute,
  readCredential,
  withLogin,
  secretHeaders: new Set([...CREDENTIALS, 'proxy-authorization', 'cookie', 'set-cookie']),
  refuse,
};

/** Two of them that differ are none: which one counts could be read in two ways. */
export function readCredential({ headers }: RequestHead): StoreCredential | undefined {
  const tokens = valuesOf(headers, TOKEN);
  const authorizations = valuesOf(headers, AUTHORIZATION);
  if (tokens.length > 1 || authorizations.length > 1) return undefined;
  const [token] = tokens;
  const [authorization] = authorizations;
  const other = authorization === undefined ? undefined : readAuthorization(authorization);
  if (token === undefined || token === '') return other;
  const own = { user: undefined, secret: token };
  if (authorization === undefined) return own;
  return other?.user === undefined && other?.secret === token ? own : undefined;
}

function valuesOf(headers: HeaderList, wanted: string): string[] {
  return headers.filter(([name]) => name === wanted).map(([, value]) => value.trim());
}

function readAuthorization(value: string): StoreCredential | undefined {
  const [, scheme = '', rest = ''] = /^([A-Za-z]+) +(\S+)$/.exec(value) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { user: undefined, secret: rest };
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const text = Buffer.from(rest, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), secret: text.slice(colon + 1) };
}

/**
 * A token goes out in both headers: which one a server's own check wants is its setting. An empty one: the
 * store asks for none, and those of callers do not reach it all the same.
 */
export function withLogin(headers: HeaderList, { user, secret }: StoreLogin): HeaderList {
  const others = headers.filter(([name]) => !CREDENTIALS.has(name));
  if (user !== undefined) {
    const basic = Buffer.from(`${user}:${secret}`).toString('base64');
    return [...others, [AUTHORIZATION, `Basic ${basic}`]];
  }
  if (secret === '') return others;
  return [...others, [AUTHORIZATION, `Bearer ${secret}`], [TOKEN, secret]];
}
