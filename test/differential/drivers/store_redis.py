"""redis-py and its asynchronous twin, with RESP2 and RESP3: ordinary calls, search where the server has it, and what a policy looks at."""

import os
import struct

import redis
import redis.asyncio
from redis.commands.search.aggregation import AggregateRequest
from redis.commands.search.field import NumericField, TagField, TextField, VectorField
from redis.commands.search.query import Query
from store_common import HOST, KEY, PART, PORT, USER, note, run, run_all, settle

try:
    from redis.commands.search.index_definition import IndexDefinition, IndexType
except ImportError:  # Its name before redis-py 6.
    from redis.commands.search.indexDefinition import IndexDefinition, IndexType
from redis.commands.search import reducers

IS_STACK = os.environ.get("STORE_KIND") == "stack"


def where(version):
    return dict(host=HOST, port=PORT, username=USER, password=KEY, protocol=version, decode_responses=True, socket_timeout=60)


def ordinary_calls(client):
    return [
        ("flush", lambda: client.flushdb()),
        ("ping", lambda: client.ping()),
        ("set", lambda: client.set("a", "1", ex=1000)),
        ("get", lambda: client.get("a")),
        ("get nothing", lambda: client.get("nothing")),
        ("set large", lambda: client.set("large", "x" * 1_000_000)),
        ("get large", lambda: client.get("large")),
        ("mset", lambda: client.mset({"b": "2", "c": "Tüür"})),
        ("mget", lambda: client.mget("a", "b", "c", "nothing")),
        ("incr", lambda: client.incrby("b", 40)),
        ("float", lambda: client.incrbyfloat("b", 0.5)),
        ("hset", lambda: client.hset("h", mapping={"f": "v", "g": "1.50"})),
        ("hgetall", lambda: client.hgetall("h")),
        ("hmget", lambda: client.hmget("h", ["f", "z"])),
        ("zadd", lambda: client.zadd("z", {"m": 1.5, "n": 2})),
        ("zrange", lambda: client.zrange("z", 0, -1, withscores=True)),
        ("zscore", lambda: client.zscore("z", "m")),
        ("rpush", lambda: client.rpush("l", "a", "b", "c")),
        ("lrange", lambda: client.lrange("l", 0, -1)),
        ("blpop", lambda: client.blpop(["none", "l"], timeout=20)),
        ("sadd", lambda: client.sadd("s", "x", "y")),
        ("smembers", lambda: client.smembers("s")),
        ("xadd", lambda: client.xadd("x", {"f": "v"}, id="1-1")),
        ("xread", lambda: client.xread({"x": "0"}, count=5)),
        ("group", lambda: client.xgroup_create("x", "readers", id="0")),
        ("xreadgroup", lambda: client.xreadgroup("readers", "me", {"x": ">"})),
        ("xack", lambda: client.xack("x", "readers", "1-1")),
        ("expire", lambda: client.expire("a", 500)),
        ("exists", lambda: client.exists("a", "nothing")),
        ("type", lambda: client.type("h")),
        ("delete", lambda: client.delete("large", "nothing")),
        ("script", lambda: client.eval("return {KEYS[1], ARGV[1], 1}", 1, "a", "b")),
        ("wrong: type", lambda: client.lpush("a", "x")),
        ("wrong: command", lambda: client.execute_command("HGET", "a")),
        ("wrong: script", lambda: client.evalsha("0" * 40, 0)),
        ("server", lambda: server(client)),
    ]


async def server(client):
    return (await settle(client.info("server")))["redis_mode"]


def in_turn(client):
    """What the two kinds of clients write in different ways, as the plain one writes it."""
    note("scan", lambda: sorted(client.scan_iter(match="h*", count=3)))
    note("hscan", lambda: sorted(client.hscan_iter("h")))
    pipe = client.pipeline(transaction=False)
    note("pipeline", lambda: pipe.set("p", 1).incr("p").get("p").hgetall("h").execute())
    note("pipeline with an error", lambda: client.pipeline(transaction=False).set("p", 1).lpush("p", 1).get("p").execute(raise_on_error=False))
    note("transaction", lambda: client.pipeline().set("q", 1).incr("q").zrange("z", 0, -1, withscores=True).execute())
    note("wrong: transaction", lambda: client.pipeline().set("q", 1).lpush("q", 1).execute())
    note("transaction that watches", lambda: client.transaction(lambda inside: inside.multi() or inside.set("w", 1), "q"))
    long_one = client.pipeline(transaction=False)
    for at in range(1000):
        long_one.set(f"many:{at}", "y" * at)
    note("long pipeline", lambda: len(long_one.execute()))
    note("many at once", lambda: [len(text) for text in client.mget([f"many:{at}" for at in range(1000)])])
    twice = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1] * 2)")
    note("registered script", lambda: twice(keys=["q"], args=[4]))
    messages = client.pubsub()
    messages.subscribe("news", "other")
    messages.psubscribe("n*")
    note("subscribed", lambda: [messages.get_message(timeout=20) for _ in range(3)])
    note("published", lambda: client.publish("news", "hello"))
    note("heard", lambda: [messages.get_message(timeout=20) for _ in range(2)])
    messages.unsubscribe()
    note("left", lambda: [messages.get_message(timeout=20) for _ in range(2)])
    messages.close()


