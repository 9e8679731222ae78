<?php
// PHP's pgsql and PDO: simple and extended queries, COPY, asynchronous queries, errors.
error_reporting(0);
$c = pg_connect('');
function show($name, $value) { echo $name, ': ', json_encode($value, JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n"; }
show('user', pg_fetch_all(pg_query($c, 'SELECT current_user')));
$r = pg_query_params($c, 'SELECT id, name, born, tags, doc, photo FROM people WHERE id < $1 ORDER BY id', [4]);
show('rows', pg_fetch_all($r));
show('types', array_map(fn($i) => [pg_field_name($r, $i), pg_field_type($r, $i)], range(0, pg_num_fields($r) - 1)));
pg_prepare($c, 'p', 'SELECT $1::int * 2 AS n');
for ($i = 0; $i < 3; $i++) show('prepared', pg_fetch_assoc(pg_execute($c, 'p', [$i])));
foreach (['SELECT 1/0', 'SELEKT', "INSERT INTO people (id, name) VALUES (1, 'x')"] as $sql) {
  pg_send_query($c, $sql);
  $r = pg_get_result($c);
  show($sql, [pg_result_error_field($r, PGSQL_DIAG_SQLSTATE), pg_result_error_field($r, PGSQL_DIAG_MESSAGE_PRIMARY), pg_result_error_field($r, PGSQL_DIAG_MESSAGE_DETAIL)]);
  while (pg_get_result($c));
}
pg_send_query($c, 'SELECT 1; SELECT 2; SELECT 3');
while ($r = pg_get_result($c)) show('several', pg_fetch_all($r));
show('copy_from', pg_copy_from($c, 'people (id, name)', array_map(fn($n) => "$n\tphp\n", range(14000, 14050))));
show('copy_to', count(pg_copy_to($c, '(SELECT id FROM people WHERE id >= 14000)')));
pg_query($c, 'BEGIN'); show('status', pg_transaction_status($c));
pg_query($c, 'SELECT 1/0'); show('status', pg_transaction_status($c));
pg_query($c, 'ROLLBACK'); show('status', pg_transaction_status($c));
pg_query($c, 'LISTEN news'); pg_query($c, "NOTIFY news, 'hello'");
$n = pg_get_notify($c, PGSQL_ASSOC); show('notify', [$n['message'], $n['payload']]);
pg_query($c, 'SELECT purge(6)'); show('notice', pg_last_notice($c));
show('affected', pg_affected_rows(pg_query($c, "UPDATE people SET name = 'p' WHERE id < 10")));
