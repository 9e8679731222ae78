/** A connection that answers goes on, however quiet it is; more is in the tests of both sides of HTTP/2. */
import http2, { type ServerHttp2Session } from 'node:http2';
import t from 'tap';
import { watchClient, watchServer } from '../../../../lib/net/http/liveness.ts';
import { until } from '../../gateway/duplex-pair.ts';
import { listenOn } from '../../gateway/exchange-servers.ts';

t.test('who answers is asked again and again, and stays', async (t) => {
  const period = 3_000;
  const server = http2.createServer();
  const sessions: ServerHttp2Session[] = [];
  let pings = 0;
  let settings = 0;
  server.on('session', (session) => {
    sessions.push(session);
    session.on('remoteSettings', () => (settings += 1));
    watchClient(session, period);
  });
  const client = http2.connect(`http://127.0.0.1:${await listenOn(t, server)}`);
  client.on('ping', () => (pings += 1));
  client.on('error', () => undefined);
  watchServer(client, period);
  // The first settings are those of the start.
  t.ok(await until(() => pings >= 2 && settings >= 3));
  t.notOk(client.destroyed);
  t.notOk(sessions[0]?.destroyed);
  client.close();
  t.ok(await until(() => sessions[0]?.destroyed === true));
});
