import t from 'tap';
import {
  encodeAncientError,
  encodeError,
  poisonCall,
  poisonParse,
  poisonQuery,
  readField,
  refusalOf,
} from '../../../protocols/postgres/refusal.ts';
import { decodeFields, message } from '../../support/raw-postgres.ts';

t.test('an error with all its fields (GW-18)', async (t) => {
  const decision = {
    kind: 'block',
    rule: 'r',
    code: '42501',
    reason: 'no é',
    hint: 'why',
    position: 7,
  } as const;
  const bytes = encodeError('ERROR', refusalOf(decision));
  t.equal(bytes.readInt32BE(1), bytes.length - 1);
  t.same(decodeFields(bytes.subarray(5)), {
    S: 'ERROR',
    V: 'ERROR',
    C: '42501',
    M: 'no é',
    H: 'why',
    P: '7',
  });
  t.equal(readField(bytes, 'C'), '42501');
  t.equal(readField(bytes, 'D'), '');
});

t.test('clients that do not read UTF-8 get ASCII; NULs and endless texts are cut', async (t) => {
  t.match(decodeFields(encodeError('FATAL', { code: 'X', message: 'é\0ü' }, false).subarray(5)), {
    M: '? ?',
  });
  t.equal(
    decodeFields(encodeError('FATAL', { code: 'X', message: 'x'.repeat(9000) }).subarray(5))['M']
      ?.length,
    4096,
  );
});

t.test('poison cannot parse, names the rule, and holds nothing else of it (PG-31)', async (t) => {
  const refusal = { code: '42501', message: "it's *secret*", rule: "no-drop'; drop table t --" };
  t.equal(
    poisonQuery(refusal).toString('latin1', 5),
    ') refused by Weir, rule no-dropdroptablet--\0',
  );
  t.equal(poisonQuery({ code: 'X', message: 'm' }).toString('latin1', 5), ') refused by Weir\0');
  t.equal(
    poisonParse(Buffer.from('s1'), { code: 'X', message: 'm' }).toString('latin1', 5),
    's1\0) refused by Weir\0\0\0',
  );
  t.same(poisonCall(), message('F', Buffer.alloc(10)));
});

t.test('the error of protocol 2 has no length (PG-1)', async (t) => {
  t.equal(encodeAncientError('FATAL:  x\n').toString(), 'EFATAL:  x\n\0');
});

t.test('fields of a broken layout are read without harm', async (t) => {
  for (const body of ['', 'C', 'Cabc', '\0', 'Sx\0C'])
    t.equal(readField(message('E', Buffer.from(body)), 'C'), '');
});
