"""Albums: names, counts, and how they go."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import sqlalchemy as sa

from facefleet.errors import AlbumExists, AlbumNotFound, InvalidRequest, JobNotFound
from facefleet.ledger.engine import Ledger
from facefleet.ledger.schema import metadata
from facefleet.records import DEFAULT_TENANT, AlbumSummary, FinishedPhoto, JobState, PhotoState
from tests.integration.ledger.scene import Scene, recognized, ref_of


def test_an_album_is_found_by_name_within_its_tenant(ledger: Ledger) -> None:
    album = ledger.albums.create("Été 2026 ☀")
    assert ledger.albums.get("Été 2026 ☀") == album
    with pytest.raises(AlbumExists, match="Été 2026"):
        ledger.albums.create("Été 2026 ☀")
    with pytest.raises(AlbumNotFound):
        ledger.albums.get("Été 2026 ☀", tenant="other")
    assert ledger.albums.create("Été 2026 ☀", tenant="other") != album


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\nb", "\0", "..", "x" * 256, "\udcff"])
def test_a_name_that_cannot_be_shown_is_refused(ledger: Ledger, name: str) -> None:
    for make in (ledger.albums.create, ledger.albums.ensure):
        with pytest.raises(InvalidRequest):
            make(name)


def test_the_longest_name_fits(ledger: Ledger) -> None:
    assert ledger.albums.create("é" * 255).name == "é" * 255


def test_ensure_gives_everybody_the_same_album(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        albums = set(threads.map(ledger.albums.ensure, ["one"] * 8))
    assert albums == {ledger.albums.get("one")}


def test_create_makes_one_of_eight(ledger: Ledger) -> None:
    def create(_: int) -> bool:
        try:
            ledger.albums.create("one")
        except AlbumExists:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(create, range(8))) == 1


def test_a_summary_counts_what_is_there(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    scene.index(photo_ids[:2], face_count=2)
    scene.bury(photo_ids[2:3])
    scene.index(scene.add("a.jpg", version="v2"), face_count=5)
    empty = scene.ledger.albums.create("empty")
    scene.ledger.albums.create("theirs", tenant="other")
    expected = AlbumSummary(scene.album, photos=4, indexed=2, dead=1, faces=7)
    assert scene.ledger.albums.summarize(scene.album.id) == expected
    assert scene.ledger.albums.list_summaries() == [AlbumSummary(empty, 0, 0, 0, 0), expected]
    with pytest.raises(AlbumNotFound):
        scene.ledger.albums.summarize(uuid4())


def test_a_deletion_hides_the_album_and_frees_its_name_at_once(scene: Scene) -> None:
    albums = scene.ledger.albums
    scene.index(scene.add("a.jpg"))
    (face,) = scene.ledger.faces.list(scene.album.id, 10, None)
    albums.begin_delete(scene.album.id)
    albums.begin_delete(scene.album.id)
    with pytest.raises(AlbumNotFound):
        albums.get("holiday")
    with pytest.raises(AlbumNotFound):
        albums.summarize(scene.album.id)
    assert albums.list_summaries() == []
    assert scene.ledger.faces.get_many([face.id]) == {}
    assert scene.ledger.photos.list(scene.album.id, None, 10, None) == []
    assert albums.deleting() == [scene.album]
    assert albums.create("holiday").id != scene.album.id


def test_a_worker_cannot_finish_a_photo_of_an_album_that_goes(scene: Scene) -> None:
    photo_ids = scene.add("a.jpg", "b.jpg")
    (leased,) = scene.claim(photo_ids[:1])
    scene.ledger.albums.begin_delete(scene.album.id)
    assert scene.ledger.leases.finish([FinishedPhoto(leased, recognized(1))]) == set()
    assert scene.claim(photo_ids) == []
    assert scene.ledger.leases.waiting(10, 0) == []
    assert scene.ledger.photos.existing(photo_ids) == set()
    assert scene.ledger.leases.superseded(10) == []


def test_nothing_is_added_to_an_album_that_goes(scene: Scene) -> None:
    scene.ledger.albums.begin_delete(scene.album.id)
    with pytest.raises(AlbumNotFound):
        scene.ledger.jobs.add_photos(scene.job.id, "m1", [ref_of("a.jpg")])
    with pytest.raises(AlbumNotFound):
        scene.ledger.jobs.create(scene.album.id, "file:///photos")
    assert scene.ledger.jobs.claim_listing(60) is None
    assert scene.ledger.jobs.get(scene.job.id).state == JobState.FAILED


def test_erase_leaves_no_row(scene: Scene) -> None:
    scene.index(scene.add("a.jpg"), face_count=3)
    face, *others = [each.id for each in scene.ledger.faces.list(scene.album.id, 3, None)]
    nameless = scene.ledger.people_book.create(DEFAULT_TENANT, [face], None)
    scene.ledger.people_book.merge(
        DEFAULT_TENANT, nameless, [scene.ledger.people_book.create(DEFAULT_TENANT, others, None)]
    )
    scene.ledger.people_book.reject(DEFAULT_TENANT, nameless, others[:1])
    scene.ledger.clusterings.want(scene.album.id)
    refs = [ref_of(f"{number}.jpg") for number in range(2100)]
    scene.ledger.jobs.add_photos(scene.job.id, "m1", refs, urgent=True)
    scene.ledger.albums.begin_delete(scene.album.id)
    scene.ledger.albums.erase(scene.album.id)
    scene.ledger.albums.erase(scene.album.id)
    with scene.ledger.database.reading() as connection:
        counts = {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    assert (counts.pop("audit"), counts.pop("people_book")) == (2, 1)  # they are the tenant's
    assert set(counts.values()) == {0}
    purged, deleted = scene.ledger.audit.page(10, object_ids=[str(scene.album.id)])
    assert (deleted.action, deleted.outcome, purged.action) == ("album_deleted", '{"photos":2101}', "album_purged")
    with pytest.raises(JobNotFound):
        scene.ledger.jobs.progress(scene.job.id)


def test_a_living_album_is_not_erased(scene: Scene) -> None:
    (photo_id,) = scene.add("a.jpg")
    scene.ledger.albums.erase(scene.album.id)
    assert scene.find(photo_id).state == PhotoState.PENDING


def test_what_changes_while_an_album_is_read_is_not_seen(scene: Scene) -> None:
    scene.index(scene.add("a.jpg"))
    with scene.ledger.album_rows.snapshot(scene.album.id, "m1") as rows:
        assert rows.a_face()
        scene.index(scene.add("b.jpg"))
        assert [each.name for page in rows.photos() for each in page] == ["a.jpg"]
