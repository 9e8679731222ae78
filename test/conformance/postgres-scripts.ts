/** Byte scripts for the differential test: the traps PG-23 to PG-52 that a raw socket can show. */

import {
  bind,
  closeNamed,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  functionCall,
  int16,
  message,
  parse,
  query,
  startup,
  sync,
  terminate,
} from '../support/raw-postgres.ts';

export interface Script {
  readonly name: string;
  /** What is written before the answers to the last are awaited. The first one signs in. */
  readonly steps: readonly Buffer[];
  readonly isLong?: boolean;
  readonly hasPayloads?: boolean;
  /** Weir refuses with words of its own. */
  readonly isRefused?: boolean;
}

const SIGN_IN = startup({ user: 'postgres', database: 'postgres', application_name: 'script' });

function script(name: string, ...steps: readonly (readonly Buffer[])[]): Script {
  return { name, steps: [SIGN_IN, ...steps.map((parts) => Buffer.concat(parts))] };
}

/** Parse, Bind, Describe of the portal, Execute; all unnamed. */
const select = (sql: string): Buffer[] => [parse('', sql), bind('', ''), describe('P'), execute()];
const bare = (sql: string): Buffer[] => [parse('', sql), bind('', ''), execute()];
const rows = (count: number): string =>
  `select g, repeat('x', g % 50) from generate_series(1, ${count}) g`;

const pipelines: readonly Script[] = [
  script(
    'PG-26: Parse, Describe, Flush, then wait',
    [parse('s', 'select $1::int'), describe('S', 's'), flush()],
    [bind('', 's', { values: ['7'] }), execute(), flush()],
    [sync()],
  ),
  script('PG-27: an error comes without Sync or Flush', [parse('', 'selekt')], [sync()]),
  script('PG-28: a pipeline with an error and two Syncs', [
    ...select('select 1'),
    ...select('selekt'),
    ...select('select 2'),
    sync(),
    ...select('select 3'),
    sync(),
  ]),
  script(
    'PG-28: a Query, Flush, FunctionCall, Close while the server skips',
    [parse('', 'selekt')],
    [query('select 99'), flush(), functionCall(1610), closeNamed('S', 'x')],
    [sync()],
    [query('select 1')],
  ),
  script('PG-28: copy messages while it skips', [
    parse('', 'selekt'),
    copyData('x'),
    copyDone(),
    copyFail('y'),
    sync(),
    query('select 1'),
  ]),
  script('PG-28: Terminate while it skips', [parse('', 'selekt')], [terminate()]),
  script(
    'PG-28: errors in Bind, Describe, Execute, Close',
    [
      bind('', 'none'),
      sync(),
      describe('S', 'none'),
      sync(),
      describe('P', 'none'),
      sync(),
      execute('none'),
      sync(),
      closeNamed('P', 'none'),
      sync(),
    ],
    [parse('', 'select 1/$1::int'), bind('', '', { values: ['0'] }), execute(), execute(), sync()],
  ),
  script(
    'PG-29: Syncs alone, many Queries',
    [sync(), sync(), sync()],
    Array.from({ length: 40 }, (_, index) => query(`select ${index}`)),
  ),
  script(
    'PG-30: an implicit transaction is rolled back',
    [...bare("insert into loaded values (77, 'x')"), ...bare('selekt'), sync()],
    [query('select count(*) from loaded where id = 77')],
  ),
  script(
    'PG-33, PG-35: multi-statements and status',
    [query('select 1; select 2; select 1/0; select 3')],
    [query('begin; select 1/0; rollback')],
    [query('select 1')],
    [query('rollback')],
    [query('begin; savepoint s')],
    [query('selekt')],
    [query('rollback to s')],
    [query('commit and chain')],
    [query('commit')],
  ),
  script('PG-34: one lexer state for a whole Query', [
    query('set standard_conforming_strings = on; select 1'),
  ]),
  script(
    'PG-45: empty queries',
    [query('')],
    [query('-- ping')],
    [query(';')],
    [...select(''), sync()],
    [...bare('-- x'), sync()],
  ),
  {
    ...script(
      'a long pipeline',
      Array.from({ length: 150 }, (_, index) => [
        ...(index % 2 ? select(rows(index)) : bare(rows(index))),
        ...(index % 3 ? [] : [sync()]),
      ]).flat(),
      [sync()],
    ),
    isLong: true,
  },
  script(
    'unasked Flush and Sync in every place',
    [
      flush(),
      parse('', 'select 1'),
      flush(),
      bind('', ''),
      flush(),
      flush(),
      execute(),
      flush(),
      sync(),
      flush(),
    ],
    [flush(), sync()],
  ),
];

