/**
 * The client's half of an exchange before it is asked for: may its head be taken at its word, how is its
 * body to be read, and what goes up to the store in its place. Pure functions; the order of events is in
 * `exchange.ts`.
 */

import type { RequestHead, SessionOptions } from '../contract.ts';
import { ProtocolError } from '../errors.ts';
import type { StoreRefusal } from '../store.ts';
import { bodyCoding, GRPC_CODINGS, messageCoding, readCoded } from './content-coding.ts';
import { announcedSize } from './exchange-headers.ts';
import { GRPC_STATUS, GrpcFrames, grpcRefusal, headerOf, isGrpcContentType } from './grpc.ts';
import type { Route, WholeAnswer } from './store-product.ts';

/** Of requests that nobody has to sign in for, bytes: health checks have next to none, and all of it is recorded. */
export const OPEN_BODY_MAX = 4096;
/** What is held, inflated and read of a request, bytes, before anybody knows who sends it. */
export const STRANGER_SIZE_MAX = 1024 * 1024;
/** The same for all of them on one connection: two of the largest, or one that is compressed and what it holds. */
export const STRANGER_HELD_MAX = 2 * STRANGER_SIZE_MAX;
/** Of a path in a refusal. */
const PATH_LENGTH_MAX = 200;

export function refusalOf(kind: StoreRefusal['kind'], message: string): StoreRefusal {
  return { kind, rule: undefined, message };
}

/** Without the query, which may hold values. */
export function describeUnknown({ method, target }: RequestHead): string {
  const path = target.split('?', 1)[0] ?? '';
  return `Weir does not know ${method} ${path.slice(0, PATH_LENGTH_MAX)}, so it is refused`;
}

/** What no body can make right; undefined: nothing. */
export function checkHead(
  head: RequestHead,
  route: Route,
  options: RequestLimits,
): StoreRefusal | undefined {
  const contentType = headerOf(head.headers, 'content-type');
  const isGrpc = contentType !== undefined && /^application\/(?:grpc|connect)/i.test(contentType);
  if (route.transport === 'grpc') {
    // gRPC-web, Connect and JSON bodies reach the same methods in servers that know them (vector.md 4).
    if (head.version !== '2' || !isGrpcContentType(contentType)) {
      return refusalOf('unreadable', 'this is a gRPC method, asked for with another content type');
    }
  } else if (isGrpc) {
    return refusalOf('unreadable', 'this is no gRPC method, but the content type says so');
  }
  const size = announcedSize(head);
  if (size === 'unclear') return refusalOf('unreadable', 'the content-length cannot be read');
  if (route.needs === 'body' && size !== undefined && size > options.statementSizeMax) {
    return tooLarge(options);
  }
  if (route.needs === 'body' && route.transport === 'rest' && codingOf(head, route) === undefined) {
    return refusalOf('unreadable', 'the content-encoding of this request cannot be read');
  }
  return undefined;
}

/** A client of gRPC tries again in a coding that is named (PROTOCOL-HTTP2.md, Message-Encoding). */
export function checkGrpcCoding(head: RequestHead, route: Route): WholeAnswer | undefined {
  if (route.transport !== 'grpc' || route.needs !== 'body') return undefined;
  if (codingOf(head, route) !== undefined) return undefined;
  const message = 'the grpc-encoding of this request cannot be read by Weir';
  return grpcRefusal(GRPC_STATUS.unimplemented, message, [['grpc-accept-encoding', GRPC_CODINGS]]);
}

export type RequestLimits = SessionOptions & { readonly isStranger?: true };

/** A smaller limit for those who are not known yet: reading costs time that is everybody's. */
export function limitsOfStranger(options: SessionOptions): RequestLimits {
  const statementSizeMax = Math.min(options.statementSizeMax, STRANGER_SIZE_MAX);
  return { ...options, statementSizeMax, isStranger: true };
}

export function tooLarge({ statementSizeMax, isStranger }: RequestLimits): StoreRefusal {
  const until =
    isStranger === true ? ', which is the limit until a smaller one has shown who asks' : '';
  return refusalOf('too-large', `the request is larger than ${statementSizeMax} bytes${until}`);
}

function codingOf(head: RequestHead, route: Route): ReturnType<typeof bodyCoding> {
  return route.transport === 'grpc' ? messageCoding(head.headers) : bodyCoding(head.headers);
}

/** What the product reads; throws ProtocolError where there is no telling what the store would. */
export function plainBody(
  head: RequestHead,
  route: Route,
  body: Buffer,
  options: SessionOptions,
): Buffer {
  const size = announcedSize(head);
  if (size !== undefined && size !== body.length) {
    throw unreadable('HTTP_LENGTH', `a body of ${body.length} bytes that was announced otherwise`);
  }
  const coding = codingOf(head, route) ?? 'identity';
  const { statementSizeMax, inflate } = options;
  if (route.transport === 'rest') {
    const plain = body.length === 0 ? body : readCoded(coding, body, statementSizeMax, inflate);
    return plain ?? failInflate(coding, statementSizeMax);
  }
  const frames = new GrpcFrames(statementSizeMax, 'client');
  const [message, ...others] = frames.push(body);
  if (message === undefined || others.length > 0 || frames.heldSize > 0) {
    throw unreadable('GRPC_MESSAGES', 'a request that is not exactly one gRPC message');
  }
  if (!message.isCompressed) return message.bytes;
  if (coding === 'identity') {
    throw unreadable('GRPC_FLAG', 'a compressed gRPC message without grpc-encoding');
  }
  return (
    readCoded(coding, message.bytes, statementSizeMax, inflate) ??
    failInflate(coding, statementSizeMax)
  );
}

function failInflate(coding: string, sizeMax: number): never {
  const problem = `what is no ${coding}, or holds more than ${sizeMax} bytes`;
  throw unreadable('HTTP_CODING', problem);
}

function unreadable(code: string, problem: string): ProtocolError {
  return new ProtocolError(code, 'client', problem);
}
