/** Milvus behind Weir: its tables and pure functions in the session that all HTTP products share. */

import type { Protocol } from '../contract.ts';
import { createExchangeSession } from '../wire/exchange-session.ts';
import { readHttpCall } from '../wire/store-call.ts';
import { milvusProduct } from './product.ts';
import { withService, writeRequest } from './request-writer.ts';

export const milvus: Protocol = {
  name: 'milvus',
  defaultPort: 19_530,
  transport: 'http',
  createSession: (options) => createExchangeSession(milvusProduct, options),
  readCall: (text) => readHttpCall(milvusProduct, withService(text), writeRequest),
};
