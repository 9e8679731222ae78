/**
 * Random statements over the tables of exposure-cases.ts, from few names on purpose, so that
 * aliases, columns and relations are often called the same. Same seed, same statements.
 */

const NAMES = [
  'e',
  'f',
  'id',
  'email',
  'users',
  's',
  'u',
  'name',
  'ssn',
  'to_json',
  'lower',
  'note',
];
const ALIASES = ['s', 'u', 'users', 'e', 't', 'orders', 'email', 'o'];

type Make = () => string;

export class RandomStatements {
  #state: number;
  #depth = 0;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): string {
    const withClause = this.#maybe(30, () => `WITH q${this.#columns()} AS (${this.#query()}) `);
    return withClause + this.#statement();
  }

  #statement(): string {
    return this.#choose(
      () => this.#query(),
      () => this.#query(),
      () => this.#query(),
      () => `INSERT INTO orders (note) ${this.#select()} RETURNING ${this.#target()}`,
      () =>
        `UPDATE users SET name = ${this.#expression()} ${this.#maybe(40, () => `FROM ${this.#item()}`)} RETURNING ${this.#target()}`,
      () => `UPDATE orders SET note = ${this.#expression()} FROM ${this.#item()}`,
      () =>
        `DELETE FROM users ${this.#maybe(40, () => `USING ${this.#item()}`)} RETURNING ${this.#target()}, ${this.#target()}`,
      () =>
        `MERGE INTO users USING ${this.#item()} ON true WHEN MATCHED THEN UPDATE SET name = ${this.#expression()} RETURNING ${this.#target()}`,
    );
  }

  #query(): string {
    const select: Make = () => this.#select();
    return this.#choose(
      select,
      select,
      select,
      select,
      () => `${this.#select()} UNION ALL ${this.#select()}`,
      () => 'TABLE users',
    );
  }

  #select(): string {
    return this.#nested(() => {
      const targets = this.#many(3, () => this.#target()).join(', ');
      const from = this.#maybe(92, () => ` FROM ${this.#from()}`);
      const where = this.#maybe(15, () => ` WHERE ${this.#expression()} = ${this.#expression()}`);
      const order = this.#maybe(8, () => ' ORDER BY 1');
      return `SELECT ${this.#maybe(10, () => 'DISTINCT ')}${targets}${from}${where}${order}`;
    });
  }

  #from(): string {
    return this.#choose(
      () => this.#item(),
      () => this.#join(),
      () => `${this.#item()}, ${this.#item()}`,
    );
  }

  #item(): string {
    const derived: Make = () =>
      this.#depth < 3 ? `(${this.#query()})${this.#alias()}` : 'users u';
    return this.#choose(
      () => `users${this.#maybe(70, () => this.#alias())}`,
      () => `users${this.#maybe(70, () => this.#alias())}`,
      () => `orders${this.#maybe(70, () => this.#alias())}`,
      derived,
      () => (this.#depth < 3 ? `LATERAL ${derived()}` : 'users s'),
      () => `q${this.#maybe(50, () => this.#alias())}`,
      () =>
        this.#depth < 3 ? `(${this.#join()})${this.#maybe(60, () => this.#alias())}` : 'users e',
      () => `(VALUES (1, 'v'))${this.#alias()}`,
    );
  }

  #join(): string {
    return this.#nested(() => {
      const kind = this.#pick(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN']);
      const [left, right] = [this.#item(), this.#item()];
      return this.#choose(
        () => `${left} ${kind} ${right} ON true`,
        () => `${left} ${kind} ${right} USING (${this.#pick(NAMES)})`,
        () => `${left} NATURAL ${kind} ${right}`,
      );
    });
  }

  #target(): string {
    return this.#choose(
      () => '*',
      () => `${this.#pick(ALIASES)}.*`,
      () => `(${this.#pick(ALIASES)}).*`,
      () => this.#column(),
      () => this.#column(),
      () => `${this.#column()} AS ${this.#pick(NAMES)}`,
      () => `${this.#column()} AS ${this.#pick(NAMES)}`,
      () => this.#expression(),
      () => `${this.#expression()} AS ${this.#pick(NAMES)}`,
    );
  }

  #column(): string {
    return this.#choose(
      () => this.#pick(NAMES),
      () => `${this.#pick(ALIASES)}.${this.#pick(NAMES)}`,
      () => `(${this.#pick(ALIASES)}).${this.#pick(NAMES)}`,
      () => this.#pick(ALIASES),
      () => 'email',
    );
  }

  #expression(): string {
    const column: Make = () => this.#column();
    return this.#choose(
      column,
      column,
      () => `lower(${column()})`,
      () => `${column()}::text`,
      () => `${column()} || ''`,
      () => `coalesce(${column()})`,
      () => (this.#depth < 2 ? `(${this.#select()} LIMIT 1)` : '1'),
      () => (this.#depth < 2 ? `EXISTS (${this.#select()})` : '2'),
      () => 'count(*)',
      () => `row_to_json(${this.#pick(ALIASES)})`,
      () => `(${column()} = ${column()})`,
      () => `ARRAY[${column()}]`,
      () => `${this.#pick(ALIASES)}.*`,
      () => 'upper(name)',
    );
  }

  #alias(): string {
    return ` AS ${this.#pick(ALIASES)}${this.#columns()}`;
  }

  #columns(): string {
    return this.#maybe(
      25,
      () => `(${[...new Set(this.#many(3, () => this.#pick(NAMES)))].join(', ')})`,
    );
  }

  #nested(make: Make): string {
    this.#depth += 1;
    const made = make();
    this.#depth -= 1;
    return made;
  }

  #many(max: number, make: Make): string[] {
    return Array.from({ length: 1 + this.#below(max) }, make);
  }

  #maybe(percent: number, make: Make): string {
    return this.#below(100) < percent ? make() : '';
  }

  #choose(...makes: readonly Make[]): string {
    return makes[this.#below(makes.length)]?.() ?? '';
  }

  #pick(values: readonly string[]): string {
    return values[this.#below(values.length)] ?? '';
  }

  /** Mulberry32. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
