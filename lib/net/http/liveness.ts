/**
 * Finds HTTP/2 connections that are dead although nobody has closed them. After a fault of the connection (a frame
 * that is none, RFC 9113, 5.4.1) nghttp2 says GOAWAY and Node reads nothing more, not even the end, and tells
 * nobody: without this, whoever waits there waits for ever, and its place is never free again.
 */
import type { ClientHttp2Session, Http2Session, ServerHttp2Session } from 'node:http2';

/** Between two questions, milliseconds. Rare, as servers of gRPC count those who ask often as attackers. */
export const LIVENESS_PERIOD = 60_000;

/** Clients of every kind answer a PING. */
export function watchClient(session: ServerHttp2Session, period: number): void {
  watch(session, period, (onAnswer) => void session.ping(onAnswer));
}

/** SETTINGS that change nothing: answered as well, and nobody counts them as PING is counted (grpc-go: one in 5 minutes). */
export function watchServer(session: ClientHttp2Session, period: number): void {
  watch(session, period, (onAnswer) => session.settings({}, onAnswer));
}

function watch(session: Http2Session, period: number, ask: (onAnswer: () => void) => void): void {
  let isOwed = false;
  const timer = setInterval(() => {
    // Its 'close' may be late: asking it would throw, and that in a timer is the end of the process.
    if (session.destroyed) return;
    if (isOwed) {
      session.destroy(new Error('it answers nothing in HTTP/2 any more'));
      return;
    }
    isOwed = true;
    ask(() => (isOwed = false));
  }, period);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}
