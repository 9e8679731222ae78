/** Playback for programs: JSON lines with everything, CSV with the rows of the results. */

import type { RecordingHeader } from './format.ts';
import type { PlaybackEvent, PlaybackFormat } from './playback.ts';
import { escapeJson, escapeLines } from './printable.ts';
import { stateOf } from './state.ts';
import type { ViewColumn, ViewEvent, ViewValue } from './view.ts';

/** One object a line: first `session`, then the events, at last `finish`. Names: docs/RECORDING.md. */
export function createJsonFormat(header: RecordingHeader): PlaybackFormat {
  const { writer: _, ...session } = header;
  return {
    begin: () => toLine({ at: 0, event: 'session', ...session }),
    show: (event) => toLine(toObject(event, header)),
  };
}

function toObject(event: PlaybackEvent, header: RecordingHeader): object {
  const { at } = event;
  switch (event.kind) {
    case 'message': {
      const { event: name, from, by, ...rest } = event.message;
      return { at, event: name, from, ...(by && { by }), ...rest };
    }
    case 'note': {
      const { kind, ...rest } = event.note;
      return { at, event: kind, ...rest };
    }
    case 'finish': {
      const { kind, at: _, state: __, ...rest } = event;
      return { at, event: kind, state: stateOf(header, event), ...rest };
    }
  }
}

function toLine(value: object): string {
  return `${escapeJson(JSON.stringify(value))}\n`;
}

/**
 * RFC 4180 with the conventions of COPY: NULL is an empty field, an empty text is `""`. Each result
 * starts with its column names; an empty line parts two results.
 */
export function createCsvFormat(): PlaybackFormat {
  let isFirst = true;
  let columns: readonly ViewColumn[] | undefined;
  const openResult = (names: readonly string[]): string => {
    const gap = isFirst ? '' : '\r\n';
    isFirst = false;
    return gap + toRecord(names);
  };
  const showMessage = (message: ViewEvent): string => {
    if (message.event === 'columns' && message.describes !== 'statement') {
      columns = message.columns;
      return openResult(columns.map(({ name }) => name));
    }
    if (message.event === 'row') {
      const names = message.values.map((_, index) => `column${index + 1}`);
      // A row without a description: its statement was described before the recording shows.
      const opening = columns === undefined ? openResult(names) : '';
      columns ??= [];
      return opening + toRecord(message.values);
    }
    if (message.event === 'ready') columns = undefined;
    return '';
  };
  return {
    begin: () => '',
    show: (event) => (event.kind === 'message' ? showMessage(event.message) : ''),
  };
}

function toRecord(values: readonly ViewValue[]): string {
  return `${values.map(toField).join(',')}\r\n`;
}

function toField(value: ViewValue): string {
  if (value === null) return '';
  const text = escapeLines(value);
  return text === '' || /[",\n\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
