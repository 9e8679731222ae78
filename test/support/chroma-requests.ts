/** Requests to Chroma as tests write them, read by the product's own table. */
import type { RequestHead } from '../../protocols/contract.ts';
import { findRoute } from '../../protocols/chroma/routes.ts';
import type { Restrictions } from '../../protocols/store.ts';
import type { ReadRequest } from '../../protocols/wire/store-product.ts';
import { DATABASE, TENANT } from './chroma-server.ts';

export const UUID = '17550686-caa4-452b-8d58-abb99c9ed9d5';
export const COLLECTIONS = `/api/v2/tenants/${TENANT}/databases/${DATABASE}/collections`;
export const COLLECTION = `${COLLECTIONS}/${UUID}`;
export const BY_ID = { kind: 'id', path: [TENANT, DATABASE, UUID] } as const;

export const ACME = [{ field: 'tenant', value: 'acme' }] as const;

export function restrictions(some: Partial<Restrictions>): Restrictions {
  return { filter: [], limitMax: undefined, hidesVectors: false, ...some };
}

export function headOf(
  method: string,
  target: string,
  headers: RequestHead['headers'] = [],
): RequestHead {
  return { version: '1.1', method, target, authority: 'localhost', headers, isWhole: false };
}

/** Throws where there is no route, or where the request cannot be read. */
export function readChroma(method: string, target: string, body: unknown = ''): ReadRequest {
  const head = headOf(method, target);
  const route = findRoute(head);
  if (route === undefined) throw new Error(`no route for ${method} ${target}`);
  return route.read(head, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

/** The new body as text; undefined: it stays as it was; a refusal comes as its sentence with "refused: ". */
export function restrictedBody(
  request: ReadRequest,
  some: Partial<Restrictions>,
): string | undefined {
  const result = request.restrict(restrictions(some));
  return typeof result === 'string' ? `refused: ${result}` : result.body?.toString('utf8');
}
