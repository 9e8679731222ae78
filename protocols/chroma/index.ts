/** Chroma behind Weir: its tables and pure functions in the session that all HTTP products share. */

import type { Protocol } from '../contract.ts';
import { createExchangeSession } from '../wire/exchange-session.ts';
import { readHttpCall } from '../wire/store-call.ts';
import { chromaProduct } from './product.ts';

export const chroma: Protocol = {
  name: 'chroma',
  defaultPort: 8000,
  transport: 'http',
  createSession: (options) => createExchangeSession(chromaProduct, options),
  readCall: (text) => readHttpCall(chromaProduct, text),
};
