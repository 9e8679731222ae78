/**
 * Whatever is asked of Chroma through the gateway, nothing that policy keeps from alice comes out or is
 * changed: masked values, records of other tenants, a blocked collection, a guess that is confirmed. Each
 * attempt that can be is first proven direct. At the end the recordings hold nothing of it either.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ChromaLab,
  isChromaMissing,
  openChromaLab,
  type RawAnswer,
  sendRaw,
} from './chroma-lab.ts';
import { ATTEMPTS as FIRST } from './chroma-leak-cases.ts';
import {
  type Attempt,
  fillAgain,
  FOLDER,
  type Ids,
  LEAK_POLICY,
  readState,
  SECRET,
  sendAll,
} from './chroma-leak-lab.ts';
import { MORE } from './chroma-leak-more.ts';
import type { Suite, SuiteContext } from './harness.ts';

const ATTEMPTS = [...FIRST, ...MORE];

/** Of what is shown of an answer. */
const SHOWN_SIZE_MAX = 300;

async function tryAttempt(lab: ChromaLab, attempt: Attempt): Promise<void> {
  const [guess = '', wrong] = attempt.oracle ?? [];
  if (attempt.isProven === true) {
    const ids = await fillAgain(lab);
    const answers = await sendAll(lab, attempt, 'direct', { ids, guess });
    const others =
      wrong === undefined ? [] : await sendAll(lab, attempt, 'direct', { ids, guess: wrong });
    const isLeak = wrong === undefined ? hasSecret(answers) : textOf(answers) !== textOf(others);
    if (!isLeak) throw new Error(`it proves nothing: direct gives ${textOf(answers)}`);
  }
  const ids = await fillAgain(lab);
  const before = await readState(lab, ids);
  const answers = await sendAll(lab, attempt, 'through', { ids, guess });
  if (hasSecret(answers)) throw new Error(`a leak: ${textOf(answers)}`);
  if (wrong !== undefined) {
    const others = await sendAll(lab, attempt, 'through', { ids, guess: wrong });
    if (textOf(answers) !== textOf(others)) {
      throw new Error(`the guess is confirmed: ${textOf(answers)}\nelse: ${textOf(others)}`);
    }
  }
  const after = await readState(lab, ids);
  if (after !== before) throw new Error(`it changed something:\n${before}\n${after}`);
  await checkUsable(lab, ids);
}

/** alice still reads what is hers. */
async function checkUsable(lab: ChromaLab, { customers }: Ids): Promise<void> {
  const body = JSON.stringify({ include: ['metadatas'] });
  const path = `${FOLDER}/${customers}/get`;
  const { status, text } = await sendRaw(lab.through('alice'), { method: 'POST', path, body });
  if (status !== 200) throw new Error(`afterwards a get is answered with ${status}: ${text}`);
}

function hasSecret(answers: readonly RawAnswer[]): boolean {
  return answers.some(({ text }) => SECRET.test(text));
}

/** UUIDs and keys in no order left out. */
function textOf(answers: readonly RawAnswer[]): string {
  return answers
    .map(({ status, text }) => `${status} ${text.slice(0, SHOWN_SIZE_MAX)}`)
    .join('\n')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UUID');
}

