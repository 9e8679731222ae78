/**
 * One proxy in a process of its own, for the bench and the differential suites: a gateway or a byte
 * copy, and for the bench of stores a relay of whole requests and the server behind them all. Reads one JSON object from its input, prints `{"port":N}` on a line when it listens, and
 * ends when its input closes, so that it never outlives the program that started it.
 */

import { pino } from 'pino';
import type { Config } from '../lib/config/config.ts';
import { startByteCopy } from '../test/support/byte-copy.ts';
import { startCannedStore, startRelay, type StoreTransport } from './stores-server.ts';

export type ServeRequest =
  | { readonly kind: 'gateway'; readonly config: Config }
  | { readonly kind: 'copy'; readonly upstreamPort: number }
  | { readonly kind: 'canned'; readonly transport: StoreTransport }
  | {
      readonly kind: 'relay';
      readonly transport: StoreTransport;
      readonly upstreamPort: number;
    };

async function serve(request: ServeRequest): Promise<number> {
  if (request.kind === 'copy') return (await startByteCopy(request.upstreamPort)).port;
  if (request.kind === 'canned') return startCannedStore(request.transport);
  if (request.kind === 'relay') return startRelay(request.transport, request.upstreamPort);
  // Loaded here alone, so that a byte copy's process holds none of it.
  const { createGateway } = await import('../lib/index.ts');
  const log = pino({ level: process.env['WEIR_LOG_LEVEL'] ?? 'warn' }, pino.destination(2));
  const gateway = await createGateway(request.config, { log });
  await gateway.listen();
  const address = gateway.addresses[0];
  if (address === undefined) throw new Error('the gateway listens nowhere');
  return address.port;
}

async function main(): Promise<void> {
  const text = await new Promise<string>((resolve) => {
    let read = '';
    process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
      read += chunk;
      if (read.includes('\n')) resolve(read);
    });
    process.stdin.on('end', () => process.exit(0));
  });
  // The request comes from our own code, which shares the type.
  const request: ServeRequest = JSON.parse(text);
  const port = await serve(request);
  process.stdout.write(`${JSON.stringify({ port })}\n`);
}

await main();
