/** Qdrant, REST and gRPC. */

import type { Protocol } from '../contract.ts';
import { createExchangeSession } from '../wire/exchange-session.ts';
import { readHttpCall } from '../wire/store-call.ts';
import { qdrantProduct } from './product.ts';

export const qdrant: Protocol = {
  name: 'qdrant',
  defaultPort: 6333,
  transport: 'http',
  createSession: (options) => createExchangeSession(qdrantProduct, options),
  readCall: (text) => readHttpCall(qdrantProduct, text),
};
