/**
 * The database of the `red-team` suite: one table of customers with masked columns and everything that
 * can stand around it. The secrets are those that `findSecret` of mask-database.ts finds again.
 */

import type { MaskConfig, RuleConfig } from '../../lib/config/config.ts';

function mask(mode: MaskConfig['mode']): readonly MaskConfig[] {
  return [
    {
      name: 'contact-data',
      connections: ['*'],
      columns: [
        'public.customers.email',
        'public.customers.phone',
        'public.customers.ssn',
        'public.customers.pin',
        'public.typed.email',
        'public.visits.ssn',
        'public.root.ssn',
      ],
      with: 'redact',
      mode,
      except: [],
    },
  ];
}

export const MASKS = mask('mask');
export const STRICT_MASKS = mask('strict');

export const RULES: readonly RuleConfig[] = [
  {
    name: 'no-destruction',
    connections: ['*'],
    principals: ['*'],
    effects: ['drop', 'truncate', 'delete'],
    objects: ['*'],
    action: 'block',
  },
];

/** Run by the superuser in an empty database. */
export const RED_DATABASE = `
CREATE TABLE regions (id int PRIMARY KEY, title text);
INSERT INTO regions VALUES (1, 'north'), (2, 'south');
CREATE DOMAIN ssn_text AS text;
CREATE TYPE person AS (id int, email text);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE typed OF person;
INSERT INTO typed VALUES (1, 'zelda.quux@hidden.example');
CREATE TABLE customers (
  id int PRIMARY KEY, name varchar(40) NOT NULL, email varchar(80) UNIQUE, phone text, ssn ssn_text, pin int,
  region_id int NOT NULL REFERENCES regions ON UPDATE CASCADE CHECK (region_id < 50),
  mood mood DEFAULT 'ok', tags text[] DEFAULT '{}', created timestamptz DEFAULT now(),
  domain text GENERATED ALWAYS AS (split_part(email, '@', 2)) STORED);
INSERT INTO customers VALUES (1, 'Ann', 'zelda.quux@hidden.example', '4929-7731-0086', '943-71-2086', 73910428, 1),
  (2, 'Bob', 'b@clear.example', NULL, '518-26-9437', 5, 2), (3, 'Cid', NULL, '1', NULL, 7, 2);
CREATE TABLE orders (id serial PRIMARY KEY, customer_id int REFERENCES customers (id), amount numeric(10,2) DEFAULT 1, note text);
INSERT INTO orders (customer_id, amount) VALUES (1, 10), (1, 20), (2, 5);
CREATE TABLE parcels (id serial PRIMARY KEY, customer_id int);
CREATE FUNCTION tell_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'of %', (SELECT email FROM customers WHERE id = NEW.customer_id); RETURN NEW; END $$;
CREATE TRIGGER tell BEFORE INSERT ON parcels FOR EACH ROW EXECUTE FUNCTION tell_owner();
CREATE TABLE visits (id int, ssn text, place text) PARTITION BY LIST (id);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES IN (1) PARTITION BY LIST (place);
CREATE TABLE visits_1_a PARTITION OF visits_1 DEFAULT;
INSERT INTO visits VALUES (1, '943-71-2086', 'here');
CREATE TABLE root (id int, ssn text);
CREATE TABLE leaf (extra text) INHERITS (root);
INSERT INTO leaf VALUES (1, '943-71-2086', 'e');
CREATE TABLE sink (n serial PRIMARY KEY, t text, arr int[], j jsonb);
INSERT INTO sink (t) VALUES ('start');
CREATE TABLE outbox (id serial PRIMARY KEY, at timestamptz DEFAULT now(), body text);
CREATE VIEW v_plain AS SELECT id, name, email AS contact FROM customers;
CREATE VIEW v_over AS SELECT contact AS c2, id FROM v_plain WHERE id > 0;
CREATE VIEW v_union AS SELECT email FROM customers UNION ALL SELECT name FROM customers;
CREATE VIEW v_cte AS WITH q AS (SELECT email AS e, id FROM customers) SELECT q.e AS x, q.id FROM q;
CREATE VIEW v_swap AS WITH q(id, name) AS (SELECT email, id FROM customers) SELECT id, name FROM q;
CREATE VIEW v_lateral AS SELECT l.x FROM regions r, LATERAL (SELECT email AS x FROM customers WHERE region_id = r.id) l;
CREATE VIEW v_sub AS SELECT (SELECT email FROM customers c WHERE c.id = r.id) AS x, r.title FROM regions r;
CREATE VIEW v_agg AS SELECT region_id, string_agg(email, ',') AS all_of FROM customers GROUP BY region_id;
CREATE VIEW v_row AS SELECT c AS r FROM customers c;
CREATE VIEW v_json AS SELECT to_jsonb(c) AS j FROM customers c;
CREATE VIEW v_window AS SELECT id, first_value(email) OVER (PARTITION BY region_id ORDER BY id) AS f FROM customers;
CREATE VIEW v_join AS SELECT o.id, o.amount, c.email FROM orders o LEFT JOIN customers c ON c.id = o.customer_id;
CREATE VIEW v_using AS SELECT id, b.email FROM customers a JOIN customers b USING (id);
CREATE VIEW v_alias (a, b) AS SELECT id, phone FROM customers;
CREATE VIEW v_coalesce AS SELECT coalesce(email, phone) AS reach FROM customers;
CREATE RECURSIVE VIEW v_rec (n, e) AS SELECT 1, email::text FROM customers UNION ALL SELECT n + 1, e FROM v_rec WHERE n < 2;
CREATE VIEW v_clear AS SELECT id, name, region_id FROM customers;
CREATE VIEW v_values AS SELECT x FROM (VALUES ((SELECT email FROM customers WHERE id = 1))) v(x);
CREATE VIEW v_stats AS SELECT tablename, most_common_vals::text AS mcv, histogram_bounds::text AS hb FROM pg_stats;
CREATE VIEW v_case AS SELECT CASE WHEN id = 1 THEN email ELSE name END AS name FROM customers;
CREATE MATERIALIZED VIEW m_row AS SELECT id, email AS e, customers AS whole FROM customers;
CREATE MATERIALIZED VIEW m_agg AS SELECT array_agg(ssn) AS s, max(email) AS m FROM customers;
CREATE VIEW v_on_m AS SELECT e FROM m_row;
CREATE FUNCTION f_email(i int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT email FROM customers WHERE id = i $$;
CREATE FUNCTION f_atomic(i int) RETURNS text LANGUAGE sql STABLE BEGIN ATOMIC SELECT email FROM customers WHERE id = i; END;
CREATE FUNCTION f_record() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r record := (SELECT ROW(email) FROM customers WHERE id = 1); BEGIN RETURN r::text; END $$;
CREATE FUNCTION f_default(x text DEFAULT f_email(1)) RETURNS text LANGUAGE sql AS $$ SELECT x $$;
CREATE VIEW v_func AS SELECT f_email(1) AS x;
CREATE VIEW v_func2 AS SELECT x FROM v_func;
CREATE FUNCTION harmless(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'n is %', n; RETURN n + 1; END $$;
CREATE FUNCTION purge_pair() RETURNS record LANGUAGE sql AS $$ DELETE FROM orders; SELECT ROW(1) $$;
CREATE FUNCTION spy(varchar, text) RETURNS boolean LANGUAGE sql AS $$ INSERT INTO sink (t) VALUES ($1); SELECT true $$;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
ANALYZE;
CHECKPOINT;
`;

/** Views through which a secret comes to light; each is read in every way. */
export const LEAKY_VIEWS: readonly string[] =
  `v_plain v_over v_union v_cte v_swap v_lateral v_sub v_agg v_row v_json v_window v_join v_using v_alias
  v_coalesce v_rec v_values v_stats v_case m_row m_agg v_on_m v_func v_func2 visits visits_1 visits_1_a root leaf typed`.split(
    /\s+/,
  );
