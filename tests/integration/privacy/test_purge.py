"""A tenant is purged from everything that a fleet keeps, and its neighbour is not touched."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from threading import Event
from uuid import UUID

import httpx
import pytest

from api.dependencies import Services
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Scope
from facefleet.identity.derivation import derive_aws_secret
from facefleet.ledger.keys import KeyGrant
from facefleet.purging import purge_album, purge_tenant
from facefleet.records import DEFAULT_TENANT, PhotoState, RejectedEvent
from tests.fixtures.processes import wait_until
from tests.integration.api import conftest as api_conftest
from tests.integration.privacy.stores import files_below, messages_of, places_of, rows_of, spellings, spellings_of
from tests.integration.rekognition.conftest import connect_sdk, people
from workers.celery_app import create_celery_app
from workers.dispatcher.relay import Relay
from workers.indexing import PhotoIndexer
from workers.parts import FleetParts, create_grouper, create_predictor
from workers.safeguards import create_safeguards
from workers.tasks import register_tasks
from workers.worker import worker_in_thread

MASTER_SECRET = "a-master-secret-for-tests-of-64-hexadecimal-digits-or-so-and-more"
JPEG = {"Content-Type": "image/jpeg"}

open_drawn_services = api_conftest.open_drawn_services


@dataclass(frozen=True)
class Traces:
    """How a tenant's data can be found again."""

    #: In the names of its albums, photos, users, tags, people, addresses.
    word: str
    #: Ids that no audit row names: photos, faces, jobs, people.
    ids: list[str]
    template: list[bytes]
    album_id: UUID

    @property
    def biometric(self) -> list[bytes]:
        return [*spellings(self.word), *self.template]

    @property
    def all(self) -> list[bytes]:
        return [*self.biometric, *(spelled for each in self.ids for spelled in spellings(each))]


@pytest.fixture(params=["sqlite", "postgresql"])
def services(
    request: pytest.FixtureRequest,
    redis_url: str,
    open_drawn_services: Callable[..., AbstractContextManager[Services]],
) -> Iterator[Services]:
    chosen = {"master_secret": MASTER_SECRET, "broker_url": redis_url}
    if request.param == "postgresql":
        chosen["ledger_url"] = str(request.getfixturevalue("fresh_postgres_url"))
    with open_drawn_services(**chosen) as opened:
        opened.gallery.prepare(opened.model_version, api_conftest.DIMENSIONS)
        yield replace(opened, keys_are_on=True)


def parts_of(services: Services) -> FleetParts:
    names = ("settings", "ledger", "gallery", "stores", "metrics", "model_version", "recognizer")
    return FleetParts(**{name: getattr(services, name) for name in names})


def indexer_of(services: Services) -> PhotoIndexer:
    parts = parts_of(services)
    return PhotoIndexer(parts, Event(), retire=Event().set, guards=create_safeguards(parts))


def seed(services: Services, http: httpx.Client, tenant: str, word: str, person: int) -> Traces:
    """Leave traces in every store."""
    drawn = draw_key()
    services.ledger.keys.add(drawn, KeyGrant(tenant, f"{word} key", tuple(Scope)))
    http.headers["X-Api-Key"] = drawn.text
    name = f"{word} Ünïcode"
    made = http.post("/v1/albums", json={"name": name}).raise_for_status().json()
    album = f"/v1/albums/{name}"
    photos = [(f"{word} one.jpg", f"people {person}".encode()), (f"{word} dead.jpg", b"no photo")]
    sent = http.post(f"{album}/photos", files=[("files", each) for each in photos]).raise_for_status().json()
    pending = services.ledger.photos.list(UUID(made["id"]), PhotoState.PENDING, 100, None)
    indexer_of(services).index([each.id for each in pending])
    faces = http.get(f"{album}/faces").json()["faces"]
    http.post(f"{album}/search", content=f"people {person}", headers=JPEG).raise_for_status()
    book = services.ledger.people_book
    person_id = book.create(tenant, [UUID(faces[0]["face_id"])], f"{word} person")
    face_id = seed_collection(str(http.base_url), drawn, word, person)
    seed_dead(services, tenant, word, person)
    # It waits in the broker when the tenant goes: nobody works just then.
    http.post(f"{album}/photos", files=[("files", (f"{word} late.jpg", b"people 9"))]).raise_for_status()
    listed = http.get(f"{album}/photos").json()["photos"]
    ids = [sent["job_id"], face_id, faces[0]["face_id"], str(person_id), *(each["photo_id"] for each in listed)]
    return Traces(word, ids, spellings_of(api_conftest.template_of(person)), UUID(made["id"]))


