# Ruby's mysql2: types, prepared statements, errors, transactions, several results, procedures, asynchronous queries, large values.
require 'digest'
require 'mysql2'

def show(name, value)
  puts "#{name}: #{value.inspect}"
end

tls = ENV['DB_TLS'] == '1'
options = { host: ENV['DB_HOST'], port: ENV['DB_PORT'].to_i, username: ENV['DB_USER'], password: ENV['DB_PASSWORD'],
            database: ENV['DB_NAME'], encoding: 'utf8mb4', flags: Mysql2::Client::MULTI_STATEMENTS, database_timezone: :utc }
options[:ssl_mode] = tls ? :required : :disabled
options[:sslverify] = false if tls
client = Mysql2::Client.new(options)
show 'user', client.query('SELECT CURRENT_USER(), USER(), DATABASE()').to_a
show 'thread', client.query('SELECT CONNECTION_ID() AS id').first['id'] == client.thread_id
result = client.query('SELECT * FROM alltypes ORDER BY id')
show 'types', result.to_a
show 'fields', result.fields
show 'field types', result.respond_to?(:field_types) ? result.field_types : nil
statement = client.prepare('SELECT c_tiny, c_bigu, c_float, c_double, c_decimal, c_bit, c_date, c_datetime6, c_year, c_varchar, c_blob, c_enum, c_set, c_json, c_uuid, c_inet6, c_point FROM alltypes WHERE id <> ? ORDER BY id')
# Early years and long times are beyond this driver's prepared statements.
show 'prepared types', statement.execute(2).to_a
statement.close
statement = client.prepare('SELECT ?, ?, ?, ?')
3.times { |n| show 'parameters', statement.execute(n, "it's ä😀", nil, 2.5).to_a }
statement.close
['SELEKT', 'SELECT * FROM missing', "INSERT INTO people (id, name) VALUES (1, 'x')", 'CALL fails_late()', ''].each do |sql|
  begin
    show sql, client.query(sql).to_a
    client.next_result
    show 'next', client.store_result.to_a
  rescue Mysql2::Error => error
    show sql, [error.error_number, error.sql_state, error.message]
  end
  begin
    client.abandon_results!
  rescue Mysql2::Error => error
    show 'abandoned', error.error_number
  end
  begin
    show 'prepared', client.prepare(sql).execute.to_a.length
  rescue Mysql2::Error => error
    show sql, [error.error_number, error.sql_state, error.message]
  end
  begin
    client.abandon_results!
  rescue Mysql2::Error => error
    show 'abandoned', error.error_number
  end
end
client.query('BEGIN')
client.query("INSERT INTO sink (n, v) VALUES (1, 'x'), (2, 'y')")
show 'insert', [client.affected_rows, client.last_id, client.query_info_string]
client.query('ROLLBACK')
show 'rolled back', client.query('SELECT COUNT(*) AS n FROM sink').to_a
large = "large \0 value ".b * 1_497_966
client.prepare('INSERT INTO sink (n, body) VALUES (9000, ?)').execute(large)
back = client.query('SELECT body FROM sink WHERE n = 9000').first['body']
show 'large', [back.bytesize, Digest::SHA256.hexdigest(back) == Digest::SHA256.hexdigest(large)]
show 'several', client.query("SELECT 1 AS a; SELECT 'b', NULL; SELECT id FROM people WHERE id < 3").to_a
show 'more', client.store_result.to_a while client.next_result
client.query('SET @d = 21')
show 'call', client.query('CALL two_results(2, @t, @d)').to_a
while client.next_result
  more = client.store_result
  show 'more', more && more.to_a
end
show 'out', client.query('SELECT @t, @d').to_a
client.query('SELECT SLEEP(0.05), 5 AS n', async: true)
show 'asynchronous', client.async_result.to_a
client.query('DROP TABLE IF EXISTS nothing_here')
show 'warnings', [client.warning_count, client.query('SHOW WARNINGS').to_a]
show 'ping', client.ping
client.select_db('information_schema')
show 'database', client.query('SELECT DATABASE() AS d').to_a
show 'escape', client.escape("a'b\"c\\d")
client.close
# On a connection of its own: with older results about, this driver sometimes ends a stream early, direct as well.
client = Mysql2::Client.new(options)
sum = Digest::SHA256.new
count = 0
client.query('SELECT id, name FROM people ORDER BY id', stream: true, cache_rows: false).each { |row| sum << row.inspect; count += 1 }
show 'streamed', [count, sum.hexdigest]
client.close
