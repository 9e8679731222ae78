/**
 * Nested things laid out for people: JSON and protobuf alike. What fits on a line stays on one; what is
 * larger has a line for each member. Only text goes in and out: no value is read as a number and changed.
 */

/** A leaf as it is shown, or a group of members. */
export type Tree = string | Branch;

export interface Branch {
  readonly open: '{' | '[';
  readonly members: readonly Member[];
}

export interface Member {
  /** Undefined: an element of a list. */
  readonly label: string | undefined;
  readonly tree: Tree;
}

const CLOSING = { '{': '}', '[': ']' } as const;
const INDENT = '  ';

/** On one line, cut at about `lengthMax`. */
export function toLine(tree: Tree, lengthMax: number): string {
  if (typeof tree === 'string') return tree;
  let text: string = tree.open;
  for (const [index, { label, tree: inner }] of tree.members.entries()) {
    if (index > 0) text += ', ';
    if (text.length > lengthMax) return `${text}…${CLOSING[tree.open]}`;
    const rest = Math.max(0, lengthMax - text.length);
    text += label === undefined ? toLine(inner, rest) : `${label}: ${toLine(inner, rest)}`;
  }
  return text + CLOSING[tree.open];
}

/** Lines of about `width`, at most `linesMax` of them and one that says how many members are left out. */
export function layOut(tree: Tree, width: number, linesMax: number): string[] {
  const layout = new Layout(width, linesMax);
  layout.add('', '', tree);
  return layout.lines;
}

class Layout {
  readonly lines: string[] = [];
  readonly #width: number;
  readonly #linesMax: number;

  constructor(width: number, linesMax: number) {
    this.#width = width;
    this.#linesMax = linesMax;
  }

  add(indent: string, label: string, tree: Tree): void {
    const line = indent + label + toLine(tree, this.#width);
    if (typeof tree === 'string' || line.length <= this.#width) {
      this.lines.push(line);
      return;
    }
    this.lines.push(indent + label + tree.open);
    const inner = indent + INDENT;
    for (const [index, member] of tree.members.entries()) {
      if (this.lines.length >= this.#linesMax) {
        this.lines.push(`${inner}… ${tree.members.length - index} more`);
        break;
      }
      this.add(inner, member.label === undefined ? '' : `${member.label}: `, member.tree);
    }
    this.lines.push(indent + CLOSING[tree.open]);
  }
}
