import t from 'tap';
import { CAPABILITY, COM, command, frame } from '../../support/mysql-packets.ts';
import {
  err,
  INSPECT_STATEMENTS,
  type MysqlTalk,
  ok,
  payloadsOf,
  schemaState,
  signedIn,
  variableState,
} from '../../support/mysql-session.ts';
import { operationsIn, sentTo } from '../../support/play.ts';

const query = (sql: string | Buffer): Buffer => frame(command(COM.query, sql));

function textsIn(talk: MysqlTalk): string[] {
  return operationsIn(talk.log).flatMap((one) => (one.kind === 'statement' ? [one.text] : []));
}

function readingOf(talk: MysqlTalk) {
  const last = operationsIn(talk.log).at(-1);
  return last?.kind === 'statement' ? last.reading : undefined;
}

/** What the client is told at last. */
function lastError(bytes: Buffer): string {
  const last = payloadsOf(bytes).at(-1) ?? Buffer.alloc(0);
  return last[0] === 0xff ? `${last.readUInt16LE(1)} ${last.toString('utf8', 4)}` : '';
}

t.test('the reading follows what the server said before it (GW-3, MY-28)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.client(query("set sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"), query('select "a"'));
  t.match(readingOf(talk), { ansiQuotes: false, noBackslashEscapes: false, database: 'shop' });
  talk.server(ok(1, { status: 0x8202 }));
  t.match(readingOf(talk), { ansiQuotes: true, noBackslashEscapes: true });
});

t.test('the default database is followed, told or not (MY-63, MY-27)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  const after = (sql: Buffer, answer = ok()): string | undefined => {
    talk.client(sql);
    talk.server(answer);
    talk.client(query('select 1'));
    talk.server(ok());
    return readingOf(talk)?.database;
  };
  t.equal(after(query('use `other`')), 'other');
  t.equal(after(query('USE third;')), 'third');
  t.equal(after(query('use nosuch'), err(1, 1049, '42000', 'Unknown')), 'third');
  t.equal(after(frame(command(COM.initDb, 'fourth'))), 'fourth');
  talk.client(query('set @a = 1; use fifth'));
  talk.server(ok(1, { status: 10 }), ok(2));
  const lost = talk.client(query('select 1'));
  t.match(lastError(sentTo('client', lost)), /^1142 .*default database/);
  t.equal(after(query('use sixth')), 'sixth');
});

t.test('with SESSION_TRACK the server tells (MY-27)', async (t) => {
  const talk = signedIn({
    inspection: INSPECT_STATEMENTS,
    capabilities: CAPABILITY.sessionTrack,
  });
  talk.client(query("execute immediate concat('us', 'e other')"));
  talk.server(ok(1, { state: schemaState('other') }));
  talk.client(query('select 1'));
  t.equal(readingOf(talk)?.database, 'other');
});

t.test('a USE that EXECUTE hides makes the database unknown (MY-39, MY-63)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  talk.client(query("prepare s from 'use other'"));
  talk.server(ok());
  talk.client(query('execute s'));
  talk.server(ok());
  const lost = talk.client(query('select 1'));
  t.match(lastError(sentTo('client', lost)), /^1142 /);
});

t.test(
  'a charset that EXECUTE hides is unknown: nothing but ASCII is read (MY-39, MY-61)',
  async (t) => {
    for (const texts of [
      ["execute immediate 'set names latin1'"],
      ["prepare s from 's' 'et names latin1'", 'execute s'],
      ['select 1; set names latin1'],
    ]) {
      const talk = signedIn({ inspection: INSPECT_STATEMENTS });
      for (const text of texts) {
        talk.client(query(text));
        talk.server(ok());
      }
      talk.client(query('use third'));
      talk.server(ok());
      t.match(
        lastError(sentTo('client', talk.client(query("select '\u00e9'")))),
        /^1142 /,
        texts.join(),
      );
      talk.client(query('select 1'));
      t.equal(textsIn(talk).at(-1), 'select 1');
    }
  },
);

t.test('the text is read in the charset that the server reads it in (MY-37, MY-61)', async (t) => {
  const talk = signedIn({ inspection: INSPECT_STATEMENTS });
  const latin1 = Buffer.from("select '\u00e9'", 'latin1');
  talk.client(query("select '\u00e9'"));
  t.equal(textsIn(talk).at(-1), "select '\u00e9'");
  talk.server(ok());
  talk.client(query('set names latin1'));
  talk.server(ok());
  talk.client(query(latin1));
  t.equal(textsIn(talk).at(-1), "select '\u00e9'");
  talk.server(ok());
  talk.client(query('set names gbk'));
  talk.server(ok());
  const refused = talk.client(query(latin1));
  t.match(lastError(sentTo('client', refused)), /^1142 .*SET NAMES utf8mb4/);
  t.equal(sentTo('server', refused).length, 0);
  talk.client(query('select 1'));
  t.equal(textsIn(talk).at(-1), 'select 1', 'ASCII is the same in all of them');
});

t.test('a charset that cannot be told from the text is unknown until it is told', async (t) => {
  const talk = signedIn({
    inspection: INSPECT_STATEMENTS,
    capabilities: CAPABILITY.sessionTrack,
  });
  talk.client(query('set @a = 1, character_set_client = @b'));
  talk.server(ok());
  t.match(lastError(sentTo('client', talk.client(query("select '\u00e9'")))), /^1142 /);
  const told = signedIn({
    inspection: INSPECT_STATEMENTS,
    capabilities: CAPABILITY.sessionTrack,
  });
  told.client(query('set @a = 1, character_set_client = @b'));
  told.server(ok(1, { state: variableState('character_set_client', 'latin1') }));
  told.client(query(Buffer.from("select '\u00e9'", 'latin1')));
  t.equal(textsIn(told).at(-1), "select '\u00e9'");
});
