/** Runs of rows through the plan that was decided for their columns, and sequence ids that had to move. */

import { maskBinaryRow } from './binary-row.ts';
import { countPackets, HEADER_SIZE } from './packet.ts';
import type { PacketStream } from './packet-stream.ts';
import type { Running } from './relay-state.ts';
import { KIND_HEAD_SIZE } from './replies.ts';
import { RowWriter } from './row-writer.ts';
import { maskTextRow, rowShape } from './text-row.ts';

/** Rows that are here whole, masked; undefined: the first of them is not here yet. */
export function maskRows(
  stream: PacketStream,
  running: Running,
  rowSizeMax: number,
): Buffer | 'too-large' | undefined {
  let writer: RowWriter | undefined;
  while (stream.peek()) {
    const head = stream.head(KIND_HEAD_SIZE);
    if (head === undefined || running.reader.kindOf(head, stream.length) !== 'row') break;
    const gathered = stream.gather(rowSizeMax);
    if (gathered === 'too-large' && writer === undefined) return 'too-large';
    if (gathered !== 'whole') break;
    writer ??= new RowWriter(stream.view.length - stream.offset);
    const { payload, sequence } = stream.takeWhole();
    maskRow(writer, payload, running);
    const packetCount = writer.close(sequence + running.shift);
    // A longer row may need one more packet, a shorter one less: the rest is renumbered (MY-13).
    running.shift += packetCount - countPackets(payload.length);
  }
  return writer?.take();
}

function maskRow(writer: RowWriter, payload: Buffer, { reader, shape }: Running): void {
  if (shape === undefined || shape.plan === 'clear') throw new Error('rows without a plan');
  if (shape.plan.length !== shape.columns.length) {
    throw rowShape(`${shape.plan.length} masks for ${shape.columns.length} columns`);
  }
  writer.begin();
  if (reader.isBinary) maskBinaryRow(writer, payload, { plan: shape.plan, columns: shape.columns });
  else maskTextRow(writer, payload, shape.plan);
}

/** A copy of whole packets, or of one header, with `shift` added to each sequence id (MY-11). */
export function renumber(packets: Buffer, shift: number): Buffer {
  const copy = Buffer.from(packets);
  for (let at = 0; at + HEADER_SIZE <= copy.length; ) {
    copy[at + 3] = ((copy[at + 3] ?? 0) + shift) & 0xff;
    at += HEADER_SIZE + copy.readUIntLE(at, 3);
  }
  return copy;
}
