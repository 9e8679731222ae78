/**
 * The connections to the server that one client's exchanges go over: HTTP/1.1 stays HTTP/1.1, HTTP/2 stays
 * HTTP/2, gRPC may have an address of its own. Made when first asked for, and anew when they are over.
 */

import type { Socket } from 'node:net';
import type { RequestHead } from '../../protocols/contract.ts';
import type { Half, ServerHalfEvents, ServerSide } from '../net/http/half.ts';
import { isGrpc } from '../net/http/heads.ts';
import { connectHttp1 } from '../net/http/http1-server-side.ts';
import { connectHttp2 } from '../net/http/http2-server-side.ts';
import { LateHalf } from '../net/http/late-half.ts';
import { readReason } from '../net/reason.ts';

/** An address of the store. */
export interface HttpUpstream {
  readonly scheme: 'http' | 'https';
  /** Host and port, as a client of its own would write them. */
  readonly authority: string;
  /** Connected, and through with TLS where it has TLS. Rejects with GatewayError. */
  readonly open: (version: RequestHead['version']) => Promise<Socket>;
}

export interface UpstreamsParts {
  readonly upstreamOf: (isGrpc: boolean) => HttpUpstream;
  /** Largest body that a session holds, bytes. */
  readonly heldSizeMax: number;
  readonly onTrouble: (error: unknown) => void;
  /** The server closed an HTTP/1.1 connection that was at rest. */
  readonly onIdleClosed: () => void;
}

/** One HTTP/2 connection, from the moment it is wanted. */
interface Http2Link {
  side: ServerSide | undefined;
  readonly connected: Promise<ServerSide>;
}

export class ExchangeUpstreams {
  readonly #parts: UpstreamsParts;
  readonly #http1 = new Map<HttpUpstream, ServerSide>();
  readonly #http2 = new Map<HttpUpstream, Http2Link>();
  /** Those that take nothing new and still have exchanges on them as well. */
  readonly #all = new Set<ServerSide>();
  #isOver = false;

  constructor(parts: UpstreamsParts) {
    this.#parts = parts;
  }

  ask(head: RequestHead, events: ServerHalfEvents): Half {
    const upstream = this.#parts.upstreamOf(isGrpc(head.headers));
    if (head.version === '1.1') return askOn(this.#http1Of(upstream), head, events);
    const known = this.#http2.get(upstream);
    if (known?.side?.isUsable === true) return askOn(known.side, head, events);
    const link = known === undefined || known.side !== undefined ? this.#link(upstream) : known;
    return this.#askLate(link, head, events);
  }

  destroy(): void {
    this.#isOver = true;
    for (const side of this.#all) side.destroy();
    this.#all.clear();
  }

  #http1Of(upstream: HttpUpstream): ServerSide {
    const known = this.#http1.get(upstream);
    if (known !== undefined) return known;
    const side = connectHttp1({
      authority: upstream.authority,
      open: () => this.#open(upstream, '1.1'),
      onIdleClosed: this.#parts.onIdleClosed,
    });
    this.#http1.set(upstream, side);
    this.#all.add(side);
    return side;
  }

  #askLate(link: Http2Link, head: RequestHead, events: ServerHalfEvents): Half {
    const late = new LateHalf();
    void link.connected.then(
      (side) => {
        if (late.isAbandoned) return;
        late.become(askOn(side, head, events));
        events.onDrain();
      },
      (error: unknown) => {
        if (!late.isAbandoned) events.onCancelled(undefined, readReason(error));
      },
    );
    return late;
  }

  #link(upstream: HttpUpstream): Http2Link {
    const forget = (): void => {
      if (this.#http2.get(upstream) === link) this.#http2.delete(upstream);
    };
    const connected = this.#open(upstream, '2').then((socket) => {
      if (this.#isOver) {
        socket.destroy();
        throw new Error('the session is over');
      }
      const side = connectHttp2({
        socket,
        scheme: upstream.scheme,
        authority: upstream.authority,
        heldSizeMax: this.#parts.heldSizeMax,
        onRetired: forget,
        onClosed: () => this.#all.delete(side),
      });
      this.#all.add(side);
      link.side = side;
      return side;
    });
    const link: Http2Link = { side: undefined, connected };
    this.#http2.set(upstream, link);
    // Each exchange that waits for it hears of the failure by itself.
    connected.catch(forget);
    return link;
  }

  async #open(upstream: HttpUpstream, version: RequestHead['version']): Promise<Socket> {
    try {
      return await upstream.open(version);
    } catch (error) {
      if (!this.#isOver) this.#parts.onTrouble(error);
      throw error;
    }
  }
}

/** What Node does not send (a header line that may stand once, twice) is an exchange that failed, not a session. */
function askOn(side: ServerSide, head: RequestHead, events: ServerHalfEvents): Half {
  try {
    return side.ask(head, events);
  } catch (error) {
    const late = new LateHalf();
    process.nextTick(() => {
      if (!late.isAbandoned) events.onCancelled(undefined, readReason(error));
    });
    return late;
  }
}
