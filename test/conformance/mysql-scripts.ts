/** The scripts of the MySQL differential test: every command, and the shapes that its answer can have. */

import { COM, command, execute, frame, lenenc, uint16, uint32 } from '../support/mysql-packets.ts';

export interface MysqlScript {
  readonly name: string;
  /** What is written before the answers to the last are awaited. */
  readonly steps: readonly Buffer[];
  /** Weir answers with words of its own where statements are inspected. */
  readonly isRefused?: boolean;
  /** Bits of capabilities that it wants besides those of the run. */
  readonly capabilities?: number;
  /** The connection ends with the last step. */
  readonly ends?: boolean;
}

const LAST = 0xffff_ffff;
const LOCAL_FILES = 0x80;

export const query = (sql: string | Buffer): Buffer => frame(command(COM.query, sql));
const prepare = (sql: string): Buffer => frame(command(COM.prepare, sql));
const run = (id: number, parameters: readonly (string | null)[] = [], cursor = 0): Buffer =>
  frame(execute(id, parameters, cursor));
const close = (id: number): Buffer => frame(command(COM.close, uint32(id)));
const fetch = (id: number, rows: number): Buffer =>
  frame(command(COM.fetch, uint32(id), uint32(rows)));
const longData = (id: number, parameter: number, data: string): Buffer =>
  frame(command(COM.longData, uint32(id), uint16(parameter), data));

/** Execute without new types: those of the last one count (MY-21). */
const runAgain = (id: number, value: string): Buffer =>
  frame(
    command(
      COM.execute,
      uint32(id),
      Buffer.of(0),
      uint32(1),
      Buffer.of(0, 0),
      lenenc(value.length),
      value,
    ),
  );

export const SETUP = [
  'create database script',
  'use script',
  `create table people (id int primary key, name varchar(40) not null default 'nobody', born date,
     seen datetime(6), shift time(3), share decimal(10,2), weight double, part float, photo blob,
     flags bit(9), year year, kind enum('a','b'), tiny tinyint, small smallint, medium mediumint,
     big bigint unsigned, meta json, address inet6)`,
  `insert into people values
     (1, 'Ann', '1990-01-02', '2020-01-02 03:04:05.000006', '-25:01:02.5', 1.25, 2.5, 1.5, 'photo',
      b'100000001', 2020, 'a', 1, 2, 3, 18446744073709551615, '{"a":1}', '::1'),
     (2, 'Bob', null, null, null, null, null, null, null, null, null, null, null, null, null, null,
      null, null)`,
  'create procedure two() begin select 1 as one; select id, name from people order by id; end',
  'create procedure gives(out a int, inout b varchar(10)) begin set a = 7, b = concat(b, "!"); end',
  'create table names (name varchar(40))',
  'create table wide (a mediumtext, b int)',
] as const;

const statements: readonly MysqlScript[] = [
  {
    name: 'text results, an error, nothing at all (MY-35)',
    steps: [
      query('select 1 as one, null as two, "three" as three'),
      query('select * from people order by id'),
      query('selec 1'),
      query(''),
      query('-- nothing'),
      query('select * from nosuch'),
      query('select id from people where id > 5'),
    ],
  },
  {
    name: 'an error among the rows (MY-14)',
    steps: [query('select exp(id * 400) from people order by id')],
  },
  {
    name: 'multi-statements and CALL (MY-25)',
    steps: [
      query('select 1; select 2; set @a = 1; select @a'),
      query('select 1; selec 2; select 3'),
      query('call two()'),
      query('call two(); select 9'),
    ],
  },
  {
    name: 'transactions, savepoints, XA (MY-15, MY-55)',
    steps: [
      query('begin'),
      query('insert into names values ("a")'),
      query('insert into nosuch values (1)'),
      query('select count(*) from names'),
      query('rollback'),
      query('set autocommit = 0'),
      query('set autocommit = 1'),
    ],
  },
  {
    name: 'sql_mode and its status bits (MY-28)',
    steps: [
      query("set sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'"),
      query('select \'a\\\' as "b"'),
      query("set sql_mode = ''"),
      query("select 'a\\'b' as b"),
    ],
  },
  {
    name: 'USE in its forms (MY-63)',
    steps: [
      query('use script'),
      query('select database()'),
      query('use nosuch'),
      frame(command(COM.initDb, 'script')),
      frame(command(COM.initDb, 'nosuch')),
      query('/* c */ use `script`'),
      query('set names latin1'),
      query(Buffer.from("select 'caf\u00e9' as c", 'latin1')),
      query('set names utf8mb4'),
      query("select 'caf\u00e9' as c"),
    ],
  },
  {
    name: 'sequence ids wrap in a long result (MY-11)',
    steps: [query('select seq, repeat("x", 50) from seq_1_to_1000')],
  },
  {
    name: 'a query of several pieces, and pipelining (MY-33)',
    steps: [
      Buffer.concat([query('select 1'), query('select 2'), query('selec 3'), query('select 4')]),
      Buffer.concat([
        query('do sleep(0.05)'),
        frame(command(COM.ping)),
        prepare('select 5'),
        run(LAST),
        frame(command(COM.close, uint32(1))),
        query('select 6'),
      ]),
    ],
  },
];