def seed_collection(url: str, key: DrawnKey, word: str, person: int) -> str:
    with closing(connect_sdk(url, key_id=key.id, secret=derive_aws_secret(MASTER_SECRET, key.id))) as sdk:
        collection = f"{word}-collection"
        sdk.create_collection(CollectionId=collection, Tags={f"{word}-tag": f"{word}-value"})
        sdk.index_faces(CollectionId=collection, Image=people(person), ExternalImageId=f"{word}-external")
        face_id = sdk.list_faces(CollectionId=collection)["Faces"][0]["FaceId"]
        sdk.create_user(CollectionId=collection, UserId=f"{word}-user", ClientRequestToken=f"{word}-token")
        sdk.associate_faces(CollectionId=collection, UserId=f"{word}-user", FaceIds=[face_id])
    return str(face_id)


def seed_dead(services: Services, tenant: str, word: str, person: int) -> None:
    """Callbacks that wait and that nobody took, and an event that said nothing usable."""
    body = json.dumps({"embedding": api_conftest.template_of(person).tolist(), "media_id": word})
    services.ledger.callbacks.add(tenant, f"https://{word}.example/waiting", body)
    buried = services.ledger.callbacks.add(tenant, f"https://{word}.example/dead", body)
    services.ledger.callbacks.bury(buried, f"{word} refused")
    key = json.dumps({"key": f"albums/{word} Ünïcode/{word}.jpg"})
    rejected = RejectedEvent("unknown_bucket", f"not ours: {word}", key)
    services.ledger.ingest.apply([], [rejected], services.model_version)


def test_nothing_of_a_tenant_is_left_in_any_store(services: Services, redis_url: str) -> None:
    ledger, data_dir = services.ledger, services.settings.data_dir
    with api_conftest.serving(services) as http:
        gone = seed(services, http, "acme", "Zebrafink", 1)
        kept = seed(services, http, DEFAULT_TENANT, "Kiwivogel", 2)
    app = create_celery_app(services.settings)
    Relay(ledger, app, services.settings).step()

    def places(traces: Traces, *, within: str = "") -> set[str]:
        """Where it is found; of files only what nobody but this tenant has."""
        found = places_of(traces.all, rows_of(ledger, "audit"), messages_of(redis_url))
        found |= places_of(traces.biometric, files_below(data_dir), rows_of(ledger))
        return {each for each in found if within in each}

    before = places(kept)
    tables = {"album", "album_tag", "api_key", "callback", "client_token", "collection_user", "external_image"}
    tables |= {"face", "face_spot", "ingest_dead", "job", "person", "people_change", "photo", "user_face"}
    assert {f"table {each}" for each in tables} <= before
    assert [each for each in before if each.startswith("redis")]
    assert [each for each in before if "uploads" in each]
    assert [each for each in before if "chunk_0.mmap" in each]
    assert [each for each in before if "wal" in each]
    assert "table audit" not in before
    same_kinds = {each for each in places(gone) if each.startswith(("table", "redis"))}
    assert same_kinds == {each for each in before if each.startswith(("table", "redis"))}

    purge_tenant(ledger, services.gallery, services.stores, services.settings, "acme", who="local")
    parts = parts_of(services)
    register_tasks(app, indexer_of(services), create_grouper(parts), create_predictor(parts))
    with worker_in_thread(app, services.settings):
        # A message names ids; whoever takes it finds nothing to do.
        wait_until(lambda: not places(gone, within="redis"), "no message of the tenant is left in the broker")
    assert {each for each in places(gone) if "wal/" not in each} == set()
    services.gallery.close()
    EdgeGallery(data_dir / "gallery").close()
    assert places(gone) == set()

    # What may stay is what proves it; and nothing else is gone.
    assert not ledger.tenants.is_known("acme")
    said = [row.action for row in ledger.audit.page(100, object_ids=[str(gone.album_id)])]
    assert said == ["album_purged", "album_deleted", "search"]
    assert (ledger.audit.page(1)[0].action, ledger.audit.verify().broken_at) == ("tenant_purged", None)
    after = places(kept)
    assert {each for each in before if each.startswith("table")} <= after
    assert [each for each in after if "uploads" in each]
    assert ledger.faces.count(kept.album_id) == 2  # with the one that waited in the broker


