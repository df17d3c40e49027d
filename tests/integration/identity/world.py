"""Three tenants with albums of the same names and the same people in them; everything is marked with its owner."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from fastapi import FastAPI

from api.dependencies import Services
from api.reach import Reach
from api.rekognition.call import Call
from api.rekognition.errors import RekognitionError
from api.rekognition.operations import OPERATIONS
from facefleet.errors import FacefleetError
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Caller, Scope
from facefleet.ledger.collection_schema import album_tag, collection_user, user_face
from facefleet.ledger.keys import KeyGrant
from facefleet.ledger.schema import album, face, job, photo
from facefleet.records import DEFAULT_TENANT

TENANTS = (DEFAULT_TENANT, "acme", "zeta")
ALBUMS = ("party", "people")
#: (tenant, album).
Place = tuple[str, str]
PLACES: tuple[Place, ...] = tuple((tenant, name) for tenant in TENANTS for name in ALBUMS)
#: Whatever looks like an id.
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_MARK = re.compile(r"of:(\w+):(\w+)")


@dataclass
class World:
    """What there is, whose it is, and how to ask for it."""

    services: Services
    app: FastAPI
    keys: dict[Caller, DrawnKey] = field(default_factory=dict)
    #: Ids of faces, photos, jobs and albums.
    owners: dict[str, Place] = field(default_factory=dict)
    faces: dict[Place, list[str]] = field(default_factory=dict)
    photos: dict[Place, list[str]] = field(default_factory=dict)
    jobs: dict[Place, str] = field(default_factory=dict)
    albums: dict[Place, UUID] = field(default_factory=dict)

    def run(self, caller: Caller, operation: str, **request: Any) -> Any:  # noqa: ANN401  JSON
        """Run an operation of Rekognition for a caller; an error is an answer too."""
        call = Call(self.services, Reach(self.services.ledger, caller), "eu-west-1")
        try:
            return OPERATIONS[operation].run(call, request)
        except (RekognitionError, FacefleetError) as error:
            return {"error": str(error)}

    async def ask(
        self, caller: Caller, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> str:
        """Send a request with a caller's key; gives status and body as one text."""
        headers = [
            (b"host", b"localhost"),
            (b"x-api-key", self.keys[caller].text.encode()),
            (b"content-type", kind.encode()),
        ]
        place, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": place, "raw_path": place.encode(), "query_string": query.encode(), "root_path": "",
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }  # fmt: skip
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return next(messages, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)  # type: ignore[arg-type]
        return f"{sent[0]['status']} " + b"".join(each.get("body", b"") for each in sent[1:]).decode("latin-1")

    def seen(self, answer: object, asked: object) -> set[Place]:
        """Whose things an answer tells of, beyond what the question named itself."""
        text, question = _write(answer), _write(asked)
        ids = {found for found in set(_ID.findall(text)) - set(_ID.findall(question)) if found in self.owners}
        marks = set(_MARK.findall(text)) - set(_MARK.findall(question))
        return {self.owners[each] for each in ids} | marks

    def fingerprint(self) -> dict[Place, str]:
        """What each place holds, in a form that tells any change."""
        counted = (photo, face, collection_user, user_face, album_tag, job)
        columns = [
            sa.select(sa.func.count()).select_from(each).where(each.c.album_id == album.c.id).scalar_subquery()
            for each in counted
        ]
        states = sa.select(sa.func.group_concat(photo.c.state)).where(photo.c.album_id == album.c.id).scalar_subquery()
        wanted = sa.select(album.c.tenant, album.c.name, album.c.id, album.c.deleting_since, states, *columns)
        with self.services.ledger.database.reading() as connection:
            return {(row[0], row[1]): str(row[2:]) for row in connection.execute(wanted)}


def _write(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def callers() -> Iterator[Caller]:
    """A key of everything of its tenant, and one of each album alone."""
    for tenant in TENANTS:
        yield Caller(tenant, frozenset({Scope.ADMIN}))
        for name in ALBUMS:
            yield Caller(tenant, frozenset({Scope.ADMIN}), frozenset({name}))


def reaches(caller: Caller, place: Place) -> bool:
    return caller.tenant == place[0] and caller.sees(place[1])


def build(services: Services, app: FastAPI) -> World:
    world = World(services, app)
    for caller in callers():
        drawn = draw_key()
        made = services.ledger.keys.add(drawn, KeyGrant(caller.tenant, "", caller.scopes, caller.albums))
        world.keys[caller] = world.keys[made.caller] = drawn
    for place in PLACES:
        _furnish(world, place)
    return world


def _furnish(world: World, place: Place) -> None:
    tenant, name = place
    owner, mark = Caller(tenant, frozenset({Scope.ADMIN})), f"of:{tenant}:{name}"
    world.run(owner, "CreateCollection", CollectionId=name, Tags={"owner": mark})
    records = [
        record["Face"]
        for number in range(3)
        for record in world.run(
            owner,
            "IndexFaces",
            CollectionId=name,
            Image={"Bytes": f"people {number} {number + 1}".encode()},
            ExternalImageId=f"{mark}:{number}",
        )["FaceRecords"]
    ]
    world.faces[place] = [each["FaceId"] for each in records]
    world.photos[place] = sorted({each["ImageId"] for each in records})
    world.run(owner, "CreateUser", CollectionId=name, UserId=mark)
    world.run(owner, "AssociateFaces", CollectionId=name, UserId=mark, FaceIds=world.faces[place][:2])
    album_id = world.services.ledger.albums.get(name, tenant).id
    world.albums[place] = album_id
    world.jobs[place] = str(world.services.ledger.jobs.create(album_id, f"s3://bucket/{mark}").id)
    for each in (*world.faces[place], *world.photos[place], world.jobs[place], str(album_id)):
        world.owners[each] = place
    world.services.ledger.callbacks.bury(
        world.services.ledger.callbacks.add(tenant, f"https://example.com/{mark}", "{}"), "nobody"
    )
