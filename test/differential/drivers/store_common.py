"""What the programs of the stores have in common: a transcript of what each call gave or raised, the same from run to run."""

import asyncio
import inspect
import json
import os
import re

HOST = "127.0.0.1"
PORT = int(os.environ["STORE_PORT"])
GRPC_PORT = int(os.environ.get("STORE_GRPC_PORT", "0"))
USER = os.environ.get("STORE_USER", "")
KEY = os.environ.get("STORE_KEY", "")
# ordinary: nothing that is asked for is masked or refused; policy: some of it is, for some users.
PART = os.environ.get("STORE_PART", "ordinary")
# What is refused through the gateway would be done by the server.
IS_DIRECT = os.environ.get("STORE_WAY") == "direct"

CHANGING = (
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"127\.0\.0\.1(?::|%3A)\d+"), "HOST"),
    # Milvus's times and ids that the server makes, and what its answers say they cost.
    (re.compile(r"\b\d{16,}\b"), "BIG"),
    (re.compile(r"""(['"]?(?:cost|time|took|cost_time)['"]?[:=] ?)[\d.e-]+"""), r"\g<1>0"),
)


def plain(value):
    """What JSON can show, in an order that does not change."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return "bytes " + value.hex() if len(value) > 200 else repr(value)
    if isinstance(value, BaseException):
        return explain(value)
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if type(value).__module__.startswith("redis") and hasattr(value, "__dict__"):
        return plain({key: item for key, item in vars(value).items() if key != "duration"})
    return repr(value)


def explain(error):
    """An error of gRPC prints the time and its peer as well."""
    if callable(getattr(error, "code", None)) and callable(getattr(error, "details", None)):
        return f"{type(error).__name__}: {error.code()} {error.details()}"
    return f"{type(error).__name__}: {error}"


def show(name, value):
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, default=str)
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    print(f"{name}: {text}", flush=True)


def refuse(name, error):
    text = " ".join(explain(error).split())
    for pattern, instead in CHANGING:
        text = pattern.sub(instead, text)
    print(f"{name}: raised {text}", flush=True)


def note(name, call):
    if IS_DIRECT and "refused:" in name:
        return None
    try:
        value = call()
    except Exception as error:  # Every kind of error is part of what is compared.
        return refuse(name, error)
    return show(name, value)


async def note_async(name, call):
    if IS_DIRECT and "refused:" in name:
        return None
    try:
        value = call()
        if inspect.isawaitable(value):
            value = await value
    except Exception as error:
        return refuse(name, error)
    return show(name, value)


async def run_all(name, calls):
    """Calls may give something to wait for, so that one list serves a client and its asynchronous twin."""
    for what, call in calls:
        await note_async(f"{name} {what}", call)


async def settle(value):
    return await value if inspect.isawaitable(value) else value


def run(main):
    asyncio.run(main())
