import t from 'tap';
import { readReason } from '../../../lib/net/reason.ts';

t.test('one line, whatever was thrown', async (t) => {
  t.equal(readReason(new Error('no')), 'no');
  t.equal(readReason('text'), 'text');
  t.equal(readReason(new AggregateError([new Error('a'), new Error('b')])), 'a; b');
  t.equal(readReason(new AggregateError([new Error('a')], 'all failed')), 'all failed');
});
