# Ruby's pg: text and binary results, COPY, single-row mode, pipelines, notifications.
require 'pg'
def show(name, value) = puts("#{name}: #{value.inspect}")
c = PG.connect
c.set_notice_processor { |message| show('notice', message) }
show('user', c.exec('SELECT current_user').values)
show('rows', c.exec_params('SELECT id, name, born, tags, doc FROM people WHERE id < $1 ORDER BY id', [4]).values)
r = c.exec_params('SELECT id, photo, born FROM people WHERE id = $1', [3], 1)
show('binary', r.values)
show('fields', (0...r.nfields).map { |i| [r.fname(i), r.ftype(i), r.fformat(i), r.fmod(i)] })
c.prepare('p', 'SELECT $1::int + 1')
3.times { |i| show('prepared', c.exec_prepared('p', [i]).getvalue(0, 0)) }
show('described', c.describe_prepared('p').ftype(0))
['SELECT 1/0', 'SELEKT', "INSERT INTO people (id, name) VALUES (1, 'x')", 'SELECT purge(NULL::text)'].each do |sql|
  c.exec(sql)
rescue PG::Error => e
  show(sql, [e.result.error_field(PG::PG_DIAG_SQLSTATE), e.result.error_field(PG::PG_DIAG_MESSAGE_PRIMARY), e.result.error_field(PG::PG_DIAG_STATEMENT_POSITION)])
end
c.copy_data('COPY people (id, name) FROM STDIN') { 100.times { |i| c.put_copy_data("#{15_000 + i}\truby\n") } }
lines = []
c.copy_data('COPY (SELECT id, name FROM people WHERE id > 15090 ORDER BY id) TO STDOUT') { while (l = c.get_copy_data) do lines << l end }
show('copy', lines)
c.send_query('SELECT id FROM people ORDER BY id LIMIT 300')
c.set_single_row_mode
n = 0
c.get_result.stream_each { n += 1 }
show('single rows', n)
c.get_result
if c.respond_to?(:enter_pipeline_mode)
  c.enter_pipeline_mode
  10.times { |i| c.send_query_params('SELECT $1::int', [i]) }
  c.pipeline_sync
  got = []
  while (r = c.get_result || c.get_result)
    break if r.result_status == PG::PGRES_PIPELINE_SYNC
    got << [r.res_status(r.result_status), r.values]
  end
  show('pipeline', got)
  c.exit_pipeline_mode
end
c.transaction { |t| t.exec("UPDATE people SET name = 'tx' WHERE id = 4") }
show('status', c.transaction_status)
c.exec('LISTEN news')
c.exec("NOTIFY news, 'hello'")
c.wait_for_notify(60) { |channel, _pid, payload| show('notify', [channel, payload]) }
c.exec('SELECT purge(8)')
c.close
