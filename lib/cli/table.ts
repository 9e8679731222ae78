/** Tables of text for terminals: columns aligned, nothing cut, the last column not padded. */

const COLUMN_GAP = '  ';

export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map(escapeCell));
  const widths = head.map((_, column) => {
    return Math.max(...lines.map((cells) => widthOf(cells[column] ?? '')));
  });
  return lines
    .map((cells) => {
      const padded = cells.map((cell, column) => {
        return cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell)));
      });
      return `${padded.join(COLUMN_GAP).trimEnd()}\n`;
    })
    .join('');
}

/** In characters; wide ones count as one, as there is no asking the terminal. */
function widthOf(text: string): number {
  return Array.from(text).length;
}

/** A cell is one line, and nothing in it moves the cursor. */
function escapeCell(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
