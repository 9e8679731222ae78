/** Small changes to the events of a transcript: hostile or broken peers. */

import fc from 'fast-check';
import type { SessionEvent } from '../../protocols/contract.ts';

export type Mutation =
  | {
      readonly kind: 'set' | 'insert' | 'cut-off';
      readonly event: number;
      readonly at: number;
      readonly byte: number;
    }
  | { readonly kind: 'drop' | 'double' | 'turn-round'; readonly event: number };

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('set' as const, 'insert' as const, 'cut-off' as const),
    event: fc.nat({ max: 60 }),
    at: fc.nat({ max: 300 }),
    byte: fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat({ max: 255 })),
  }),
  fc.record({
    kind: fc.constantFrom('drop' as const, 'double' as const, 'turn-round' as const),
    event: fc.nat({ max: 60 }),
  }),
);

export function mutate(events: SessionEvent[], change: Mutation): SessionEvent[] {
  const index = change.event % events.length;
  const event = events[index];
  if (event?.kind !== 'received') return events;
  return events.toSpliced(index, 1, ...mutated(event, change));
}

function mutated(
  event: Extract<SessionEvent, { kind: 'received' }>,
  change: Mutation,
): SessionEvent[] {
  switch (change.kind) {
    case 'drop':
      return [];
    case 'double':
      return [event, event];
    case 'turn-round':
      return [{ ...event, from: event.from === 'client' ? 'server' : 'client' }];
    case 'set': {
      const bytes = Buffer.from(event.bytes);
      bytes[change.at % bytes.length] = change.byte;
      return [{ ...event, bytes }];
    }
    case 'insert': {
      const at = change.at % event.bytes.length;
      const bytes = Buffer.concat([
        event.bytes.subarray(0, at),
        Buffer.from([change.byte]),
        event.bytes.subarray(at),
      ]);
      return [{ ...event, bytes }];
    }
    case 'cut-off':
      return [
        {
          ...event,
          bytes: Buffer.from(event.bytes.subarray(0, (change.at % event.bytes.length) + 1)),
        },
      ];
  }
}
