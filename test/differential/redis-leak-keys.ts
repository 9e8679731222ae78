/** Attempts by commands on keys: masks by name and by detector, strict masks, blocked keys. */

import type { LeakRound } from './redis-leak-lab.ts';

const MAIL = 'zebra@example.com';
const EXCEPT = 'except = ["free", "bob"]';

const RECORDS = [
  `HSET user:1 email ${MAIL} name Ann`,
  `HSET user:2 email zebra2@example.com name Bob`,
  `XADD user:x 1-1 email ${MAIL} name Ann`,
  'XGROUP CREATE user:x g 0',
  'SET open 1',
  'RPUSH open:l 1 2',
];

const NAMED: LeakRound = {
  name: 'a field by name',
  kind: 'debian',
  policy: `
[[mask]]
name = "mail"
fields = ["email"]
objects = ["redis:user:*"]
${EXCEPT}
`,
  setup: RECORDS,
  attempts: [
    'HGET user:1 email',
    'HMGET user:1 name email',
    'HGETALL user:1',
    'HVALS user:1',
    'HSCAN user:1 0',
    'HSCAN user:1 0 MATCH e*',
    'HRANDFIELD user:1 5 WITHVALUES',
    'SORT open:l BY nosort GET user:*->email',
    'SORT_RO open:l BY user:*->x GET user:*->email',
    'XRANGE user:x - +',
    'XREVRANGE user:x + -',
    'XREAD STREAMS user:x 0',
    'XREADGROUP GROUP g c STREAMS user:x >',
    { steps: ['XREADGROUP GROUP g c STREAMS user:x >', 'XCLAIM user:x g c 0 1-1'] },
    'XINFO STREAM user:x FULL',
    'DUMP user:1',
    "EVAL \"return redis.call('hget','user:1','email')\" 0",
    "EVAL_RO \"return redis.call('hget',KEYS[1],'email')\" 1 user:1",
    { steps: ['SORT open:l BY nosort GET user:*->email STORE t', 'LRANGE t 0 -1'] },
    { steps: ['COPY user:1 t', 'HGETALL t'] },
    { steps: ['RENAME user:1 t', 'HGETALL t'] },
    { steps: ['RENAMENX user:1 t', 'HGETALL t'] },
    { steps: ['COPY user:1 t DB 1', 'SELECT 1', 'HGETALL t'] },
    { steps: ['MOVE user:1 1', 'SELECT 1', 'HGETALL user:1'] },
    { steps: ['SWAPDB 0 1', 'SELECT 1', 'HGETALL user:1'] },
    { steps: ['MULTI', 'HGETALL user:1', 'EXEC'] },
    { steps: ['MULTI', ['COPY user:1 t', 'HGETALL t', 'EXEC']] },
    { steps: [['MULTI', 'GET open', 'HGET user:1 email', 'EXEC']] },
    {
      steps: [
        "FUNCTION LOAD \"#!lua name=l\\x0aredis.register_function('f',function(k) return redis.call('hgetall',k[1]) end)\"",
        'FCALL f 1 user:1',
      ],
    },
    // A list that looks like a message must not take the place of one.
    {
      version: 3,
      steps: [
        'SUBSCRIBE c',
        'RPUSH l message c x',
        ['LRANGE l 0 -1', 'HGETALL user:1', 'HGETALL user:1'],
      ],
    },
    { version: 2, steps: ['SUBSCRIBE c', ['UNSUBSCRIBE c', 'HGETALL user:1', 'HGETALL user:1']] },
    { steps: ['CONFIG SET slowlog-log-slower-than 0', `HSET user:3 email ${MAIL}`, 'SLOWLOG GET'] },
  ],
  everyday: [
    'GET open',
    'HGETALL user:1',
    'HGET user:1 name',
    'HSET user:1 email x',
    'DEL user:1',
    'EXPIRE user:1 100',
    'XRANGE user:x - +',
    'SCAN 0',
    'LRANGE open:l 0 -1',
    'LMOVE open:l open:m LEFT RIGHT',
    'INCR open',
    'APPEND open 1',
    'TTL user:1',
    'INFO server',
    'CLIENT SETNAME me',
    'RENAME open open2',
    'SETRANGE open 0 5',
  ],
};