const named: readonly Script[] = [
  script(
    'PG-36: a Query takes the unnamed statement',
    [parse('', 'select 5'), sync()],
    [query('select 6')],
    [bind('', ''), execute(), sync()],
  ),
  script(
    'PG-36: Sync takes portals outside of a transaction',
    [parse('', rows(5)), bind('p', ''), execute('p', 2), sync()],
    [execute('p', 2), sync()],
  ),
  script(
    'PG-37: names twice, closed, deallocated',
    [parse('a', 'select 1'), parse('a', 'select 2'), sync()],
    [closeNamed('S', 'a'), parse('a', 'select 3'), sync()],
    [query('deallocate all'), parse('a', 'select 4'), sync()],
    [bind('', 'a'), execute(), sync()],
    [query('discard all')],
    [bind('', 'a'), sync()],
  ),
  script(
    'PG-37: names longer than 63 bytes',
    [
      parse('n'.repeat(80), 'select 1'),
      bind('p'.repeat(70), 'n'.repeat(80)),
      execute('p'.repeat(70)),
      sync(),
    ],
    [bind('', 'n'.repeat(63)), execute(), sync()],
    [closeNamed('S', 'n'.repeat(64)), sync()],
    [bind('', 'n'.repeat(80)), sync()],
  ),
  script(
    'PG-38: one namespace with PREPARE and EXECUTE',
    [parse('s1', 'select $1::text'), sync()],
    [query("execute s1('zz')")],
    [query('prepare sq as select email from people')],
    [bind('', 'sq'), execute(), sync()],
    [query('deallocate s1'), bind('', 's1', { values: ['1'] }), sync()],
  ),
  script(
    'PG-39: cursors and portals',
    [query('begin')],
    [query('declare c cursor for select id from people order by id')],
    [describe('P', 'c'), execute('c', 1), execute('c', 1), sync()],
    [...bare('close c'), sync()],
    [parse('', rows(3)), bind('pp', ''), flush()],
    [...bare('fetch 1 from pp'), sync()],
    [query('fetch all from pp')],
    [query('commit')],
  ),
  script(
    'PG-39: WITH HOLD, MOVE, binary cursors',
    [query('begin; declare h cursor with hold for select id from people; commit')],
    [execute('h', 1), sync()],
    [query('fetch all from h; close h')],
    [
      query('begin; declare b binary cursor for select id from people'),
      query('fetch all from b'),
      query('move backward all in b'),
      execute('b', 1),
      sync(),
      query('rollback'),
    ],
  ),
  script(
    'PG-40: Execute without Describe',
    [...bare(rows(3)), sync()],
    [...bare("insert into loaded values (5, 'r') returning id"), sync()],
    [...bare('select'), sync()],
    [...bare('show TimeZone'), sync()],
    [...bare('set TimeZone = UTC'), sync()],
  ),
  script('PG-40: Describe of the statement only', [
    parse('d', 'select email from people order by id'),
    describe('S', 'd'),
    bind('', 'd'),
    execute(),
    sync(),
  ]),
  script(
    'PG-42: formats',
    [
      parse('', "select 1, 'x'::text"),
      bind('', '', { resultFormats: [1, 0] }),
      execute(),
      bind('', '', { resultFormats: [1] }),
      describe('P'),
      execute(),
      sync(),
    ],
    [parse('', 'select 1,2'), bind('', '', { resultFormats: [0, 1, 1] }), execute(), sync()],
  ),
  script(
    'PG-43: row limits, interleaved',
    [query('begin')],
    [
      parse('', rows(7)),
      bind('p1', ''),
      bind('p2', ''),
      execute('p1', 3),
      execute('p2', 1),
      execute('p1', 3),
      execute('p2', 100),
      execute('p1', 3),
      execute('p1', 3),
      sync(),
    ],
    [query('commit')],
    [...bare('select 1').slice(0, 2), execute('', 1), execute('', 1), sync()],
  ),
  script(
    'PG-44: described late',
    [query('begin; declare l cursor for select id from people')],
    [
      parse('f', 'fetch 2 from l'),
      describe('S', 'f'),
      bind('', 'f'),
      describe('P'),
      execute(),
      bind('', 'f'),
      execute(),
      sync(),
    ],
    [query('rollback')],
    [parse('e', 'explain (costs off) select 1'), bind('', 'e'), execute(), sync()],
  ),
  script(
    'PG-46: FunctionCall',
    [functionCall(1610)],
    [functionCall(0)],
    [functionCall(177, ['1', '2'])],
    [query('begin'), functionCall(0), query('rollback')],
  ),
  {
    ...script(
      'PG-47: notifications',
      [query('listen w')],
      [query('begin'), query("select pg_notify('w', 'p')"), query('commit')],
      [...bare("select pg_notify('w', '2')"), sync()],
    ),
    hasPayloads: true,
  },
  script(
    'PG-47: notices and parameters',
    [query('begin'), query("do $$ begin raise notice 'n'; end $$"), query('commit')],
    [query("begin; set application_name = 'x'; rollback")],
  ),
  script(
    'PG-49: odd results',
    [query('select')],
    [query('select from people')],
    [...select('select from people'), sync()],
    [query('select 1 as "", 2 as "", 3')],
    [query(`select ${Array.from({ length: 1600 }, (_, index) => index).join(',')}`)],
    [query("select repeat('x', 300000)")],
    [...bare("select repeat('y', 300000)"), sync()],
  ),
];

