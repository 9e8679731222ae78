import t from 'tap';
import { Alarms } from '../../../lib/gateway/alarms.ts';
import { pause } from './duplex-pair.ts';

t.test('an alarm set again replaces the one of its name', async (t) => {
  const alarms = new Alarms();
  const rung: string[] = [];
  alarms.set('a', 1, () => rung.push('first'));
  alarms.set('a', 5, () => rung.push('second'));
  alarms.set('b', 5, () => rung.push('b'));
  await pause(30);
  t.same(rung.toSorted(), ['b', 'second']);
});

t.test('undefined clears one, clear() all, and a rung alarm can be set again', async (t) => {
  const alarms = new Alarms();
  const rung: string[] = [];
  alarms.set('a', 1, () => rung.push('a'));
  await pause(15);
  alarms.set('a', 1, () => rung.push('again'));
  alarms.set('b', 1, () => rung.push('b'));
  alarms.set('b', undefined, () => rung.push('never'));
  await pause(15);
  alarms.set('c', 1, () => rung.push('c'));
  alarms.clear();
  await pause(15);
  t.same(rung, ['a', 'again']);
});
