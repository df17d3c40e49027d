"""An album goes into a file and comes out of it: elsewhere, with another model, twice."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from facefleet.album_files.exporting import AlbumExporter
from facefleet.album_files.importing import AlbumImporter, Imported
from facefleet.errors import GalleryUnavailable, InvalidRequest
from facefleet.ledger.engine import open_ledger
from facefleet.people_records import Person
from facefleet.records import Album, FinishedPhoto, PhotoState
from tests.integration.people.bench import DIMENSIONS, LEASE_S, PeopleBench
from tests.integration.people.memory_gallery import MemoryGallery
from workers.indexing import points_of

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

PARTY = {f"p{number}": ("anna", "ben") for number in range(4)} | {"alone": ("cleo",)}
OTHER_MODEL = "bbbb000000000002"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[PeopleBench]:
    """Another machine: everything of its own."""
    with closing(open_ledger(f"sqlite:///{tmp_path / 'elsewhere.sqlite3'}")) as ledger:
        yield PeopleBench(ledger, MemoryGallery(), ledger.albums.create("other"))


def upload_prefix(album: Album) -> str:
    return f"file:///uploads/{album.id}/"


def export(bench: PeopleBench, path: Path) -> Path:
    AlbumExporter(bench.ledger, bench.gallery, upload_prefix(bench.album), "tester").export(bench.album, path)
    return path


def import_into(bench: PeopleBench, path: Path) -> Imported:
    importer = AlbumImporter(
        bench.ledger, bench.gallery, bench.model_version, upload_prefix, "file:///uploads/", "tester"
    )
    return importer.import_file(path, bench.tenant, bench.album.name)


def work_off(bench: PeopleBench) -> None:
    """Index what waits, as a worker would."""
    waiting = bench.ledger.photos.list(bench.album.id, PhotoState.PENDING, 100, None)
    bench.gallery.prepare(bench.model_version, DIMENSIONS)
    leased = bench.ledger.leases.claim([each.id for each in waiting], LEASE_S)
    finished = [FinishedPhoto(each, bench._recognize(each.name)) for each in leased]
    bench.gallery.upsert(bench.model_version, [point for each in finished for point in points_of(each)])
    assert len(bench.ledger.leases.finish(finished)) == len(waiting)


def name_all(bench: PeopleBench) -> None:
    """Anna and Ben have names, cleo's only face is Ben's, and one of Anna's is said not to be hers."""
    bench.index(PARTY)
    bench.group()
    book, owners = bench.ledger.people_book, bench.owners()
    anna, ben = owners["p0", 0], owners["p0", 1]
    book.edit(bench.tenant, anna, name="Anna", cover_face_id=bench.face("p2", 0))
    book.edit(bench.tenant, ben, name="Ben", hidden=True)
    book.move(bench.tenant, ben, [bench.face("alone")])
    book.reject(bench.tenant, anna, [bench.face("p3", 0)])


def named(bench: PeopleBench) -> dict[str | None, Person]:
    return {each.name: each for each in bench.people()}


def shown_names(bench: PeopleBench) -> dict[tuple[str, int], str | None]:
    names = {each.id: each.name for each in bench.people()}
    return {place: names[owner] for place, owner in bench.owners().items()}


EXPECTED = (
    {(f"p{number}", 0): "Anna" for number in range(3)} | {(f"p{n}", 1): "Ben" for n in range(4)} | {("alone", 0): "Ben"}
)


