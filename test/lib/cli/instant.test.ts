import t from 'tap';
import { parseInstant } from '../../../lib/cli/instant.ts';

t.test('times as people type them', async (t) => {
  const start = '2026-03-04T05:06:07.890Z';
  const cases: readonly [string, number | undefined][] = [
    ['0', 0],
    ['12.5', 12_500_000],
    ['12.5s', 12_500_000],
    ['1m30s', 90_000_000],
    ['1h', 3_600_000_000],
    ['1:30', 90_000_000],
    ['1:00:01.5', 3_601_500_000],
    ['2026-03-04T05:06:08.890Z', 1_000_000],
    ['2020-01-01T00:00:00Z', 0],
    ['', undefined],
    ['-1', undefined],
    ['noon', undefined],
    ['2026-99-99T00:00:00Z', undefined],
  ];
  for (const [text, expected] of cases) t.equal(parseInstant(text, start), expected, text);
});
