/**
 * Random statements over the tables of exposure-cases.ts, from few names on purpose, so that aliases,
 * columns and relations are often called the same. Same seed, same statements.
 */

const NAMES = ['e', 'id', 'email', 'users', 's', 'u', 'name', 'ssn', 'SSN', 'note', 'x'];
/** Those that the tables have, so that enough statements are right. */
const COLUMNS = ['email', 'ssn', 'email', 'id', 'name', 'note'];
const ALIASES = ['s', 'u', 'users', 'e', 't', 'orders', 'email', 'o'];

type Make = () => string;

export class RandomStatements {
  #state: number;
  #depth = 0;
  #hasCommon = false;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): string {
    this.#hasCommon = false;
    return this.#choose(
      () => this.#query(),
      () => this.#query(),
      () => this.#with() + this.#query(),
      () => this.#with() + this.#query(),
      () => this.#statement(),
    );
  }

  #with(): string {
    if (this.#below(3) === 0) return this.#recursive();
    const first = `q${this.#columns()} AS (${this.#query()})`;
    this.#hasCommon = true;
    const second = this.#maybe(40, () => `, r${this.#columns()} AS (${this.#query()})`);
    return `WITH ${first}${second} `;
  }

  #recursive(): string {
    const [a, b] = [this.#expression(), this.#expression()];
    const from = this.#pick(['users', 'orders', 'users u']);
    const next = this.#pick([
      'x, y',
      'y, x',
      '*',
      'concat(x, y), 1',
      'x, (SELECT max(ssn) FROM users)',
    ]);
    this.#hasCommon = true;
    return `WITH RECURSIVE q (x, y) AS (SELECT ${a}, ${b} FROM ${from} UNION SELECT ${next} FROM q) `;
  }

  #statement(): string {
    return this.#choose(
      () => `INSERT INTO orders (note) ${this.#select(1)} RETURNING ${this.#target()}`,
      () => `INSERT INTO orders SET note = ${this.#expression()}`,
      () =>
        `INSERT INTO users (id, name) VALUES (1, 'v') ON DUPLICATE KEY UPDATE name = ${this.#expression()}`,
      () => `UPDATE users SET name = ${this.#expression()}`,
      () => `UPDATE ${this.#from()} SET ${this.#pick(ALIASES)}.note = ${this.#expression()}`,
      () => `DELETE FROM users RETURNING ${this.#plainTarget()}, ${this.#plainTarget()}`,
      () => `SET @v = ${this.#expression()}`,
      () => `${this.#select(1)} LIMIT 1 INTO @v`,
      () => `CREATE TEMPORARY TABLE made ${this.#select()}`,
      () => `EXECUTE IMMEDIATE "${this.#select()}"`,
      () => `VALUES (${this.#expression()}, ${this.#expression()})`,
    );
  }

  #query(): string {
    const select: Make = () => this.#select();
    const operator: Make = () =>
      this.#pick(['UNION', 'UNION ALL', 'UNION ALL', 'EXCEPT', 'INTERSECT']);
    return this.#choose(
      select,
      select,
      select,
      () => `${this.#select(2)} ${operator()} ${this.#select(2)}`,
      () => `(${this.#select(1)} LIMIT 2) ${operator()} (${this.#select(1)})`,
    );
  }

  /** With so many columns, or any number of them; a bare star is right only as the first. */
  #select(width?: number): string {
    return this.#nested(() => {
      const star = this.#maybe(width === undefined ? 35 : 0, () => '*, ');
      const some = width ?? 1 + this.#below(3);
      const list = Array.from({ length: some }, () => this.#target(width === undefined));
      const targets = star !== '' && this.#below(2) === 0 ? '*' : star + list.join(', ');
      const from = this.#maybe(96, () => ` FROM ${this.#from()}`);
      const where = this.#maybe(15, () => ` WHERE ${this.#expression()} = ${this.#expression()}`);
      const group = this.#maybe(5, () => ` GROUP BY ${this.#column()}`);
      const having = this.#maybe(5, () => ` HAVING ${this.#expression()} IS NOT NULL`);
      return `SELECT ${this.#maybe(10, () => 'DISTINCT ')}${targets}${from}${where}${group}${having}`;
    });
  }

  #from(): string {
    return this.#choose(
      () => this.#item(),
      () => this.#item(),
      () => this.#item(),
      () => this.#join(),
      () => `${this.#item()}, ${this.#item()}`,
    );
  }

  #item(): string {
    const derived: Make = () =>
      this.#depth < 3 ? `(${this.#query()})${this.#alias()}` : 'users u';
    return this.#choose(
      () => `users${this.#maybe(70, () => ` AS ${this.#pick(ALIASES)}`)}`,
      () => `app.users${this.#maybe(70, () => ` ${this.#pick(ALIASES)}`)}`,
      () => `orders${this.#maybe(70, () => ` ${this.#pick(ALIASES)}`)}`,
      derived,
      derived,
      () => (this.#hasCommon ? `q${this.#maybe(50, () => ` ${this.#pick(ALIASES)}`)}` : 'users'),
      () => (this.#depth < 3 && this.#below(3) === 0 ? `(${this.#join()})` : 'users e'),
      () => `(SELECT 1 AS id, 'v' AS ${this.#pick(COLUMNS)})${this.#alias()}`,
    );
  }

  #join(): string {
    return this.#nested(() => {
      const kind = this.#pick(['JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN']);
      const [left, right] = [this.#item(), this.#item()];
      const natural = kind === 'JOIN' ? 'NATURAL JOIN' : `NATURAL ${kind}`;
      return this.#choose(
        () =>
          `${left} ${kind} ${right} ON ${this.#choose(
            () => '1',
            () => this.#expression(),
          )}`,
        () => `${left} ${kind} ${right} USING (${this.#pick(COLUMNS)})`,
        () => `${left} ${natural} ${right}`,
      );
    });
  }

  #target(withStar = true): string {
    if (withStar && this.#below(12) === 0) return `${this.#pick(ALIASES)}.*`;
    return this.#choose(
      () => this.#column(),
      () => this.#column(),
      () => `${this.#column()} AS ${this.#pick(NAMES)}`,
      () => `${this.#column()} AS ${this.#pick(NAMES)}`,
      () => this.#expression(),
      () => `${this.#expression()} AS ${this.#pick(NAMES)}`,
    );
  }

  /** Subqueries in DELETE ... RETURNING can crash MariaDB 10.11. */
  #plainTarget(): string {
    return this.#nested(() => this.#nested(() => this.#target()));
  }

  #column(): string {
    return this.#choose(
      () => this.#pick(COLUMNS),
      () => this.#pick(COLUMNS),
      () => this.#pick(COLUMNS),
      () => this.#pick(COLUMNS),
      () => this.#pick(NAMES),
      () => (this.#below(3) === 0 ? `${this.#pick(ALIASES)}.${this.#pick(COLUMNS)}` : 'ssn'),
      () => `\`${this.#pick(COLUMNS)}\``,
    );
  }

  #expression(): string {
    const column: Make = () => this.#column();
    return this.#choose(
      column,
      column,
      () => `lower(${column()})`,
      () => `CAST(${column()} AS CHAR)`,
      () => `concat(${column()}, '')`,
      () => `coalesce(${column()}, ${column()})`,
      () => `IF(${column()} IS NULL, 'a', ${column()})`,
      () => `CASE ${column()} WHEN 1 THEN 2 ELSE ${column()} END`,
      () => (this.#depth < 2 ? `(${this.#select(1)} LIMIT 1)` : '1'),
      () => (this.#depth < 2 ? `EXISTS (${this.#select()})` : '2'),
      () => 'count(*)',
      () => `group_concat(${column()})`,
      () => `json_arrayagg(${column()})`,
      () => `(${column()} = ${column()})`,
      () => `@v := ${column()}`,
      () => `min(${column()}) OVER (PARTITION BY ${column()})`,
      () => 'upper(name)',
    );
  }

  #alias(): string {
    return ` AS ${this.#pick(ALIASES)}`;
  }

  #columns(): string {
    return this.#maybe(
      20,
      () => ` (${[...new Set(this.#many(3, () => this.#pick(NAMES).toLowerCase()))].join(', ')})`,
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
