/** `weir serve`: runs the gateway until it is told to stop. */
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { configWarnings } from '../config/warnings.ts';
import { createGateway, type Gateway, loadConfig } from '../index.ts';
import { createLog } from '../log.ts';
import { CONFIG_HELP, CONFIG_OPTIONS } from './config-option.ts';
import type { MainIo } from './main.ts';

const HELP = `Usage: weir serve [-c FILE]

Runs the gateway. SIGINT (Ctrl-C) or SIGTERM ends the sessions in order, a second one at once.
The log goes to standard error: JSON, or plain lines on a terminal.

${CONFIG_HELP}
`;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Resolves to 0 after a signal; throws GatewayError when it cannot start. */
export async function runServe(argv: readonly string[], io: MainIo): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: CONFIG_OPTIONS });
  if (values.help) {
    io.stdout.write(HELP);
    return 0;
  }
  const config = loadConfig(values.config);
  const log = createLog(io.stderr);
  for (const warning of configWarnings(config)) log.warn(warning);
  // Signals count from here: one that comes during the start ends it as soon as it can.
  const stop = catchStopSignals(log, io.signal);
  try {
    const gateway = await createGateway(config, { log });
    await run(gateway, stop.requested, log);
  } finally {
    stop.release();
  }
  return 0;
}

async function run(gateway: Gateway, stopRequested: Promise<string>, log: Logger): Promise<void> {
  try {
    await gateway.listen();
    for (const { connection, host, port } of gateway.addresses) {
      log.info({ connection }, `listening on ${formatAddress(host, port)}`);
    }
    const reason = await stopRequested;
    log.info(`${reason}: ending the sessions; once more ends at once`);
  } finally {
    await gateway.close();
  }
  log.info('stopped');
}

/** An IPv6 address needs its brackets to be told from its port. */
function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function catchStopSignals(log: Logger, abort: AbortSignal | undefined) {
  let request: (reason: string) => void;
  const requested = new Promise<string>((resolve) => {
    request = resolve;
  });
  let isRequested = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (isRequested) {
      log.warn(`${signal} again: stopping at once`);
      process.exit(1);
    }
    isRequested = true;
    request(signal);
  };
  const onAbort = () => request('stop');
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  if (abort?.aborted === true) onAbort();
  abort?.addEventListener('abort', onAbort);
  return {
    requested,
    release: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
      abort?.removeEventListener('abort', onAbort);
    },
  };
}
