/** Attempts by RediSearch and RedisJSON: masks, strict masks, filters, limits, vectors, names of indexes. */

import type { LeakRound } from './redis-leak-lab.ts';

const MAIL = 'zebra@example.com';
const OTHER = 'zebra2@example.com';
const EXCEPT = 'except = ["free", "bob"]';
const VECTOR = '\\x00\\x00\\x80\\x3f\\xfe\\xca\\xfe\\xca';

const HASHES = [
  'FT.CREATE users PREFIX 1 user: SCHEMA email AS mail TAG SORTABLE name TEXT bio TEXT age NUMERIC SORTABLE tenant TAG vec VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2',
  'FT.CREATE notes PREFIX 1 note: SCHEMA text TEXT',
  `HSET user:1 email ${MAIL} name ann bio "ask ${MAIL}" age 3 tenant acme vec ${VECTOR}`,
  `HSET user:2 email ${OTHER} name bob bio "ask ${OTHER}" age 4 tenant acme vec ${VECTOR}`,
  'HSET note:1 text hello',
];

const MASKED: LeakRound = {
  name: 'search',
  kind: 'stack',
  policy: `
[[mask]]
name = "mail"
fields = ["email", "bio"]
objects = ["redis:user:*"]
${EXCEPT}
`,
  setup: HASHES,
  attempts: [
    'FT.SEARCH users *',
    'FT.SEARCH users * RETURN 1 mail',
    'FT.SEARCH users * RETURN 3 email AS name',
    'FT.SEARCH users * RETURN 6 mail AS x name AS mail',
    'FT.SEARCH users * SORTBY mail WITHSORTKEYS',
    'FT.SEARCH users ask HIGHLIGHT',
    'FT.SEARCH users ask SUMMARIZE FIELDS 1 bio',
    'FT.SEARCH users * WITHSCORES WITHPAYLOADS WITHSORTKEYS SORTBY mail',
    'FT.AGGREGATE users * LOAD *',
    'FT.AGGREGATE users * LOAD 3 @email AS name',
    'FT.AGGREGATE users * GROUPBY 1 @mail',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE TOLIST 1 @mail AS x',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE FIRST_VALUE 1 @mail',
    'FT.AGGREGATE users * LOAD 1 @email APPLY upper(@email) AS name',
    'FT.AGGREGATE users * LOAD 1 @email APPLY "substr(@email,0,5)" AS u SORTBY 2 @u ASC',
    'FT.AGGREGATE users * LOAD 1 @email APPLY @email AS a APPLY @a AS b GROUPBY 1 @b',
    'FT.TAGVALS users mail',
    'FT.PROFILE users SEARCH QUERY * ',
    'FT.GET users user:1',
    {
      steps: [
        'FT.AGGREGATE users * LOAD 1 @email WITHCURSOR COUNT 1',
        'FT.CURSOR READ users NUMBER',
      ],
    },
    {
      steps: [
        'FT.AGGREGATE users * LOAD 1 @email WITHCURSOR COUNT 1',
        'FT.CURSOR READ notes NUMBER',
      ],
    },
    {
      steps: ['FT.AGGREGATE users * LOAD 1 @email WITHCURSOR COUNT 1', 'FT.CURSOR R users NUMBER'],
    },
    {
      steps: ['FT.AGGREGATE users * LOAD 1 @email WITHCURSOR COUNT 1', 'FT.CURSOR Rx notes NUMBER'],
    },
    {
      steps: [
        [
          'FT.SEARCH users * RETURN 1 e',
          'FT.ALTER users SCHEMA ADD email AS e TAG',
          'FT.SEARCH users * RETURN 3 e AS name',
        ],
      ],
    },
    {
      steps: [
        'FT.SEARCH users * RETURN 1 name',
        [
          'MULTI',
          'FT.ALTER users SCHEMA ADD email AS e TAG',
          'FT.SEARCH users * RETURN 1 e',
          'EXEC',
        ],
      ],
    },
    {
      steps: [
        [
          'FT.ALIASADD harmless notes',
          'FT.SEARCH harmless *',
          'FT.ALIASUPDATE harmless users',
          'FT.SEARCH harmless *',
        ],
      ],
    },
    {
      steps: [
        'FT.CREATE evil PREFIX 1 user: SCHEMA email AS e TAG',
        'FT.TAGVALS evil e',
        'FT.AGGREGATE evil * LOAD 3 @email AS e',
        'FT.SEARCH evil *',
        'HGETALL user:1',
      ],
    },
    { steps: ['FT.CREATE evil SCHEMA email AS e TAG', 'HGETALL user:1', 'FT.SEARCH evil *'] },
    { steps: [['MULTI', 'FT.SEARCH users *', 'EXEC']] },
  ],
  everyday: [
    'FT.SEARCH users ann',
    'FT.SEARCH users * RETURN 2 name age',
    'FT.SEARCH users "@age:[3 4]" SORTBY age',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE COUNT 0 AS n',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE COUNT 0',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE AVG 1 @age AS a SORTBY 2 @a DESC',
    'FT.SEARCH notes hello',
    'FT.INFO users',
    'FT._LIST',
    'FT.AGGREGATE users * LOAD 1 @name WITHCURSOR COUNT 1',
  ],
};

