"""Qdrant's Python clients, QdrantClient and AsyncQdrantClient, over REST and over gRPC: ordinary calls, and what a policy looks at."""

import warnings

from qdrant_client import AsyncQdrantClient, QdrantClient, models
from store_common import GRPC_PORT, HOST, KEY, PART, PORT, run, run_all, settle

# A key without TLS is what a test has.
warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")

PARIS = models.Filter(must=[models.FieldCondition(key="city", match=models.MatchValue(value="Paris"))])
YOUNG = models.Filter(must_not=[models.FieldCondition(key="age", range=models.Range(gte=30))])
BY_MAIL = models.Filter(must=[models.FieldCondition(key="email", match=models.MatchValue(value="secret-mail-1"))])


def points(count, dimensions=2):
    return [
        models.PointStruct(
            id=index + 1,
            vector=[1.0] + [index / 10] * (dimensions - 1),
            payload={
                "city": "Paris" if index % 2 == 0 else "Rom",
                "age": 20 + index,
                "half": index / 2,
                "deep": {"list": [1, None, {"x": True}], "text": "Tüür"},
            },
        )
        for index in range(count)
    ]


async def scroll_all(client, name):
    """As applications do it: page after page."""
    found, offset = [], None
    while True:
        page, offset = await settle(client.scroll(name, limit=7, offset=offset, with_payload=["age"]))
        found.append([point.model_dump() for point in page])
        if offset is None:
            return found


async def ordinary(way, client):
    name = f"python_{way}"
    vectors = models.VectorParams(size=2, distance=models.Distance.DOT)
    large = f"{name}_large"
    ids = models.PointIdsList(points=[3, 4])
    await run_all(
        way,
        [
            ("create", lambda: client.create_collection(name, vectors_config=vectors)),
            ("exists", lambda: client.collection_exists(name)),
            ("no such", lambda: client.collection_exists("nowhere")),
            ("upsert", lambda: client.upsert(name, points(20), wait=True)),
            (
                "upsert batch",
                lambda: client.upsert(name, models.Batch(ids=[50, 51], vectors=[[1, 1], [2, -0.0]], payloads=[{"age": 1}, {"age": 2}])),
            ),
            ("retrieve", lambda: client.retrieve(name, ids=[1, 2, 99], with_vectors=True)),
            ("retrieve some fields", lambda: client.retrieve(name, ids=[1], with_payload=["city"])),
            ("scroll", lambda: scroll_all(client, name)),
            ("scroll by filter", lambda: client.scroll(name, scroll_filter=YOUNG, limit=3, with_vectors=True)),
            ("scroll in order", lambda: client.scroll(name, order_by="age", limit=3)),
            ("count", lambda: client.count(name, exact=True)),
            ("count by filter", lambda: client.count(name, count_filter=PARIS)),
            ("query", lambda: client.query_points(name, query=[1.0, 0.5], limit=3, with_payload=True)),
            ("query by filter", lambda: client.query_points(name, query=[1.0, 0.5], query_filter=PARIS, with_vectors=True)),
            ("query by id", lambda: client.query_points(name, query=2, limit=2)),
            (
                "query in steps",
                lambda: client.query_points(
                    name,
                    prefetch=[models.Prefetch(query=[1.0, 0.0], filter=PARIS, limit=5)],
                    query=models.FusionQuery(fusion=models.Fusion.RRF),
                ),
            ),
            (
                "query batch",
                lambda: client.query_batch_points(
                    name,
                    [models.QueryRequest(query=[1.0, 0.0], limit=1), models.QueryRequest(query=[0.0, 1.0], filter=PARIS, limit=2)],
                ),
            ),
            ("groups", lambda: client.query_points_groups(name, group_by="city", query=[1.0, 0.0], limit=2, group_size=2)),
            ("facet", lambda: client.facet(name, key="city")),
            ("set payload", lambda: client.set_payload(name, payload={"x": 1}, points=[1])),
            ("overwrite payload", lambda: client.overwrite_payload(name, payload={"city": "Oslo"}, points=[2])),
            ("delete payload", lambda: client.delete_payload(name, keys=["age"], points=[1])),
            ("update vectors", lambda: client.update_vectors(name, [models.PointVectors(id=1, vector=[0.25, 4.0])])),
            ("delete by ids", lambda: client.delete(name, points_selector=ids)),
            ("delete by filter", lambda: client.delete(name, points_selector=models.FilterSelector(filter=PARIS))),
            (
                "batch of writes",
                lambda: client.batch_update_points(
                    name,
                    [
                        models.UpsertOperation(upsert=models.PointsList(points=points(2))),
                        models.DeleteOperation(delete=models.PointIdsList(points=[50])),
                    ],
                ),
            ),
            ("after it", lambda: client.scroll(name, limit=30, with_vectors=True)),
            ("index", lambda: client.create_payload_index(name, "city", models.PayloadSchemaType.KEYWORD)),
            ("alias", lambda: client.update_collection_aliases([models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=name, alias_name=f"{name}_alias"))])),
            ("by alias", lambda: client.count(f"{name}_alias")),
            ("aliases", lambda: client.get_aliases()),
            ("no alias", lambda: client.update_collection_aliases([models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=f"{name}_alias"))])),
            ("create large", lambda: client.create_collection(large, vectors_config=models.VectorParams(size=64, distance=models.Distance.DOT))),
            # Uploads go out in several requests, one after the other.
            ("upload", lambda: client.upload_points(large, points(600, 64), batch_size=200, wait=True)),
            ("upload columns", lambda: client.upload_collection(large, vectors=[[0.5] * 64] * 30, ids=list(range(1000, 1030)), batch_size=8, wait=True)),
            ("count large", lambda: client.count(large)),
            ("read large", lambda: client.scroll(large, limit=1000, with_vectors=True)),
            ("wrong: no such collection", lambda: client.scroll("nowhere")),
            ("wrong: none to count", lambda: client.count("nowhere")),
            ("drop", lambda: client.delete_collection(name)),
            ("drop large", lambda: client.delete_collection(large)),
            ("collections", lambda: client.get_collections()),
        ],
    )


