import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import t from 'tap';

import { REST_ROUTES } from '../../../protocols/qdrant/rest-routes.ts';
import { OPENAPI_ROUTES } from '../../support/qdrant-openapi.ts';

const lines = REST_ROUTES.map(({ method, path }) => `${method} ${path}`);

t.test('every route of the OpenAPI documents is in the table', async (t) => {
  t.same(
    OPENAPI_ROUTES.filter((line) => !lines.includes(line)),
    [],
  );
});

t.test('every route of the installed REST client is in the list of OpenAPI routes', async (t) => {
  const routes = clientRoutes();
  t.ok(routes.length >= 75, `${routes.length} routes were found`);
  t.same(
    routes.filter((line) => !OPENAPI_ROUTES.includes(line)),
    [],
    'a newer client has routes that the list and the table must get',
  );
});

t.test('no route is there twice, and no two of them fit one path', async (t) => {
  t.equal(new Set(lines).size, lines.length);
  const clashes = REST_ROUTES.flatMap((one, index) =>
    REST_ROUTES.slice(index + 1)
      .filter((other) => one.method === other.method && overlap(one.path, other.path))
      .map((other) => `${one.method} ${one.path} and ${other.path}`),
  );
  t.same(clashes, []);
});

t.test('what leaks and what exports can be named by a rule and is never open', async (t) => {
  for (const route of REST_ROUTES.filter(({ isRaw }) => isRaw === true)) {
    t.ok(
      route.effects.some((effect) => effect === 'admin' || effect === 'export'),
      route.path,
    );
  }
  const open = REST_ROUTES.filter(({ isOpen }) => isOpen === true).map(({ path }) => path);
  t.same(open, ['/', '/healthz', '/livez', '/readyz']);
});

/** Out of the types that openapi-typescript made; there is no JSON in the package. */
function clientRoutes(): string[] {
  const main = createRequire(import.meta.url).resolve('@qdrant/js-client-rest');
  const file = join(dirname(main), '..', 'types', 'openapi', 'generated_schema.d.ts');
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf('export interface paths');
  const paths = text.slice(start, text.indexOf('\nexport ', start));
  return [...paths.matchAll(/\n {4}"(\/[^"]*)": \{(.*?)\n {4}\};/gs)].flatMap(
    ([, path = '', body = '']) =>
      [...body.matchAll(/\n {8}(get|put|post|delete|patch|head): /g)].map(
        ([, method = '']) => `${method.toUpperCase()} ${shortened(path)}`,
      ),
  );
}

function shortened(path: string): string {
  return path.replaceAll('{collection_name}', '{c}').replaceAll(/\{(?!c\})\w+\}/g, '{}');
}

function overlap(one: string, other: string): boolean {
  const words = one.split('/');
  const others = other.split('/');
  return (
    words.length === others.length &&
    words.every(
      (word, index) =>
        word === others[index] || word.startsWith('{') || others[index]?.startsWith('{') === true,
    )
  );
}