/** What a rule cuts down stays cut down, whatever is asked for. */
async function checkLimits(lab: ChromaLab): Promise<void> {
  const { open } = await fillAgain(lab);
  const vectors = [
    [1, 1, 1],
    [1, 2, 3],
  ];
  const cases: [string, object][] = [
    ['get', {}],
    ['get', { limit: 4 }],
    ['get', { limit: null, ids: ['1', '2', '3'] }],
    ['get', { include: ['embeddings', 'documents'] }],
    ['query', { query_embeddings: vectors, include: ['embeddings'] }],
    ['query', { query_embeddings: [vectors[0]], n_results: 5 }],
  ];
  for (const [what, body] of cases) {
    const request = {
      method: 'POST',
      path: `${FOLDER}/${open}/${what}`,
      body: JSON.stringify(body),
    };
    const { status, text } = await sendRaw(lab.through('bob'), request);
    const answer: unknown = JSON.parse(text);
    const ids = idsOf(answer);
    if (status !== 200 || ids.length === 0)
      throw new Error(`${what} ${request.body}: ${status} ${text}`);
    if (ids.length > 2) throw new Error(`${what} ${request.body} gives ${ids.length} records`);
    if (/"embeddings":\[/.test(text)) throw new Error(`${what} ${request.body} gives vectors`);
  }
  const many = JSON.stringify({ query_embeddings: [...vectors, [3, 3, 3]] });
  const refused = await sendRaw(lab.through('bob'), {
    method: 'POST',
    path: `${FOLDER}/${open}/query`,
    body: many,
  });
  if (refused.status !== 422) throw new Error(`three queries: ${refused.status} ${refused.text}`);
}

function idsOf(answer: unknown): unknown[] {
  if (typeof answer !== 'object' || answer === null || !('ids' in answer)) return [];
  return Array.isArray(answer.ids) ? answer.ids.flat() : [];
}

/** Under another name the rule would not hold, so the records do not go there. */
async function checkRename(lab: ChromaLab): Promise<void> {
  const { open } = await fillAgain(lab);
  const body = JSON.stringify({ new_name: 'mine' });
  const bob = lab.through('bob');
  const { status, text } = await sendRaw(bob, { method: 'PUT', path: `${FOLDER}/${open}`, body });
  if (status !== 422 || !text.includes('few')) throw new Error(`a rename: ${status} ${text}`);
}

/** petra sees what alice does not, and both see vectors and ids as they are. */
async function checkMasks(lab: ChromaLab): Promise<void> {
  const { notes } = await fillAgain(lab);
  const body = JSON.stringify({ include: ['documents', 'metadatas', 'embeddings'] });
  const request = { method: 'POST', path: `${FOLDER}/${notes}/get`, body };
  const direct = await sendRaw(lab.direct, request);
  const petra = await sendRaw(lab.through('petra'), request);
  const alice = await sendRaw(lab.through('alice'), request);
  if (!SECRET.test(petra.text)) throw new Error(`petra sees nothing: ${petra.text}`);
  const vectors = /"embeddings":\[\[.*?\]\]/.exec(direct.text)?.[0] ?? 'none';
  for (const { text } of [petra, alice]) {
    if (!text.includes(vectors)) throw new Error(`vectors are not those of direct: ${text}`);
    if (!text.includes('"ids":["n1","n2"]'))
      throw new Error(`ids are not those of direct: ${text}`);
  }
  if (SECRET.test(alice.text)) throw new Error(`alice sees ${alice.text}`);
}

/** Keys are in no file; values only where they were seen by petra or written by someone. */
async function checkRecordings(lab: ChromaLab): Promise<void> {
  const names = await readdir(lab.dataDir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && !entry.name.endsWith('.toml'));
  if (files.length === 0) throw new Error('there are no recordings');
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name));
    if (bytes.includes('key-of-')) throw new Error(`a key stands in ${name}`);
  }
}

async function runChromaLeaks(context: SuiteContext): Promise<void> {
  if (isChromaMissing(context, 'chroma-leaks')) return;
  const lab = await openChromaLab(context, LEAK_POLICY);
  for (const attempt of ATTEMPTS) {
    await context.check(attempt.name, async () => await tryAttempt(lab, attempt));
  }
  await context.check('limits and vectors', async () => await checkLimits(lab));
  await context.check('a rename is no way around limits', async () => await checkRename(lab));
  await context.check('masks, and what they leave alone', async () => await checkMasks(lab));
  await context.check('keys are not recorded', async () => await checkRecordings(lab));
}

export const chromaLeaks: Suite = {
  name: 'chroma-leaks',
  about: 'what policy keeps back in Chroma does not come out, and is not changed, by any request',
  run: runChromaLeaks,
};
