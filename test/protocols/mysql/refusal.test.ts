import t from 'tap';
import { PacketReader } from '../../../protocols/mysql/packet.ts';
import {
  encodeErr,
  errTextOf,
  numberOf,
  parseErr,
  shownError,
} from '../../../protocols/mysql/refusal.ts';

const RETRIED = [1047, 1205, 1213, 1290, 1792, 1836, 2006, 2013];

t.test('codes are numbers that drivers know (GW-18)', async (t) => {
  const numbers = ['42501', '42601', '28000', '57P01', '53300', '99999'].map(
    (code) => numberOf(code).errno,
  );
  t.same(numbers, [1142, 1064, 1045, 1053, 1040, 1105]);
  t.equal(numberOf('42501').state, '42000');
  for (const code of ['42501', '42601', '0A000', '28000']) {
    t.notOk(RETRIED.includes(numberOf(code).errno), `${code} makes nobody retry`);
  }
});

t.test('an ERR packet can be read back, with a state and without (MY-15)', async (t) => {
  const err = { errno: 1142, state: '42000', message: 'no “ünicode”' };
  for (const withState of [true, false]) {
    const reader = new PacketReader('server', 1000);
    reader.push(encodeErr(err, 3, withState));
    const packet = reader.read();
    t.equal(packet?.sequence, 3);
    t.same(parseErr(packet?.payload ?? Buffer.alloc(0)), withState ? err : { ...err, state: '' });
  }
});

t.test('a text is one line that fits the buffers of clients', async (t) => {
  const { message } = errTextOf({
    code: '42501',
    message: `a\r\nb\0${'é'.repeat(900)}`,
    hint: 'x',
  });
  t.match(message, /^a bé|^a b é/);
  t.ok(Buffer.byteLength(message) <= 511);
  t.notMatch(message, /\uFFFD/);
  t.equal(errTextOf({ code: '42501', message: 'no', hint: 'ask' }).message, 'no (ask)');
  const own = { errno: 1, state: 'HY000' };
  t.match(errTextOf({ code: '42501', message: 'no', error: own }), own);
});

t.test(
  'a recording keeps an error without its text, where that may be secret (GW-16)',
  async (t) => {
    const err = { errno: 1064, state: '42000', message: "near 'hunter2'" };
    for (const withState of [true, false]) {
      const packet = encodeErr(err, 1, withState);
      const shown = shownError(packet, true);
      t.equal(shown.length, packet.length);
      t.match(parseErr(shown.subarray(4)), { errno: 1064, message: /^\*{14}$/ });
      t.match(packet.toString('latin1'), /hunter2/, 'the client still gets it');
      t.equal(shownError(packet, false), packet);
    }
  },
);
