import t from 'tap';
import { formatTable } from '../../../lib/cli/table.ts';

t.test('columns line up, and no line ends in blanks', async (t) => {
  const table = formatTable(
    ['NAME', 'B'],
    [
      ['a', '1'],
      ['longer', ''],
      ['ü', 'x'],
    ],
  );
  t.equal(table, 'NAME    B\na       1\nlonger\nü       x\n');
  t.equal(formatTable(['NAME'], []), 'NAME\n');
});

t.test('what would move the cursor is replaced', async (t) => {
  t.equal(formatTable(['A'], [['x\u001b[2J\ny']]), 'A\nx\ufffd[2J\ufffdy\n');
});
