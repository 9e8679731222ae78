/**
 * One exchange as each of its two legs sees it. A half hides which HTTP it is: the driver writes heads,
 * bodies and ends, and hears of them in the same words. Types only.
 */
import type { HeaderList, RequestHead, ResponseHead } from '../../../protocols/contract.ts';

/** What the peer of a half says, in the order in which it was said. */
export interface HalfEvents {
  readonly onBody: (bytes: Buffer) => void;
  readonly onEnded: (trailers: HeaderList) => void;
  /** At most once, and nothing comes after it. `code` is that of RST_STREAM. */
  readonly onCancelled: (code: number | undefined, reason: string) => void;
  /** What was written is gone: `isFull` is false again. */
  readonly onDrain: () => void;
}

export interface ServerHalfEvents extends HalfEvents {
  readonly onResponse: (head: ResponseHead) => void;
}

export interface Half {
  /** Bytes written that the peer has not taken yet: whoever makes more should wait for `onDrain`. */
  readonly isFull: boolean;
  /** How many they are. */
  readonly queuedSize: number;
  send(bytes: Buffer): void;
  end(trailers: HeaderList): void;
  /** RST_STREAM, or the end of the connection with HTTP/1.1. No event comes after it. */
  abandon(code: number): void;
  /** While paused nothing of the body is told, nor its end. */
  setPaused(isPaused: boolean): void;
}

export interface ClientHalf extends Half {
  answer(head: ResponseHead): void;
  /** Everything of the answer was given: what is left of the request is of no use to anybody. */
  ignoreRest(): void;
}

export interface ClientHalfEvents extends HalfEvents {
  /** The answer has left, or it never will: the exchange is over for the client. */
  readonly onDone: () => void;
}

/** A client's connection, once it is known which HTTP it speaks. */
export interface ClientSide {
  /** No new exchange; ends when those under way have ended. */
  finish(): void;
  destroy(): void;
}

export interface ClientSideEvents {
  /** Called for one request after the other; what is returned hears the rest of it. */
  readonly onRequest: (half: ClientHalf, head: RequestHead) => ClientHalfEvents;
  /** Not HTTP as it has to be; it was answered as far as it could be. */
  readonly onRefused: (reason: string) => void;
  /** Once, after the last event of every half. `reason` undefined: it ended in order. */
  readonly onClosed: (reason: string | undefined) => void;
}

/** A connection to the server; made anew by whoever asks when it is over. */
export interface ServerSide {
  /** False: a new request needs a new connection. */
  readonly isUsable: boolean;
  ask(head: RequestHead, events: ServerHalfEvents): Half;
  destroy(): void;
}
