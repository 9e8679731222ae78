/** Who a rule or an exception speaks of. `group:NAME` looks at groups and at nothing else. */

import type { Principal } from '../identity/principal.ts';
import { matchesGlob } from './glob.ts';

const GROUP_PREFIX = 'group:';

/** Any of the patterns: a glob over the name, or `group:` and a glob over the groups. */
export function matchesPrincipal(patterns: readonly string[], principal: Principal): boolean {
  return patterns.some((pattern) => {
    if (!pattern.startsWith(GROUP_PREFIX)) return matchesGlob(pattern, principal.name);
    const glob = pattern.slice(GROUP_PREFIX.length);
    return principal.groups.some((group) => matchesGlob(glob, group));
  });
}
