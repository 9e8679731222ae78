/** The database of the `mask` suite: secrets that are found again in any encoding, and where they lie. */

import { createHash } from 'node:crypto';
import type { MaskConfig } from '../../lib/config/config.ts';

export const MASKS: readonly MaskConfig[] = [
  {
    name: 'personal',
    connections: ['*'],
    columns: [
      'public.users.ssn',
      '*.users.email',
      'public.users.pin',
      'public.users.card',
      'public.users.doc',
      'public.users.raw',
      'public.events.ssn',
      'public.people_base.ssn',
    ],
    with: 'redact',
    mode: 'mask',
    except: [],
  },
];

/** Nothing else in the database or the protocol looks like these. */
const TEXTS = [
  '943-71-2086',
  '518-26-9437',
  'zelda.quux@hidden.example',
  '4929-7731-0086',
  'jsonsecret-77aa',
];
const PIN = 73_910_428;
const RAW = 'rawsecret-xyz9';

/** Run by the superuser in an empty database. */
export const MASK_DATABASE = `
CREATE DOMAIN ssn_text AS text;
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text UNIQUE, ssn text, pin int, card varchar(20), doc jsonb, raw bytea, dom ssn_text);
INSERT INTO users VALUES (1, 'Ann', '${TEXTS[2]}', '${TEXTS[0]}', ${PIN}, '${TEXTS[3]}', '{"k": "${TEXTS[4]}"}', '${RAW}', 'd'),
  (2, 'Bob', NULL, '${TEXTS[1]}', NULL, NULL, NULL, NULL, NULL), (3, 'Cid', 'c@clear.example', NULL, 5, 'x', '{}', '', NULL);
CREATE INDEX users_ssn ON users (ssn);
CREATE TABLE events (id int, ssn text) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100);
INSERT INTO events VALUES (1, '${TEXTS[0]}');
CREATE TABLE people_base (id int, ssn text);
CREATE TABLE people_child (more int) INHERITS (people_base);
INSERT INTO people_child VALUES (1, '${TEXTS[0]}', 2);
CREATE VIEW v_users AS SELECT id, name, ssn AS number FROM users;
CREATE VIEW v_over AS SELECT number AS n2, id FROM v_users;
CREATE VIEW v_text AS SELECT id, upper(ssn) AS u FROM users;
CREATE VIEW v_whole AS SELECT u FROM users u;
CREATE VIEW v_join AS SELECT a.id, b.ssn FROM users a JOIN users b USING (id);
CREATE MATERIALIZED VIEW m_users AS SELECT id, ssn FROM users;
CREATE TABLE notes (id int PRIMARY KEY, owner_email text REFERENCES users (email), text text);
INSERT INTO notes VALUES (1, NULL, 'a note');
CREATE TABLE sink (id int, t text, j jsonb);
CREATE FUNCTION get_ssn(i int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT ssn FROM users WHERE id = i $$;
CREATE FUNCTION get_users() RETURNS SETOF users LANGUAGE sql AS $$ SELECT * FROM users $$;
CREATE FUNCTION get_table() RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT id, ssn FROM users; END $$;
CREATE FUNCTION get_dynamic(q text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE q; END $$;
CREATE FUNCTION get_cursor() RETURNS refcursor LANGUAGE plpgsql AS $$ DECLARE c refcursor := 'given'; BEGIN OPEN c FOR SELECT ssn FROM users; RETURN c; END $$;
CREATE FUNCTION tell() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'it is %', (SELECT ssn FROM users WHERE id = 1); END $$;
CREATE FUNCTION shout() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it is %', (SELECT ssn FROM users WHERE id = 1) USING DETAIL = (SELECT email FROM users WHERE id = 1); END $$;
CREATE PROCEDURE give(INOUT o text) LANGUAGE plpgsql AS $$ BEGIN SELECT ssn INTO o FROM users WHERE id = 1; END $$;
CREATE SCHEMA other;
CREATE TABLE other.users AS SELECT * FROM users;
CREATE VIEW other.seen AS SELECT email AS e FROM other.users;
CREATE FUNCTION users_name(users) RETURNS text LANGUAGE sql AS $$ SELECT $1.ssn $$;
ALTER TABLE users ALTER COLUMN ssn SET STATISTICS 100;
ANALYZE users;
CHECKPOINT;
`;

/** Every form in which a value could come over the wire and be read back without effort. */
function formsOf(text: string): Buffer[] {
  const plain = Buffer.from(text);
  const wide = Buffer.from(text, 'utf16le');
  const reversed = text.split('').toReversed().join('');
  const texts = [
    text,
    text.toUpperCase(),
    reversed,
    text.replaceAll('-', ''),
    plain.toString('hex'),
    plain.toString('hex').toUpperCase(),
    createHash('md5').update(plain).digest('hex'),
    createHash('sha256').update(plain).digest('hex'),
    text.split('').join(','),
    text.split('').join(' '),
    text.split('').join('\n'),
    text.slice(0, 7),
    text.slice(-7),
    text.replace(/[a-z]/gi, (letter) => rotate(letter)),
  ];
  return [
    ...texts.map((one) => Buffer.from(one)),
    ...base64Forms(plain),
    wide,
    Buffer.from(wide).swap16(),
  ];
}

function rotate(letter: string): string {
  const base = letter <= 'Z' ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
}

/** In the middle of a longer text a value has one of three forms in base64; their stable parts. */
function base64Forms(plain: Buffer): Buffer[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), plain])
      .toString('base64')
      .replaceAll('=', '');
    return Buffer.from(encoded.slice(offset === 0 ? 0 : offset + 1, -2));
  });
}

function numberForms(value: number): Buffer[] {
  const binary = Buffer.alloc(4);
  binary.writeInt32BE(value);
  const texts = [
    value,
    value + 1,
    value - 1,
    value * 2,
    value.toString(16),
    String(value).split('').join(','),
  ];
  return [binary, ...texts.map((one) => Buffer.from(String(one)))];
}

const FORMS: readonly Buffer[] = [...[...TEXTS, RAW].flatMap(formsOf), ...numberForms(PIN)];

/** The first form of a secret that occurs in these bytes. */
export function findSecret(bytes: Buffer): string | undefined {
  return FORMS.find((form) => bytes.includes(form))?.toString('latin1');
}
