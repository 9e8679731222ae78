/** The option `-c FILE` of commands that cannot do without a configuration. */

export const CONFIG_FILE_DEFAULT = 'weir.toml';

export const CONFIG_OPTIONS = {
  config: { type: 'string', short: 'c', default: CONFIG_FILE_DEFAULT },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const CONFIG_HELP = `  -c, --config FILE   the configuration (${CONFIG_FILE_DEFAULT})`;
