"""pymilvus beside its MilvusClient: collections of the ORM, the asynchronous client; and what a policy looks at, with all three."""

import logging
import warnings

from pymilvus import (
    AnnSearchRequest,
    AsyncMilvusClient,
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    MilvusClient,
    RRFRanker,
    connections,
    utility,
)
from store_common import HOST, KEY, PART, PORT, note, run, run_all, settle

# What fails is in the transcript; the older of the clients is meant to be used.
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

URI = f"http://{HOST}:{PORT}"
VECTOR = [3, 0.3, -0.0, 1]


def rows(count):
    return [
        dict(id=index, city="Paris" if index % 2 == 0 else "Rom", info={"n": index, "deep": [1, {"x": -0.0}]}, vec=[index, 0.1 * index, -0.0, 1], extra=f"e{index}")
        for index in range(count)
    ]


def schema():
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("city", DataType.VARCHAR, max_length=100),
        FieldSchema("info", DataType.JSON, nullable=True),
        FieldSchema("vec", DataType.FLOAT_VECTOR, dim=4),
    ]
    return CollectionSchema(fields, enable_dynamic_field=True)


def read_all(iterator):
    found = []
    while batch := iterator.next():
        found.append([row.to_dict() if hasattr(row, "to_dict") else row for row in batch])
    iterator.close()
    return found


def hits(found):
    return [[(hit.id, hit.distance, hit.entity.get("city")) for hit in one] for one in found]


def ordinary_orm():
    connections.connect("default", host=HOST, port=str(PORT), token=KEY, timeout=60)
    made = Collection("python_orm", schema())
    asked = dict(data=[VECTOR, [0, 0, 0, 1]], anns_field="vec", param={"metric_type": "L2"}, limit=3)
    several = [AnnSearchRequest([VECTOR], "vec", {"metric_type": "L2"}, limit=4, expr=expr) for expr in ("id > 2", "id < 20")]
    for what, call in [
        ("index", lambda: made.create_index("vec", {"index_type": "FLAT", "metric_type": "L2", "params": {}}).code),
        ("load", made.load),
        ("insert", lambda: made.insert(rows(30)).primary_keys),
        ("insert columns", lambda: made.insert([[100, 101], ["Oslo", "Bern"], [{"n": 1}, None], [VECTOR, VECTOR]]).insert_count),
        ("flush", made.flush),
        ("has", lambda: [utility.has_collection(name) for name in ("python_orm", "nobody")]),
        ("fields", lambda: [(field.name, str(field.dtype)) for field in made.schema.fields]),
        ("query", lambda: made.query("id < 4", output_fields=["*"])),
        ("filter", lambda: made.query('city == "Rom" and info["n"] > 20', output_fields=["city", "info", "extra"])),
        ("count", lambda: made.query("", output_fields=["count(*)"])),
        ("page", lambda: made.query("id >= 0", limit=3, offset=4, output_fields=["id"])),
        ("search", lambda: hits(made.search(**asked, output_fields=["city"]))),
        ("search by filter", lambda: hits(made.search(**asked, expr='city == "Rom"', output_fields=["city", "vec"]))),
        ("hybrid", lambda: hits(made.hybrid_search(several, RRFRanker(), 3, output_fields=["city"]))),
        ("iterate", lambda: read_all(made.query_iterator(batch_size=10, expr="id >= 3", output_fields=["city"]))),
        ("upsert", lambda: made.upsert([dict(rows(4)[3], city="Lima")]).upsert_count),
        ("after it", lambda: made.query("id == 3", output_fields=["city", "vec"])),
        ("delete", lambda: made.delete("id in [1, 2]").delete_count),
        ("after that", lambda: made.query("id < 4", output_fields=["id"])),
        ("wrong: filter", lambda: made.query("id ===== 4")),
        ("unknown field", lambda: made.query("id < 4", output_fields=["nofield"])),
        ("wrong: none such", lambda: Collection("nobody")),
        ("release", made.release),
        ("drop", made.drop),
    ]:
        note(f"orm {what}", call)
    connections.disconnect("default")


