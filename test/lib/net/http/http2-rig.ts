/** HTTP/2 of the gateway's client side on a real port, and raw clients of it. */
import { serveHttp2 } from '../../../../lib/net/http/http2-client-side.ts';
import { LIVENESS_PERIOD } from '../../../../lib/net/http/liveness.ts';
import { until } from '../../gateway/duplex-pair.ts';
import type { Teardown } from '../../../support/servers.ts';
import { FRAME, RawHttp2 } from './raw-http2.ts';
import { type Answering, echo, HELD_SIZE_MAX, startClientSides } from './sides-rig.ts';

export function startHttp2(
  t: Teardown,
  answer: Answering = echo,
  livenessPeriod = LIVENESS_PERIOD,
) {
  const serve: Parameters<typeof startClientSides>[1] = (socket, events) =>
    serveHttp2({ socket, heldSizeMax: HELD_SIZE_MAX, events, livenessPeriod });
  return startClientSides(t, serve, answer);
}

export async function connectRaw(port: number): Promise<RawHttp2> {
  const raw = RawHttp2.connect(port);
  await until(() => raw.of(FRAME.settings).length === 2);
  return raw;
}
