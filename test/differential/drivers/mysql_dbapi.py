# PyMySQL and MySQLdb (argv[1] is the module): types, parameters, batches, errors, transactions, several results, procedures.
import hashlib
import importlib
import os
import sys

module = importlib.import_module(sys.argv[1])
is_pymysql = sys.argv[1] == "pymysql"


def show(name, value):
    print(f"{name}: {value!r}")


options = dict(
    host=os.environ["DB_HOST"], port=int(os.environ["DB_PORT"]), user=os.environ["DB_USER"],
    passwd=os.environ["DB_PASSWORD"], db=os.environ["DB_NAME"], charset="utf8mb4", connect_timeout=120,
)
options.update(client_flag=importlib.import_module(f"{sys.argv[1]}.constants.CLIENT").MULTI_STATEMENTS)
if is_pymysql:
    options.update(max_allowed_packet=64 * 1024 * 1024)
    if os.environ["DB_TLS"]:
        options.update(ssl={"check_hostname": False})
else:
    if os.environ["DB_TLS"]:
        options.update(ssl={"ca": None})

connection = module.connect(**options)
cursor = connection.cursor()
cursor.execute("SELECT CURRENT_USER(), USER(), DATABASE(), %s", ("quote ' \\ ä😀",))
show("first", cursor.fetchall())
cursor.execute("SELECT CONNECTION_ID()")
show("connection id is the one of the greeting", cursor.fetchone()[0] == connection.thread_id())
cursor.execute("SELECT * FROM alltypes ORDER BY id")
show("types", cursor.fetchall())
show("description", cursor.description)
cursor.execute("SELECT %s, %s, %s, HEX(%s)", (1, None, 2.5, b"\x00\xff'\\"))
show("parameters", cursor.fetchall())
for sql in ("SELEKT", "SELECT * FROM missing", "INSERT INTO people (id, name) VALUES (1, 'x')", "CALL fails_late()", ""):
    try:
        cursor.execute(sql)
        show(sql, cursor.fetchall())
        cursor.nextset()
    except Exception as error:
        show(sql, (type(error).__name__, error.args))
    try:
        while cursor.nextset():
            pass
    except Exception as error:
        show("nextset", (type(error).__name__, error.args))
    cursor.close()
    cursor = connection.cursor()
cursor.executemany("INSERT INTO sink (n, v) VALUES (%s, %s)", [(n, f"v{n}") for n in range(500)])
show("executemany", cursor.rowcount)
connection.rollback()
cursor.execute("SELECT COUNT(*) FROM sink")
show("rolled back", cursor.fetchone())
cursor.executemany("UPDATE people SET note = %s WHERE id = %s", [("b", n) for n in range(1, 30)])
show("updated", cursor.rowcount)
connection.commit()
large = bytes(range(256)) * (20 * 4096)
cursor.execute("INSERT INTO sink (n, body) VALUES (%s, %s)", (9000, large))
show("insert id", cursor.lastrowid)
cursor.execute("SELECT body FROM sink WHERE n = 9000")
back = cursor.fetchone()[0]
show("large", (len(back), hashlib.sha256(back).hexdigest() == hashlib.sha256(large).hexdigest()))
connection.commit()
cursor.execute("SELECT 1; SELECT 'b', NULL; DO 0; SELECT id FROM people WHERE id < 3")
while True:
    show("several", (cursor.description and [c[0] for c in cursor.description], cursor.fetchall()))
    if not cursor.nextset():
        break
cursor.callproc("two_results", (2, 0, 21))
while True:
    show("callproc", cursor.fetchall())
    if not cursor.nextset():
        break
cursor.execute("SELECT @_two_results_1, @_two_results_2")
show("out", cursor.fetchall())
streaming = connection.cursor(module.cursors.SSCursor)
streaming.execute("SELECT id, name FROM people ORDER BY id")
show("streamed", hashlib.sha256(repr(list(streaming)).encode()).hexdigest())
streaming.close()
show("warnings", (cursor.execute("DROP TABLE IF EXISTS nothing_here"), connection.show_warnings()))
connection.select_db("information_schema")
cursor.execute("SELECT DATABASE()")
show("select_db", cursor.fetchall())
connection.select_db(os.environ["DB_NAME"])
connection.ping()
connection.set_charset("latin1") if hasattr(connection, "set_charset") else connection.set_character_set("latin1")
cursor.execute("SELECT name, c_latin1 FROM people, alltypes WHERE alltypes.id = 1 AND people.id = 3")
show("latin1", cursor.fetchall())
connection.close()
