/** A recording as a stream of what it shows: messages, decisions, and at last how it ends. */

import { GatewayError } from '../errors.ts';
import { createExchangeView } from './exchange-view.ts';
import { createMysqlView } from './mysql-view.ts';
import { createPostgresView } from './postgres-view.ts';
import { createRedisView } from './redis-view.ts';
import type { FinishEvent, NoteEvent, Recording } from './reader.ts';
import type { View, ViewEvent } from './view.ts';

export interface MessageEvent {
  readonly kind: 'message';
  readonly at: number;
  readonly message: ViewEvent;
}

export type PlaybackEvent = MessageEvent | NoteEvent | FinishEvent;

/** Turns what is played back into output. Each call gives the text to print, possibly none. */
export interface PlaybackFormat {
  begin(): string;
  show(event: PlaybackEvent): string;
}

const VIEWS: ReadonlyMap<string, () => View> = new Map([
  ['postgres', createPostgresView],
  ['mysql', createMysqlView],
  ['chroma', createExchangeView],
  ['qdrant', createExchangeView],
  ['milvus', createExchangeView],
  ['redis', createRedisView],
]);

/** Throws GatewayError RECORDING_PROTOCOL where this Weir cannot read the protocol. */
export async function* playBack(
  recording: Recording,
): AsyncGenerator<PlaybackEvent, void, undefined> {
  const { protocol } = recording.header;
  const createView = VIEWS.get(protocol);
  if (createView === undefined) {
    const message = `${recording.path}: this Weir cannot show the protocol "${protocol}"`;
    throw new GatewayError('RECORDING_PROTOCOL', message);
  }
  const view = createView();
  for await (const event of recording.events()) {
    if (event.kind !== 'wire') {
      yield event;
      continue;
    }
    for (const message of view.push(event.from, event.bytes, event.by)) {
      yield { kind: 'message', at: event.at, message };
    }
  }
}
