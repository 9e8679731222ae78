import { execFileSync } from 'node:child_process';
import t from 'tap';
import { findUnprivilegedAccount } from '../../../lib/demo/unprivileged-account.ts';

const isRoot = process.getuid?.() === 0;

t.test(
  'root gets an account without rights',
  { skip: isRoot ? false : 'this is not root' },
  async (t) => {
    const account = await findUnprivilegedAccount();
    t.ok(account !== undefined && account.uid !== 0 && account.gid !== 0);
    const name = execFileSync('id', ['-un'], {
      encoding: 'utf8',
      cwd: '/',
      uid: account?.uid ?? 0,
      gid: account?.gid ?? 0,
    });
    t.equal(name.trim(), account?.name, 'the system knows it by number, as initdb demands');
  },
);

t.test('anybody else stays who they are', { skip: isRoot ? 'this is root' : false }, async (t) => {
  t.equal(await findUnprivilegedAccount(), undefined);
});
