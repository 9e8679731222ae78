/** The table against the servers' own lists of commands: one that a server has and the table does not fails here. */
import t from 'tap';
import {
  accessesOf,
  commandNames,
  findCommand,
  nameText,
  UnreadableCommand,
} from '../../../protocols/redis/command-table.ts';
import { answerOf } from '../../../protocols/redis/answers.ts';
import {
  type Plain,
  RawRedis,
  type RedisKind,
  redisMissing,
  startRedis,
} from '../../support/redis-server.ts';

/** What a command that the server says to write must do in the table. */
const WRITES = new Set(['upsert', 'delete', 'drop', 'create', 'alter', 'admin']);
/** Written as far as the server is concerned: it expires keys or moves a cursor, and no value changes. */
/** SORT and GEORADIUS do with STORE only, which read-command.ts adds. */
const WRITES_NOTHING =
  /^(?:sort|georadius|georadiusbymember|topk\.count|pfcount|touch|json\.arrindex|ft\.cursor|_?ft\._?(?:list)|ft\.syndump)$/;

for (const kind of ['debian', 'stack', 'next'] as const satisfies readonly RedisKind[]) {
  void t.test(
    `every command of ${kind} is in the table`,
    { skip: redisMissing(kind) },
    async (t) => {
      const { port } = await startRedis(t, kind);
      const client = await RawRedis.connect(port);
      const listed = await client.run('COMMAND LIST');
      client.close();
      if (!Array.isArray(listed)) throw new Error('no list');
      t.ok(listed.length > 200);
      const known = new Set(commandNames());
      const containers = new Set([...known].map((name) => name.split(' ')[0] ?? ''));
      const unknown = listed
        .map((name) => String(name).toLowerCase().replace('|', ' '))
        .filter((name) => !known.has(name) && !containers.has(name))
        // FT.DEBUG and _FT.DEBUG are one line here: all of it is `admin`.
        .filter((name) => !/^_?ft\.(?:debug|config) /.test(name));
      t.same(unknown, []);
    },
  );

  void t.test(
    `as ${kind} says: what writes, what has keys`,
    { skip: redisMissing(kind) },
    async (t) => {
      const { port } = await startRedis(t, kind);
      const client = await RawRedis.connect(port);
      for (const name of commandNames()) {
        const info = itemsOf(
          itemsOf(await client.ask('COMMAND', 'INFO', name.replace(' ', '|')))[0],
        );
        const [base = '', sub = ''] = name.split(' ');
        const spec = findCommand(Buffer.from(base), Buffer.from(sub));
        if (info.length === 0 || spec === undefined) continue;
        const flags = itemsOf(info[2]).map(String);
        const effects = spec.accesses.map(({ effect }) => effect);
        const isWriting = effects.some((effect) => WRITES.has(effect));
        if (flags.includes('write') && !WRITES_NOTHING.test(name))
          t.ok(isWriting, `${name} writes`);
        if (Number(info[3]) > 0 && name !== 'sunsubscribe')
          t.ok(effects.length > 0, `${name} has keys`);
        if (flags.includes('admin'))
          t.ok(isWriting || HARMLESS.test(name), `${name} is for admins`);
      }
      client.close();
    },
  );

  void t.test(`keys where ${kind} says that they are`, { skip: redisMissing(kind) }, async (t) => {
    const { port } = await startRedis(t, kind);
    const client = await RawRedis.connect(port);
    for (const line of EXAMPLES) {
      const args = line.split(' ').map((word) => Buffer.from(word));
      const found = await client.run(`COMMAND GETKEYS ${line}`);
      if (found instanceof Error && /Invalid command|unknown/i.test(found.message)) continue;
      if (!Array.isArray(found)) throw new Error(`${line}: ${String(found)}`);
      const spec = findCommand(args[0] ?? Buffer.alloc(0), args[1] ?? Buffer.alloc(0));
      if (spec === undefined) throw new Error(line);
      const keys = accessesOf(spec, args).flatMap(({ target }) => target?.path ?? []);
      t.same([...new Set(keys)].toSorted(), [...new Set(found.map(String))].toSorted(), line);
    }
    client.close();
  });
}

/** Flagged `admin` by servers, and they only tell about the connection, the cluster or themselves. */
const HARMLESS =
  /^(?:role|lastsave|acl (?:cat|help|whoami|genpass)|client (?:list|id|.*)|cluster .*|latency .*|config help|module (?:list|help)|slowlog (?:get|help|len)|pfdebug|acl log)$/;

