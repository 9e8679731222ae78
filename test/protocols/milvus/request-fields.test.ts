import t from 'tap';
import { MESSAGE_FIELDS } from '../../../protocols/milvus/request-fields.ts';
import { REQUEST_MESSAGES } from '../../../protocols/milvus/request-messages.ts';

interface Generated {
  readonly messages: ReadonlyMap<string, readonly string[]>;
  readonly requests: Readonly<Record<string, string>>;
}

t.test('the tables are what the script makes of the installed SDK', async (t) => {
  const script = new URL('../../../../scripts/milvus-fields.mjs', import.meta.url);
  const { generate } = (await import(script.href)) as { generate: () => Generated }; // It has no types.
  const { messages, requests } = generate();
  t.same(REQUEST_MESSAGES, requests);
  const fields = [...messages].map(([name, list]) => [name, list.join(', ')]);
  t.same(MESSAGE_FIELDS, Object.fromEntries(fields));
  t.ok(messages.size > 150, 'they were found');
});
