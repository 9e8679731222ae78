/**
 * TLS over sockets that are connected already, on both legs. Whether TLS is started, and what a
 * missing ALPN means (PG-6, PG-7), is decided by the session; here are handshakes and certificates.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { GatewayError } from '../errors.ts';
import { hashForChannelBinding } from './certificate.ts';
import { ignoreErrors } from './listener.ts';
import { readReason } from './reason.ts';

/** A peer that connects and then dawdles holds a socket; an honest handshake is over long before. */
const HANDSHAKE_TIMEOUT = 10_000;
/** How often, at most, a new handshake looks whether the certificate files changed. */
const RELOAD_CHECK_INTERVAL = 5_000;
const ALPN_PROTOCOLS = ['postgresql'];

export interface SecureClient {
  readonly socket: tls.TLSSocket;
  /** Undefined: the client offered none, which Node accepts (PG-6). */
  readonly alpn: string | undefined;
  /** tls-server-end-point of the certificate that this very connection saw (PG-14). */
  readonly channelBinding: Buffer | undefined;
}

export interface SecureOptions {
  readonly socket: net.Socket;
  /** What was read already and belongs to the TLS engine: a coalesced or direct ClientHello (PG-3). */
  readonly firstBytes: Buffer;
  readonly onSecure: (client: SecureClient) => void;
  /** GatewayError CLIENT_TLS, at most once and never after `onSecure`; the socket is destroyed. */
  readonly onError: (error: GatewayError) => void;
}

export interface ClientFacingTlsOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Told when changed files were taken over (undefined) or could not be: then the old pair stays. */
  readonly onReload?: (error: GatewayError | undefined) => void;
  /** What may be spoken above, best first; undefined: PostgreSQL's. */
  readonly alpn?: readonly string[];
  readonly handshakeTimeout?: number;
  readonly reloadCheckInterval?: number;
}

export interface ClientFacingTls {
  secure(options: SecureOptions): void;
  /** Reads the files again, for new handshakes. Throws GatewayError TLS_FILES and keeps the old pair. */
  reload(): void;
}

/** Throws GatewayError TLS_FILES when the files cannot be read or do not belong together. */
export function createClientFacingTls(options: ClientFacingTlsOptions): ClientFacingTls {
  let stamp = readStamp(options);
  let context = loadContext(options);
  let checkedAt = performance.now();

  function reload(): void {
    // The stamp is taken first: a file that changes while it is read is then read once more.
    const newStamp = readStamp(options);
    context = loadContext(options);
    stamp = newStamp;
  }

  function reloadIfChanged(): void {
    const now = performance.now();
    if (now - checkedAt < (options.reloadCheckInterval ?? RELOAD_CHECK_INTERVAL)) return;
    checkedAt = now;
    if (readStamp(options) === stamp) return;
    try {
      reload();
      options.onReload?.(undefined);
    } catch (error) {
      // Half of a pair may be written while the other half is not: the next look tries again.
      options.onReload?.(asGatewayError(error));
    }
  }

  return {
    reload,
    secure: (request) => {
      reloadIfChanged();
      startServerHandshake(request, context, options);
    },
  };
}

function startServerHandshake(
  { socket, firstBytes, onSecure, onError }: SecureOptions,
  secureContext: tls.SecureContext,
  { alpn = ALPN_PROTOCOLS, handshakeTimeout: timeout = HANDSHAKE_TIMEOUT }: ClientFacingTlsOptions,
): void {
  // Bytes that were read belong to the TLS engine; without unshift the handshake hangs (PG-3).
  socket.pause();
  socket.removeAllListeners('data');
  if (socket.destroyed) {
    onError(clientTlsError('the client has gone'));
    return;
  }
  if (firstBytes.length > 0) socket.unshift(firstBytes);
  const secured = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: [...alpn],
  });
  let isOver = false;
  const fail = (reason: string, cause?: unknown) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    secured.destroy();
    onError(clientTlsError(reason, cause));
  };
  const timer = setTimeout(() => fail(`no TLS handshake within ${timeout} ms`), timeout);
  ignoreErrors(secured);
  secured.on('error', (error) => fail(readReason(error), error));
  const failClosed = () => fail('the client closed during the TLS handshake');
  secured.on('close', failClosed);
  // A socket that stays open after the client's end has no 'close' of its own.
  secured.once('end', failClosed);
  // Only tls.Server takes the control of errors over; a bare TLSSocket that meets a broken record
  // after the handshake tells it by this event alone and would stay open for ever.
  secured.on('_tlsError', (error: Error) => {
    if (isOver) secured.destroy(error);
  });
  secured.once('secure', () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    secured.off('close', failClosed);
    secured.off('end', failClosed);
    // Node's own TLS server says so where it hands a socket over; HTTP/2 would wait for it for ever.
    Object.assign(secured, { secureConnecting: false });
    onSecure({ socket: secured, ...describeHandshake(secured) });
  });
}

function describeHandshake(socket: tls.TLSSocket): Omit<SecureClient, 'socket'> {
  const leaf = socket.getX509Certificate();
  return {
    alpn: readAlpn(socket),
    channelBinding: leaf === undefined ? undefined : hashForChannelBinding(leaf.raw),
  };
}

