/**
 * Finds the line of each key in a TOML text. smol-toml tells positions of syntax errors only, so
 * this walks over text that it has already accepted: it checks nothing and decodes no values.
 */

export type KeyPath = readonly (string | number)[];

/** The line (1-based) of a key or table, or of the nearest table around it; 1 when there is none. */
export type FindLine = (path: KeyPath) => number;

export function locateKeys(toml: string): FindLine {
  const lines = new KeyWalker(toml).walk();
  return (path) => {
    for (let size = path.length; size > 0; size -= 1) {
      const line = lines.get(nameOf(path.slice(0, size)));
      if (line !== undefined) return line;
    }
    return 1;
  };
}

function nameOf(path: KeyPath): string {
  return JSON.stringify(path);
}

class KeyWalker {
  readonly #text: string;
  #at = 0;
  #line = 1;
  readonly #lines = new Map<string, number>();
  /** Tables seen so far in each `[[array]]`, by the array's path. */
  readonly #tableCounts = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  walk(): ReadonlyMap<string, number> {
    let table: KeyPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#peek() === '[') table = this.#walkHeader();
      else this.#walkPair(table);
    }
    return this.#lines;
  }

  /** `[a.b]` or `[[a.b]]`; a part that is an array of tables means its latest table. */
  #walkHeader(): KeyPath {
    const isArray = this.#text.startsWith('[[', this.#at);
    this.#at += isArray ? 2 : 1;
    const line = this.#line;
    const parts = this.#readKey();
    this.#at += isArray ? 2 : 1;
    let path: KeyPath = [];
    for (const [index, part] of parts.entries()) {
      path = [...path, part];
      const count = this.#tableCounts.get(nameOf(path)) ?? 0;
      if (isArray && index === parts.length - 1) {
        this.#tableCounts.set(nameOf(path), count + 1);
        this.#mark(path, line);
        path = [...path, count];
      } else if (count > 0) {
        path = [...path, count - 1];
      }
      this.#mark(path, line);
    }
    return path;
  }

  /** `key = value`, at top level or in an inline table. */
  #walkPair(table: KeyPath): void {
    const line = this.#line;
    let path = table;
    for (const part of this.#readKey()) {
      path = [...path, part];
      this.#mark(path, line);
    }
    this.#skipBlank();
    this.#at += 1; // =
    this.#skipBlank();
    this.#walkValue(path);
  }

  /** Where a table is opened more than once (dotted keys), its first line counts. */
  #mark(path: KeyPath, line: number): void {
    const name = nameOf(path);
    if (!this.#lines.has(name)) this.#lines.set(name, line);
  }

  #walkValue(path: KeyPath): void {
    switch (this.#peek()) {
      case '"':
      case "'":
        this.#readString();
        break;
      case '[':
        this.#walkList(']', (index) => {
          this.#mark([...path, index], this.#line);
          this.#walkValue([...path, index]);
        });
        break;
      case '{':
        this.#walkList('}', () => this.#walkPair(path));
        break;
      default:
        this.#skipWhile((character) => !',]}#\n'.includes(character));
    }
  }

  #walkList(close: string, walkItem: (index: number) => void): void {
    this.#at += 1;
    let index = 0;
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      const character = this.#peek();
      if (character === close) {
        this.#at += 1;
        return;
      }
      if (character === ',') {
        this.#at += 1;
        continue;
      }
      walkItem(index);
      index += 1;
    }
  }

  #readKey(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skipBlank();
      const quote = this.#peek();
      parts.push(quote === '"' || quote === "'" ? this.#readString() : this.#readBareKey());
      this.#skipBlank();
      if (this.#peek() !== '.') return parts;
      this.#at += 1;
    }
  }

  #readBareKey(): string {
    const start = this.#at;
    this.#skipWhile((character) => /[\w-]/.test(character));
    // A character that is no key would otherwise be looked at for ever.
    if (this.#at === start) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  /** The string as it is written, escapes included: keys that need them are not ours. */
  #readString(): string {
    const quote = this.#peek();
    const triple = quote.repeat(3);
    const fence = this.#text.startsWith(triple, this.#at) ? triple : quote;
    this.#at += fence.length;
    const start = this.#at;
    while (this.#at < this.#text.length && !this.#text.startsWith(fence, this.#at)) {
      this.#step(quote === '"' && this.#peek() === '\\' ? 2 : 1);
    }
    const end = this.#at;
    this.#at += fence.length;
    // Up to two quotes may stand right before the closing three.
    if (fence.length === 3) this.#skipWhile((character) => character === quote);
    return this.#text.slice(start, end);
  }

  #skipBlank(): void {
    for (;;) {
      this.#skipWhile((character) => /\s/.test(character));
      if (this.#peek() !== '#') return;
      this.#skipWhile((character) => character !== '\n');
    }
  }

  #skipWhile(isWanted: (character: string) => boolean): void {
    while (this.#at < this.#text.length && isWanted(this.#peek())) this.#step(1);
  }

  #step(count: number): void {
    for (const character of this.#text.slice(this.#at, this.#at + count)) {
      if (character === '\n') this.#line += 1;
    }
    this.#at += count;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }
}
