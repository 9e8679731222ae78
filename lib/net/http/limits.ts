/** What HTTP may take of this process, for each connection. The reasons stand beside the numbers. */

/** Heads, bytes: Node's own default, above what any client of ours sends (tokens included). */
export const HEAD_SIZE_MAX = 32 * 1024;
/** Lines of a head: far more than clients send, few enough that none is dropped without a word. */
export const HEADER_COUNT_MAX = 256;
/** Streams at once on an HTTP/2 connection: official clients open a channel for each hundred calls. */
export const STREAMS_MAX = 256;
/** Flow control, bytes: Node's 64 kB makes every larger answer wait for the peer several times (vector.md 4). */
export const STREAM_WINDOW = 1024 * 1024;
export const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** Pieces of a body that came in one turn are told as one up to this size: fewer, larger writes (vector.md 4). */
export const BATCH_SIZE_MAX = 256 * 1024;
/**
 * Requests that wait behind the one being answered (HTTP/1.1 pipelining). Reading stops at the first; one read
 * of 64 kB, in the parser's hands by then, holds fewer than this.
 */
export const PIPELINED_MAX = 4096;

/** For both HTTP/2 legs. `heldSizeMax`: the largest body that a session holds, which is written in one piece. */
export function http2Options(heldSizeMax: number) {
  return {
    settings: {
      initialWindowSize: STREAM_WINDOW,
      maxConcurrentStreams: STREAMS_MAX,
      maxHeaderListSize: HEAD_SIZE_MAX,
      enablePush: false,
    },
    maxHeaderListPairs: HEADER_COUNT_MAX,
    // Megabytes. Node's 10 refuse streams as soon as one large body is on its way; this has room for what the
    // windows let in, and for a few bodies of the largest size.
    maxSessionMemory: Math.ceil((2 * CONNECTION_WINDOW + 4 * heldSizeMax) / 1e6),
  };
}
