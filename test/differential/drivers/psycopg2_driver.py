# psycopg2: simple queries, named cursors, COPY, large objects (FunctionCall), notifications.
import io
import psycopg2
import psycopg2.extras

# Large objects need FunctionCall, which the gateway refuses: the driver must get a clean error and go on.

def show(name, value):
    print(f"{name}: {value!r}")


connection = psycopg2.connect("")
cursor = connection.cursor()
cursor.execute("SELECT current_user, version() LIKE 'PostgreSQL%%', %s", ("quote ' \\ ä",))
show("first", cursor.fetchall())
cursor.execute("SELECT id, name, born, tags, doc, photo FROM people WHERE id <= 3 ORDER BY id")
show("rows", [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall()])
show("description", [(c.name, c.type_code, c.internal_size) for c in cursor.description])
for sql in ("SELECT 1/0", "SELECT * FROM missing", "INSERT INTO people (id, name) VALUES (1, 'x')", "SELECT 'x'::int"):
    try:
        cursor.execute(sql)
    except psycopg2.Error as error:
        show(sql, (error.pgcode, error.pgerror))
        try:
            cursor.execute("SELECT 1")
        except psycopg2.Error as second:
            show("aborted", second.pgcode)
        connection.rollback()
psycopg2.extras.execute_values(cursor, "INSERT INTO people (id, name) VALUES %s", [(n, "v") for n in range(9000, 9500)], page_size=100)
show("execute_values", cursor.rowcount)
psycopg2.extras.execute_batch(cursor, "UPDATE people SET name = %s WHERE id = %s", [("b", n) for n in range(9000, 9100)])
connection.commit()
named = connection.cursor("named")
named.itersize = 100
named.execute("SELECT id FROM people WHERE id >= 9000 ORDER BY id")
show("named", sum(row[0] for row in named))
connection.commit()
cursor.copy_expert("COPY people (id, name) FROM STDIN WITH CSV", io.StringIO("".join(f'{n},"a, ""b"""\n' for n in range(9600, 9700))))
out = io.StringIO()
cursor.copy_expert("COPY (SELECT id, name FROM people WHERE id >= 9690 ORDER BY id) TO STDOUT WITH CSV HEADER", out)
show("copy", out.getvalue())
connection.commit()
try:
    large = connection.lobject(0, "wb")
    large.write(b"large")
    large.close()
    print("LARGE OBJECT worked")
except psycopg2.Error as error:
    connection.rollback()
    print(f"LARGE OBJECT refused: {error.pgcode or error}")
connection.rollback()
connection.autocommit = True
cursor.execute("LISTEN news")
cursor.execute("NOTIFY news, 'hello'")
connection.poll()
show("notifies", [(n.channel, n.payload) for n in connection.notifies])
cursor.execute("SELECT purge(5)")
show("notices", connection.notices)
show("backend pid is the one told at sign-in", connection.get_backend_pid() > 0)
