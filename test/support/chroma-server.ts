/**
 * The real Chroma server for tests. Where it cannot be had, `chromaMissing` gives the reason to skip:
 *
 *   t.test('...', { skip: chromaMissing() ?? false }, async (t) => {
 *     const server = await startTestChroma();
 *     t.teardown(() => server.stop());
 */
import { findChromaBindings } from '../../lib/demo/chroma-bindings.ts';
import {
  type ChromaOptions,
  type ChromaServer,
  startChroma,
} from '../../lib/demo/chroma-server.ts';

export const TENANT = 'default_tenant';
export const DATABASE = 'default_database';

export function chromaMissing(): string | undefined {
  const found = findChromaBindings();
  return typeof found === 'string' ? found : undefined;
}

export interface ChromaAnswer {
  readonly status: number;
  readonly text: string;
}

export interface TestChroma extends ChromaServer {
  /** `path` begins with a slash and comes behind `/api/v2`; a body makes it JSON. */
  ask(method: string, path: string, body?: unknown): Promise<ChromaAnswer>;
  /** Makes a collection with these records in the default database; gives its UUID. */
  fill(name: string, records: object): Promise<string>;
}

export async function startTestChroma(options: ChromaOptions = {}): Promise<TestChroma> {
  const found = findChromaBindings();
  if (typeof found === 'string') throw new Error(found);
  const server = await startChroma(found, options);
  const base = `http://${server.host}:${server.port}/api/v2`;
  const ask: TestChroma['ask'] = async (method, path, body) => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${base}${path}`, { method, headers, ...content });
    return { status: response.status, text: await response.text() };
  };
  const folder = `/tenants/${TENANT}/databases/${DATABASE}/collections`;
  return {
    ...server,
    ask,
    fill: async (name, records) => {
      const made: unknown = JSON.parse((await ask('POST', folder, { name })).text);
      const id = typeof made === 'object' && made !== null && 'id' in made ? String(made.id) : '';
      const { status, text } = await ask('POST', `${folder}/${id}/add`, records);
      if (status !== 201) throw new Error(`the records were not added: ${text}`);
      return id;
    },
  };
}
