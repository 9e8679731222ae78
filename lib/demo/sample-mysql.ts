/**
 * The sample shop for MariaDB: the tables, view and routines of `sample-schema.ts` in its dialect, and
 * the same rows. The server has the database and its owner already (`mariadb-server.ts`).
 */
import { randomBytes } from 'node:crypto';
import { type Connection, createConnection } from 'mysql2/promise';
import { GatewayError } from '../errors.ts';
import type { MariadbOptions } from './mariadb-server.ts';
import { makeSampleRows } from './sample-rows.ts';

/** One text for each statement: nothing here needs the client to tell where one ends. */
const SCHEMA: readonly string[] = [
  `CREATE TABLE customers (
  id            INT PRIMARY KEY,
  full_name     VARCHAR(100) NOT NULL,
  email         VARCHAR(190) NOT NULL UNIQUE COMMENT 'Personal data: used to sign in and for receipts',
  phone         VARCHAR(30) NOT NULL COMMENT 'Personal data: for the courier',
  national_id   VARCHAR(20) NOT NULL UNIQUE COMMENT 'Personal data: demanded by law for invoices over 1000',
  date_of_birth DATE NOT NULL,
  address       VARCHAR(200) NOT NULL,
  created_at    DATETIME(3) NOT NULL
) COMMENT 'People who have ordered at least once or opened an account'`,
  `CREATE TABLE products (
  id       INT PRIMARY KEY,
  sku      VARCHAR(20) NOT NULL UNIQUE,
  name     VARCHAR(100) NOT NULL,
  category VARCHAR(40) NOT NULL,
  price    DECIMAL(10,2) NOT NULL CHECK (price > 0),
  stock    INT NOT NULL CHECK (stock >= 0)
) COMMENT 'What the shop sells; prices with tax'`,
  `CREATE TABLE orders (
  id          INT PRIMARY KEY,
  customer_id INT NOT NULL REFERENCES customers (id),
  status      ENUM('placed', 'paid', 'shipped', 'delivered', 'cancelled') NOT NULL,
  placed_at   DATETIME(3) NOT NULL,
  INDEX (customer_id),
  INDEX (placed_at)
) COMMENT 'One row for each checkout'`,
  `CREATE TABLE order_items (
  order_id   INT NOT NULL REFERENCES orders (id),
  line       INT NOT NULL,
  product_id INT NOT NULL REFERENCES products (id),
  quantity   INT NOT NULL CHECK (quantity > 0),
  unit_price DECIMAL(10,2) NOT NULL COMMENT 'The price on the day of the order, which may differ from today''s',
  PRIMARY KEY (order_id, line)
) COMMENT 'The lines of an order'`,
  `CREATE TABLE payments (
  id          INT PRIMARY KEY,
  order_id    INT NOT NULL REFERENCES orders (id),
  card_holder VARCHAR(100) NOT NULL,
  card_number VARCHAR(20) NOT NULL COMMENT 'Personal data: should never have been stored in full',
  card_expiry CHAR(5) NOT NULL,
  amount      DECIMAL(10,2) NOT NULL CHECK (amount >= 0),
  status      ENUM('captured', 'refunded', 'declined') NOT NULL,
  paid_at     DATETIME(3) NOT NULL,
  INDEX (order_id)
) COMMENT 'Card payments; an order can have several when a card was declined'`,
  `CREATE VIEW customer_contacts AS SELECT id, full_name, email, phone FROM customers`,
  `CREATE FUNCTION order_total(wanted_order_id INT) RETURNS DECIMAL(12,2)
  READS SQL DATA COMMENT 'What an order costs, with tax'
  RETURN (SELECT coalesce(sum(quantity * unit_price), 0) FROM order_items WHERE order_id = wanted_order_id)`,
  `CREATE PROCEDURE top_customers(row_count INT)
  READS SQL DATA COMMENT 'The customers who spent most'
  SELECT c.id, c.full_name, sum(i.quantity * i.unit_price) AS spent
  FROM customers c
  JOIN orders o ON o.customer_id = c.id AND o.status <> 'cancelled'
  JOIN order_items i ON i.order_id = o.id
  GROUP BY c.id, c.full_name ORDER BY 3 DESC, 1 LIMIT row_count`,
  `CREATE FUNCTION cancel_order(wanted_order_id INT) RETURNS INT
  MODIFIES SQL DATA COMMENT 'Cancels an order that has not left the house; 1 if it did'
BEGIN
  UPDATE orders SET status = 'cancelled'
  WHERE id = wanted_order_id AND status IN ('placed', 'paid');
  RETURN ROW_COUNT();
END`,
  `CREATE FUNCTION forget_customer(wanted_customer_id INT) RETURNS INT
  MODIFIES SQL DATA COMMENT 'Deletes the card data of one customer; returns the number of rows'
BEGIN
  DELETE p FROM payments p JOIN orders o ON p.order_id = o.id
  WHERE o.customer_id = wanted_customer_id;
  RETURN ROW_COUNT();
END`,
];

/** Parents before children, because of the foreign keys. */
const TABLES = ['customers', 'products', 'orders', 'order_items', 'payments'] as const;
const CONNECT_TIME_MAX = 10_000;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d\.\d{3})Z$/;

/** Name and owner of the sample database; a new password each time. */
export function makeMysqlSample(): MariadbOptions {
  return { database: 'shop', user: 'app', password: randomBytes(18).toString('base64url') };
}

export async function loadMysqlSample(
  server: { readonly host: string; readonly port: number },
  sample: MariadbOptions,
): Promise<Readonly<Record<string, number>>> {
  const { host, port } = server;
  try {
    const connection = await createConnection({
      host,
      port,
      ...sample,
      connectTimeout: CONNECT_TIME_MAX,
    });
    try {
      return await fill(connection);
    } finally {
      await connection.end();
    }
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    const message = `The sample data could not be loaded into MariaDB: ${detail}`;
    throw new GatewayError('SAMPLE_DATA_FAILED', message, { cause });
  }
}

async function fill(connection: Connection): Promise<Record<string, number>> {
  for (const statement of SCHEMA) await connection.query(statement);
  const rows = makeSampleRows();
  const rowCounts: Record<string, number> = {};
  await connection.beginTransaction();
  for (const table of TABLES) {
    const values = rows[table].map((row) => Object.values(row).map(toMysql));
    const names = Object.keys(rows[table][0] ?? {}).join(', ');
    await connection.query(`INSERT INTO ${table} (${names}) VALUES ?`, [values]);
    rowCounts[table] = values.length;
  }
  await connection.commit();
  return rowCounts;
}

/** Times are UTC in both databases; MariaDB's have no zone to say so. */
function toMysql(value: string | number): string | number {
  return typeof value === 'string' ? value.replace(TIMESTAMP, '$1 $2') : value;
}
