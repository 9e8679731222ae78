/** Makes what the drivers of one HTTP connection of the configuration share: the parser, the ways to the store. */

import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import type { RequestHead, SessionOptions } from '../../protocols/contract.ts';
import type { ConnectionConfig, UpstreamConfig } from '../config/config.ts';
import { GatewayError } from '../errors.ts';
import { giveHeapRoom } from '../net/http/heap-growth.ts';
import { Http1Server } from '../net/http/http1-client-side.ts';
import { connectUpstreamTls } from '../net/tls.ts';
import { connectUpstream } from '../net/upstream.ts';
import type { HttpParts } from './driver-parts.ts';
import type { HttpUpstream } from './exchange-upstreams.ts';

/** What clients may choose from on TLS, best first. */
export const HTTP_ALPN: readonly string[] = ['h2', 'http/1.1'];
const UPSTREAM_CONNECT_TIMEOUT = 10_000;

export function createHttpParts(connection: ConnectionConfig, options: SessionOptions): HttpParts {
  giveHeapRoom();
  const rest = createHttpUpstream(connection.upstream);
  const grpc =
    connection.upstreamGrpc === undefined ? rest : createHttpUpstream(connection.upstreamGrpc);
  return {
    clientTls: options.clientTls,
    http1: new Http1Server(),
    upstreamOf: (isGrpc) => (isGrpc ? grpc : rest),
    heldSizeMax: Math.max(options.statementSizeMax, options.rowSizeMax),
    signInTimeout: options.signInTimeout,
  };
}

function createHttpUpstream(upstream: UpstreamConfig): HttpUpstream {
  const { host, port, tls } = upstream;
  return {
    scheme: tls === 'off' ? 'http' : 'https',
    authority: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
    open: (version) => openSocket(upstream, version),
  };
}

async function openSocket(
  { host, port, tls, ca }: UpstreamConfig,
  version: RequestHead['version'],
): Promise<Socket> {
  const socket = await connectUpstream({ host, port, timeoutMs: UPSTREAM_CONNECT_TIMEOUT });
  if (tls === 'off') return socket;
  const alpn = version === '2' ? ['h2'] : ['http/1.1'];
  const secured = await connectUpstreamTls({ socket, host, mode: tls, ca, alpn });
  // A server that does not choose h2 would read the preface as a broken request (RFC 9113, 3.2).
  if (version === '2' && secured.alpn !== 'h2') {
    secured.socket.destroy();
    throw new GatewayError(
      'UPSTREAM_TLS',
      `${host}:${port} does not speak HTTP/2 on TLS (ALPN h2)`,
    );
  }
  return secured.socket;
}
