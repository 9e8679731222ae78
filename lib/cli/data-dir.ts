/** The options by which `replay`, `sessions` and `verify` are told where the recordings are. */

import { resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { GatewayError } from '../errors.ts';

export const DATA_DIR_OPTIONS = {
  config: { type: 'string', short: 'c' },
  'data-dir': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The default of `data_dir` in the configuration, too. */
export const DATA_DIR_DEFAULT = './weir-data';

export const DATA_DIR_HELP = `  --data-dir DIR   where the gateway keeps its recordings (${DATA_DIR_DEFAULT})
  -c FILE          take the data directory from this configuration`;

/** What was typed makes no sense; printed with the usage, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Throws UsageError, or ConfigError where the configuration is not valid. */
export function resolveDataDir(values: {
  readonly config?: string | undefined;
  readonly 'data-dir'?: string | undefined;
}): string {
  const { config, 'data-dir': dataDir } = values;
  if (config !== undefined && dataDir !== undefined) {
    throw new UsageError('give either -c FILE or --data-dir DIR, not both');
  }
  if (config !== undefined) return loadConfig(config).dataDir;
  return resolve(dataDir ?? DATA_DIR_DEFAULT);
}

/** `parseArgs` throws a TypeError with one of these codes when it cannot use what was typed. */
export function isUsageError(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code?.startsWith('ERR_PARSE_ARGS') ?? false;
}

export function isConfigError(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'CONFIG_INVALID';
}
