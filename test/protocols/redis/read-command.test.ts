/** What a command does beside what its line of the table says: by its options, its paths, its elements. */
import t from 'tap';
import { findCommand, UnreadableCommand } from '../../../protocols/redis/command-table.ts';
import { type ReadCommand, readCommand } from '../../../protocols/redis/read-command.ts';
import { masksOf } from '../../support/redis-lab.ts';

const EMPTY = Buffer.alloc(0);

function read(line: string): ReadCommand {
  const args = line.split(' ').map((word) => Buffer.from(word));
  const spec = findCommand(args[0] ?? EMPTY, args[1] ?? EMPTY);
  if (spec === undefined) throw new Error(`no command: ${line}`);
  return readCommand(spec, args, { schema: undefined, cursor: undefined });
}

const effectsOf = (line: string): string[] =>
  read(line).request.accesses.map(({ effect }) => effect);
const steeringOf = (line: string): string[] =>
  read(line).request.steering.map((path) => path.join('.'));

void t.test('what takes records away', async (t) => {
  t.same(effectsOf('XADD k * f v'), ['upsert']);
  t.same(effectsOf('XADD k * maxlen 1'), ['upsert'], 'a field of that name');
  t.same(effectsOf('XADD k NOMKSTREAM 1-1 minid 1'), ['upsert']);
  t.same(effectsOf('XADD k MAXLEN ~ 1 * f v'), ['upsert', 'delete']);
  t.same(effectsOf('XADD k nomkstream ACKED minid 9 * f v'), ['upsert', 'delete']);
  t.same(effectsOf('JSON.MERGE k $ {"a":null}'), ['upsert', 'delete']);
  t.same(effectsOf('JSON.MERGE k $ {"a":1}'), ['upsert']);
});

void t.test('paths with a condition steer by any field, in every command of JSON', async (t) => {
  const path = '$[?(@.a==1)]';
  for (const line of [
    `JSON.TYPE k ${path}`,
    `JSON.OBJLEN k ${path}`,
    `JSON.OBJKEYS k ${path}`,
    `JSON.ARRLEN k ${path}`,
    `JSON.CLEAR k ${path}`,
    `JSON.DEL k ${path}`,
    `JSON.SET k ${path} 1`,
    `JSON.MERGE k ${path} 1`,
    `JSON.GET k $.a ${path}`,
    `JSON.MGET k k ${path}`,
    `JSON.MSET k $ 1 k ${path} 1`,
  ]) {
    t.match(read(line).request.steersAny, /filters by any field/, line);
  }
  for (const line of [
    'JSON.SET k $.a "a?"',
    'JSON.MERGE k $ "?"',
    'JSON.MSET k? $ "?"',
    'JSON.TYPE k? $',
  ]) {
    t.equal(read(line).request.steersAny, undefined, line);
  }
});

void t.test('answers that tell whether a guess is right', async (t) => {
  for (const line of [
    'ZINCRBY k 0 x',
    'GEOADD k 1 1 x',
    'GEOSEARCH k FROMMEMBER x BYRADIUS 1 km',
    'GEOSEARCHSTORE t k FROMMEMBER x BYRADIUS 1 km',
    'GEORADIUSBYMEMBER k x 1 km',
    'GEORADIUSBYMEMBER_RO k x 1 km',
    'PFADD k x',
    'APPEND k x',
    'SETRANGE k 0 x',
    'FT.SUGADD k x 1 INCR',
  ]) {
    t.ok(steeringOf(line).includes('#value'), line);
  }
  t.notOk(steeringOf('GEOSEARCH k FROMLONLAT 1 1 BYRADIUS 1 km').includes('#value'));
  t.ok(steeringOf('JSON.STRAPPEND k $.email ""').includes('email'));
  for (const line of [
    'VISMEMBER k x',
    'VREM k x',
    'VEMB k x',
    'VGETATTR k x',
    'VSIM k ELE x',
    'VADD k VALUES 1 1 x',
  ]) {
    t.ok(steeringOf(line).includes('#element'), line);
  }
  t.notOk(steeringOf('VSIM k VALUES 1 1').includes('#element'));
  t.same(steeringOf('VSIM k VALUES 1 1 FILTER .year>1980'), ['#attributes', 'year']);
});

void t.test('no part of a text is changed where JSON in it is masked by name', async (t) => {
  const byName = { restrictions: undefined, masks: masksOf(['email']) };
  const byLook = { restrictions: undefined, masks: masksOf([], true) };
  for (const line of ['SETRANGE k 0 x', 'SETBIT k 0 1', 'BITFIELD k SET u8 0 1']) {
    t.match(read(line).apply(byName), /masked by name/, line);
    t.match(read(line).apply(byLook), /masked by what they look like/, line);
  }
  t.type(read('APPEND k x').apply(byName), 'object', 'what begins as JSON is hidden then');
});

void t.test('aggregations', async (t) => {
  const names = (line: string): string[] => steeringOf(`FT.AGGREGATE i * ${line}`);
  t.ok(names('GROUPBY 0 REDUCE MAX 1 salary AS n').includes('salary'), 'without @');
  t.ok(names('GROUPBY 0 REDUCE FIRST_VALUE 3 a BY email').includes('email'));
  t.ok(names('APPLY @salary$ AS n').includes('salary'), 'what the server leaves out of a name');
  t.ok(names('FILTER @salary.>1').includes('salary'));
  t.throws(() => read('FT.AGGREGATE i * GROUPBY 0 REDUCE NEW 1 @a'), UnreadableCommand);
});