async def policy(way, client):
    """The server's records are there already: people, and a vault."""
    await run_all(
        way,
        [
            ("scroll", lambda: client.scroll("people", limit=10, with_vectors=True)),
            ("retrieve", lambda: client.retrieve("people", ids=[1, 2])),
            ("query", lambda: client.query_points("people", query=[1.0, 0.5], limit=3, with_payload=True, with_vectors=True)),
            ("filter", lambda: client.query_points("people", query=[1.0, 0.5], query_filter=PARIS)),
            ("count", lambda: client.count("people")),
            ("refused: filter by what is masked", lambda: client.scroll("people", scroll_filter=BY_MAIL)),
            ("refused: facet of what is masked", lambda: client.facet("people", key="email")),
            ("refused: order by what is masked", lambda: client.scroll("people", order_by="email")),
            ("still there", lambda: client.count("people")),
            ("refused: another collection", lambda: client.scroll("vault")),
            ("refused: by its alias", lambda: client.query_points("harmless", query=[1.0, 0.0])),
            ("refused: in a batch", lambda: client.query_batch_points("vault", [models.QueryRequest(query=[1.0, 0.0], limit=1)])),
            ("refused: drop", lambda: client.delete_collection("people")),
            ("refused: delete", lambda: client.delete("people", points_selector=models.PointIdsList(points=[1]))),
            ("still there after it", lambda: client.retrieve("people", ids=[1])),
        ],
    )


async def main():
    part = ordinary if PART == "ordinary" else policy
    for over, prefer_grpc in (("rest", False), ("grpc", True)):
        where = dict(host=HOST, port=PORT, grpc_port=GRPC_PORT, https=False, api_key=KEY, prefer_grpc=prefer_grpc, timeout=60)
        client = QdrantClient(**where)
        await part(over, client)
        client.close()
        twin = AsyncQdrantClient(**where)
        await part(f"async_{over}", twin)
        await twin.close()


run(main)