function readAlpn(socket: tls.TLSSocket): string | undefined {
  const { alpnProtocol } = socket;
  return typeof alpnProtocol === 'string' ? alpnProtocol : undefined;
}

function clientTlsError(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('CLIENT_TLS', `TLS with the client failed: ${reason}`, { cause });
}

/** Changes when one of the files does. A file that cannot be looked at is a state like any other. */
function readStamp({ certFile, keyFile }: ClientFacingTlsOptions): string {
  const stamps = [certFile, keyFile].map((file) => {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : `${stats.mtimeMs}:${stats.size}:${stats.ino}`;
  });
  return stamps.join(' ');
}

function loadContext({ certFile, keyFile }: ClientFacingTlsOptions): tls.SecureContext {
  const cert = readPem(certFile, 'certificate');
  const key = readPem(keyFile, 'key');
  const leaf = parseOrFail(certFile, 'a certificate', () => new X509Certificate(cert));
  const privateKey = parseOrFail(keyFile, 'a private key without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw filesError(
      `the key in ${keyFile} does not belong to the first certificate in ${certFile}. ` +
        "Put the server's own certificate first and the chain behind it.",
    );
  }
  return parseOrFail(certFile, 'a certificate chain that TLS can use', () =>
    tls.createSecureContext({
      cert,
      key,
      minVersion: 'TLSv1.2',
      // As the server itself does: no renegotiation (a cheap way to burn CPU), no resumption.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
    }),
  );
}

function readPem(file: string, role: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw filesError(`cannot read the TLS ${role} file: ${readReason(error)}`, error);
  }
}

function parseOrFail<T>(file: string, expected: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw filesError(`${file}: expected ${expected} in PEM: ${readReason(error)}`, error);
  }
}

function filesError(message: string, cause?: unknown): GatewayError {
  return new GatewayError('TLS_FILES', message, { cause });
}

function asGatewayError(error: unknown): GatewayError {
  return error instanceof GatewayError ? error : filesError(readReason(error), error);
}

export interface UpstreamTlsOptions {
  /** Connected, with nothing read that has not been used: bytes behind the server's `S` are an attack (PG-4). */
  readonly socket: net.Socket;
  /** As written in the configuration; the name that verify-full expects in the certificate. */
  readonly host: string;
  readonly mode: 'require' | 'verify-full';
  /** PEM file with the authorities to trust; undefined: those of Node. Only for verify-full. */
  readonly ca: string | undefined;
  /** What may be spoken above, best first; undefined: PostgreSQL's. */
  readonly alpn?: readonly string[];
  readonly handshakeTimeout?: number;
}

export interface SecureUpstream {
  readonly socket: tls.TLSSocket;
  /** Undefined: the server speaks none, as all before PostgreSQL 17. */
  readonly alpn: string | undefined;
}

/** Rejects with GatewayError UPSTREAM_TLS and destroys the socket. */
export function connectUpstreamTls(options: UpstreamTlsOptions): Promise<SecureUpstream> {
  const { socket, host, mode } = options;
  const timeout = options.handshakeTimeout ?? HANDSHAKE_TIMEOUT;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const fail = (reason: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      const message = `TLS with the server ${host} failed: ${reason}`;
      reject(new GatewayError('UPSTREAM_TLS', message, { cause }));
    };
    socket.removeAllListeners('data');
    if (socket.destroyed) return fail('the server has closed the connection');
    const secured = startClientHandshake(options, fail);
    if (secured === undefined) return;
    timer = setTimeout(() => fail(`no TLS handshake within ${timeout} ms`), timeout);
    ignoreErrors(secured);
    const failWith = (error: Error) => fail(explainUpstreamError(error, host), error);
    const failClosed = () => fail('the server closed during the TLS handshake');
    secured.once('error', failWith);
    secured.once('close', failClosed);
    secured.once('secureConnect', () => {
      // Node closes an unverified connection itself; this is the same check again, at the door.
      if (mode === 'verify-full' && !secured.authorized) {
        return fail(String(secured.authorizationError));
      }
      clearTimeout(timer);
      secured.off('error', failWith);
      secured.off('close', failClosed);
      resolve({ socket: secured, alpn: readAlpn(secured) });
    });
  });
}

function startClientHandshake(
  { socket, host, mode, ca, alpn = ALPN_PROTOCOLS }: UpstreamTlsOptions,
  fail: (reason: string, cause?: unknown) => void,
): tls.TLSSocket | undefined {
  try {
    return tls.connect({
      socket,
      host,
      // RFC 6066 allows names only; the certificate is compared with `host` in both cases.
      ...(net.isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: [...alpn],
      minVersion: 'TLSv1.2',
      rejectUnauthorized: mode === 'verify-full',
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    });
  } catch (error) {
    fail(readReason(error), error);
    return undefined;
  }
}

function explainUpstreamError(error: NodeJS.ErrnoException, host: string): string {
  switch (error.code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is not for ${host}: ${error.message}`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate comes from an authority that is not trusted (${error.message}). Name it in upstream_ca.`;
    case undefined:
    default:
      return readReason(error);
  }
}