const copyIn = (sql: string): Buffer[] => [...bare(sql), sync()];

const copies: readonly Script[] = [
  script(
    'PG-50: simple COPY',
    [query('copy loaded from stdin')],
    [copyData('1\ta\n'), copyData('2\t'), copyData('b\n'), copyDone()],
  ),
  script('PG-50: Sync and Flush inside of a COPY', [
    query('copy loaded from stdin'),
    sync(),
    flush(),
    copyData('1\ta\n'),
    sync(),
    copyDone(),
    sync(),
  ]),
  script(
    'PG-50: extended COPY with an eager Sync',
    copyIn('copy loaded from stdin'),
    [copyData('1\ta\n'), copyDone(), sync()],
    [query('select 1')],
  ),
  script('PG-50: all of it at once', [
    ...copyIn('copy loaded from stdin'),
    copyData('1\ta\n'),
    copyDone(),
    sync(),
    query('select 1'),
  ]),
  script(
    'PG-50: bad data',
    [query('copy loaded from stdin')],
    [copyData('x\ta\n'), copyData('2\tb\n'), copyDone()],
    [query('select 1')],
    copyIn('copy loaded from stdin'),
    [copyData('x\ta\n'), copyData('2\tb\n'), copyDone(), sync()],
    [query('select 1')],
  ),
  script(
    'PG-50: CopyFail',
    [query('copy loaded from stdin')],
    [copyFail('no'), copyDone()],
    [query('select 1')],
    copyIn('copy loaded from stdin'),
    [copyFail('no'), sync()],
    [query('select 1')],
  ),
  script(
    'PG-50: fails before it reads, so the eager Sync is answered',
    copyIn('copy loaded_view from stdin'),
    [sync()],
    [query('select 1')],
    [query('copy loaded_view from stdin'), sync()],
    [query('select 1')],
  ),
  script(
    'PG-50: no such table, with data behind it',
    [
      ...copyIn('copy nosuch from stdin'),
      copyData('1\ta\n'),
      copyDone(),
      sync(),
      query('select 1'),
    ],
    [query('copy nosuch from stdin'), copyData('1\ta\n'), copyDone(), query('select 2')],
  ),
  script('PG-50: stray copy messages', [
    copyData('x'),
    copyDone(),
    copyFail('y'),
    query('select 1'),
  ]),
  script(
    'PG-50: two COPY and a SELECT in one Query',
    [query('copy loaded from stdin; copy loaded from stdin; select 1')],
    [copyData('1\ta\n'), copyDone()],
    [copyData('2\tb\n'), copyDone()],
    [query('copy loaded from stdin; select 1/0; select 2'), copyData('1\ta\n'), copyDone()],
  ),
  script(
    'PG-50: a Query inside of a COPY',
    [query('copy loaded from stdin')],
    [query('select 1')],
    [query('select 2')],
  ),
  script(
    'PG-50: a Parse inside of an extended COPY',
    [...bare('copy loaded from stdin')],
    [parse('', 'select 1'), bind('', ''), execute(), sync()],
    [query('select 2')],
  ),
  script(
    'PG-51: COPY out',
    [query('copy people to stdout')],
    [...bare('copy people to stdout (format binary)'), sync()],
    [query('copy (select 1) to stdout; select 2')],
    [
      parse('', 'copy people to stdout'),
      describe('S', ''),
      bind('', ''),
      describe('P'),
      execute(),
      sync(),
    ],
  ),
  script(
    'PG-52: COPY in csv and binary',
    [query('copy loaded from stdin (format csv)')],
    [copyData('1,"a\n'), copyData('b"\n'), copyDone()],
    [query('copy (select 1, null::text) to stdout (format binary)')],
  ),
];

const broken: readonly Script[] = [
  script('PG-23: unknown message', [message('z', Buffer.from('x'))]),
  script(
    'PG-24: a Query without its NUL',
    [message('Q', Buffer.from('select 1'))],
    [query('select 2')],
  ),
  script(
    'PG-24: bytes behind the NUL',
    [message('Q', Buffer.from('select 1\0; select 2\0'))],
    [query('select 2')],
  ),
  script(
    'PG-24: a Parse that ends early',
    [message('P', Buffer.from('s\0select 1\0'))],
    [sync(), query('select 2')],
  ),
  {
    ...script(
      'PG-25: invalid UTF-8',
      [query(Buffer.from("select '\xff'", 'latin1'))],
      [parse('', Buffer.from("select '\xc3'", 'latin1')), sync()],
      [query('select 2')],
    ),
    isRefused: true,
  },
  script(
    'a Bind that says too many values',
    [message('B', Buffer.from('\0\0'), int16(0), int16(9), int16(0)), sync()],
    [query('select 2')],
  ),
  script('Terminate', [query('select 1'), terminate()]),
];

export const differentialScripts: readonly Script[] = [
  ...pipelines,
  ...named,
  ...copies,
  ...broken,
];