def test_an_album_is_elsewhere_what_it_was_here(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    bench.taken["p1"] = datetime.fromisoformat("2024-06-01T15:30:00")
    name_all(bench)
    imported = import_into(elsewhere, export(bench, tmp_path / "party.zip"))
    assert {
        each.name: each.taken_at
        for each in elsewhere.ledger.photos.list(elsewhere.album.id, None, 9, None)
        if each.taken_at
    } == bench.taken
    assert (imported.same_model, imported.photos, imported.faces, imported.people) == (True, 5, 9, 2)
    assert shown_names(elsewhere) == shown_names(bench) == EXPECTED
    people = named(elsewhere)
    assert (people["Ben"].hidden, people["Anna"].hidden) == (True, False)
    assert people["Anna"].cover is not None
    assert people["Anna"].cover.face.photo_name == "p2"
    template = next(iter(bench.gallery.templates(bench.model_version, bench.album.id, [bench.face("p1")]).values()))
    [best, *_] = elsewhere.gallery.search(
        elsewhere.model_version, elsewhere.album.id, template, limit=9, min_similarity=0.5
    )
    assert best.face_id == elsewhere.face("p1")
    assert best.similarity > 0.999


def test_decisions_hold_when_everything_is_grouped_anew_elsewhere(
    bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path
) -> None:
    name_all(bench)
    import_into(elsewhere, export(bench, tmp_path / "party.zip"))
    elsewhere.group_anew()
    found = shown_names(elsewhere)
    assert found["alone", 0] == "Ben"
    assert found.get(("p3", 0)) != "Anna"
    assert {place: found.get(place) for place in EXPECTED} == EXPECTED


def test_a_merge_comes_over_and_can_be_undone(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    bench.index(PARTY)
    bench.group()
    owners = bench.owners()
    # Two who are on the same photos cannot be one unless a human says so.
    bench.ledger.people_book.move(bench.tenant, owners["p0", 0], [bench.face("p3", 1), bench.face("p3", 0)])
    other = bench.ledger.people_book.create(bench.tenant, [bench.face("alone")], "Cleo")
    bench.ledger.people_book.merge(bench.tenant, owners["p0", 0], [other])
    import_into(elsewhere, export(bench, tmp_path / "party.zip"))
    elsewhere.group_anew()
    cleo = named(elsewhere)["Cleo"]
    assert ("alone", 0) in elsewhere.members(cleo.id)
    assert ("p0", 0) in elsewhere.members(cleo.id)
    elsewhere.ledger.people_book.undo(elsewhere.tenant, cleo.id, None)
    assert elsewhere.owners()["alone", 0] != elsewhere.owners()["p0", 0]


def test_the_same_file_twice_is_the_same_as_once(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    name_all(bench)
    path = export(bench, tmp_path / "party.zip")
    import_into(elsewhere, path)
    before = (elsewhere.owners(), elsewhere.ledger.people.history(elsewhere.tenant, None, 100, None))
    again = import_into(elsewhere, path)
    assert (again.photos, again.faces, again.spots) == (0, 0, 0)
    assert (elsewhere.owners(), elsewhere.ledger.people.history(elsewhere.tenant, None, 100, None)) == before
    assert import_into(bench, path).photos == 0
    assert shown_names(bench) == EXPECTED


def test_with_another_model_photos_are_indexed_again_and_people_find_their_faces(
    bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path
) -> None:
    name_all(bench)
    elsewhere.model_version = OTHER_MODEL
    imported = import_into(elsewhere, export(bench, tmp_path / "party.zip"))
    assert (imported.same_model, imported.photos, imported.faces, imported.spots) == (False, 5, 0, 8 + 1)
    assert elsewhere.ledger.faces.count(elsewhere.album.id) == 0
    elsewhere.shown = bench.shown
    work_off(elsewhere)
    elsewhere.group()
    found = shown_names(elsewhere)
    assert {place: found.get(place) for place in EXPECTED} == EXPECTED
    assert found.get(("p3", 0)) != "Anna"


def test_what_was_decided_here_stays(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    name_all(bench)
    path = export(bench, tmp_path / "party.zip")
    import_into(elsewhere, path)
    anna, ben = named(elsewhere)["Anna"].id, named(elsewhere)["Ben"].id
    elsewhere.ledger.people_book.edit(elsewhere.tenant, anna, name="Annette")
    elsewhere.ledger.people_book.move(elsewhere.tenant, ben, [elsewhere.face("p1", 0)])
    import_into(elsewhere, path)
    assert "Anna" not in named(elsewhere)
    assert elsewhere.owners()["p1", 0] == ben


def test_people_of_another_tenant_are_others(bench: PeopleBench, tmp_path: Path) -> None:
    name_all(bench)
    path = export(bench, tmp_path / "party.zip")
    stranger = replace(bench, album=bench.ledger.albums.create("party", "stranger"))
    import_into(stranger, path)
    assert set(named(stranger)) == {"Anna", "Ben"}
    assert not {each.id for each in stranger.people()} & {each.id for each in bench.people()}
    again = replace(bench, album=bench.ledger.albums.create("copy", "stranger"))
    import_into(again, path)
    assert {each.id for each in again.people()} == {each.id for each in stranger.people()}


def test_deleted_faces_stay_deleted(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    name_all(bench)
    bench.ledger.images.delete_faces(bench.album.id, [bench.face("p1", 1)])
    path = export(bench, tmp_path / "party.zip")
    assert import_into(elsewhere, path).faces == 8
    assert ("p1", 1) not in elsewhere.owners()
    elsewhere.shown = bench.shown
    known = elsewhere.ledger.photos.list(elsewhere.album.id, None, 100, None)
    elsewhere.ledger.repairs.reindex([each.id for each in known])
    work_off(elsewhere)
    assert elsewhere.ledger.faces.count(elsewhere.album.id) == 8
    other = replace(elsewhere, album=elsewhere.ledger.albums.create("third"), model_version=OTHER_MODEL)
    assert import_into(other, path).left_out == 1


def test_a_photo_that_was_deleted_here_does_not_come_back(
    bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path
) -> None:
    name_all(bench)
    path = export(bench, tmp_path / "party.zip")
    import_into(elsewhere, path)
    [alone] = [
        each for each in elsewhere.ledger.photos.list(elsewhere.album.id, None, 100, None) if each.name == "alone"
    ]
    elsewhere.ledger.repairs.delete_vanished(elsewhere.album.id, alone.store_uri, set(), elsewhere.ledger.repairs.now())
    assert import_into(elsewhere, path).photos == 0
    assert ("alone", 0) not in elsewhere.owners()


def test_nothing_is_exported_of_an_album_without_faces_or_templates(bench: PeopleBench, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no faces"):
        export(bench, tmp_path / "party.zip")
    bench.index(PARTY)
    bench.gallery.delete_photos(
        bench.album.id, [each.id for each in bench.ledger.photos.list(bench.album.id, None, 9, None)]
    )
    with pytest.raises(GalleryUnavailable, match="facefleet rebuild"):
        export(bench, tmp_path / "party.zip")
    assert list(tmp_path.glob("party*")) == []


def test_each_export_and_import_is_in_the_audit_log(bench: PeopleBench, elsewhere: PeopleBench, tmp_path: Path) -> None:
    name_all(bench)
    path = export(bench, tmp_path / "party.zip")
    import_into(elsewhere, path)
    [exported] = [row for row in bench.ledger.audit.page(50) if row.action == "album_exported"]
    [imported] = [row for row in elsewhere.ledger.audit.page(50) if row.action == "album_imported"]
    assert exported.object_id == str(bench.album.id)
    assert '"faces":9' in exported.outcome
    assert imported.object_id == str(elsewhere.album.id)
    assert path.stat().st_mode & 0o077 == 0


def test_a_place_that_is_not_the_albums_own_becomes_none(bench: PeopleBench) -> None:
    importer = AlbumImporter(bench.ledger, bench.gallery, "aaaa", upload_prefix, "file:///uploads/", "tester")
    mine = upload_prefix(bench.album)
    places = {
        "file:///pictures/a.jpg": "file:///pictures/a.jpg",
        "s3://bucket/a.jpg": "s3://bucket/a.jpg",
        "uploads:1/a.jpg": f"{mine}1/a.jpg",
    }
    for place, expected in places.items():
        assert importer.place_of(bench.album, place) == expected
    for place in (
        f"file:///uploads/{UUID(int=1)}/a.jpg",
        "file:///pictures/../uploads/1/a.jpg",
        "file:///%75ploads/1/a.jpg",
        "uploads:../1/a.jpg",
        "uploads:/etc/passwd",
        "http://169.254.169.254/",
        "/etc/passwd",
    ):
        placed = importer.place_of(bench.album, place)
        assert placed.startswith(mine)
        assert placed.endswith("/imported")
