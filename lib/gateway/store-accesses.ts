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
  let mustWait = false;
  const answers = accesses.map(({ target }): Meanings | Promise<Meanings> => {
    if (target === undefined) return [];
    const key = JSON.stringify([target.kind, target.path]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = names.resolve(target);
    known.set(key, answer);
    mustWait ||= answer instanceof Promise;
    return answer;
  });
  return mustWait ? waitFor(accesses, answers) : merge(accesses, answers);
}

async function waitFor(
  accesses: readonly StoreAccess[],
  answers: readonly (Meanings | Promise<Meanings>)[],
): Promise<readonly ResolvedAccess[]> {
  return merge(accesses, await Promise.all(answers.map(async (answer) => answer)));
}

/** Promises among the answers were waited for. */
function merge(
  accesses: readonly StoreAccess[],
  answers: readonly (Meanings | Promise<Meanings>)[],
): readonly ResolvedAccess[] {
  return accesses.map((access, index) => {
    const meanings = answers[index];
    return {
      ...access,
      meanings: meanings === undefined || meanings instanceof Promise ? [] : meanings,
    };
  });
}