const JSONS: LeakRound = {
  name: 'documents',
  kind: 'stack',
  policy: `
[[mask]]
name = "mail"
fields = ["email", "contact.mail"]
objects = ["redis:doc:*"]
${EXCEPT}
`,
  setup: [
    'FT.CREATE docs ON JSON PREFIX 1 doc: SCHEMA $.email AS e TAG $.tags[*] AS tags TAG $.contact[*] AS c TAG $.n AS n NUMERIC',
    `JSON.SET doc:1 $ {"email":"${MAIL}","contact":{"mail":"${OTHER}","city":"x"},"tags":["a","b"],"n":1.50}`,
  ],
  attempts: [
    'JSON.GET doc:1',
    'JSON.GET doc:1 $',
    'JSON.GET doc:1 .',
    'JSON.GET doc:1 email',
    'JSON.GET doc:1 $.email',
    'JSON.GET doc:1 $["email"]',
    "JSON.GET doc:1 $['email']",
    "JSON.GET doc:1 $['email','n']",
    'JSON.GET doc:1 $[*]',
    'JSON.GET doc:1 $.*',
    'JSON.GET doc:1 $..email',
    'JSON.GET doc:1 $.contact[*]',
    'JSON.GET doc:1 $.contact.*',
    'JSON.GET doc:1 $.contact',
    'JSON.GET doc:1 $.n $.email',
    'JSON.GET doc:1 $.n $[*]',
    'JSON.GET doc:1 INDENT x NEWLINE y SPACE z $.email',
    { version: 3, steps: ['JSON.GET doc:1 FORMAT STRING $.email'] },
    { version: 3, steps: ['JSON.GET doc:1 FORMAT EXPAND $'] },
    { version: 3, steps: ['JSON.GET doc:1 FORMAT EXPAND $.email'] },
    'JSON.GET doc:1 "$..[?(@.city)]"',
    'JSON.MGET doc:1 doc:2 $.email',
    'JSON.MGET doc:1 $[*]',
    'JSON.RESP doc:1 $',
    { steps: [`JSON.SET doc:1 $.contact [{"mail":"${MAIL}"}]`, 'JSON.ARRPOP doc:1 $.contact'] },
    { steps: ['RENAME doc:1 t', 'JSON.GET t'] },
    'FT.SEARCH docs *',
    'FT.SEARCH docs * RETURN 1 $.email',
    'FT.SEARCH docs * RETURN 3 $[*] AS tags DIALECT 3',
    'FT.SEARCH docs * RETURN 1 c DIALECT 3',
    'FT.SEARCH docs * RETURN 1 $.contact[*] DIALECT 3',
    'FT.SEARCH docs * RETURN 3 $.contact AS n DIALECT 2',
    'FT.AGGREGATE docs * LOAD 1 @c',
    'FT.AGGREGATE docs * LOAD 3 $.contact[*] AS n',
    'FT.AGGREGATE docs * LOAD *',
  ],
  everyday: [
    'JSON.GET doc:1 $.n',
    'JSON.GET doc:1 $.tags[0]',
    'JSON.GET doc:1 $.tags[*]',
    'JSON.NUMINCRBY doc:1 $.n 1',
    'JSON.ARRAPPEND doc:1 $.tags 1',
    'FT.SEARCH docs * RETURN 2 tags n',
    'FT.SEARCH docs "@tags:{a}"',
  ],
};

