/** Object names as parse nodes spell them: String lists, range variables, roles, types, functions. */

import type { ObjectName } from './analysis.ts';
import { as, isTree, list, names, type Tree, text } from './postgres-tree.ts';

export function relationName(rangeVar: Tree): ObjectName {
  return {
    kind: 'relation',
    schema: text(rangeVar['schemaname']),
    name: text(rangeVar['relname']) ?? '',
  };
}

/** A possibly qualified name from its parts; a catalog name in front is dropped. */
export function qualified(
  parts: readonly string[],
  kind: ObjectName['kind'],
): ObjectName | undefined {
  const name = parts[parts.length - 1];
  return name === undefined ? undefined : { kind, schema: parts[parts.length - 2], name };
}

/** The name in one field or list entry, whatever node spells it; undefined: it has none. */
export function objectName(value: unknown, kind: ObjectName['kind']): ObjectName | undefined {
  if (typeof value === 'string') return { kind, schema: undefined, name: value };
  if (Array.isArray(value)) return qualified(names(value), kind);
  if (!isTree(value)) return undefined;
  if (typeof value['relname'] === 'string') return { ...relationName(value), kind };
  if (Array.isArray(value['objname'])) return qualified(names(value['objname']), kind);
  if (Array.isArray(value['names'])) return qualified(names(value['names']), kind);
  if (typeof value['roletype'] === 'string') return roleName(value);
  return wrappedName(value, kind);
}

function wrappedName(value: Tree, kind: ObjectName['kind']): ObjectName | undefined {
  const string = as(value, 'String')?.['sval'];
  if (typeof string === 'string') return { kind, schema: undefined, name: string };
  const items = as(value, 'List')?.['items'];
  if (Array.isArray(items)) return listName(items, kind);
  const privilege = as(value, 'AccessPriv')?.['priv_name'];
  if (typeof privilege === 'string') return { kind, schema: undefined, name: privilege };
  const inner =
    as(value, 'RangeVar') ??
    as(value, 'ObjectWithArgs') ??
    as(value, 'TypeName') ??
    as(value, 'RoleSpec');
  return inner === undefined ? undefined : objectName(inner, kind);
}

/** A list that is a qualified name, or a type with something on it (DROP CAST, ALTER DOMAIN): then the type. */
function listName(items: readonly unknown[], kind: ObjectName['kind']): ObjectName | undefined {
  const spelled = qualified(names(items), kind);
  if (spelled !== undefined) return spelled;
  const type = as(items[0], 'TypeName');
  return type === undefined ? undefined : qualified(names(type['names']), kind);
}

function roleName(role: Tree): ObjectName {
  return { kind: 'role', schema: undefined, name: text(role['rolename']) ?? '(current role)' };
}

/** Every object of a list field. */
export function objectNames(value: unknown, kind: ObjectName['kind']): ObjectName[] {
  return list(value).flatMap((entry) => objectName(entry, kind) ?? []);
}

/** Names a function in messages: `purge()`, `audit.purge()`. */
export function functionLabel(name: ObjectName): string {
  return name.schema === undefined ? `${name.name}()` : `${name.schema}.${name.name}()`;
}
