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
/**
 * Pieces of a body that came in one turn are told as one up to this size: HTTP/2 brings 16 kB at a time, and each
 * event costs a frame of the recording and a write, of which few large ones are the faster way (vector.md 4).
 */
export const BATCH_SIZE_MAX = 512 * 1024;
/**
 * A piece from this size on is told at once, with what waited before it: HTTP/1.1 brings what one read of a socket
 * gave, and passing that on while it is in the processor's cache is cheaper than merging it.
 */
export const LONE_SIZE_MIN = 32 * 1024;
/**
 * Bytes on their way to one peer of an exchange at which its other peer is not read any more. Node's own mark of
 * 16 kB would stop and start every read of 64 kB, although nearly all of them leave at once.
 */
export const OUTFLOW_SIZE_MAX = 256 * 1024;
/**
 * Requests that wait behind the one being answered (HTTP/1.1 pipelining): as many as streams. Reading stops at
 * the first, but reads of 64 kB that are in the parser's hands by then would be thousands at 2 to 4 kB of
 * memory each, from clients that nobody knows yet. No client of these stores pipelines.
 */
export const PIPELINED_MAX = 256;

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
