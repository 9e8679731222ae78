/** Attempts of a later review: values in errors, in the layout of JSON, in names that are read in two ways, and guesses. */

import type { LeakRound } from './redis-leak-lab.ts';

const MAIL = 'zebra@example.com';
const EXCEPT = 'except = ["free", "bob"]';

const SEARCHED: LeakRound = {
  name: 'search, second review',
  kind: 'stack',
  policy: `
[[mask]]
name = "mail"
fields = ["email", "salary"]
objects = ["redis:user:*"]
${EXCEPT}
`,
  setup: [
    'FT.CREATE users PREFIX 1 user: SCHEMA email TAG SORTABLE name TEXT salary NUMERIC SORTABLE age NUMERIC SORTABLE',
    'FT.CREATE numbers PREFIX 1 user: SCHEMA email NUMERIC',
    `HSET user:1 email ${MAIL} name ann salary 777123 age 3`,
  ],
  attempts: [
    'FT.AGGREGATE users * LOAD 1 @email APPLY to_number(@email) AS n',
    'FT.AGGREGATE users * LOAD 1 @email FILTER "to_number(@email)>1"',
    'FT.AGGREGATE users * LOAD 1 @email APPLY "parsetime(@email,@email)" AS n',
    'FT.AGGREGATE users * GROUPBY 1 @name REDUCE TOLIST 1 email AS x',
    'FT.AGGREGATE users * GROUPBY 1 @name REDUCE FIRST_VALUE 1 email AS x',
    'FT.AGGREGATE users * GROUPBY 1 @name REDUCE RANDOM_SAMPLE 2 email 3 AS x',
    'FT.AGGREGATE users * GROUPBY 0 REDUCE TOLIST 1 @email AS n APPLY "@n" AS m',
    'FT.INFO numbers',
    ...[
      'FT.AGGREGATE users * LOAD 1 @salary APPLY "@salary." AS n',
      'FT.AGGREGATE users * LOAD 1 @salary APPLY "@salary$" AS n',
      'FT.AGGREGATE users * APPLY "@salary*1" AS n',
      'FT.AGGREGATE users * GROUPBY 0 REDUCE MAX 1 salary AS n',
      'FT.AGGREGATE users * GROUPBY 0 REDUCE SUM 1 salary AS n',
      'FT.SEARCH users * SORTBY salary WITHSORTKEYS RETURN 0',
    ].map((line) => ({ steps: [line], secret: /777123/ })),
  ],
  everyday: [
    'FT.INFO users',
    'FT.AGGREGATE users * APPLY "@age - 1" AS n',
    'FT.AGGREGATE users * LOAD 1 @name APPLY upper(@name) AS n',
    'FT.AGGREGATE users * GROUPBY 1 @age REDUCE QUANTILE 2 @age 0.5 AS q REDUCE FIRST_VALUE 4 @name BY @age ASC AS f',
  ],
};

const LAYOUT: LeakRound = {
  name: 'layout of JSON',
  kind: 'stack',
  policy: `
[[mask]]
name = "mail"
fields = ["email", "contact.mail"]
objects = ["redis:doc:*"]
${EXCEPT}
`,
  setup: [
    `JSON.SET doc:1 $ {"name":1,"email":"${MAIL}","contact":{"mail":"${MAIL}"}}`,
    `SET doc:s {"email":"${MAIL}"}`,
  ],
  attempts: [
    'JSON.GET doc:1 SPACE 0},{\\x22x\\x22: $',
    'JSON.GET doc:1 SPACE 0,\\x22x\\x22: .contact',
    'JSON.GET doc:1 SPACE 0,\\x22x\\x22: $.contact',
    'JSON.GET doc:1 NEWLINE \\x22x\\x22:0},{ $',
    'JSON.GET doc:1 INDENT \\x22x',
    'GETRANGE doc:s 0 -1',
    'GETRANGE doc:s 1 -1',
    'SUBSTR doc:s 0 -1',
    'LCS doc:s doc:s',
    { steps: ['SETRANGE doc:s 0 x', 'GET doc:s'] },
    { steps: ['APPEND doc:s x', 'GET doc:s'] },
    { steps: ['SETBIT doc:s 0 1', 'GET doc:s'] },
    { steps: ['BITFIELD doc:s SET u8 0 65', 'GET doc:s'] },
  ],
  everyday: ['JSON.GET doc:1 INDENT "  " $.name', 'GET doc:s', 'SET doc:s x'],
};

