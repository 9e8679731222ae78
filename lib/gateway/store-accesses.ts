/** Asks what the names of a request mean now, each name once, and only waits where one has to be looked up. */

import type { StoreAccess, StoreName } from '../../protocols/store.ts';
import type { StoreNames } from '../catalog/store-names.ts';
import type { ResolvedAccess } from '../policy/store-rules.ts';

type Meanings = readonly StoreName[];

export function resolveAccesses(
  accesses: readonly StoreAccess[],
  names: StoreNames,
): readonly ResolvedAccess[] | Promise<readonly ResolvedAccess[]> {
  const known = new Map<string, Meanings | Promise<Meanings>>();
  const waiting: Promise<Meanings>[] = [];
  const answers = accesses.map(({ target }): Meanings | Promise<Meanings> => {
    if (target === undefined) return [];
    const key = JSON.stringify([target.kind, target.path]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = names.resolve(target);
    known.set(key, answer);
    if (answer instanceof Promise) waiting.push(answer);
    return answer;
  });
  if (waiting.length === 0) return accesses.map((access, index) => merge(access, answers[index]));
  return waitFor(accesses, answers);
}

async function waitFor(
  accesses: readonly StoreAccess[],
  answers: readonly (Meanings | Promise<Meanings>)[],
): Promise<readonly ResolvedAccess[]> {
  const meanings = await Promise.all(answers);
  return accesses.map((access, index) => merge(access, meanings[index]));
}

function merge(
  access: StoreAccess,
  meanings: Meanings | Promise<Meanings> | undefined,
): ResolvedAccess {
  // Every promise among them was waited for.
  return {
    ...access,
    meanings: meanings === undefined || meanings instanceof Promise ? [] : meanings,
  };
}
