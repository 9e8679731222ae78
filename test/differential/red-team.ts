/**
 * A hostile user against rules and masks, and the same user's everyday work, which must not be refused:
 * the cases are data in red-team-*.ts. Each attack first proves direct that it would have worked.
 */

import { assertSameText, type Suite, type SuiteContext } from './harness.ts';
import { APP, DATABASE, isInstalled, runProgram, transcript, type Way } from './lab.ts';
import { LEAKY_VIEWS } from './red-team-database.ts';
import { EVERYDAY, INTROSPECTION, PSQL_COMMANDS } from './red-team-everyday.ts';
import { connectTo, openRedLab, type RedLab, secretIn, sendAll } from './red-team-lab.ts';
import { LEAKS } from './red-team-leaks.ts';
import { checkRefusals } from './red-team-refusals.ts';
import { WIRE_HARM, WIRE_LEAKS, type WireCase } from './red-team-wire.ts';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findSecret } from './mask-database.ts';
import { checkWalks } from './red-team-walks.ts';
import type { RawClient } from '../support/raw-client.ts';
import {
  bind,
  decodeFields,
  describe,
  execute,
  parse,
  printMessage,
  sync,
} from '../support/raw-postgres.ts';

type Send = (client: RawClient, texts: readonly string[]) => Promise<unknown>;

const FORMS: Readonly<Record<string, Send>> = {
  simple: (client, texts) => sendAll(client, texts),
  extended: async (client, texts) => {
    for (const text of texts) {
      await client.exchange([
        parse('', text),
        bind('', '', { resultFormats: [1] }),
        execute(),
        sync(),
      ]);
    }
  },
  pipelined: (client, texts) =>
    client.exchange([
      ...texts.flatMap((text) => [parse('', text), bind('', ''), describe('P'), execute()]),
      sync(),
    ]),
};

async function checkLeak(
  context: SuiteContext,
  lab: RedLab,
  one: { readonly title: string; readonly steps: readonly string[] },
): Promise<void> {
  const steps = one.steps.map((text) =>
    text.replaceAll('$PORT', String(lab.server.port)).replaceAll('$PASSWORD', APP.password),
  );
  await lab.recreate();
  if ((await secretIn(lab.direct, (client) => sendAll(client, steps))) === undefined) {
    return context.fail(`leak: ${one.title}`, 'shows no secret even direct');
  }
  for (const [form, send] of Object.entries(FORMS)) {
    for (const [mode, way] of [
      ['mask', lab.masked],
      ['strict', lab.strict],
    ] as const) {
      if (mode === 'strict' && form !== 'simple') continue;
      await lab.recreate();
      await context.check(`leak, ${mode}, ${form}: ${one.title}`, async () => {
        const found = await secretIn(way, (client) => send(client, steps));
        if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
      });
    }
  }
}

async function checkLeaks(context: SuiteContext, lab: RedLab): Promise<void> {
  for (const [index, one] of LEAKS.entries()) {
    if (index % 20 === 0) context.progress(`leak ${index + 1} of ${LEAKS.length}`);
    if (one.since !== undefined && one.since > lab.version) continue;
    await checkLeak(context, lab, { title: one.steps.join(' / '), steps: one.steps });
  }
  context.progress('views');
  await lab.recreate();
  for (const view of LEAKY_VIEWS) {
    const texts = [
      `SELECT * FROM ${view}`,
      `SELECT v FROM ${view} v`,
      `SELECT to_json(v) FROM ${view} v`,
      `SELECT q.*, 1 FROM (TABLE ${view}) q`,
    ];
    for (const text of texts) {
      for (const [form, send] of Object.entries(FORMS)) {
        await context.check(`view, ${form}: ${text}`, async () => {
          const found = await secretIn(lab.masked, (client) => send(client, [text]));
          if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
        });
      }
    }
  }
}

async function checkWireLeaks(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('portals and pipelines');
  for (const one of WIRE_LEAKS) {
    if (one.since !== undefined && one.since > lab.version) continue;
    await lab.recreate(one.setup);
    const isPotent = (await attemptWire(lab.direct, one)) !== undefined;
    await lab.recreate(one.setup);
    await context.check(`wire: ${one.title}`, async () => {
      if (!isPotent && !one.title.includes('unknown'))
        throw new Error('shows no secret even direct');
      const found = await attemptWire(lab.masked, one);
      if (found !== undefined) throw new Error(`came to the client: ${JSON.stringify(found)}`);
    });
  }
}

function attemptWire(way: Way, one: WireCase): Promise<string | undefined> {
  return secretIn(way, (client) => one.act(client), one.parameters);
}

async function checkWireHarm(context: SuiteContext, lab: RedLab): Promise<void> {
  const attempt = async (way: Way, one: WireCase): Promise<boolean> => {
    await lab.recreate(one.setup);
    const client = await connectTo(way, one.parameters);
    try {
      await one.act(client);
    } finally {
      client.close();
    }
    const rows = await lab.admin(`SELECT to_regclass('public.outbox') IS NULL AS gone`);
    return rows[0]?.['gone'] === true;
  };
  for (const one of WIRE_HARM) {
    await context.check(`wire harm: ${one.title}`, async () => {
      if (!(await attempt(lab.direct, one))) throw new Error('does no harm even direct');
      for (const way of [lab.masked, lab.ruled]) {
        if (await attempt(way, one)) throw new Error('the table is gone');
      }
    });
  }
}

