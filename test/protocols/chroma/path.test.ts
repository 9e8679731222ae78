import t from 'tap';
import {
  checkQuery,
  decodeSegment,
  readUuid,
  splitTarget,
} from '../../../protocols/chroma/path.ts';

t.test('a target is split as it came', async (t) => {
  t.same(splitTarget('/api/v2/a%2Fb?x=1?y'), { segments: ['api', 'v2', 'a%2Fb'], query: 'x=1?y' });
  t.same(splitTarget('//a/'), { segments: ['', 'a', ''], query: '' });
  for (const target of ['*', 'http://h/api/v2', '', 'api/v2', '/api#x']) {
    t.equal(splitTarget(target), undefined, target);
  }
});

t.test('a name in a path is decoded once, or refused', async (t) => {
  t.equal(decodeSegment('a%20b'), 'a b');
  t.equal(decodeSegment('a%2Fb'), 'a/b');
  t.equal(decodeSegment('a+b'), 'a+b', 'a plus sign is one');
  t.equal(decodeSegment('%2525'), '%25');
  t.equal(decodeSegment('%C3%A9'), 'é');
  for (const bad of [
    '.',
    '..',
    '%2e',
    '.%2E',
    '',
    '%',
    '%4',
    '%zz',
    '%C3',
    '%FF',
    '%00',
    'caf\u00e9',
    'a b',
  ]) {
    t.equal(decodeSegment(bad), undefined, JSON.stringify(bad));
  }
});

t.test('every form of an id that the server takes is the same id', async (t) => {
  const id = '17550686-caa4-452b-8d58-abb99c9ed9d5';
  const forms = [id, id.toUpperCase(), id.replaceAll('-', ''), `{${id}}`, `urn:uuid:${id}`];
  for (const form of forms) t.equal(readUuid(form), id, form);
  for (const bad of ['cust', `${id}0`, `${id} `, id.slice(1), `{${id}`, `(${id})`, '']) {
    t.throws(() => readUuid(bad), { code: 'CHROMA_UUID', blame: 'client' }, bad);
  }
});

t.test('query parameters that a route does not have are refused', async (t) => {
  checkQuery('', []);
  checkQuery('limit=1&offset=2', ['limit', 'offset']);
  checkQuery('limit=1&', ['limit']);
  t.throws(() => checkQuery('include=x', ['limit']), { code: 'CHROMA_QUERY' });
  t.throws(() => checkQuery('limi%74=1', ['limit']), { code: 'CHROMA_QUERY' });
});