async def ordinary_async():
    client = AsyncMilvusClient(uri=URI, token=KEY, timeout=60)
    name = "python_async"
    index = client.prepare_index_params()
    index.add_index("vec", index_type="FLAT", metric_type="L2")
    large = [dict(id=1000 + at, city="Oslo" * 20, info=None, vec=[at, 1, 2, 3]) for at in range(3000)]
    reads = [lambda at=at: client.query(name, filter=f"id == {at}", output_fields=["city"]) for at in range(8)]
    await run_all(
        "async",
        [
            ("create", lambda: client.create_collection(name, schema=schema())),
            # Lite has no AllocTimestamp, with which this client waits for an index; it is made all the same.
            ("wrong: index", lambda: client.create_index(name, index)),
            ("load", lambda: client.load_collection(name)),
            ("has", lambda: client.has_collection(name)),
            ("list", lambda: in_list(client, name)),
            ("insert", lambda: client.insert(name, rows(30))),
            ("query", lambda: client.query(name, filter="id < 4", output_fields=["*"])),
            ("get", lambda: client.get(name, ids=[1, 2], output_fields=["city", "vec"])),
            ("search", lambda: client.search(name, data=[VECTOR], limit=3, output_fields=["*"])),
            ("at the same time", lambda: together(reads)),
            ("upsert", lambda: client.upsert(name, dict(rows(4)[3], city="Lima"))),
            ("delete", lambda: client.delete(name, ids=[5])),
            ("insert much", lambda: client.insert(name, large)),
            ("read much", lambda: client.query(name, filter="id >= 1000", output_fields=["city", "vec"], limit=3000)),
            ("wrong: filter", lambda: client.query(name, filter="id ===== 4")),
            ("drop", lambda: client.drop_collection(name)),
        ],
    )
    await client.close()


async def in_list(client, name):
    return name in await client.list_collections()


async def together(calls):
    import asyncio

    return [list(found) for found in await asyncio.gather(*(call() for call in calls))]


async def policy(way, client):
    """The server's records are there already: people, and a vault."""
    asked = dict(output_fields=["*"])
    await run_all(
        way,
        [
            ("query", lambda: client.query("people", filter="id >= 0", **asked)),
            ("get", lambda: client.get("people", ids=[1, 2], **asked)),
            ("search", lambda: client.search("people", data=[VECTOR], limit=3, **asked)),
            ("filter", lambda: client.query("people", filter='city == "Paris"', output_fields=["city", "extra"])),
            ("refused: filter by what is masked", lambda: client.query("people", filter='email == "secret-mail-1"')),
            ("still there", lambda: client.query("people", filter="", output_fields=["count(*)"])),
            ("refused: another collection", lambda: client.query("vault", filter="id >= 0", **asked)),
            ("refused: search in it", lambda: client.search("vault", data=[VECTOR], limit=3, **asked)),
            ("refused: drop", lambda: client.drop_collection("people")),
            ("refused: delete", lambda: client.delete("people", filter="id == 1")),
            ("still there after it", lambda: client.get("people", ids=[1], **asked)),
        ],
    )
    await settle(client.close())


def policy_orm():
    connections.connect("default", host=HOST, port=str(PORT), token=KEY, timeout=60)
    people = Collection("people")
    search = dict(data=[VECTOR], anns_field="vec", param={}, limit=3, output_fields=["email", "city"])
    for what, call in [
        ("query", lambda: people.query("id >= 0", output_fields=["*"])),
        ("search", lambda: [[hit.to_dict() for hit in one] for one in people.search(**search)]),
        ("iterate", lambda: read_all(people.query_iterator(batch_size=2, expr="id >= 0", output_fields=["email"]))),
        ("refused: filter by what is masked", lambda: people.query('email == "secret-mail-1"')),
        ("refused: another collection", lambda: Collection("vault").query("id >= 0")),
        ("refused: drop", people.drop),
        ("still there after it", lambda: people.query("id == 1", output_fields=["email"])),
    ]:
        note(f"orm {what}", call)
    connections.disconnect("default")


async def main():
    if PART == "ordinary":
        ordinary_orm()
        await ordinary_async()
        return
    await policy("sync", MilvusClient(uri=URI, token=KEY, timeout=60))
    await policy("async", AsyncMilvusClient(uri=URI, token=KEY, timeout=60))
    policy_orm()


run(main)