const VALUES: LeakRound = {
  name: 'values of keys',
  kind: 'debian',
  policy: `
[[mask]]
name = "values"
fields = ["#value"]
${EXCEPT}
`,
  setup: [
    `SET s ${MAIL}`,
    `RPUSH l ${MAIL} x ${MAIL}`,
    `SADD set ${MAIL}`,
    `ZADD z 1 ann 2 ${MAIL}`,
    'SET n 1',
    'HSET h f v',
  ],
  attempts: [
    'GET s',
    'MGET n s',
    'GETRANGE s 0 4',
    'SUBSTR s 0 4',
    'GETDEL s',
    'GETEX s PERSIST',
    'GETSET s x',
    'SET s x GET',
    'LCS s s',
    'LRANGE l 0 -1',
    'LINDEX l 0',
    'LPOP l',
    'LMPOP 1 l LEFT',
    'BLPOP l 1',
    'LMOVE l k LEFT LEFT',
    'RPOPLPUSH l k',
    'SMEMBERS set',
    'SPOP set',
    'SRANDMEMBER set 3',
    'SSCAN set 0',
    'SUNION set',
    'ZRANGE z 0 -1',
    'ZRANGE z 0 -1 WITHSCORES',
    'ZSCAN z 0',
    'ZPOPMAX z',
    'BZPOPMAX z 1',
    'ZMPOP 1 z MAX',
    'ZRANDMEMBER z -9 WITHSCORES',
    'ZREVRANGEBYLEX z + -',
    'SORT l ALPHA',
    { steps: ['RENAME z withscores', 'ZUNION 1 withscores'] },
    { steps: ['RENAME z withscores', 'ZDIFF 1 withscores'] },
    { steps: ['SUNIONSTORE t set', 'SMEMBERS t'] },
    { steps: ['ZRANGESTORE t z 0 -1', 'ZRANGE t 0 -1'] },
    { steps: ['SORT l ALPHA STORE t', 'LRANGE t 0 -1'] },
    { steps: ['BITOP NOT t s', 'GET t'], secret: /\x85\x9a\x9d\x8d\x9e/ },
    { steps: [['MULTI', 'GET s', 'LRANGE l 0 -1', 'EXEC']] },
  ],
  everyday: [
    'HGETALL h',
    'SET n 2',
    'EXISTS s',
    'LPUSH l y',
    'LLEN l',
    'COPY s t',
    'DEL s',
    'ZADD z 3 x',
  ],
};

const DETECTED: LeakRound = {
  name: 'mail addresses by what they look like',
  kind: 'debian',
  policy: `
[[mask]]
name = "mails"
detect = ["email"]
${EXCEPT}
`,
  setup: [
    `SET s ${MAIL}`,
    `SET j {"m":["${MAIL}"]}`,
    `HSET h f ${MAIL} g x`,
    `RPUSH l ${MAIL} x`,
    `SADD set ${MAIL}`,
    `XADD x 1-1 f ${MAIL}`,
    'SET n 41',
  ],
  attempts: [
    'GET s',
    'GET j',
    'HGETALL h',
    'LRANGE l 0 -1',
    'SMEMBERS set',
    'XRANGE x - +',
    'GETRANGE s 0 4',
    'LCS s s',
    'DUMP s',
    { steps: ['SETRANGE s 5 x', 'GET s'] },
    { steps: ['SETBIT s 41 1', 'GET s'] },
    { steps: ['BITFIELD s SET u8 40 120', 'GET s'] },
    { steps: [`APPEND s @\\x01`, 'GET s'] },
    { steps: ['BITOP NOT t s', 'GET t'], secret: /\x85\x9a\x9d\x8d\x9e/ },
    { steps: ['SORT l ALPHA STORE t', 'LRANGE t 0 -1'] },
    { steps: ["EVAL \"return redis.call('get','s'):gsub('@','_')\" 0"] },
    { steps: [['MULTI', 'HGETALL h', 'XRANGE x - +', 'EXEC']] },
  ],
  everyday: [
    'GET n',
    'INCR n',
    'HGETALL h',
    'RENAME s t',
    'LMOVE l k LEFT LEFT',
    'SADD set y',
    'KEYS *',
  ],
};

