/** Options are read at their places: keys, patterns and elements spelled like one are none. */
import t from 'tap';
import {
  fieldsAfter,
  hasNoValues,
  readJsonGet,
  readSimilar,
  unionHasScores,
} from '../../../protocols/redis/answer-arguments.ts';
import { UnreadableCommand } from '../../../protocols/redis/command-table.ts';

const words = (line: string): Buffer[] => line.split(' ').map((word) => Buffer.from(word));

void t.test('VSIM', async (t) => {
  const namesOf = (line: string): string[] => [...readSimilar(words(line)).keys()];
  t.same(namesOf('VSIM v ELE withscores WITHATTRIBS'), ['withattribs']);
  t.same(namesOf('VSIM v VALUES 2 1 0 COUNT 3 WITHSCORES'), ['count', 'withscores']);
  t.same(namesOf('VSIM v FP32 filter FILTER .a>1 TRUTH'), ['filter', 'truth']);
  t.equal(readSimilar(words('VSIM v ELE x FILTER .a FILTER .b')).get('filter'), 7);
  for (const line of [
    'VSIM v',
    'VSIM v x',
    'VSIM v VALUES 02 1 0',
    'VSIM v VALUES -1',
    'VSIM v ELE x COUNT',
    'VSIM v ELE x NEWOPTION',
  ]) {
    t.throws(() => readSimilar(words(line)), UnreadableCommand, line);
  }
});

void t.test('hashes', async (t) => {
  t.equal(hasNoValues(words('HSCAN h 0 MATCH novalues')), false);
  t.equal(hasNoValues(words('HSCAN h 0 COUNT 5 NOVALUES')), true);
  t.throws(() => hasNoValues(words('HSCAN h 0 WHATEVER')), UnreadableCommand);
  const fields = (line: string): string => fieldsAfter(words(line)).join(' ');
  t.equal(fields('HGETEX fields EX 10 FIELDS 2 a b'), 'a b');
  t.equal(fields('HGETEX fields PERSIST FIELDS 1 fields'), 'fields');
  t.equal(fields('HGETDEL k FIELDS 1 a'), 'a');
  t.throws(() => fields('HGETEX k NEW FIELDS 1 a'), UnreadableCommand);
  t.throws(() => fields('HGETEX k EX 1'), UnreadableCommand);
});

void t.test('sorted sets and documents', async (t) => {
  t.equal(unionHasScores(words('ZUNION 2 withscores b')), false);
  t.equal(unionHasScores(words('ZUNION 1 withscores AGGREGATE SUM WITHSCORES')), true);
  t.same(readJsonGet(words('JSON.GET k')), { paths: [], isForeign: false });
  t.same(readJsonGet(words('JSON.GET k FORMAT STRING $.a')), { paths: ['$.a'], isForeign: false });
  t.same(readJsonGet(words('JSON.GET k INDENT $.x NOESCAPE $.a FORMAT EXPAND $.b')), {
    paths: ['$.a', '$.b'],
    isForeign: true,
  });
  t.equal(readJsonGet(words('JSON.GET k SPACE 0,"x":')).isForeign, true, 'no JSON any more');
  t.equal(readJsonGet(words('JSON.GET k NEWLINE },{ $')).isForeign, true);
  t.equal(
    readJsonGet(['JSON.GET', 'k', 'INDENT', '  '].map((one) => Buffer.from(one))).isForeign,
    false,
  );
});
