/**
 * What the Chroma suites stand on: a real server, a gateway in this process in front of it with the
 * configuration of the suite, and ways to both for the official JavaScript client and for bare requests,
 * whose paths and bodies go out exactly as they are written.
 */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { ChromaClient } from 'chromadb';
import { loadConfig } from '../../lib/config/load.ts';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { chromaMissing, startTestChroma, type TestChroma } from '../support/chroma-server.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import type { SuiteContext } from './harness.ts';

export interface ChromaWay {
  readonly name: 'direct' | 'through';
  readonly port: number;
  /** A user's key; the server itself asks for none. */
  readonly key: string | undefined;
}

export interface ChromaLab {
  readonly server: TestChroma;
  readonly direct: ChromaWay;
  readonly dataDir: string;
  /** As that user of `USERS`. */
  through(user: ChromaUser): ChromaWay;
}

export const USERS = {
  /** Nothing is in force for her. */
  free: [],
  alice: ['acme'],
  bob: ['other'],
  petra: ['privacy'],
} as const;
export type ChromaUser = keyof typeof USERS;

/** For one answer; a loaded machine takes its time. */
const ANSWER_TIME_MAX = 60_000;

export function keyOf(user: ChromaUser): string {
  return `key-of-${user}`;
}

/** Reports the whole suite as skipped where there is no server. */
export function isChromaMissing(context: SuiteContext, name: string): boolean {
  const missing = chromaMissing();
  if (missing !== undefined) context.skip(name, missing);
  return missing !== undefined;
}

/** `policy`: the rules and masks of the configuration, in TOML. */
export async function openChromaLab(context: SuiteContext, policy: string): Promise<ChromaLab> {
  const server = await startTestChroma({ allowReset: true });
  context.teardown(async () => await server.stop());
  const dataDir = await makeTemporary(context, 'weir-chroma-lab-');
  const file = join(dataDir, 'weir.toml');
  await writeFile(file, describeConfig(server.port, dataDir, policy));
  const log = { info: () => undefined, warn: () => undefined, error: console.error };
  const gateway = await createGateway(loadConfig(file), { log });
  context.teardown(async () => await gateway.close());
  await gateway.listen();
  const port = gateway.addresses[0]?.port ?? 0;
  return {
    server,
    dataDir,
    direct: { name: 'direct', port: server.port, key: undefined },
    through: (user) => ({ name: 'through', port, key: keyOf(user) }),
  };
}

function describeConfig(port: number, dataDir: string, policy: string): string {
  const users = Object.entries(USERS).map(([name, groups]) => {
    const hash = createHash('sha256').update(`key-of-${name}`).digest('hex');
    return `[[user]]\nname = "${name}"\ngroups = ${JSON.stringify(groups)}\nkeys = ["sha256:${hash}"]\n`;
  });
  return `data_dir = ${JSON.stringify(dataDir)}
[[connection]]
name = "store"
protocol = "chroma"
listen = "127.0.0.1:0"
upstream = "http://127.0.0.1:${port}"
auth = "gateway"
limits = { statement_size_max = 8388608 }
${users.join('')}${policy}`;
}

/** The official client; its headers are the only thing that differs. */
export function connectChroma(
  { port, key }: ChromaWay,
  tenant?: string,
  database?: string,
): ChromaClient {
  return new ChromaClient({
    host: '127.0.0.1',
    port,
    ...(key === undefined ? {} : { headers: { 'x-chroma-token': key } }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(database === undefined ? {} : { database }),
  });
}

export interface RawRequest {
  readonly method: string;
  /** As it goes out, not made tidy. */
  readonly path: string;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

export async function sendRaw(
  way: ChromaWay,
  { method, path, body, headers }: RawRequest,
): Promise<RawAnswer> {
  const own = way.key === undefined ? {} : { 'x-chroma-token': way.key };
  const content = body === undefined ? {} : { 'content-type': 'application/json' };
  const all = { ...own, ...content, ...headers };
  const asked = request({
    host: '127.0.0.1',
    port: way.port,
    method,
    path,
    headers: all,
    agent: false,
  });
  asked.setTimeout(ANSWER_TIME_MAX, () => asked.destroy(new Error('no answer came')));
  const response = await new Promise<IncomingMessage>((done, fail) => {
    asked.on('response', done);
    asked.on('upgrade', () => fail(new Error('it was upgraded')));
    // An answer may come while the body is still going out, and the connection ends then.
    asked.on('error', fail);
    asked.end(body);
  });
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(Buffer.from(piece));
  return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('latin1') };
}
