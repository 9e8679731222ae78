/** No password is recorded, however wrongly it is written (GW-16). */
import t from 'tap';
import { shownRequest } from '../../../protocols/redis/secrets.ts';
import { encodeRequest, RequestReader } from '../../../protocols/wire/resp-request.ts';

function shown(line: string): string {
  const reader = new RequestReader();
  reader.add(encodeRequest(line.split(' ')));
  const request = reader.next({ argumentCount: 100, size: 10_000 });
  if (request === undefined) throw new Error('no request');
  return shownRequest(request).toString();
}

void t.test('passwords', async (t) => {
  for (const line of [
    'AUTH s3cret',
    'AUTH ann s3cret',
    'AUTH ann s3cret more',
    'HELLO 3 AUTH ann s3cret',
    'HELLO 3 SETNAME x AUTH ann s3cret',
    'HELLO 3 AUTH s3cret',
    'hello 2 auth s3cret',
    'ACL SETUSER ann on >s3cret',
    'CONFIG SET requirepass s3cret',
    'MIGRATE h 1 k 0 1 AUTH s3cret',
  ]) {
    t.notMatch(shown(line), /s3cret/, line);
  }
  t.match(shown('HELLO 3 AUTH ann s3cret'), /ann/, 'who it is stays');
});