const GUESSES: LeakRound = {
  name: 'guesses, second review',
  kind: 'stack',
  policy: `
[[mask]]
name = "strict"
fields = ["email", "bio", "#value"]
mode = "strict"
objects = ["redis:user:*", "redis:doc:*"]
${EXCEPT}
`,
  setup: [
    'FT.CREATE users PREFIX 1 user: SCHEMA email AS mail TAG SORTABLE name TEXT bio TEXT salary NUMERIC',
    `HSET user:1 email ${MAIL} name ann bio "ask ${MAIL}" salary 5`,
    'FT.CREATE jdocs ON JSON PREFIX 1 doc: SCHEMA $.email TAG',
    `JSON.SET doc:1 $ {"email":"${MAIL}","a":{"email":"${MAIL}"}}`,
    `ZADD doc:z 1 ${MAIL}`,
    `GEOADD doc:g 1 1 ${MAIL}`,
    `SET doc:s ${MAIL}`,
    `PFADD doc:p ${MAIL}`,
    'FT.SUGADD doc:sug zebra 1',
  ],
  attempts: [
    'FT.SEARCH users ask INFIELDS 0 NOCONTENT',
    'FT.SEARCH users @mail$:{zebra*} NOCONTENT',
    'FT.SEARCH users @mail.:{zebra*} NOCONTENT',
    'FT.SEARCH jdocs * RETURN 3 "$[?(@.email==\\x22zebra@example.com\\x22)].a" AS a',
    'FT.AGGREGATE jdocs * LOAD 3 "$[?(@.email==\\x22zebra@example.com\\x22)].a" AS a',
    'FT.AGGREGATE users * FILTER "@mail$==1"',
    'FT.SEARCH users @mail#:{zebra*} NOCONTENT',
    'FT.SEARCH users "@mail\\x01:{zebra*}" NOCONTENT',
    'FT.SEARCH users "@mail :{zebra*}" NOCONTENT',
    'FT.SEARCH users "@name|mail:(ask)" NOCONTENT',
    'FT.SEARCH users "@name|bio:(ask)" NOCONTENT',
    'FT.SEARCH users "@name:x|ask" NOCONTENT',
    'FT.SEARCH users "@age:[0 9]|ask" NOCONTENT',
    'FT.SEARCH users "@name:ann ask" NOCONTENT',
    'FT.SEARCH users "@name:ann=>{$weight:1} ask" NOCONTENT',
    'FT.SEARCH users "ask=>{$weight:1}" NOCONTENT',
    'FT.SEARCH users "$p" PARAMS 2 p ask DIALECT 2 NOCONTENT',
    'FT.SEARCH users "(@name:ann)|($p)" PARAMS 2 p ask DIALECT 2 NOCONTENT',
    'FT.SEARCH users "%askk%" NOCONTENT',
    "FT.SEARCH users w'as*' DIALECT 2 NOCONTENT",
    'FT.SEARCH users @__key:x|ask NOCONTENT',
    'JSON.TYPE doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.OBJLEN doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.OBJKEYS doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.ARRLEN doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.CLEAR doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.DEL doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]"',
    'JSON.SET doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)].z" 1 XX',
    'JSON.MERGE doc:1 "$[?(@.email==\\x22zebra@example.com\\x22)]" {}',
    'JSON.STRAPPEND doc:1 $.email \\x22\\x22',
    'ZINCRBY doc:z 0 zebra@example.com',
    'GEOADD doc:g 1 1 zebra@example.com',
    'GEOSEARCH doc:g FROMMEMBER zebra@example.com BYRADIUS 1 km',
    'GEORADIUSBYMEMBER doc:g zebra@example.com 1 km',
    'GEORADIUSBYMEMBER_RO doc:g zebra@example.com 1 km',
    'GEOSEARCHSTORE doc:g2 doc:g FROMMEMBER zebra@example.com BYRADIUS 1 km',
    'APPEND doc:s ""',
    'SETRANGE doc:s 0 ""',
    'PFADD doc:p zebra@example.com',
    'FT.SUGADD doc:sug zebra 1 INCR',
  ].map((line) => ({ steps: [line], isOracle: true })),
  everyday: [
    'JSON.TYPE doc:1 $.email',
    'JSON.SET doc:1 $.b "\\x22a?\\x22"',
    'FT.SEARCH users ann INFIELDS 1 name',
  ],
};

const OLD_SEARCH: LeakRound = {
  name: 'RediSearch 1, second review',
  kind: 'debian',
  policy: `
[[mask]]
name = "mail"
fields = ["email"]
${EXCEPT}
`,
  setup: [
    'FT.CREATE old SCHEMA email TEXT SORTABLE name TEXT n NUMERIC SORTABLE',
    `FT.ADD old user:1 1 FIELDS email ${MAIL} name ann n 1`,
  ],
  attempts: [
    'FT.AGGREGATE old * GROUPBY 1 @n REDUCE TOLIST 1 email AS x',
    'FT.AGGREGATE old * GROUPBY 1 @n REDUCE FIRST_VALUE 1 email AS x',
    'FT.AGGREGATE old * GROUPBY 1 @n REDUCE FIRST_VALUE 3 email BY n AS x',
    'FT.AGGREGATE old * LOAD 1 @email APPLY "@email" AS x',
    'FT.AGGREGATE old * LOAD 1 @email APPLY "format(\\x22%s\\x22,@email)" AS x',
  ],
  everyday: ['FT.INFO old'],
};

/** An append-only log: entries may be added, and none taken away. */
const APPEND_ONLY: LeakRound = {
  name: 'no deletes',
  kind: 'debian',
  policy: `
[[rule]]
name = "kept"
effects = ["delete"]
objects = ["redis:log", "redis:doc:*"]
principals = ["alice"]
action = "block"
`,
  setup: ['XADD log 1-1 a zebra', 'SET other 1'],
  attempts: [
    'XADD log MAXLEN 1 * a x',
    'XADD log NOMKSTREAM MAXLEN = 1 * a x',
    'XADD log MINID ~ 9-9 * a x',
    'XTRIM log MAXLEN 0',
    { steps: [['MULTI', 'XADD log MAXLEN 1 * a x', 'EXEC']] },
  ].map((one) => ({ steps: typeof one === 'string' ? [one] : one.steps, isOracle: true })),
  everyday: ['XADD log * maxlen 1', 'XADD log NOMKSTREAM 9-9 minid 1', 'GET other'],
};

const MERGED: LeakRound = {
  name: 'no deletes in documents',
  kind: 'stack',
  policy: APPEND_ONLY.policy,
  setup: ['JSON.SET doc:1 $ {"a":1}'],
  attempts: [{ steps: ['JSON.MERGE doc:1 $ {\\x22a\\x22:null}'], isOracle: true }],
  everyday: ['JSON.MERGE doc:1 $ {\\x22a\\x22:2}'],
};

export const MORE_ROUNDS: readonly LeakRound[] = [
  SEARCHED,
  LAYOUT,
  GUESSES,
  OLD_SEARCH,
  APPEND_ONLY,
  MERGED,
];
