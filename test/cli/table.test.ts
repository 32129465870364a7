import t from 'tap';
import { formatTable } from '../../lib/cli/table.ts';

t.test('columns are as wide as what is in them, without spaces at the end', async (t) => {
  const rows = [
    ['ci', 'operator', 'never'],
    ['a-long-name', 'admin', ''],
  ];
  t.equal(
    formatTable(['NAME', 'ROLE', 'EXPIRES'], rows),
    'NAME         ROLE      EXPIRES\nci           operator  never\na-long-name  admin\n',
  );
});

t.test('no rows: the headers alone; a row may be short', async (t) => {
  t.equal(formatTable(['A', 'B'], []), 'A  B\n');
  t.equal(formatTable(['A', 'B'], [['1']]), 'A  B\n1\n');
});

t.test('a cell cannot give orders to the terminal', async (t) => {
  t.equal(formatTable(['A'], [['x\u001b[2J\ny\u009b']]), 'A\nx?[2J?y?\n');
});
