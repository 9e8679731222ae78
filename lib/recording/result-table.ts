/**
 * A result as psql aligns it, while it streams: the first rows set the widths of the columns, the
 * later ones follow in them. Memory is bounded by the few rows that wait for the widths.
 */

import { displayWidth, escapeLine, shorten } from './printable.ts';
import type { ViewColumn, ViewValue } from './view.ts';

const ALIGNED_ROWS_MAX = 25;
const CELL_LENGTH_MAX = 60;
/** PostgreSQL allows 1664 columns; more than these are not readable on any terminal. */
const COLUMNS_SHOWN_MAX = 100;
const NULL_MARK = '(null)';
/** OIDs of src/include/catalog/pg_type.dat whose values psql aligns to the right. */
const POSTGRES_NUMBERS: readonly number[] = [20, 21, 23, 26, 700, 701, 790, 1700];
/** MySQL's type codes of numbers and years; never the number of one of the above. */
const MYSQL_NUMBERS: readonly number[] = [1, 2, 3, 4, 5, 8, 9, 13, 246];
const NUMERIC_TYPES: ReadonlySet<number> = new Set([...POSTGRES_NUMBERS, ...MYSQL_NUMBERS]);

export class ResultTable {
  readonly #columns: readonly ViewColumn[] | undefined;
  readonly #rowsMax: number;
  #waiting: string[][] = [];
  #widths: number[] | undefined;
  #count = 0;

  /** `columns` undefined: the rows came without a description. */
  constructor(columns: readonly ViewColumn[] | undefined, rowsMax: number) {
    this.#columns = columns;
    this.#rowsMax = rowsMax;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(values: readonly ViewValue[], isCut: boolean): string {
    this.#count += 1;
    if (this.#count > this.#rowsMax) return '';
    const cells = values.slice(0, COLUMNS_SHOWN_MAX).map(toCell);
    if (isCut || values.length > COLUMNS_SHOWN_MAX) cells.push('…');
    if (this.#widths !== undefined) return this.#format(cells);
    this.#waiting.push(cells);
    return this.#waiting.length < ALIGNED_ROWS_MAX ? '' : this.#flush();
  }

  /** `tag` as the server gave it; undefined when the result broke off. */
  end(tag: string | undefined): string {
    const body = this.#widths === undefined ? this.#flush() : '';
    const hidden = this.#count - this.#rowsMax;
    const more = hidden > 0 ? `(${hidden} more rows; --rows all shows them)\n` : '';
    const count = `(${this.#count} ${this.#count === 1 ? 'row' : 'rows'})`;
    // MySQL has no tag for a result with rows, only the number of warnings.
    const isSelect = tag === undefined || tag === '' || /^(SELECT|SHOW|EXPLAIN|FETCH)\b/.test(tag);
    return `${body}${more}${count}${isSelect ? '' : ` ${escapeLine(tag)}`}\n`;
  }

  #flush(): string {
    const names = this.#columns?.slice(0, COLUMNS_SHOWN_MAX).map(({ name }) => toCell(name));
    const rows = names === undefined ? this.#waiting : [names, ...this.#waiting];
    const widths: number[] = [];
    for (const row of rows) {
      row.forEach((cell, index) => {
        widths[index] = Math.max(widths[index] ?? 0, displayWidth(cell));
      });
    }
    this.#widths = widths;
    const head = names === undefined ? '' : formatHead(names, widths);
    const body = this.#waiting.map((cells) => this.#format(cells)).join('');
    this.#waiting = [];
    return head + body;
  }

  #format(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => {
      const gap = ' '.repeat(Math.max(0, (this.#widths?.[index] ?? 0) - displayWidth(cell)));
      const isNumeric = NUMERIC_TYPES.has(this.#columns?.[index]?.type ?? 0);
      return isNumeric ? ` ${gap}${cell} ` : ` ${cell}${gap} `;
    });
    return `${padded.join('|').trimEnd()}\n`;
  }
}

function toCell(value: ViewValue): string {
  // Shortened first: a value may have a quarter of a megabyte, and every character is looked at.
  return value === null
    ? NULL_MARK
    : shorten(escapeLine(shorten(value, CELL_LENGTH_MAX)), CELL_LENGTH_MAX);
}

function formatHead(names: readonly string[], widths: readonly number[]): string {
  const titles = names.map((name, index) => centre(name, widths[index] ?? 0)).join('|');
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+');
  return `${titles.trimEnd()}\n${rule}\n`;
}

function centre(text: string, width: number): string {
  const space = Math.max(0, width - displayWidth(text));
  const left = Math.floor(space / 2);
  return ` ${' '.repeat(left)}${text}${' '.repeat(space - left)} `;
}
