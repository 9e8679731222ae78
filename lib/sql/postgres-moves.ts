/** Statements that alter any kind of object by its name, above all those that give it another name or schema. */

import type { ObjectName } from './analysis.ts';
import { functionLabel, objectName, qualified } from './postgres-names.ts';
import { OBJECT_KINDS, TABLE_PARTS } from './postgres-statements.ts';
import { as, names, text } from './postgres-tree.ts';
import { ARGUMENTS_OF_SUPPORT, type Reader } from './postgres-uses.ts';

export function kindOf(objectType: unknown): ObjectName['kind'] {
  return OBJECT_KINDS[text(objectType) ?? ''] ?? 'other';
}

export const readNamedAlter: Reader = (scan, tree, scope) => {
  const type = tree['renameType'] ?? tree['objectType'] ?? tree['objtype'];
  const kind = kindOf(type);
  let object = objectName(tree['relation'], 'relation') ?? objectName(tree['object'], kind);
  if (TABLE_PARTS.has(text(type) ?? '') && tree['relation'] === undefined) {
    const parts = names(as(tree['object'], 'List')?.['items']);
    object = qualified(parts.slice(0, -1), 'relation') ?? object;
  }
  scan.add('alter', object, scope);
  // A function that is known by its name must keep it: renamed, nothing would tell what it does.
  const isMoved = tree['newname'] !== undefined || tree['newschema'] !== undefined;
  if (isMoved && object?.kind === 'function')
    scan.addCall(object, ARGUMENTS_OF_SUPPORT, { ...scope, via: `ALTER ${functionLabel(object)}` });
  return { skip: ['relation', 'object'] };
};

/**
 * Until the change is committed a catalog does not know what has moved by its new name: what it runs
 * counts as run, as the body of a function does that is created (PG-62).
 */
export const readMove: Reader = (scan, tree, scope) => {
  const type = text(tree['renameType'] ?? tree['objectType']) ?? '';
  const kind = kindOf(type);
  if (kind === 'operator')
    scan.addOperator(names(as(tree['object'], 'ObjectWithArgs')?.['objname']));
  if (kind === 'relation') scan.addTakenOver(objectName(tree['relation'], kind));
  if (type === 'OBJECT_TYPE' || type === 'OBJECT_DOMAIN')
    scan.addType(objectName(tree['object'], 'other'));
  return readNamedAlter(scan, tree, scope);
};
