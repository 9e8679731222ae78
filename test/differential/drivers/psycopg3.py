# psycopg 3: binary results, pipelines, COPY, server-side cursors. Prints what it got; nothing that names the way.
import os
import psycopg

tls = os.environ["PGSSLMODE"]
notices = []


def show(name, value):
    print(f"{name}: {value!r}")


def failing(name, act):
    try:
        act()
        print(f"{name}: no error")
    except psycopg.Error as error:
        diagnostic = error.diag
        print(f"{name}: {error.sqlstate} {diagnostic.message_primary!r} {diagnostic.message_detail!r} {diagnostic.constraint_name!r} {diagnostic.statement_position!r}")


with psycopg.connect("", autocommit=True) as connection:
    connection.add_notice_handler(lambda d: notices.append((d.severity, d.sqlstate, d.message_primary)))
    show("ssl", connection.pgconn.ssl_in_use)
    show("user", connection.execute("SELECT current_user, current_database()").fetchall())
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            cursor.execute("SELECT id, name, born, mood, tags, doc, photo FROM people WHERE id < %s ORDER BY id", (5,))
            show(f"rows binary={binary}", cursor.fetchall())
            # Numbers of types made in this database differ from one database to the next.
            show("types", [(c.name, min(c.type_code, 16384)) for c in cursor.description])
            show("tag", cursor.statusmessage)
    for attempt in range(8):
        cursor = connection.execute("SELECT %s::int + 1, %s::text, %s::numeric", (attempt, "x" * attempt, "1.50"), prepare=True)
        show("prepared", cursor.fetchone())
    with connection.pipeline() as pipeline:
        cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(50)]
        pipeline.sync()
        show("pipeline", [c.fetchone()[0] for c in cursors])

    def broken_pipeline():
        with connection.pipeline():
            connection.execute("INSERT INTO people (id, name) VALUES (5000, 'lost')")
            connection.execute("SELECT 1/0")
            connection.execute("SELECT 1")

    failing("pipeline with an error", broken_pipeline)
    show("nothing of it stays", connection.execute("SELECT count(*) FROM people WHERE id = 5000").fetchone())
    with connection.cursor() as cursor:
        with cursor.copy("COPY people (id, name) FROM STDIN") as copy:
            for n in range(6000, 6100):
                copy.write_row((n, f"copied\t{n}"))
        show("copy in", cursor.statusmessage)
        with cursor.copy("COPY (SELECT id, name FROM people WHERE id > 6090 ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            show("copy out", list(copy.rows()))

        def bad_copy():
            with cursor.copy("COPY people (id, name) FROM STDIN") as copy:
                copy.write("not a number\tx\n")

        failing("copy with an error", bad_copy)

        def left_copy():
            with cursor.copy("COPY people (id, name) FROM STDIN") as copy:
                copy.write_row((7000, "x"))
                raise psycopg.DataError("left on purpose")

        failing("copy left", left_copy)
    with connection.transaction():
        with connection.cursor("named", scrollable=True) as cursor:
            cursor.execute("SELECT id FROM people WHERE id <= 500 ORDER BY id")
            cursor.itersize = 90
            show("server-side cursor", sum(row[0] for row in cursor))
            cursor.scroll(3, mode="absolute")
            show("scrolled", cursor.fetchmany(3))
    failing("unique", lambda: connection.execute("INSERT INTO people (id, name) VALUES (1, 'x')"))
    failing("syntax", lambda: connection.execute("SELEKT 1"))
    failing("missing", lambda: connection.execute("SELECT nothing_here FROM people"))
    show("returning", connection.execute("UPDATE people SET name = 'R' WHERE id IN (1, 2) RETURNING id, name").fetchall())
    connection.execute("SELECT purge(20)")
    show("notices", notices)
    connection.execute("LISTEN news")
    connection.execute("NOTIFY news, 'hello'")
    with psycopg.ClientCursor(connection) as cursor:
        cursor.executemany("INSERT INTO people (id, name) VALUES (%s, %s)", [(n, "many") for n in range(8000, 8300)])
        show("executemany", cursor.rowcount)
    show("status", connection.info.transaction_status.name)