async function checkEveryday(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('everyday statements');
  const ask = async (way: Way, texts: readonly string[], form: string): Promise<string> => {
    await lab.recreate();
    const client = await connectTo(way);
    const seen = [];
    for (const text of texts) {
      const answer =
        form === 'simple'
          ? await client.query(text)
          : await client.exchange([
              parse('', text),
              bind('', ''),
              describe('P'),
              execute(),
              sync(),
            ]);
      seen.push(...answer.map((one) => `${text.slice(0, 60)}: ${printEveryday(one)}`));
    }
    client.close();
    return seen.join('\n');
  };
  const lists = [...EVERYDAY, ...INTROSPECTION.map((text) => [text])];
  for (const texts of lists) {
    for (const form of ['simple', 'extended']) {
      const isCatalog = texts.length === 1 && INTROSPECTION.includes(texts[0] ?? '');
      if (isCatalog && form === 'extended') continue;
      const expected = await ask(lab.direct, texts, form);
      for (const [name, way] of [
        ['mask', lab.masked],
        ['rules', lab.ruled],
      ] as const) {
        await context.check(
          `everyday, ${name}, ${form}: ${texts.join(' / ').slice(0, 150)}`,
          async () => {
            assertSameText(await ask(way, texts, form), expected, 'the answer');
          },
        );
      }
    }
  }
}

/** Object identifiers differ between two databases; positions and texts of errors do not. */
function printEveryday(one: Parameters<typeof printMessage>[0]): string {
  if (one.type === 'E' || one.type === 'N') {
    const { C, M } = decodeFields(one.body);
    // Weir's own parser words a syntax error itself.
    return `${one.type} ${C} ${C === '42601' ? '' : M}`;
  }
  return printMessage(one).replace(/\b\d{5,}\b/g, 'OID');
}

async function checkPrograms(context: SuiteContext, lab: RedLab): Promise<void> {
  context.progress('psql and pg_dump');
  if (!(await isInstalled('psql')))
    return context.skip('psql and pg_dump', 'psql is not installed');
  await lab.recreate();
  const run = async (way: Way, command: readonly string[]): Promise<string> => {
    const environment = { PGDATABASE: DATABASE };
    return transcript(await runProgram(way, command, { environment }), way)
      .replaceAll(/as user "\w+"|\b(?:Owner|owner)\b/g, 'X')
      .replaceAll('"alice"', '"app"')
      .replace(/^.*\\(?:un)?restrict.*$/gm, '');
  };
  const check = async (title: string, command: readonly string[]): Promise<void> => {
    const expected = await run(lab.direct, command);
    for (const [name, way] of [
      ['mask', lab.masked],
      ['rules', lab.ruled],
    ] as const) {
      await context.check(`program, ${name}: ${title}`, async () => {
        assertSameText(await run(way, command), expected, title);
      });
    }
  };
  for (const command of PSQL_COMMANDS)
    await check(`psql ${command}`, ['psql', '-X', '-c', command]);
  await check('pg_dump of the schema', ['pg_dump', '--schema-only']);
  await check('pg_dump of a clear table', ['pg_dump', '-t', 'regions', '--inserts']);
  await check('pg_dump with globals', ['pg_dump', '--schema-only', '-Fp', '-C']);
}

/** Nothing secret on disk or in the log, whatever was asked before (GW-16). */
async function checkTraces(context: SuiteContext, lab: RedLab): Promise<void> {
  for (const [index, gateway] of lab.gateways.entries()) {
    await context.check(`nothing secret in the files of gateway ${index + 1}`, async () => {
      const names = await readdir(gateway.dataDir, { recursive: true, withFileTypes: true });
      const files = names
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name));
      const contents = await Promise.all(files.map((file) => readFile(file)));
      const all = Buffer.concat([...contents, Buffer.from(gateway.readLog())]);
      for (const secret of [APP.password, 'alice-secret', 'SCRAM-SHA-256$']) {
        if (all.includes(secret)) throw new Error(`found ${secret}`);
      }
      // Statements are recorded as the client sent them: what it knew already is not among these.
      const found = index === 2 ? undefined : findSecret(Buffer.from(gateway.readLog()));
      if (found !== undefined) throw new Error(`found ${found} in the log`);
    });
  }
}

async function runRedTeam(context: SuiteContext): Promise<void> {
  const lab = await openRedLab(context);
  const parts: Readonly<Record<string, (context: SuiteContext, lab: RedLab) => Promise<void>>> = {
    wire: checkWireLeaks,
    harm: checkWireHarm,
    refusals: checkRefusals,
    everyday: checkEveryday,
    programs: checkPrograms,
    leaks: checkLeaks,
    walks: checkWalks,
    traces: checkTraces,
  };
  const wanted = process.env['WEIR_RED_TEAM_PARTS']?.split(',');
  for (const [name, check] of Object.entries(parts)) {
    if (wanted === undefined || wanted.includes(name)) await check(context, lab);
  }
}

export const redTeam: Suite = {
  name: 'red-team',
  about: 'a hostile user gets nothing, and everyday work goes on',
  run: runRedTeam,
};
