/** The options of both HTTP/2 legs: what Node is told is what the limits say. */
import t from 'tap';
import {
  BATCH_SIZE_MAX,
  CONNECTION_WINDOW,
  HEAD_SIZE_MAX,
  HEADER_COUNT_MAX,
  http2Options,
  STREAM_WINDOW,
  STREAMS_MAX,
} from '../../../../lib/net/http/limits.ts';

t.test('both legs of HTTP/2', async (t) => {
  const heldSizeMax = 64 * 1024 * 1024;
  const options = http2Options(heldSizeMax);
  t.same(options.settings, {
    initialWindowSize: STREAM_WINDOW,
    maxConcurrentStreams: STREAMS_MAX,
    maxHeaderListSize: HEAD_SIZE_MAX,
    enablePush: false,
  });
  t.equal(options.maxHeaderListPairs, HEADER_COUNT_MAX);
  t.ok(options.maxSessionMemory * 1e6 >= 2 * CONNECTION_WINDOW + heldSizeMax);
  t.ok(BATCH_SIZE_MAX <= STREAM_WINDOW, 'a stream can fill a batch');
});