async def in_turn_async(client):
    async def scan():
        return sorted([key async for key in client.scan_iter(match="h*", count=3)])

    async def pipeline():
        async with client.pipeline(transaction=True) as pipe:
            return await pipe.set("p", 1).incr("p").hgetall("h").execute()

    async def messages():
        async with client.pubsub() as heard:
            await heard.subscribe("news")
            first = await heard.get_message(timeout=20)
            await client.publish("news", "hello")
            return [first, await heard.get_message(timeout=20)]

    async def together():
        import asyncio

        return await asyncio.gather(*(client.get("a") for _ in range(50)))

    await run_all("async", [("scan", scan), ("pipeline", pipeline), ("messages", messages), ("together", together)])


def vector(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def search_calls(client):
    """Redis Stack: hashes and JSON, by text, number, tag and vector."""
    index = client.ft("books")
    fields = [
        TextField("title"),
        NumericField("year", sortable=True),
        TagField("tag"),
        VectorField("vec", "HNSW", {"TYPE": "FLOAT32", "DIM": 2, "DISTANCE_METRIC": "L2"}),
    ]
    nearest = Query("*=>[KNN 2 @vec $of AS far]").sort_by("far").return_fields("title", "far").dialect(2)
    of = {"of": vector(2001, 1)}
    groups = AggregateRequest("*").group_by("@tag", reducers.count().alias("n"), reducers.avg("@year").alias("mean"))
    return [
        ("flush", lambda: client.flushdb()),
        ("create", lambda: index.create_index(fields, definition=IndexDefinition(prefix=["book:"], index_type=IndexType.HASH))),
        *(
            (f"book {at}", lambda at=at: client.hset(f"book:{at}", mapping={"title": f"red {'fox' if at % 2 else 'bear'}", "year": 1990 + at, "tag": "x,y", "vec": vector(1990 + at, 1)}))
            for at in range(12)
        ),
        ("search", lambda: index.search(Query("red fox").sort_by("year"))),
        ("search of fields", lambda: index.search(Query("@year:[1995 1999] @tag:{x}").return_fields("title", "year").sort_by("year").paging(0, 3))),
        ("nearest", lambda: index.search(nearest, of)),
        ("nearest of some", lambda: index.search(Query("(@tag:{x})=>[KNN 2 @vec $of AS far]").sort_by("far").return_fields("title", "far").dialect(2), of)),
        ("aggregate", lambda: index.aggregate(groups)),
        ("tags", lambda: index.tagvals("tag")),
        ("alias", lambda: index.aliasadd("reading")),
        ("by alias", lambda: client.ft("reading").search(Query("bear").sort_by("year").no_content())),
        ("json", lambda: client.json().set("j:1", "$", {"a": {"b": [1, "x", None]}, "big": 1.5})),
        ("json get", lambda: client.json().get("j:1", "$.a.b")),
        ("json mget", lambda: client.json().mget(["j:1", "j:2"], "$")),
        ("json append", lambda: client.json().arrappend("j:1", "$.a.b", {"c": 2})),
        ("drop", lambda: index.dropindex()),
        ("wrong: gone", lambda: index.search(Query("*"))),
    ]


def policy_calls(client):
    """Records are there already: user:1 to user:3, and a vault."""
    calls = [
        ("hgetall", lambda: client.hgetall("user:1")),
        ("hmget", lambda: client.hmget("user:2", ["email", "city"])),
        ("refused: values without their fields", lambda: client.hvals("user:3")),
        ("refused: another key", lambda: client.get("vault:1")),
        ("refused: among others", lambda: client.mget("open", "vault:1")),
        ("refused: list of keys", lambda: client.keys("*")),
        ("refused: flush", lambda: client.flushall()),
        ("refused: settings", lambda: client.config_get("*")),
        ("refused: script", lambda: client.eval("return redis.call('get', KEYS[1])", 1, "vault:1")),
        ("still there", lambda: client.get("open")),
    ]
    if not IS_STACK:
        return calls
    return [
        *calls,
        ("search", lambda: client.ft("users").search(Query("@city:{Paris}").sort_by("age"))),
        ("aggregate", lambda: client.ft("users").aggregate(AggregateRequest("@city:{Paris}").load("@city", "@email"))),
        ("refused: search by what is masked", lambda: client.ft("users").search(Query("@email:{secret*}"))),
        ("still found", lambda: client.ft("users").search(Query("*").no_content().sort_by("age"))),
    ]


def policy_in_turn(client):
    both = client.pipeline(transaction=False).get("open").get("vault:1").hgetall("user:1")
    note("refused: in a pipeline", lambda: both.execute())
    note("pipeline goes on", lambda: client.pipeline(transaction=False).get("open").hgetall("user:1").execute())
    note("refused: in a transaction", lambda: client.pipeline().get("open").get("vault:1").execute())
    note("still there after it", lambda: client.get("open"))


async def main():
    for version in (2, 3):
        client = redis.Redis(**where(version))
        twin = redis.asyncio.Redis(**where(version))
        if PART == "policy":
            await run_all(f"resp{version}", policy_calls(client))
            policy_in_turn(client)
            await run_all(f"async resp{version}", policy_calls(twin))
        elif IS_STACK:
            await run_all(f"resp{version}", search_calls(client))
            await run_all(f"async resp{version}", search_calls(twin))
        else:
            await run_all(f"resp{version}", ordinary_calls(client))
            in_turn(client)
            await run_all(f"async resp{version}", ordinary_calls(twin))
            await in_turn_async(twin)
        client.close()
        await twin.aclose()


run(main)
