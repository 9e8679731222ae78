/**
 * What the Qdrant suites stand on: the emulator (no package carries the real server), a gateway in this process
 * in front of it, and ways to both for the official clients and for raw requests.
 */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { QdrantClient as QdrantGrpcClient } from '@qdrant/js-client-grpc';
import { QdrantClient as QdrantRestClient } from '@qdrant/js-client-rest';
import { loadConfig } from '../../lib/config/load.ts';
import { createGateway } from '../../lib/gateway/gateway.ts';
import { makeTemporary } from '../support/gateway-process.ts';
import type { QdrantEmulator } from '../support/qdrant-emulator.ts';
import { startQdrantEmulator } from '../support/qdrant-emulator.ts';
import { asText } from '../support/qdrant-emulator-filter.ts';
import { fillCustomers } from '../support/qdrant-pipe.ts';
import type { SuiteContext } from './harness.ts';

export interface QdrantWay {
  readonly name: 'direct' | 'through';
  readonly restPort: number;
  readonly grpcPort: number;
  readonly key: string;
}

export interface QdrantLab {
  readonly emulator: QdrantEmulator;
  readonly direct: QdrantWay;
  readonly dataDir: string;
  through(user: QdrantUser): QdrantWay;
  /** The data as it was at first. */
  reset(): void;
}

export const USERS = {
  /** Nothing is in force for her. */
  free: [],
  alice: ['a'],
  bob: ['b'],
  petra: ['privacy'],
} as const;
export type QdrantUser = keyof typeof USERS;

const STORE_KEY = 'the-key-of-the-store';
const STORE_KEY_VARIABLE = 'WEIR_TEST_QDRANT_KEY';
/** No answer after this, milliseconds: a loaded machine takes its time. */
const ANSWER_TIME_MAX = 60_000;

export async function openQdrantLab(context: SuiteContext, policy: string): Promise<QdrantLab> {
  const emulator = await startQdrantEmulator({ apiKey: STORE_KEY });
  context.teardown(async () => await emulator.close());
  const dataDir = await makeTemporary(context, 'weir-qdrant-lab-');
  const file = join(dataDir, 'weir.toml');
  process.env[STORE_KEY_VARIABLE] = STORE_KEY;
  await writeFile(file, describeConfig(emulator, dataDir, policy));
  const log = { info: () => undefined, warn: () => undefined, error: console.error };
  const gateway = await createGateway(loadConfig(file), { log });
  context.teardown(async () => await gateway.close());
  await gateway.listen();
  const port = gateway.addresses[0]?.port ?? 0;
  const reset = (): void => {
    emulator.engine.collections.clear();
    emulator.engine.aliases.clear();
    fillCustomers(emulator.engine);
  };
  reset();
  const { restPort, grpcPort } = emulator;
  return {
    emulator,
    dataDir,
    reset,
    direct: { name: 'direct', restPort, grpcPort, key: STORE_KEY },
    through: (user) => ({ name: 'through', restPort: port, grpcPort: port, key: keyOf(user) }),
  };
}

export function keyOf(user: QdrantUser): string {
  return `key-of-${user}`;
}

function describeConfig(emulator: QdrantEmulator, dataDir: string, policy: string): string {
  const users = Object.entries(USERS).map(([name, groups]) => {
    const hash = createHash('sha256').update(`key-of-${name}`).digest('hex');
    return `[[user]]\nname = "${name}"\ngroups = ${JSON.stringify(groups)}\nkeys = ["sha256:${hash}"]\n`;
  });
  return `data_dir = ${JSON.stringify(dataDir)}
[[connection]]
name = "store"
protocol = "qdrant"
listen = "127.0.0.1:0"
upstream = "http://127.0.0.1:${emulator.restPort}"
upstream_grpc = "http://127.0.0.1:${emulator.grpcPort}"
password = { env = "${STORE_KEY_VARIABLE}" }
auth = "gateway"
limits = { statement_size_max = 1048576 }
${users.join('')}${policy}`;
}

/** The official clients; ports and key are the only things that differ. */
export function restClient({ restPort, key }: QdrantWay): QdrantRestClient {
  return new QdrantRestClient({
    url: `http://127.0.0.1:${restPort}`,
    apiKey: key,
    checkCompatibility: false,
  });
}

export function grpcClient({ grpcPort, key }: QdrantWay): QdrantGrpcClient {
  return new QdrantGrpcClient({
    url: `http://127.0.0.1:${grpcPort}`,
    apiKey: key,
    checkCompatibility: false,
    timeout: ANSWER_TIME_MAX,
  });
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer | string | readonly Buffer[];
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** A body in pieces goes out chunked. */
export async function sendRest(way: QdrantWay, raw: RawRequest): Promise<RawAnswer> {
  const { method, path, body = '', headers = {} } = raw;
  return await new Promise<RawAnswer>((done, fail) => {
    const asked = request({
      host: '127.0.0.1',
      port: way.restPort,
      method,
      path,
      agent: false,
      headers: { 'api-key': way.key, 'content-type': 'application/json', ...headers },
    });
    asked.setTimeout(ANSWER_TIME_MAX, () => asked.destroy(new Error('no answer came')));
    asked.on('error', fail);
    asked.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', fail);
      response.on('end', () =>
        done({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    if (typeof body === 'string' || Buffer.isBuffer(body)) asked.end(body);
    else {
      for (const piece of body) asked.write(piece);
      asked.end();
    }
  });
}

/** `frame`: everything after the head, its five bytes included. The text has the status first. */
export async function sendRpc(
  way: QdrantWay,
  path: string,
  frame: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const session = connectHttp2(`http://127.0.0.1:${way.grpcPort}`);
  try {
    return await new Promise<RawAnswer>((done, fail) => {
      session.on('error', fail);
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'api-key': way.key,
        ...headers,
      });
      stream.setTimeout(ANSWER_TIME_MAX, () => stream.destroy(new Error('no answer came')));
      const pieces: Buffer[] = [];
      let status = '';
      const note = (found: Readonly<Record<string, unknown>>): void => {
        if (found['grpc-status'] === undefined) return;
        status = `${asText(found['grpc-status'])} ${asText(found['grpc-message'])}`;
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('error', fail);
      stream.on('end', () => {
        const code = Number(status.split(' ')[0] ?? -1);
        done({ status: code, text: `${status}\n${Buffer.concat(pieces).toString('latin1')}` });
      });
      stream.end(frame);
    });
  } finally {
    session.destroy();
  }
}

export function framed(message: Uint8Array, isCompressed = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = isCompressed ? 1 : 0;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
