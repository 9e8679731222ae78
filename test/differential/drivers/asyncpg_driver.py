# asyncpg: binary everything, statements without Describe on reuse, COPY, cursors, listeners.
import asyncio
import asyncpg


def show(name, value):
    print(f"{name}: {value!r}")


async def main():
    connection = await asyncpg.connect(server_settings={"application_name": "asyncpg"})
    logs = []
    connection.add_log_listener(lambda _, message: logs.append((message.sqlstate, message.message)))
    show("user", await connection.fetchval("SELECT current_user"))
    show("rows", [tuple(r) for r in await connection.fetch("SELECT id, name, born, mood, tags, doc, photo, note FROM people WHERE id < $1 ORDER BY id", 4)])
    statement = await connection.prepare("SELECT $1::int, $2::text[], $3::timestamptz, $4::numeric, $5::uuid, $6::inet, $7::interval")
    show("attributes", [(a.name, a.type.name) for a in statement.get_attributes()])
    for _ in range(3):
        show("null", tuple(await statement.fetchrow(None, None, None, None, None, None, None)))
    show("ranges", await connection.fetchval("SELECT int4range(1, 5)"))
    show("types", tuple(await connection.fetchrow("SELECT 1::int2, 2::int8, 1.5::float4, true, 'x'::bytea, '{1,2}'::int[], '12:00'::time, point(1,2), '\\x01'::bytea, '{\"a\": 1}'::jsonb, B'101', ROW(1, 'a')")))
    show("many", await connection.executemany("INSERT INTO people (id, name) VALUES ($1, $2)", [(n, "m") for n in range(11000, 11500)]))
    show("copy in", await connection.copy_records_to_table("people", records=[(n, "c") for n in range(12000, 12100)], columns=["id", "name"]))
    chunks = []

    async def keep(data):
        chunks.append(bytes(data))

    show("copy out", await connection.copy_from_query("SELECT id FROM people WHERE id > 12095 ORDER BY id", output=keep, format="binary"))
    show("copied", b"".join(chunks).hex())
    async with connection.transaction():
        total = 0
        async for record in connection.cursor("SELECT id FROM people WHERE id <= 500 ORDER BY id", prefetch=37):
            total += record["id"]
        show("cursor", total)
    for sql in ("SELECT 1/0", "SELECT missing FROM people", "INSERT INTO people (id, name) VALUES (1, 'x')", "SELEKT"):
        try:
            await connection.fetch(sql)
        except asyncpg.PostgresError as error:
            show(sql, (error.sqlstate, error.message, error.detail, error.constraint_name, error.position))
    try:
        async with connection.transaction():
            await connection.execute("INSERT INTO people (id, name) VALUES (13000, 'x')")
            await connection.fetch("SELECT 1/0")
    except asyncpg.DivisionByZeroError:
        show("rolled back", await connection.fetchval("SELECT count(*) FROM people WHERE id = 13000"))
    heard = asyncio.Queue()
    await connection.add_listener("news", lambda _c, _p, channel, payload: heard.put_nowait((channel, payload)))
    await connection.execute("NOTIFY news, 'hello'")
    show("heard", await asyncio.wait_for(heard.get(), 60))
    try:
        await connection.fetch("SELECT pg_sleep(20)", timeout=0.3)
    except asyncio.TimeoutError:
        show("after a timeout, which cancels", await connection.fetchval("SELECT 1"))
    show("script", await connection.execute("SELECT 1; UPDATE people SET name = 'z' WHERE id < 3; SELECT 2"))
    await connection.execute("SELECT purge(7)")
    show("logs", logs)
    await connection.reset()
    await connection.close()


asyncio.run(main())
