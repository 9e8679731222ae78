/** Walks a tree without knowing its kinds of nodes: what has a `kind` is a node, wherever it stands. */

import type { Node } from './ast.ts';

/** Calls `visit` for each node directly below this one, in the order of its fields. */
export function forEachChild(node: Node, visit: (child: Node, field: string) => void): void {
  for (const [field, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const entry of value) if (isNode(entry)) visit(entry, field);
    } else if (isNode(value)) visit(value, field);
  }
}

/** Only trees of this folder are walked, so a `kind` is enough to tell a node from a list of names. */
function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