def test_nothing_of_a_purged_person_is_left_but_the_photo(services: Services) -> None:
    ledger, data_dir = services.ledger, services.settings.data_dir
    with api_conftest.serving(services) as http:
        drawn = draw_key()
        ledger.keys.add(drawn, KeyGrant(DEFAULT_TENANT, "key", tuple(Scope)))
        http.headers["X-Api-Key"] = drawn.text
        album_id = UUID(http.post("/v1/albums", json={"name": "party"}).json()["id"])
        photos = {"both.jpg": b"people 3 4", "one.jpg": b"people 3"}
        http.post("/v1/albums/party/photos", files=[("files", each) for each in photos.items()]).raise_for_status()
        pending = ledger.photos.list(album_id, PhotoState.PENDING, 100, None)
        indexer_of(services).index([each.id for each in pending])
        hers = [
            each["face_id"]
            for each in http.get("/v1/albums/party/faces").json()["faces"]
            if each["photo"] == "one.jpg" or each["box"][0] == 0
        ]
        made = http.post("/v1/albums/party/people", json={"face_ids": hers, "name": "Nachtigall"}).json()
        person = f"/v1/people/{made['person_id']}"
        http.patch(person, json={"name": "Nachtigall Müller"}).raise_for_status()
        traces = [*spellings("Nachtigall"), *spellings_of(api_conftest.template_of(3))]
        traces += [spelled for each in hers for spelled in spellings(each)]

        def places(wanted: list[bytes]) -> set[str]:
            return places_of(wanted, files_below(data_dir), rows_of(ledger))

        before = places(traces)
        assert {"table face", "table face_spot", "table person", "table people_change"} <= before
        neighbour = places(spellings_of(api_conftest.template_of(4)))
        assert neighbour
        assert http.post(f"{person}/purge").raise_for_status().json() == {"faces": 2, "photos": 2}
        assert {each for each in places(traces) if "wal/" not in each and "payload" not in each} == set()
        assert http.get("/v1/albums/party").json()["faces"] == 1
        assert http.get("/v1/albums/party/photos").json()["photos"][0]["photo"] == "both.jpg"
    services.gallery.close()
    EdgeGallery(data_dir / "gallery").close()
    biometric = [*spellings("Nachtigall"), *spellings_of(api_conftest.template_of(3))]
    assert places(biometric) == set()
    assert {each for each in neighbour if "wal/" not in each} <= places(spellings_of(api_conftest.template_of(4)))
    said = ledger.audit.page(10, object_ids=[made["person_id"]])
    assert [each.action for each in said] == ["person_purged", "person_deleted"]


def test_an_album_is_purged_from_the_dead_events_too(services: Services) -> None:
    album = services.ledger.albums.create("Zoë & Co")
    spelled = ["albums/Zoë & Co/1.jpg", "albums/Zo%C3%AB+%26+Co/1.jpg", "albums/Zo%C3%AB%20%26%20Co/1.jpg"]
    bodies = [*spelled, json.dumps({"key": spelled[0]}), "albums/other/1.jpg"]
    events = [RejectedEvent("unknown_bucket", "not ours", body) for body in bodies]
    services.ledger.ingest.apply([], events, services.model_version)
    purge_album(services.ledger, services.gallery, services.stores, services.settings, album, who="local")
    assert [each.body for each in services.ledger.ingest.list_dead(10)] == ["albums/other/1.jpg"]
