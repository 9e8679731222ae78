/** The public API: embed Weir in a program of your own, or run it with `weir serve`. */

export type { Config } from './config/config.ts';
export { loadConfig } from './config/load.ts';
export { GatewayError } from './errors.ts';
export { type Gateway, type Log, createGateway } from './gateway/gateway.ts';
