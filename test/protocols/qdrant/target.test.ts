import t from 'tap';

import { readTarget } from '../../../protocols/qdrant/target.ts';
import { readRest } from '../../support/qdrant-pipe.ts';

const textsOf = (target: string): string[] | undefined =>
  readTarget(target)?.segments.map(({ text }) => text);

t.test('slashes are merged and trimmed as actix does it, segments are decoded once', async (t) => {
  t.same(textsOf('//collections///a/points/'), ['collections', 'a', 'points']);
  t.same(textsOf('/'), []);
  t.same(textsOf('/collections/a%20b'), ['collections', 'a b']);
  t.same(textsOf('/collections/%C3%A9t%C3%A9'), ['collections', 'été']);
  t.same(readTarget('/a?wait=true&timeout=5')?.parameters, ['wait', 'timeout']);
});

t.test('what could be read in two ways is no target', async (t) => {
  const odd = [
    'collections/a',
    'http://store/collections/a',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a/./b',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%252Fb',
    '/a%',
    '/a%2',
    '/a%zz',
    '/a;b=1',
    '/a#b',
    '/a b',
    '/a%00',
    '/a%0a',
    '/a%ff',
    '/a%2Bb',
    '/a\u00e9',
    '/a?%77ait=1',
    '/%c0%ae',
    `/${'a'.repeat(9000)}`,
  ];
  for (const target of odd) t.equal(readTarget(target), undefined, JSON.stringify(target));
});

t.test('words of routes only count as they are written', async (t) => {
  const kind = (line: string): string => {
    const read = readRest(line, {});
    return typeof read === 'string' ? read : read.route;
  };
  t.equal(kind('POST /collections/c/points/count'), 'POST /collections/{c}/points/count');
  t.equal(
    kind('POST /collections/c//points/count/?timeout=3'),
    'POST /collections/{c}/points/count',
  );
  for (const line of [
    'POST /collections/c/%70oints/count',
    'POST /Collections/c/points/count',
    'POST /collections/c/points/count?x=1',
    'post /collections/c/points/count',
    'HEAD /collections/c',
    'GET /collections/%61liases',
    'POST /collections/c',
    'GET /dashboard',
    'POST /collections/c/points/idf',
    'GET /qdrant.Points/Query',
  ]) {
    t.equal(kind(line), 'no route', line);
  }
});
