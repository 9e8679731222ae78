/** Byte scripts for the differential test: COPY (PG-50 to PG-52) and broken messages (PG-23 to PG-25). */

import {
  bind,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  int16,
  message,
  parse,
  query,
  sync,
  terminate,
} from '../support/raw-postgres.ts';
import { bare, type Script, script } from './script.ts';

const copyIn = (sql: string): Buffer[] => [...bare(sql), sync()];

export const copyScripts: readonly Script[] = [
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

export const brokenScripts: readonly Script[] = [
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
