"""Ten thousand tries to see or change what belongs to another tenant, or to an album that a key does not have."""

import asyncio
import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.dependencies import Services
from api.main import create_app
from api.reach import Reach
from facefleet.errors import FacefleetError
from facefleet.identity.caller import Caller
from tests.fixtures.keys import MASTER_SECRET
from tests.integration.identity.world import ALBUMS, PLACES, Place, World, build, callers, reaches

#: Tries of one caller in one example: hypothesis draws a list of numbers, each of which is one.
BATCH = 50
#: Examples by what is tried: 10,000 tries in all.
EXAMPLES = {"reach": 150, "operation": 40, "request": 10}
IMAGE = {"Bytes": b"people 1 2"}
CALLERS = list(callers())


@dataclass(frozen=True)
class Try:
    """Somebody names an album of their own tenant, and things of any."""

    caller: Caller
    what: str
    album: str
    target: Place
    number: int

    @property
    def own(self) -> Place:
        """The album of that name that the caller would be given."""
        return self.caller.tenant, self.album

    @property
    def ends_own(self) -> bool:
        """Whether it would rightly delete something, which the next tries need."""
        names_album_only = self.what in {"DeleteCollection", "UntagResource"}
        return self.what in ENDS and reaches(self.caller, self.own) and (names_album_only or self.target == self.own)


def draw_batches(what: Sequence[str]) -> st.SearchStrategy[list[Try]]:
    """Lists of tries of one caller each."""
    dimensions = (what, ALBUMS, PLACES, range(3))
    count = math.prod(map(len, dimensions))

    def read(drawn: tuple[int, list[int]]) -> list[Try]:
        caller, numbers = drawn
        return [Try(CALLERS[caller], *_pick(number, dimensions)) for number in numbers]

    numbers = st.lists(st.integers(0, count - 1), min_size=BATCH, max_size=BATCH)
    return st.tuples(st.integers(0, len(CALLERS) - 1), numbers).map(read)


def _pick(number: int, dimensions: Sequence[Sequence[Any]]) -> list[Any]:
    picked = []
    for values in dimensions:
        number, index = divmod(number, len(values))
        picked.append(values[index])
    return picked


def try_often(examples: int, what: Sequence[str], attempt: Callable[[Try], tuple[object, object]], world: World) -> int:
    """Try, and see that nothing beyond the caller's reach was told or changed; returns how often.

    Args:
        examples: each is `BATCH` tries.
        what: the names of what is tried.
        attempt: gives the question and the answer.
        world: what is looked at.
    """
    tried = 0

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(draw_batches(what))
    def cross(batch: list[Try]) -> None:
        nonlocal tried
        before = world.fingerprint()
        for each in batch:
            tried += 1
            question, answer = attempt(each)
            told = {place for place in world.seen(answer, question) if not reaches(each.caller, place)}
            assert told == set(), (each, answer)
        after = world.fingerprint()
        changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
        assert all(reaches(batch[0].caller, place) for place in changed), (batch, changed)

    cross()
    return tried


@pytest.fixture
def world(open_drawn_services: Callable[..., AbstractContextManager[Services]]) -> Iterator[World]:
    unlimited = {"key_requests_per_s": 1e9, "key_burst_requests": 10**9}
    with open_drawn_services(master_secret=MASTER_SECRET, **unlimited) as opened:
        services = replace(opened, keys_are_on=True)
        yield build(services, create_app(services))


#: Operations by name: what they are asked with.
ASKS: dict[str, Callable[[World, Try], dict[str, Any]]] = {
    "DescribeCollection": lambda _, t: {"CollectionId": t.album},
    "ListCollections": lambda *_: {},
    "DeleteCollection": lambda _, t: {"CollectionId": t.album},
    "CreateCollection": lambda _, t: {"CollectionId": t.album},
    "IndexFaces": lambda _, t: {"CollectionId": t.album, "Image": IMAGE, "ExternalImageId": "again"},
    "SearchFacesByImage": lambda _, t: {"CollectionId": t.album, "Image": IMAGE, "FaceMatchThreshold": 0},
    "SearchFaces": lambda w, t: {"CollectionId": t.album, "FaceId": w.faces[t.target][t.number]},
    "ListFaces": lambda w, t: (
        {"CollectionId": t.album, "FaceIds": w.faces[t.target]} if t.number else {"CollectionId": t.album}
    ),
    "DeleteFaces": lambda w, t: {"CollectionId": t.album, "FaceIds": w.faces[t.target]},
    "ListUsers": lambda _, t: {"CollectionId": t.album},
    "DeleteUser": lambda _, t: {"CollectionId": t.album, "UserId": _mark(t)},
    "CreateUser": lambda _, t: {"CollectionId": t.album, "UserId": "somebody", "ClientRequestToken": "once"},
    "AssociateFaces": lambda w, t: {"CollectionId": t.album, "UserId": _own_mark(t), "FaceIds": w.faces[t.target]},
    "DisassociateFaces": lambda w, t: {"CollectionId": t.album, "UserId": _mark(t), "FaceIds": w.faces[t.target]},
    "SearchUsers": lambda w, t: {"CollectionId": t.album, "FaceId": w.faces[t.target][t.number]},
    "SearchUsersByImage": lambda _, t: {"CollectionId": t.album, "Image": IMAGE, "UserMatchThreshold": 0},
    "TagResource": lambda _, t: {"ResourceArn": _arn(t), "Tags": {"mine": "now"}},
    "UntagResource": lambda _, t: {"ResourceArn": _arn(t), "TagKeys": ["owner"]},
    "ListTagsForResource": lambda _, t: {"ResourceArn": _arn(t)},
}
ENDS = {"delete", "DeleteCollection", "DeleteFaces", "DeleteUser", "DisassociateFaces", "UntagResource"}
#: What `Reach` itself is asked.
REACHES: dict[str, Callable[[Reach, World, Try], object]] = {
    "album": lambda reach, _, t: reach.album(t.album),
    "album_of_id": lambda reach, w, t: reach.album_of_id(w.albums[t.target]),
    "job": lambda reach, w, t: reach.job(UUID(w.jobs[t.target])),
    "summaries": lambda reach, *_: reach.summaries(),
    "page": lambda reach, *_: reach.page(100, None),
    "ensure_album": lambda reach, _, t: reach.ensure_album(t.album),
}


