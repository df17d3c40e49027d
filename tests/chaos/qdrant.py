"""What the server adapter talks to: a real Qdrant (FACEFLEET_TEST_QDRANT_BIN), else a stand-in for its wire.

The stand-in keeps points in memory, which outlive `kill` as a server's write-ahead log would.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeAlias

import httpx
import numpy as np

from tests.fixtures.processes import free_port, wait_until

BINARY = os.environ.get("FACEFLEET_TEST_QDRANT_BIN", "")
#: For the table.
KIND = "a Qdrant server" if BINARY else "the server adapter, faults at its HTTP boundary"

_Json: TypeAlias = Any
_DONE = {"operation_id": 0, "status": "completed"}
_CONFIG = {
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
    "optimizer_config": {
        "deleted_threshold": 0.2,
        "vacuum_min_vector_number": 1000,
        "default_segment_number": 0,
        "flush_interval_sec": 5,
    },
}


class NoCollectionError(Exception):
    """404, as Qdrant answers."""


@dataclass
class Collections:
    """`lock` guards all of it."""

    vectors: dict[str, _Json] = field(default_factory=dict)
    points: dict[str, dict[str, _Json]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def chosen(self, name: str, asked: _Json) -> list[_Json]:
        """List the points of a collection that a request's filter lets through, in the order of their ids."""
        if name not in self.points:
            raise NoCollectionError(name)
        must = (asked.get("filter") or {}).get("must") or []
        return [point for _, point in sorted(self.points[name].items()) if all(_matches(point, each) for each in must)]


def _matches(point: _Json, condition: _Json) -> bool:
    match, found = condition["match"], point["payload"].get(condition["key"])
    return found in match["any"] if "any" in match else bool(found == match["value"])


def _list(held: Collections, _name: str, _asked: _Json) -> _Json:
    return {"collections": [{"name": each} for each in held.points]}


def _create(held: Collections, name: str, asked: _Json) -> _Json:
    held.vectors[name] = asked["vectors"]
    held.points.setdefault(name, {})
    return True


def _describe(held: Collections, name: str, _asked: _Json) -> _Json:
    count = len(held.chosen(name, {}))
    params = {"params": {"vectors": held.vectors[name]}, **_CONFIG}
    state = {"status": "green", "optimizer_status": "ok", "segments_count": 1, "points_count": count}
    return {**state, "config": params, "payload_schema": {}}


def _name_alias(held: Collections, _name: str, asked: _Json) -> _Json:
    for action in asked["actions"]:
        held.aliases[action["create_alias"]["alias_name"]] = action["create_alias"]["collection_name"]
    return True


def _aliases(held: Collections, _name: str, _asked: _Json) -> _Json:
    return {"aliases": [{"alias_name": a, "collection_name": c} for a, c in held.aliases.items()]}


def _upsert(held: Collections, name: str, asked: _Json) -> _Json:
    held.chosen(name, {"filter": {"must": []}})
    held.points[name] |= {point["id"]: point for point in asked["points"]}
    return _DONE


def _delete(held: Collections, name: str, asked: _Json) -> _Json:
    for point in held.chosen(name, asked):
        del held.points[name][point["id"]]
    return _DONE


def _count(held: Collections, name: str, asked: _Json) -> _Json:
    return {"count": len(held.chosen(name, asked))}


def _scroll(held: Collections, name: str, asked: _Json) -> _Json:
    start, limit = asked.get("offset") or "", asked["limit"]
    page = [point for point in held.chosen(name, asked) if point["id"] >= start]
    return {"points": page[:limit], "next_page_offset": page[limit]["id"] if len(page) > limit else None}


def _query(held: Collections, name: str, asked: _Json) -> _Json:
    scored = [
        {**point, "version": 0, "score": float(np.dot(point["vector"], asked["query"]))}
        for point in held.chosen(name, asked)
    ]
    scored.sort(key=lambda each: -each["score"])
    return {"points": [each for each in scored if each["score"] >= asked["score_threshold"]][: asked["limit"]]}


_ROUTES: tuple[tuple[str, str, Callable[[Collections, str, _Json], _Json]], ...] = (
    ("GET", r"/collections", _list),
    ("GET", r"/aliases", _aliases),
    ("POST", r"/collections/aliases", _name_alias),
    ("GET", r"/collections/([^/]+)/exists", lambda held, name, _: {"exists": name in held.points}),
    ("PUT", r"/collections/([^/]+)/index", lambda held, name, _: _DONE if held.chosen(name, {}) is not None else None),
    ("PUT", r"/collections/([^/]+)/points", _upsert),
    ("POST", r"/collections/([^/]+)/points/delete", _delete),
    ("POST", r"/collections/([^/]+)/points/count", _count),
    ("POST", r"/collections/([^/]+)/points/scroll", _scroll),
    ("POST", r"/collections/([^/]+)/points/query", _query),
    ("PUT", r"/collections/([^/]+)", _create),
    ("GET", r"/collections/([^/]+)", _describe),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: Collections

    def _answer(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        status, result = 404, None
        for method, pattern, act in _ROUTES:
            if method == self.command and (found := re.fullmatch(pattern, path)):
                with self.held.lock, suppress(NoCollectionError):
                    status, result = 200, act(self.held, found[1] if found.groups() else "", asked)
                break
        body = json.dumps({"result": result, "status": "ok" if status == 200 else {"error": "Not found"}, "time": 0.0})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_PUT = do_POST = _answer  # noqa: N815  (as in http.server)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as in http.server)
        pass


@dataclass
class QdrantServer:
    """One of the two, behind the same verbs."""

    home: Path
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        if BINARY:
            env = {"QDRANT__SERVICE__HTTP_PORT": str(self.port), "QDRANT__SERVICE__GRPC_PORT": str(free_port())}
            with (self.home / "log").open("ab") as output:
                self.process = subprocess.Popen(
                    [BINARY], cwd=self.home, env=os.environ | env, stdout=output, stderr=output
                )
            wait_until(self._answers, "Qdrant answers", 30)
            return
        handler = type("Handler", (_Handler,), {"held": Collections()})
        self.stand_in = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.stand_in.daemon_threads = True
        self.held: Collections = handler.held
        Thread(target=self.stand_in.serve_forever, daemon=True).start()

    def kill(self) -> None:
        """SIGKILL; of the stand-in, the proxy before it cuts every connection."""
        if BINARY:
            self.process.kill()
            self.process.wait()

    def restart(self) -> None:
        if BINARY:
            self.start()

    def wipe(self) -> None:
        """Lose every collection, as with a volume that was replaced."""
        if BINARY:
            with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as client:
                for each in client.get("/collections").json()["result"]["collections"]:
                    client.delete(f"/collections/{each['name']}").raise_for_status()
            return
        with self.held.lock:
            self.held.vectors.clear()
            self.held.points.clear()
            self.held.aliases.clear()

    def stop(self) -> None:
        if BINARY:
            self.process.terminate()
            self.process.wait(30)
        else:
            self.stand_in.shutdown()
            self.stand_in.server_close()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/collections", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False