const STRICT: LeakRound = {
  name: 'guesses under a strict mask',
  kind: 'debian',
  policy: `
[[mask]]
name = "strict"
fields = ["email", "#value"]
mode = "strict"
${EXCEPT}
`,
  setup: [...RECORDS, `SADD set ${MAIL}`, `ZADD z 0 ${MAIL}`, `SET s ${MAIL}`, 'SADD set2 x'],
  attempts: [
    'HSTRLEN user:1 email',
    `SISMEMBER set ${MAIL}`,
    `SMISMEMBER set ${MAIL} x`,
    `ZSCORE z ${MAIL}`,
    `ZRANK z ${MAIL}`,
    'ZLEXCOUNT z [z +',
    `SMOVE set t ${MAIL}`,
    `SREM set ${MAIL}`,
    'SINTERCARD 2 set set',
    'SINTERSTORE t set set',
    'STRLEN s',
    'GETBIT s 1',
    'BITCOUNT s',
    'LCS s s LEN',
    'SSCAN set 0 MATCH z*',
  ].map((line) => ({ steps: [line], isOracle: true })),
  everyday: [
    'HGETALL user:1',
    'HGET user:1 name',
    'GET open',
    'HSTRLEN user:1 name',
    'SADD set2 y',
  ].slice(0, 4),
};

const BLOCKED: LeakRound = {
  name: 'blocked keys',
  kind: 'debian',
  policy: `
[[rule]]
name = "no-vault"
effects = ["read", "export", "search"]
objects = ["redis:vault:*", "redis:k\u00fcche:*"]
principals = ["alice"]
action = "block"
`,
  setup: [
    'SET vault:1 zebra',
    'HSET vault:h f zebra',
    'SADD vault:s zebra',
    'SET k\\xc3\\xbcche:\\xff zebra',
    'SET k\\xc3\\xbcche:\\xef\\xbf\\xbd zebra',
    'SET open 1',
    'SET 1 1',
    'RPUSH l 1',
  ],
  attempts: [
    'GET vault:1',
    'MGET open vault:1',
    'HGETALL vault:h',
    'SUNION open:none vault:s',
    'GET k\\xc3\\xbcche:\\xff',
    'GET k\\xc3\\xbcche:\\xef\\xbf\\xbd',
    'SORT l BY nosort GET vault:*',
    'DUMP vault:1',
    { steps: ['RENAME vault:1 t', 'GET t'] },
    { steps: ['COPY vault:1 t', 'GET t'] },
    { steps: ['SUNIONSTORE t vault:s', 'SMEMBERS t'] },
    { steps: ['BITOP OR t vault:1', 'GET t'] },
    { steps: ['MOVE vault:1 1', 'SELECT 1', 'GET vault:1'] },
    { steps: [['MULTI', 'GET open', 'GET vault:1', 'EXEC']] },
    'LCS vault:1 vault:1',
    "EVAL \"return redis.call('get','vault:1')\" 0",
    "EVAL_RO \"return redis.call('get','vault:1')\" 0",
    { steps: ['CONFIG SET slowlog-log-slower-than 0', 'SET vault:2 zebra', 'SLOWLOG GET'] },
    'GETRANGE vault:1 0 -1',
    'SET vault:1 x GET',
    'getSET vault:1 x',
  ],
  everyday: ['GET open', 'SET vault:2 x', 'DEL vault:1', 'MGET open 1', 'LRANGE l 0 -1'],
};

const NEXT: LeakRound = {
  name: 'vector sets',
  kind: 'next',
  policy: `
[[mask]]
name = "attributes"
fields = ["email", "#attributes"]
${EXCEPT}
`,
  setup: [
    `VADD v VALUES 2 1 0 withscores SETATTR {"email":"${MAIL}"}`,
    `VADD v VALUES 2 0 1 b SETATTR {"email":"${MAIL}","n":1}`,
    `HSET fields email ${MAIL} name Ann`,
  ],
  attempts: [
    'VGETATTR v b',
    'VSIM v ELE b WITHATTRIBS',
    'VSIM v ELE withscores WITHATTRIBS',
    'VSIM v ELE b WITHSCORES WITHATTRIBS',
    'VSIM v VALUES 2 0 1 WITHATTRIBS',
    'HGETEX fields EX 100 FIELDS 1 email',
    'HGETEX fields PERSIST FIELDS 2 name email',
    'HGETDEL fields FIELDS 1 email',
    'HGETALL fields',
  ],
  everyday: [
    'VSIM v ELE b',
    'VSIM v ELE b WITHSCORES',
    'VCARD v',
    'VINFO v',
    'HGETEX fields FIELDS 1 name',
    'VADD v VALUES 2 1 1 c',
  ],
};

export const KEY_ROUNDS: readonly LeakRound[] = [NAMED, VALUES, DETECTED, STRICT, BLOCKED, NEXT];
