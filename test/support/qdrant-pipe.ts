/**
 * Requests through the Qdrant product's own functions to the emulator's, without a gateway: what was asked,
 * what reached the store, what came back. For REST by text, for gRPC with the official descriptors.
 */

import type { RequestHead } from '../../protocols/contract.ts';
import { ProtocolError } from '../../protocols/errors.ts';
import { qdrantProduct } from '../../protocols/qdrant/product.ts';
import type { FieldMasks, FieldPath, Restrictions, StoreRefusal } from '../../protocols/store.ts';
import type { ReadRequest } from '../../protocols/wire/store-product.ts';
import { requestHead } from './exchanges.ts';
import type { QdrantEngine } from './qdrant-emulator-engine.ts';
import type { Json } from './qdrant-emulator-filter.ts';
import { isObject } from './qdrant-emulator-filter.ts';
import { answerRest } from './qdrant-emulator-rest.ts';
import type { RpcMethods } from './qdrant-emulator-rpc.ts';
import { answerRpc } from './qdrant-emulator-rpc.ts';

export interface PipeRules {
  readonly restrictions?: Restrictions;
  readonly masks?: FieldMasks;
}

export type Piped =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'answered';
      /** As it reached the store. */
      readonly sent: Buffer;
      readonly status: number;
      readonly answer: Buffer;
    };

const JSON_HEADERS = [['content-type', 'application/json']] as const;
const GRPC_HEADERS = [['content-type', 'application/grpc+proto']] as const;

export function restHead(line: string): RequestHead {
  return requestHead(line, { headers: JSON_HEADERS });
}

export function rpcHead(name: string): RequestHead {
  return requestHead(`POST /${name}`, { version: '2', headers: GRPC_HEADERS });
}

/** What the product reads; a text where it refuses. */
export function readRest(line: string, body: Json | string = ''): ReadRequest | string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return readAs(restHead(line), Buffer.from(text));
}

export function readRpc(name: string, message: Uint8Array): ReadRequest | string {
  return readAs(rpcHead(name), Buffer.from(message));
}

function readAs(head: RequestHead, body: Buffer): ReadRequest | string {
  const route = qdrantProduct.findRoute(head);
  if (route === undefined) return 'no route';
  try {
    return route.read(head, body);
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

export function pipeRest(
  engine: QdrantEngine,
  line: string,
  body: Json | string = '',
  rules: PipeRules = {},
): Piped {
  const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const read = readAs(restHead(line), text);
  const [method = '', target = ''] = line.split(' ');
  return pipe(read, text, rules, (sent) => {
    const { status, body: answer } = answerRest(engine, method, target, sent);
    return { status, answer: Buffer.from(answer) };
  });
}

export function pipeRpc(
  { engine, methods }: { readonly engine: QdrantEngine; readonly methods: RpcMethods },
  name: string,
  message: Uint8Array,
  rules: PipeRules = {},
): Piped {
  const bytes = Buffer.from(message);
  return pipe(readAs(rpcHead(name), bytes), bytes, rules, (sent) => ({
    status: 200,
    answer: answerRpc(engine, methods, `/${name}`, sent),
  }));
}

function pipe(
  read: ReadRequest | string,
  body: Buffer,
  { restrictions: cut, masks }: PipeRules,
  ask: (sent: Buffer) => { status: number; answer: Buffer },
): Piped {
  if (typeof read === 'string') return { kind: 'refused', why: read };
  const restricted = cut === undefined ? {} : read.restrict(cut);
  if (typeof restricted === 'string') return { kind: 'refused', why: restricted };
  const sent = restricted.body ?? body;
  const { status, answer } = ask(sent);
  const head = { status, headers: [] };
  let shown: Buffer | StoreRefusal = answer;
  if (cut !== undefined && read.checkAnswer !== undefined) {
    shown = read.checkAnswer(answer, cut, head);
    if (!Buffer.isBuffer(shown)) return { kind: 'refused', why: shown.message };
  }
  if (masks !== undefined && read.maskAnswer !== undefined) {
    shown = read.maskAnswer(shown, masks, head);
  }
  return { kind: 'answered', sent, status, answer: shown };
}

export function resultOf(piped: Piped): Json {
  if (piped.kind === 'refused') return { refused: piped.why };
  const answer: Json = JSON.parse(piped.answer.toString('utf8'));
  return isObject(answer) ? (answer['result'] ?? null) : null;
}

/** Masks these fields and what is below them, by a text of its own. */
export function fieldMasks(fields: readonly string[], detect?: FieldMasks['detect']): FieldMasks {
  const paths = fields.map((field) => field.split('.'));
  const starts = (one: FieldPath, other: FieldPath): boolean =>
    other.every((name, index) => one[index] === name);
  return {
    maskOf: (path) => (paths.some((masked) => starts(path, masked)) ? () => '***' : undefined),
    mayMaskBelow: (path) => paths.some((masked) => starts(masked, path) || starts(path, masked)),
    detect,
  };
}

export function restrictions(facts: Partial<Restrictions>): Restrictions {
  return { filter: [], limitMax: undefined, hidesVectors: false, ...facts };
}

/** Points 1 to 6 of two tenants. */
export function fillCustomers(engine: QdrantEngine): void {
  engine.create('customers', {});
  engine.create('secrets', {});
  engine.aliases.set('clients', 'customers');
  const names = ['ann', 'bob', 'cy', 'di', 'ed', 'flo'];
  for (const [index, name] of names.entries()) {
    const payload = {
      tenant: index % 2 === 0 ? 'a' : 'b',
      email: `${name}@example.com`,
      city: index < 3 ? 'Paris' : 'Rome',
      age: 20 + index,
      author: { phone: `555-010${index}`, name },
      notes: [`note of ${name}`, { by: name }],
    };
    engine.write('customers', 'upsert', {
      points: [{ id: index + 1, vector: [1, index / 10], payload }],
    });
  }
  engine.write('secrets', 'upsert', {
    points: [{ id: 'Paris', vector: [1, 0], payload: { code: 'x' } }],
  });
}
