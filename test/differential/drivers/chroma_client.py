"""The ordinary calls of Chroma's Python client; prints what each gave or raised, without ids and times."""

import json
import os
import re

import chromadb
from chromadb.config import Settings

PORT = int(os.environ["CHROMA_PORT"])
KEY = os.environ.get("CHROMA_KEY", "")
HEADERS = {"x-chroma-token": KEY} if KEY else {}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def plain(value):
    """What JSON can show; numpy's arrays become lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def note(name, call):
    try:
        text = json.dumps(plain(call()), sort_keys=True, default=str)
    except Exception as error:  # Every kind of error is part of what is compared.
        text = f"{type(error).__name__}: {error}"
    print(f"{name}: {UUID.sub('UUID', text)}")


settings = Settings(anonymized_telemetry=False)
client = chromadb.HttpClient(host="127.0.0.1", port=PORT, headers=HEADERS, settings=settings)
note("version", client.get_version)
note("heartbeat", lambda: client.heartbeat() > 0)
note("identity", lambda: client.get_user_identity())
note("max batch size", client.get_max_batch_size)
collection = client.get_or_create_collection("from-python", embedding_function=None, metadata={"about": "tests"})
note(
    "add",
    lambda: collection.add(
        ids=["a", "b", "c"],
        embeddings=[[1.0, 0.0, -0.0], [0.0, 1.0, 0.0], [0.5, 0.25, 1e-7]],
        documents=["first text", "second text", "dritter Täxt"],
        metadatas=[{"kind": "x", "n": 1}, {"kind": "y", "n": 2.5, "ok": True}, {"kind": "x", "n": -3}],
    ),
)
note("count", collection.count)
note("get", collection.get)
note("get all", lambda: collection.get(include=["documents", "metadatas", "embeddings", "uris"]))
note("get by filter", lambda: collection.get(where={"$and": [{"kind": "x"}, {"n": {"$gt": 0}}]}))
note("get by text", lambda: collection.get(where_document={"$contains": "second"}))
note("get a page", lambda: collection.get(limit=1, offset=1))
note("peek", lambda: collection.peek(2))
note("query", lambda: collection.query(query_embeddings=[[1.0, 0.0, 0.0]], n_results=2))
note("wrong size", lambda: collection.add(ids=["z"], embeddings=[[1.0]]))
note("update", lambda: collection.update(ids=["a"], metadatas=[{"kind": "z"}]))
note("upsert", lambda: collection.upsert(ids=["d"], embeddings=[[2.0, 2.0, 2.0]], documents=["y"]))
note("delete", lambda: collection.delete(where={"kind": "y"}))
note("get after", collection.get)
note("rename", lambda: collection.modify(name="renamed-python"))
note("by the old name", lambda: client.get_collection("from-python", embedding_function=None))
note("collections", lambda: sorted(one.name for one in client.list_collections()))
note("drop", lambda: client.delete_collection("renamed-python"))
note("get from what is gone", collection.get)
