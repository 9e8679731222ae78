import t from 'tap';
import { describeStoreViolation, describeViolation } from '../../../lib/policy/reason.ts';

t.test('the sentence names effect, object, way and rule', async (t) => {
  const rule = 'no-destruction';
  t.equal(
    describeViolation({ rule, effect: 'delete', object: 'public.orders', via: undefined }),
    'delete on public.orders is not allowed (rule "no-destruction")',
  );
  t.equal(
    describeViolation({ rule, effect: 'drop', object: undefined, via: 'DO body' }),
    'drop, by DO body, is not allowed (rule "no-destruction")',
  );
  t.equal(
    describeViolation({
      rule: 'unknown-effect',
      effect: 'unknown',
      object: undefined,
      via: undefined,
    }),
    'an operation that cannot be judged is not allowed (rule "unknown-effect")',
  );
});

t.test('names from the client cannot forge lines or flood the message', async (t) => {
  const forged = describeViolation({
    rule: 'r',
    effect: 'drop',
    object: `a\nERROR: b\u001b[2J\u202e\u2028${'x'.repeat(5000)}`,
    via: undefined,
  });
  for (const character of ['\n', '\u001b', '\u202e', '\u2028']) t.notOk(forged.includes(character));
  t.ok(forged.length < 400);
});

t.test('of stores: what was asked for, and what that means', async (t) => {
  const target = { kind: 'collection', path: ['clients'] } as const;
  const violation = (
    meanings: readonly (typeof target | { kind: 'collection'; path: string[] })[],
  ) => ({
    rule: 'r',
    access: { effect: 'search', target, meanings } as const,
  });
  t.equal(
    describeStoreViolation(violation([target]), 'qdrant'),
    'search on qdrant:clients is not allowed (rule "r")',
  );
  t.equal(
    describeStoreViolation(violation([{ kind: 'collection', path: ['customers'] }]), 'qdrant'),
    'search on qdrant:clients (qdrant:customers) is not allowed (rule "r")',
  );
  const whole = {
    rule: 'r',
    access: { effect: 'export', target: undefined, meanings: [] },
  } as const;
  t.equal(describeStoreViolation(whole, 'redis'), 'export is not allowed (rule "r")');
});
