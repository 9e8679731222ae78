# The ordinary calls of pymilvus, one after the other, as a text that says what each gave or raised.
import os
import re
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker

port, key = os.environ["MILVUS_PORT"], os.environ["MILVUS_KEY"]
client = MilvusClient(uri=f"http://127.0.0.1:{port}", token=key, timeout=60)
NAME = "python_customers"


def rows():
    return [
        dict(
            id=i,
            email=f"user{i}@example.com",
            info={"n": i, "deep": [1, {"x": -0.0}]},
            age=i if i % 3 else None,
            tags=[f"t{i}"],
            vec=[i, 0.1 * i, -0.0, 1],
            phone=f"+49 30 {i}",
        )
        for i in range(25)
    ]


def create():
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("email", DataType.VARCHAR, max_length=100)
    schema.add_field("info", DataType.JSON, nullable=True)
    schema.add_field("age", DataType.INT32, nullable=True)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=5, max_length=50)
    schema.add_field("vec", DataType.FLOAT_VECTOR, dim=4)
    index = client.prepare_index_params()
    index.add_index("vec", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=index)


def iterate():
    iterator = client.query_iterator(NAME, batch_size=10, filter="id >= 3", output_fields=["email"])
    found = []
    while batch := iterator.next():
        found.append([row["email"] for row in batch])
    iterator.close()
    return found


def iterate_search():
    iterator = client.search_iterator(NAME, data=[[3, 0.3, 0, 1]], batch_size=5, limit=12, output_fields=["email"])
    found = []
    while batch := iterator.next():
        found.append([(hit["id"], hit["distance"]) for hit in batch])
    iterator.close()
    return found


vector = [3, 0.3, 0, 1]
CALLS = {
    "version": lambda: client.get_server_version(),
    "create": create,
    "insert": lambda: client.insert(NAME, rows()),
    "describe": lambda: client.describe_collection(NAME)["fields"],
    "list": lambda: NAME in client.list_collections(),
    "query": lambda: client.query(NAME, filter="id < 4", output_fields=["*"]),
    "filter": lambda: client.query(NAME, filter='phone like "+49%" and info["n"] > 20', output_fields=["phone", "tags"]),
    "template": lambda: client.query(NAME, filter="age in {ages}", filter_params={"ages": [1, 2]}, output_fields=["age"]),
    "count": lambda: client.query(NAME, filter="", output_fields=["count(*)"]),
    "get": lambda: client.get(NAME, ids=[1, 2], output_fields=["email", "vec"]),
    "search": lambda: client.search(NAME, data=[vector, vector], limit=3, output_fields=["*"]),
    "group": lambda: client.search(NAME, data=[vector], limit=3, group_by_field="age", output_fields=["age"]),
    "hybrid": lambda: client.hybrid_search(
        NAME,
        [AnnSearchRequest([vector], "vec", {}, limit=5), AnnSearchRequest([vector], "vec", {}, limit=5, expr="id > 3")],
        RRFRanker(),
        limit=3,
        output_fields=["email"],
    ),
    "iterator": iterate,
    "search iterator": iterate_search,
    "wrong": lambda: client.query(NAME, filter="id ===== 4"),
    "upsert": lambda: client.upsert(NAME, [{**rows()[3], "email": "new@example.com"}]),
    "after it": lambda: client.query(NAME, filter="id == 3", output_fields=["email"]),
    "delete": lambda: client.delete(NAME, filter="id in [1, 2]"),
    "alias": lambda: client.create_alias(NAME, "python_alias"),
    "by alias": lambda: client.query("python_alias", filter="id == 5", output_fields=["email"]),
    "drop alias": lambda: client.drop_alias("python_alias"),
    "stats": lambda: client.get_collection_stats(NAME),
    "partition": lambda: client.create_partition(NAME, "p1"),
    "partitions": lambda: client.list_partitions(NAME),
    "indexes": lambda: client.list_indexes(NAME),
    "gone": lambda: client.query("nobody", filter="id == 5"),
    "drop": lambda: client.drop_collection(NAME),
}

for name, call in CALLS.items():
    try:
        text = repr(call())
    except Exception as error:
        text = f"raised {type(error).__name__}: {error}"
    text = re.sub(r"'cost': [\d.]+|\d{16,}|127\.0\.0\.1:\d+", "0", text)
    print(f"{name}: {text}")