function itemsOf(reply: Plain | undefined): readonly Plain[] {
  return Array.isArray(reply) ? reply : [];
}

const EXAMPLES = [
  'GET a',
  'MGET a b c',
  'MSET a 1 b 2',
  'BLPOP a b 0',
  'BLMPOP 0 2 a b LEFT',
  'LMPOP 2 a b LEFT',
  'ZMPOP 1 a MIN',
  'BZMPOP 0 1 a MIN',
  'BZPOPMIN a b 0',
  'ZUNION 2 a b',
  'ZUNIONSTORE d 2 a b WEIGHTS 1 2',
  'ZDIFFSTORE d 1 a',
  'ZINTERCARD 2 a b LIMIT 1',
  'SINTERCARD 2 a b',
  'SDIFFSTORE d a b',
  'SMOVE a b x',
  'COPY a b',
  'RENAME a b',
  'LCS a b',
  'BITOP AND d a b',
  'PFMERGE d a b',
  'PFCOUNT a b',
  'LMOVE a b LEFT LEFT',
  'GEOSEARCHSTORE d a FROMMEMBER m BYRADIUS 1 m',
  'ZRANGESTORE d a 0 1',
  'XREAD COUNT 1 STREAMS a b 0 0',
  'XREADGROUP GROUP streams c COUNT 1 STREAMS a b 0 0',
  'XGROUP CREATE a g 0',
  'XINFO STREAM a',
  'OBJECT ENCODING a',
  'MEMORY USAGE a',
  'SORT a',
  'DEL a b',
  'EXISTS a b',
  'HGET a f',
  'VSIM a ELE x',
  'VADD a VALUES 1 1 x',
  'VEMB a x',
  'JSON.GET a $',
];

void t.test('every line has a shape of answers, and accesses that can be read', async (t) => {
  for (const name of commandNames()) {
    const [base = '', sub = 'x'] = name.split(' ');
    const spec = findCommand(Buffer.from(base), Buffer.from(name.includes(' ') ? sub : ''));
    if (spec === undefined) {
      t.equal(name, 'command', 'only that one is a container and a command');
      continue;
    }
    const args = [base, sub, '2', 'a', 'b', 'STREAMS', 'a', 'b'].map((one) => Buffer.from(one));
    const isOwn = ['search', 'aggregate', 'tagvals', 'cursor'].includes(spec.answer);
    try {
      if (!isOwn) answerOf(spec.answer, args);
      accessesOf(spec, args);
    } catch (error) {
      t.ok(error instanceof UnreadableCommand, name);
    }
  }
});

void t.test('what cannot be read', async (t) => {
  const refuses = (line: string): void => {
    const args = line.split(' ').map((word) => Buffer.from(word, 'latin1'));
    const spec = findCommand(args[0] ?? Buffer.alloc(0), args[1] ?? Buffer.alloc(0));
    if (spec === undefined) throw new Error(line);
    t.throws(() => accessesOf(spec, args), UnreadableCommand, line);
  };
  refuses('LMPOP 02 a b LEFT');
  refuses('LMPOP 3 a b');
  refuses('LMPOP -1 a');
  refuses('XREAD STREAMS a b 0');
  refuses('XREAD NEW STREAMS a 0');
  refuses('FT.SEARCH \xff *');
  t.equal(findCommand(Buffer.from('GeT'), Buffer.from('a'))?.name, 'get');
  t.equal(findCommand(Buffer.from('nosuch'), Buffer.from('a')), undefined);
  t.equal(findCommand(Buffer.from('config'), Buffer.from('nosuch')), undefined);
  t.equal(findCommand(Buffer.from('config|get'), Buffer.from('x')), undefined);
  t.equal(findCommand(Buffer.from('GET\0'), Buffer.from('x')), undefined);
});

void t.test('names: none is another, and their beginnings stay', async (t) => {
  t.equal(nameText(Buffer.from('k\u00fcche:1')), 'k\u00fcche:1');
  t.equal(nameText(Buffer.from('a\ufffd')), 'a\ufffd', 'a replacement character is one');
  const binary = Buffer.concat([Buffer.from('k\u00fcche:'), Buffer.from([0xff, 0x41, 0xe2, 0x82])]);
  t.equal(nameText(binary), 'k\u00fcche:\udcffA\udce2\udc82');
  const odd = ['ff', 'fe', 'efbfbd', 'c3bf', 'c3afc2bfc2bd', 'c0af', 'eda080', 'f5808080', 'c3'];
  t.equal(new Set(odd.map((hex) => nameText(Buffer.from(hex, 'hex')))).size, odd.length);
});
