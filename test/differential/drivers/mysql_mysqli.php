<?php
// PHP's mysqli and PDO: text and prepared, types, errors, transactions, several results, procedures, asynchronous queries, large values.
mysqli_report(MYSQLI_REPORT_OFF);
error_reporting(0);
function show($name, $value) { echo $name, ': ', json_encode($value, JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE), "\n"; }
$tls = getenv('DB_TLS') !== '' && getenv('DB_TLS') !== false;
$c = mysqli_init();
if ($tls) mysqli_ssl_set($c, null, null, null, null, null);
$ok = mysqli_real_connect($c, getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME'), (int) getenv('DB_PORT'), null, $tls ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0);
if (!$ok) { fwrite(STDERR, mysqli_connect_errno() . ' ' . mysqli_connect_error() . "\n"); exit(1); }
$c->set_charset('utf8mb4');
show('user', $c->query('SELECT CURRENT_USER(), USER(), DATABASE()')->fetch_row());
show('thread', (int) $c->query('SELECT CONNECTION_ID()')->fetch_row()[0] === $c->thread_id);
$hex = fn($row) => array_map(fn($v) => is_string($v) && !preg_match('//u', $v) ? '0x' . bin2hex($v) : $v, $row);
$r = $c->query('SELECT * FROM alltypes ORDER BY id');
show('fields', array_map(fn($f) => [$f->name, $f->type, $f->flags, $f->length, $f->decimals, $f->charsetnr], $r->fetch_fields()));
foreach ($r->fetch_all(MYSQLI_ASSOC) as $row) show('text', $hex($row));
$s = $c->prepare('SELECT * FROM alltypes WHERE id >= ? ORDER BY id');
$from = 1; $s->bind_param('i', $from); $s->execute();
foreach ($s->get_result()->fetch_all(MYSQLI_ASSOC) as $row) show('binary', $hex($row));
$s->close();
$s = $c->prepare('SELECT ?, ?, ?, ?');
$i = 7; $d = 2.5; $t = "it's ä😀"; $n = null; $s->bind_param('idss', $i, $d, $t, $n);
for ($i = 0; $i < 3; $i++) { $s->execute(); show('parameters', $s->get_result()->fetch_row()); }
$s->close();
foreach (['SELEKT', 'SELECT * FROM missing', "INSERT INTO people (id, name) VALUES (1, 'x')", ''] as $sql) {
  try { $c->query($sql); } catch (Throwable $e) { show('thrown', get_class($e)); }
  show($sql, [$c->errno, $c->sqlstate, $c->error]);
  try { $s = $c->prepare($sql); } catch (Throwable $e) { show('thrown', get_class($e)); continue; }
  if ($s) { $s->execute(); show("prepared $sql", [$s->errno, $s->sqlstate, $s->error]); $s->close(); } else show("prepared $sql", [$c->errno, $c->error]);
}
$c->begin_transaction();
$c->query("INSERT INTO sink (n, v) VALUES (1, 'x'), (2, 'y')"); show('insert', [$c->affected_rows, $c->insert_id, $c->info]);
$c->rollback();
show('rolled back', $c->query('SELECT COUNT(*) FROM sink')->fetch_row());
$large = str_repeat("large \0 value ", 1497966);
$s = $c->prepare('INSERT INTO sink (n, body) VALUES (9000, ?)'); $b = null; $s->bind_param('b', $b);
foreach (str_split($large, 1 << 20) as $part) $s->send_long_data(0, $part);
show('long data', [$s->execute(), $s->affected_rows]); $s->close();
$back = $c->query('SELECT body FROM sink WHERE n = 9000')->fetch_row()[0];
show('large', [strlen($back), hash('sha256', $back) === hash('sha256', $large)]);
$c->multi_query("SELECT 1 AS a; SELECT 'b', NULL; DO 0; SELECT id FROM people WHERE id < 3; SELEKT");
do { $r = $c->store_result(); show('several', $r ? $r->fetch_all() : [$c->affected_rows, $c->errno, $c->error]); } while ($c->more_results() && $c->next_result());
show('after several', [$c->errno, $c->error]);
$c->multi_query('SET @d = 21; CALL two_results(2, @t, @d); SELECT @t, @d');
do { $r = $c->store_result(); show('call', $r ? $r->fetch_all() : $c->affected_rows); } while ($c->more_results() && $c->next_result());
$s = $c->prepare('CALL two_results(?, @t, @d)'); $first = 3; $s->bind_param('i', $first); $s->execute();
do { $r = $s->get_result(); show('call prepared', $r ? $r->fetch_all() : null); } while ($s->more_results() && $s->next_result());
$s->close();
$c->query('SELECT SLEEP(0.05), 5', MYSQLI_ASYNC);
do { $links = [$c]; $errors = $reject = []; } while (!mysqli_poll($links, $errors, $reject, 5));
show('asynchronous', $c->reap_async_query()->fetch_row());
$c->query('DROP TABLE IF EXISTS nothing_here'); show('warnings', [$c->warning_count, $c->get_warnings()->message]);
$r = $c->query('SELECT id, name FROM people ORDER BY id', MYSQLI_USE_RESULT); $sum = ''; while ($row = $r->fetch_row()) $sum .= implode(',', $row); $r->free(); show('unbuffered', md5($sum));
show('stat', preg_replace('/\d+(\.\d+)?/', 'N', $c->stat()));
show('change user', [$c->change_user(getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME')), $c->query('SELECT CURRENT_USER(), @d')->fetch_row()]);
show('change user, wrong password', [$c->change_user(getenv('DB_USER'), 'wrong', ''), $c->errno]);
if (extension_loaded('pdo_mysql')) {
  foreach ([true, false] as $emulated) {
    $options = [PDO::ATTR_EMULATE_PREPARES => $emulated, PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT];
    if ($tls) $options += [PDO::MYSQL_ATTR_SSL_CIPHER => 'DEFAULT', PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => false];
    $p = new PDO('mysql:host=' . getenv('DB_HOST') . ';port=' . getenv('DB_PORT') . ';dbname=' . getenv('DB_NAME') . ';charset=utf8mb4', getenv('DB_USER'), getenv('DB_PASSWORD'), $options);
    $s = $p->prepare('SELECT id, name, born, pay, mood, tags, note FROM people WHERE id < ? ORDER BY id'); $s->execute([4]);
    show('PDO', $s->fetchAll(PDO::FETCH_ASSOC));
    $s = $p->prepare("INSERT INTO people (id, name) VALUES (1, 'x')"); $s->execute(); show('PDO error', $s->errorInfo());
    $s = $p->query('SELECT 1; SELECT 2'); if ($s) do { show('PDO several', $s->fetchAll(PDO::FETCH_NUM)); } while ($s->nextRowset()); else show('PDO several', $p->errorInfo()[1]);
  }
}
