/** RPCs of the emulated Qdrant that make, change and drop collections, aliases and indexes. */

import { EmulatedError, type QdrantEngine } from './qdrant-emulator-engine.ts';
import { asText, isObject, type Json, type JsonObject, listOf } from './qdrant-emulator-filter.ts';

const DONE = { result: true, time: 0.001 } as const;

/** Undefined: it is none of them. `rpc`: `qdrant.Collections/Create`. */
export function manage(
  engine: QdrantEngine,
  rpc: string,
  name: string,
  request: JsonObject,
): JsonObject | undefined {
  switch (rpc) {
    case 'qdrant.Collections/Create':
      engine.create(name, { params: request['vectorsConfig'] ?? null });
      return DONE;
    case 'qdrant.Collections/Update':
      engine.collection(name);
      return DONE;
    case 'qdrant.Collections/Delete':
      return { result: engine.collections.delete(name), time: 0.001 };
    case 'qdrant.Collections/UpdateAliases':
      for (const action of listOf(request['actions']).filter(isObject)) changeAlias(engine, action);
      return DONE;
    case 'qdrant.Points/CreateFieldIndex':
    case 'qdrant.Points/DeleteFieldIndex':
      engine.collection(name);
      return { result: { operationId: '1', status: 'Completed' }, time: 0.001 };
    default:
      return undefined;
  }
}

function changeAlias({ aliases }: QdrantEngine, action: JsonObject): void {
  const { createAlias: created, renameAlias: renamed, deleteAlias: deleted } = action;
  if (isObject(created))
    aliases.set(textOf(created, 'aliasName'), textOf(created, 'collectionName'));
  if (isObject(deleted)) aliases.delete(textOf(deleted, 'aliasName'));
  if (!isObject(renamed)) return;
  const old = textOf(renamed, 'oldAliasName');
  const collection = aliases.get(old);
  if (collection === undefined)
    throw new EmulatedError(404, `Not found: Alias ${old} does not exists!`);
  aliases.delete(old);
  aliases.set(textOf(renamed, 'newAliasName'), collection);
}

function textOf(object: JsonObject, key: string): string {
  const value: Json | undefined = object[key];
  return asText(value ?? '');
}