_JSON, _JPEG = "application/json", "image/jpeg"
#: Native requests by name: method, path, body, its type.
REQUESTS: dict[str, Callable[[World, Try], tuple[str, str, bytes, str]]] = {
    "list albums": lambda *_: ("GET", "/v1/albums", b"", _JSON),
    "show": lambda _, t: ("GET", f"/v1/albums/{t.album}", b"", _JSON),
    "delete": lambda _, t: ("DELETE", f"/v1/albums/{t.album}", b"", _JSON),
    "retry": lambda _, t: ("POST", f"/v1/albums/{t.album}/retry", b"", _JSON),
    "photos": lambda _, t: ("GET", f"/v1/albums/{t.album}/photos?links=true", b"", _JSON),
    "photo": lambda w, t: ("GET", f"/v1/albums/{t.album}/photos/{w.photos[t.target][t.number]}", b"", _JSON),
    "page": lambda w, t: ("GET", f"/v1/albums/{t.album}/photos?after={w.photos[t.target][t.number]}", b"", _JSON),
    "zip": lambda w, t: (
        "POST",
        f"/v1/albums/{t.album}/photos/zip",
        json.dumps({"photo_ids": w.photos[t.target]}).encode(),
        _JSON,
    ),
    "faces": lambda w, t: ("GET", f"/v1/albums/{t.album}/faces?after={w.faces[t.target][t.number]}", b"", _JSON),
    "similar": lambda w, t: ("GET", f"/v1/albums/{t.album}/faces/{w.faces[t.target][t.number]}/similar", b"", _JSON),
    "search": lambda _, t: ("POST", f"/v1/albums/{t.album}/search?min_similarity=-1&links=true", b"people 1", _JPEG),
    "job": lambda w, t: ("GET", f"/v1/jobs/{w.jobs[t.target]}", b"", _JSON),
    "upload": lambda w, t: (
        "POST",
        f"/v1/albums/{t.album}/photos?name=a.jpg&job={w.jobs[t.target]}",
        b"people 1",
        _JPEG,
    ),
    "people of a photo": lambda w, t: ("GET", f"/v1/photos/{w.photos[t.target][t.number]}/people", b"", _JSON),
    "predictions of a photo": lambda w, t: (
        "GET",
        f"/v1/photos/{w.photos[t.target][t.number]}/predictions",
        b"",
        _JSON,
    ),
    "predictions of an image": lambda w, t: ("GET", f"/predictions/{w.photos[t.target][t.number]}", b"", _JSON),
    "people": lambda _, t: ("GET", f"/v1/albums/{t.album}/people?links=true", b"", _JSON),
    "callbacks": lambda *_: ("GET", "/v1/callbacks/dead", b"", _JSON),
    "compat search": lambda _, t: (
        "POST",
        f"/api/v1/collections/{t.album}/search-faces?similarity_threshold=0",
        b"people 1",
        _JPEG,
    ),
    "compat status": lambda *_: ("GET", "/status", b"", _JSON),
}


def _mark(t: Try) -> str:
    return f"of:{t.target[0]}:{t.target[1]}"


def _own_mark(t: Try) -> str:
    return f"of:{t.caller.tenant}:{t.album}"


def _arn(t: Try) -> str:
    return f"arn:aws:rekognition:eu-west-1:000000000000:collection/{t.album}"


def test_reach_crosses_nothing(world: World) -> None:
    def attempt(each: Try) -> tuple[object, object]:
        try:
            return "", str(REACHES[each.what](Reach(world.services.ledger, each.caller), world, each))
        except FacefleetError as error:
            return "", str(error)

    assert try_often(EXAMPLES["reach"], list(REACHES), attempt, world) >= 7_500


def test_no_operation_crosses_tenants_or_albums(world: World) -> None:
    def attempt(each: Try) -> tuple[object, object]:
        asked = ASKS[each.what](world, each)
        return asked, "" if each.ends_own else world.run(each.caller, each.what, **asked)

    assert try_often(EXAMPLES["operation"], list(ASKS), attempt, world) >= 2_000


def test_no_request_crosses_tenants_or_albums(world: World) -> None:
    with asyncio.Runner() as runner:

        def attempt(each: Try) -> tuple[object, object]:
            method, path, body, kind = REQUESTS[each.what](world, each)
            if each.ends_own:
                return "", ""
            return path + body.decode("latin-1"), runner.run(world.ask(each.caller, method, path, body, kind))

        assert try_often(EXAMPLES["request"], list(REQUESTS), attempt, world) >= 500