const prepared: readonly MysqlScript[] = [
  {
    name: 'prepared statements (MY-21, MY-23)',
    steps: [
      prepare('select * from people where id >= ? order by id'),
      run(1, ['1']),
      runAgain(1, '2'),
      run(1, [null]),
      prepare('selec ?'),
      prepare('insert into names values (?)'),
      run(2, ['x']),
      prepare('select 1; select 2'),
      Buffer.concat([close(1), run(1, ['1'])]),
      prepare('delete from names'),
      run(3),
      frame(command(COM.reset, uint32(2))),
      frame(command(COM.reset, uint32(99))),
    ],
  },
  {
    name: 'long data (MY-60)',
    steps: [
      prepare('select length(?), ? as b'),
      Buffer.concat([
        longData(1, 0, 'a'.repeat(1000)),
        longData(1, 0, 'b'.repeat(500)),
        run(1, ['', 'x']),
      ]),
      frame(command(COM.reset, uint32(1))),
      run(1, ['abc', 'x']),
    ],
  },
  {
    name: 'cursors (MY-24, MY-71)',
    steps: [
      prepare('select id, name, born from people order by id'),
      run(1, [], 1),
      fetch(1, 1),
      fetch(1, 10),
      fetch(1, 10),
      run(1, [], 1),
      frame(command(COM.reset, uint32(1))),
      fetch(1, 1),
      prepare('insert into names values ("cursor")'),
      run(2, [], 1),
    ],
  },
  {
    name: 'CALL with results and OUT parameters (MY-25)',
    steps: [prepare('call two()'), run(1), prepare('call gives(?, ?)'), run(2, ['1', 'hey'])],
  },
  {
    name: 'number -1 names the last one (MY-22)',
    steps: [
      prepare("select 'first'"),
      run(LAST),
      Buffer.concat([prepare("select 'second'"), run(LAST)]),
      Buffer.concat([prepare('selec nothing'), run(LAST)]),
    ],
  },
  {
    name: 'DDL, prepared and not (MY-19)',
    steps: [
      query('create temporary table temp (a int)'),
      prepare('drop table temp'),
      run(1),
      run(1),
    ],
  },
];

const commands: readonly MysqlScript[] = [
  {
    name: 'commands without a statement (MY-19)',
    steps: [
      frame(command(COM.ping)),
      frame(command(COM.setOption, uint16(1))),
      query('select 1; select 2'),
      frame(command(COM.setOption, uint16(0))),
      query('select 1; select 2'),
      frame(command(COM.setOption, uint16(9))),
      frame(command(COM.fieldList, 'people\0')),
      frame(command(COM.fieldList, 'nosuch\0')),
      frame(command(COM.fieldList, 'people\0na%')),
      frame(command(COM.refresh, Buffer.of(0x10))),
      frame(command(COM.processKill, uint32(4_000_000))),
    ],
  },
  {
    name: 'unknown commands (MY-19)',
    steps: [
      frame(command(COM.sleep)),
      frame(Buffer.alloc(0)),
      frame(command(0x0b)),
      frame(command(0x0f)),
      frame(command(0x10)),
      frame(command(0x14)),
      frame(command(0x1d)),
      query('select 1'),
    ],
  },
  {
    name: 'debug information',
    steps: [frame(command(COM.debug))],
    isRefused: true,
  },
  {
    name: 'COM_RESET_CONNECTION (MY-23)',
    steps: [
      prepare('select 1'),
      query('set names latin1, @a = 5'),
      frame(command(COM.resetConnection)),
      query("select @a, @@character_set_client, 'caf\u00e9' as c"),
      run(1),
    ],
  },
  {
    name: 'LOAD DATA LOCAL (MY-34)',
    capabilities: LOCAL_FILES,
    steps: [
      query('truncate table names'),
      query("load data local infile 'names.txt' into table names"),
      Buffer.concat([
        frame(Buffer.from('one\ntwo\n'), 2),
        frame(Buffer.from('\u0003select'), 3),
        frame(Buffer.alloc(0), 4),
      ]),
      query('select name from names'),
      query("load data local infile 'names.txt' into table nosuch"),
      query("set @a = 1; load /* x */ data local infile 'n' into table names"),
      frame(Buffer.alloc(0), 3),
      query('delete from names'),
    ],
  },
  {
    name: 'COM_QUIT',
    steps: [frame(command(COM.ping)), frame(command(COM.quit))],
    ends: true,
  },
  {
    name: 'a session that kills itself (MY-17, MY-32)',
    steps: [query('kill connection_id()')],
    ends: true,
  },
];

const MEGABYTE = 1024 * 1024;

/** 16 MB and more: rows and statements of several packets (MY-13, MY-14). */
export const largeScripts: readonly MysqlScript[] = [
  {
    name: 'rows around 16 MB',
    steps: [
      query(`select repeat('x', ${0xffffff - 4})`),
      query(`select repeat('x', ${0xffffff - 5})`),
      query(`select repeat('x', ${17 * MEGABYTE}), 'behind'`),
      prepare(`select repeat('x', ${17 * MEGABYTE}) as a, 'behind' as b`),
      run(1),
    ],
  },
  {
    name: 'statements around 16 MB',
    steps: [
      query(`select length('${'x'.repeat(17 * MEGABYTE)}')`),
      query(`select '${'y'.repeat(0xffffff - 10)}' = 1`),
    ],
  },
];

export const mysqlScripts: readonly MysqlScript[] = [...statements, ...prepared, ...commands];
