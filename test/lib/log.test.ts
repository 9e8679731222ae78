import t from 'tap';
import { createLog, formatForPeople } from '../../lib/log.ts';

function capture(isTTY = false) {
  const lines: string[] = [];
  return { lines, stream: { isTTY, write: (text: string) => lines.push(text) } };
}

t.test('one JSON object a line where nobody watches', async (t) => {
  const { lines, stream } = capture();
  createLog(stream, 'info').info({ connection: 'shop' }, 'listening');
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), { level: 30, connection: 'shop', msg: 'listening' });
  t.match(lines[0], /"time":"20\d\d-/);
});

t.test('one readable line for people', async (t) => {
  const { lines, stream } = capture(true);
  createLog(stream, 'info').warn({ connection: 'shop', note: 'two words' }, 'careful');
  t.match(lines[0], /^\d\d:\d\d:\d\d WARN {2}careful {2}connection=shop {2}note="two words"\n$/);
});

t.test('secrets are taken out at every level that is looked at', async (t) => {
  for (const isTTY of [false, true]) {
    const { lines, stream } = capture(isTTY);
    const log = createLog(stream, 'info');
    log.info(
      { password: 'hunter2', user: { scram: 'hunter2' }, a: { b: { token: 'hunter2' } } },
      'x',
    );
    log.info({ login: { user: 'app', password: 'hunter2' } }, 'x');
    t.equal(lines.length, 2);
    t.notMatch(lines.join(''), /hunter2/);
    t.match(lines.join(''), /\[secret\]/);
    t.match(lines.join(''), /app/);
  }
});

t.test('the level comes from WEIR_LOG, and a wrong one is told', async (t) => {
  const { lines, stream } = capture();
  createLog(stream, 'error').warn('not shown');
  t.same(lines, []);
  process.env['WEIR_LOG'] = 'debug';
  createLog(stream).debug('shown');
  t.equal(lines.length, 1);
  process.env['WEIR_LOG'] = 'loud';
  t.throws(() => createLog(stream), {
    code: 'LOG_LEVEL',
    message: /expected trace, .* found "loud"/,
  });
  delete process.env['WEIR_LOG'];
});

t.test('strangers cannot move the cursor', async (t) => {
  const { lines, stream } = capture(true);
  createLog(stream, 'info').info({ user: 'a\u001b[2J\nb' }, 'x\u001b]0;y\u0007\u202e');
  t.notMatch(lines.join('').trimEnd(), /[\p{Cc}\u202e]/u);
});

t.test('errors keep their stack', async (t) => {
  const { lines, stream } = capture(true);
  createLog(stream, 'info').error({ err: new Error('broken') }, 'internal error');
  t.match(lines.join(''), /ERROR internal error\n {15}Error: broken\n {15} +at /);
  t.equal(
    formatForPeople('{"level":30,"time":"2026-01-01T10:11:12.000Z","msg":"m"}'),
    '10:11:12 INFO  m\n',
  );
});
