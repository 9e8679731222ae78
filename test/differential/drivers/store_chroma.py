"""Chroma's Python clients, HttpClient and AsyncHttpClient: ordinary calls, and calls that a policy looks at."""

import chromadb
from chromadb.config import Settings
from store_common import HOST, KEY, PART, PORT, run, run_all, settle

SETTINGS = Settings(anonymized_telemetry=False)
HEADERS = {"x-chroma-token": KEY} if KEY else {}
VECTORS = [[1.0, 0.0, -0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 1e-7]]


def records(count):
    """More than a buffer of the gateway holds, in one request."""
    return dict(
        ids=[f"r{index}" for index in range(count)],
        embeddings=[[index / 7, 1.0 / (index + 1), -0.0] + [0.123456789] * 61 for index in range(count)],
        documents=[f"text {index} " + "ä" * (index % 50) for index in range(count)],
        metadatas=[{"n": index, "even": index % 2 == 0, "half": index / 2} for index in range(count)],
    )


async def ordinary(name, client):
    made = await settle(client.create_collection(name, embedding_function=None, metadata={"about": "tests"}))
    large = await settle(client.get_or_create_collection(f"{name}-large", embedding_function=None))
    several = {"$or": [{"kind": "y"}, {"n": {"$in": [1, 7]}}]}
    await run_all(
        name,
        [
            ("heartbeat", lambda: client.heartbeat() and None),
            ("identity", client.get_user_identity) if name == "sync" else ("identity", lambda: client.get_user_identity()),
            ("version", client.get_version),
            ("collections", lambda: client.count_collections()),
            (
                "add",
                lambda: made.add(
                    ids=["a", "b", "c"],
                    embeddings=VECTORS,
                    documents=["first text", "second text", "dritter Täxt"],
                    metadatas=[{"kind": "x", "n": 1}, {"kind": "y", "n": 2.5, "ok": True}, {"kind": "x", "n": -3}],
                ),
            ),
            ("count", made.count),
            ("get", made.get),
            ("get one", lambda: made.get(ids="b", include=["embeddings", "metadatas"])),
            ("get all", lambda: made.get(include=["documents", "metadatas", "embeddings", "uris"])),
            ("filter", lambda: made.get(where={"$and": [{"kind": "x"}, {"n": {"$gt": 0}}]})),
            ("filter of several", lambda: made.get(where=several, limit=2, offset=0)),
            ("text", lambda: made.get(where_document={"$contains": "second"})),
            ("peek", lambda: made.peek(2)),
            ("query", lambda: made.query(query_embeddings=VECTORS[:2], n_results=2)),
            (
                "query all",
                lambda: made.query(
                    query_embeddings=[[1.0, 0.0, 0.0]],
                    n_results=3,
                    where={"kind": {"$ne": "z"}},
                    include=["documents", "metadatas", "embeddings", "distances"],
                ),
            ),
            ("update", lambda: made.update(ids=["a"], metadatas=[{"kind": "z"}], documents=["changed"], embeddings=[[1.0, 1.0, 1.0]])),
            ("upsert", lambda: made.upsert(ids=["a", "d"], embeddings=VECTORS[:2], documents=["x", "y"])),
            ("delete by ids", lambda: made.delete(ids=["d"])),
            ("delete by filter", lambda: made.delete(where={"kind": "y"})),
            ("get after", lambda: made.get(include=["documents", "metadatas", "embeddings"])),
            ("wrong size", lambda: made.add(ids=["z"], embeddings=[[1.0]])),
            ("wrong filter", lambda: made.get(where={"$nothing": [1]})),
            ("wrong name", lambda: client.get_collection("nobody", embedding_function=None)),
            ("add many", lambda: large.add(**records(2000))),
            ("count many", large.count),
            ("get many", lambda: large.get(include=["documents", "metadatas", "embeddings"])),
            ("page of many", lambda: large.get(limit=5, offset=1990)),
            ("query many", lambda: large.query(query_embeddings=[[1.0] * 64], n_results=100)),
            ("rename", lambda: made.modify(name=f"{name}-renamed")),
            ("list", lambda: names(client)),
            ("drop", lambda: client.delete_collection(f"{name}-renamed")),
            ("drop large", lambda: client.delete_collection(f"{name}-large")),
            ("wrong: gone", made.get),
        ],
    )


async def names(client):
    return sorted(one.name for one in await settle(client.list_collections()))


async def policy(name, client):
    """The server's records are there already: people, and a vault."""
    people = await settle(client.get_collection("people", embedding_function=None))
    await run_all(
        name,
        [
            ("get", lambda: people.get(include=["documents", "metadatas", "embeddings"])),
            ("query", lambda: people.query(query_embeddings=[[1.0, 0.0]], n_results=2)),
            ("peek", lambda: people.peek(3)),
            ("filter", lambda: people.get(where={"city": "Paris"})),
            ("refused: filter by what is masked", lambda: people.get(where={"email": "secret-mail-1"})),
            ("still there", people.count),
            ("refused: another collection", lambda: client.get_collection("vault", embedding_function=None)),
            ("refused: drop", lambda: client.delete_collection("people")),
            ("refused: delete", lambda: people.delete(ids=["1"])),
            ("still there after it", lambda: people.get(ids=["1"])),
        ],
    )


async def main():
    part = ordinary if PART == "ordinary" else policy
    await part("sync", chromadb.HttpClient(host=HOST, port=PORT, headers=HEADERS, settings=SETTINGS))
    await part("async", await chromadb.AsyncHttpClient(host=HOST, port=PORT, headers=HEADERS, settings=SETTINGS))


run(main)