const DETECTED: LeakRound = {
  name: 'documents, by what they look like',
  kind: 'stack',
  policy: `
[[mask]]
name = "mails"
detect = ["email"]
${EXCEPT}
`,
  setup: [...HASHES, `JSON.SET doc:1 $ {"a":"${MAIL}"}`],
  attempts: [
    'JSON.GET doc:1 $[*]',
    { steps: ['JSON.STRAPPEND doc:1 $.a "@"'.replace('"@"', '\\x22@\\x22'), 'JSON.GET doc:1'] },
    'FT.SEARCH users *',
    'FT.AGGREGATE users * LOAD 1 @email APPLY "substr(@email,0,5)" AS u',
    "FT.AGGREGATE users * LOAD 1 @email APPLY split(@email,'@') AS u",
    'FT.SEARCH users ask SUMMARIZE FIELDS 1 bio LEN 1 SEPARATOR @',
    'FT.TAGVALS users mail',
    'FT.SPELLCHECK users zebr',
  ],
  everyday: ['FT.SEARCH users ann', 'JSON.GET doc:1', 'JSON.SET doc:1 $.b 1'],
};

const STRICT: LeakRound = {
  name: 'guesses by search',
  kind: 'stack',
  policy: `
[[mask]]
name = "strict"
fields = ["email", "bio"]
mode = "strict"
objects = ["redis:user:*", "redis:doc:*"]
${EXCEPT}
`,
  setup: [...HASHES, `JSON.SET doc:1 $ {"email":"${MAIL}"}`],
  attempts: [
    'FT.SEARCH users @mail:{zebra*} NOCONTENT',
    'FT.SEARCH users @MAIL:{zebra*} NOCONTENT',
    'FT.SEARCH users "(@name:ann @mail:{zebra*})" NOCONTENT',
    'FT.SEARCH users zebra* NOCONTENT',
    'FT.SEARCH users * SORTBY mail NOCONTENT',
    'FT.SEARCH users ask INFIELDS 1 bio NOCONTENT',
    'FT.AGGREGATE users * SORTBY 2 @mail ASC',
    'FT.AGGREGATE users * FILTER "startswith(@mail,\'z\')"',
    'FT.AGGREGATE users * GROUPBY 1 @mail REDUCE COUNT 0 AS n',
    'FT.AGGREGATE users * GROUPBY 0 REDUCE COUNT_DISTINCT 1 @mail AS n',
    'FT.AGGREGATE users * LOAD 1 @email APPLY strlen(@email) AS n',
    'FT.AGGREGATE users @mail:{zebra*} GROUPBY 0 REDUCE COUNT 0 AS n',
    'FT.TAGVALS users mail',
    'FT.EXPLAIN users @mail:{zebra}',
    'JSON.GET doc:1 "$[?(@.email>0)]"',
    'JSON.STRLEN doc:1 $.email',
  ].map((line) => ({ steps: [line], isOracle: true })),
  everyday: [
    'FT.SEARCH users @name:ann',
    'FT.SEARCH users "@age:[0 9]" SORTBY age',
    'FT.SEARCH users * LIMIT 0 1',
  ],
};

/** Records of another tenant have the mark; alice is of acme. */
const FILTERED: LeakRound = {
  name: 'records of others',
  kind: 'stack',
  policy: `
[[rule]]
name = "own"
effects = ["search", "read", "count", "export", "upsert", "delete"]
objects = ["*"]
principals = ["alice"]
action = "allow"
filter = { tenant = "\${principal.group}" }
`,
  setup: [
    'FT.CREATE users PREFIX 1 user: SCHEMA name TEXT tenant TAG age NUMERIC vec VECTOR FLAT 6 TYPE FLOAT32 DIM 2 DISTANCE_METRIC L2',
    `HSET user:1 name ann tenant acme age 3 vec ${VECTOR}`,
    `HSET user:2 name zebra tenant other age 4 vec ${VECTOR}`,
  ],
  attempts: [
    'FT.SEARCH users *',
    'FT.SEARCH users zebra',
    'FT.SEARCH users "ann | zebra"',
    'FT.SEARCH users "@tenant:{other}"',
    'FT.SEARCH users "(ann) | (zebra)"',
    'FT.SEARCH users "-@tenant:{acme}"',
    'FT.SEARCH users * INKEYS 1 user:2',
    `FT.SEARCH users "*=>[KNN 5 @vec $B]" PARAMS 2 B ${VECTOR} DIALECT 2`,
    `FT.SEARCH users "(@name:zebra)=>[KNN 5 @vec $B]" PARAMS 2 B ${VECTOR} DIALECT 2`,
    `FT.SEARCH users "@vec:[VECTOR_RANGE 9 $B]" PARAMS 2 B ${VECTOR} DIALECT 2`,
    'FT.AGGREGATE users * LOAD 1 @name',
    'FT.AGGREGATE users * GROUPBY 1 @name',
    {
      steps: [
        'FT.AGGREGATE users * LOAD 1 @name WITHCURSOR COUNT 1',
        'FT.CURSOR READ users NUMBER',
      ],
    },
    'HGETALL user:2',
    'FT.GET users user:2',
    "EVAL \"return redis.call('hget','user:2','name')\" 0",
    { steps: ['HSET user:1 tenant other', 'FT.SEARCH users *'] },
  ],
  everyday: [
    'FT.SEARCH users *',
    'FT.SEARCH users ann',
    'FT.SEARCH users "@age:[0 9]" LIMIT 0 5',
    'FT.AGGREGATE users * GROUPBY 1 @tenant REDUCE COUNT 0 AS n',
  ],
};

