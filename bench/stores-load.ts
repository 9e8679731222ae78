/** Clients of the bench of stores: Node's own HTTP modules, so that no client library is what is measured. */

import { Agent, request } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { encodeString, encodeVarint } from '../protocols/wire/protobuf.ts';
import { type COLLECTIONS, frame, WINDOW } from './stores-server.ts';
import { type Measured, runClients, type StoreLoad, type Target } from './suite.ts';

/** An answer of `large` is larger than this, so that nobody measures refusals. */
const LARGE_SIZE_MIN = 300_000;
const SMALL_SIZE_MIN = 3_000;

function collectionOf(load: StoreLoad): (typeof COLLECTIONS)[number] {
  return load === 'search' ? 'large' : 'small';
}

/** Undefined: it is the answer that was wanted. */
function problemOf(load: StoreLoad, status: string | undefined, size: number): Error | undefined {
  const isWhole = size > (load === 'search' ? LARGE_SIZE_MIN : SMALL_SIZE_MIN);
  if (status === 'ok' && isWhole) return undefined;
  return new Error(`the bench was answered with status ${status}, ${size} bytes`);
}

export function runRest(target: Target, load: StoreLoad, seconds: number): Promise<Measured> {
  const query = { query: [0.25, 0.5], limit: 50, with_payload: true, with_vector: true };
  const body = Buffer.from(JSON.stringify(query));
  return runClients(seconds, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const options = {
      host: '127.0.0.1',
      port: target.port,
      agent,
      method: 'POST',
      path: `/collections/${collectionOf(load)}/points/query`,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'api-key': target.password,
      },
    };
    const ask = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const asking = request(options, (answer) => {
          let size = 0;
          answer.on('data', (chunk: Buffer) => (size += chunk.length));
          answer.once('error', reject);
          answer.once('end', () => {
            const status = answer.statusCode === 200 ? 'ok' : String(answer.statusCode);
            const problem = problemOf(load, status, size);
            if (problem === undefined) resolve();
            else reject(problem);
          });
        });
        asking.once('error', reject);
        asking.end(body);
      });
    return { ask, close: async () => agent.destroy() };
  });
}

/** qdrant.QueryPoints: 1 collection_name, 8 limit, 11 with_vectors { 1 enable }, 10 with_payload { 1 enable }. */
function queryMessage(collection: string): Buffer {
  return frame(Buffer.concat([encodeString(1, collection), encodeVarint(8, 50)]));
}

export function runGrpc(target: Target, load: StoreLoad, seconds: number): Promise<Measured> {
  const body = queryMessage(collectionOf(load));
  return runClients(seconds, async () => {
    const session = connect(`http://127.0.0.1:${target.port}`, {
      settings: { initialWindowSize: WINDOW },
    });
    session.once('connect', () => session.setLocalWindowSize(WINDOW));
    return {
      ask: () => call(session, { load, body, key: target.password }),
      close: () => new Promise<void>((resolve) => session.close(resolve)),
    };
  });
}

interface Call {
  readonly load: StoreLoad;
  readonly body: Buffer;
  readonly key: string;
}

function call(session: ClientHttp2Session, { load, body, key }: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/qdrant.Points/Query',
      'content-type': 'application/grpc',
      te: 'trailers',
      'api-key': key,
    });
    let size = 0;
    let status = 'without grpc-status';
    // Trailers, or the head of an answer that is nothing but them.
    const read = (fields: {
      readonly 'grpc-status'?: unknown;
      readonly 'grpc-message'?: unknown;
    }): void => {
      const code = fields['grpc-status'];
      if (code === undefined) return;
      status = code === '0' ? 'ok' : JSON.stringify([code, fields['grpc-message']]);
    };
    stream.once('response', read);
    stream.once('trailers', read);
    stream.on('data', (chunk: Buffer) => (size += chunk.length));
    stream.once('error', reject);
    stream.once('close', () => {
      const problem = problemOf(load, status, size);
      if (problem === undefined) resolve();
      else reject(problem);
    });
    stream.end(body);
  });
}