const CUT: LeakRound = {
  name: 'vectors and limits',
  kind: 'stack',
  policy: `
[[rule]]
name = "few"
effects = ["search", "read", "export"]
objects = ["*"]
principals = ["alice"]
action = "allow"
limit_max = 10
vectors = false
`,
  setup: HASHES,
  attempts: [
    'FT.SEARCH users *',
    'FT.SEARCH users * RETURN 1 vec',
    'FT.SEARCH users * RETURN 3 vec AS name',
    'FT.AGGREGATE users * LOAD *',
    'FT.AGGREGATE users * LOAD 3 @vec AS name',
    { steps: ['FT.AGGREGATE users * LOAD * WITHCURSOR COUNT 1', 'FT.CURSOR READ users NUMBER'] },
    'HGETALL user:1',
    'HGET user:1 vec',
    'HVALS user:1',
    'DUMP user:1',
    'FT.GET users user:1',
    'SORT user:none BY nosort GET user:*->vec',
  ]
    .filter((one) => typeof one !== 'string' || !one.startsWith('SORT'))
    .map((one) => ({
      steps: typeof one === 'string' ? [one] : one.steps,
      secret: /\xfe\xca\xfe\xca/,
    })),
  everyday: ['FT.SEARCH users ann RETURN 1 age', 'FT.SEARCH notes hello'],
};

const OLD: LeakRound = {
  name: 'RediSearch 1',
  kind: 'debian',
  policy: `
[[mask]]
name = "mail"
fields = ["email"]
${EXCEPT}
`,
  setup: [
    'FT.CREATE old SCHEMA email TEXT SORTABLE name TEXT',
    'FT.CREATE notes SCHEMA x TEXT',
    `FT.ADD old user:1 1 PAYLOAD zebra FIELDS email ${MAIL} name ann`,
    `FT.ADD old user:2 1 FIELDS email ${OTHER} name bob`,
  ],
  attempts: [
    'FT.SEARCH old *',
    'FT.SEARCH old * RETURN 3 name AS email',
    'FT.SEARCH old * WITHPAYLOADS',
    'FT.SEARCH old * SORTBY email WITHSORTKEYS',
    'FT.SEARCH old zebra* HIGHLIGHT',
    'FT.GET old user:1',
    'FT.MGET old user:1 user:2',
    'FT.AGGREGATE old * LOAD 1 @email',
    'FT.AGGREGATE old * LOAD 1 @email APPLY upper(@email) AS FooBar',
    'FT.AGGREGATE old * GROUPBY 1 @email REDUCE TOLIST 1 @email',
    {
      steps: ['FT.AGGREGATE old * LOAD 1 @email WITHCURSOR COUNT 1', 'FT.CURSOR Rfoo notes NUMBER'],
    },
    {
      steps: ['FT.AGGREGATE old * LOAD 1 @email WITHCURSOR COUNT 1', 'FT.CURSOR READ notes NUMBER'],
    },
    'HGETALL user:1',
  ],
  everyday: [
    'FT.SEARCH old ann',
    'FT.SEARCH old * RETURN 1 name',
    'FT.INFO old',
    'FT.ADD old user:3 1 FIELDS name eve',
  ],
};

export const SEARCH_ROUNDS: readonly LeakRound[] = [
  MASKED,
  JSONS,
  DETECTED,
  STRICT,
  FILTERED,
  CUT,
  OLD,
];
