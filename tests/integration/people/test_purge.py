"""Who was purged does not come back, whatever happens to the photos."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from facefleet.errors import GalleryUnavailable, PeopleConflict, PersonNotFound
from facefleet.face_records import Template
from facefleet.gallery.protocol import Gallery
from facefleet.ledger.listing import source_id_of
from facefleet.ledger.shelf import ModelSwitch
from facefleet.ledger.unkept import lift_unkept
from facefleet.photo_store import PhotoStores
from facefleet.purging import purge_doomed, purge_person
from tests.integration.people.bench import PeopleBench, drawn_template
from tests.integration.people.drawn_model import migrator_of, see_all

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

OLD, NEW = "aaaa000000000001", "bbbb000000000002"
PARTY = {f"p{number}": ("anna", "ben") for number in range(4)} | {"alone": ("anna",)}
NO_UPLOADS = cast("PhotoStores", None)


@pytest.fixture
def anna(bench: PeopleBench) -> UUID:
    """Somebody with a name and a history, beside Ben."""
    bench.index(PARTY)
    bench.group()
    book, owners = bench.ledger.people_book, bench.owners()
    anna, ben = owners["p0", 0], owners["p0", 1]
    book.edit(bench.tenant, anna, name="Anna", cover_face_id=bench.face("p1"))
    book.edit(bench.tenant, ben, name="Ben")
    book.reject(bench.tenant, ben, [bench.face("p2")])
    return anna


def purge(bench: PeopleBench, person_id: UUID) -> tuple[int, int]:
    erased = purge_person(bench.ledger, bench.gallery, NO_UPLOADS, bench.tenant, person_id, who="tester")
    return len(erased.face_ids), erased.photos


def templates_of(bench: PeopleBench, version: str) -> list[Template]:
    return [point.template for point in bench.gallery.points(version, bench.album.id)]


def shows(bench: PeopleBench, version: str, person: str) -> bool:
    """Whether the gallery has a template of somebody."""
    probe = drawn_template(person, "a selfie", version)
    return any(float(each @ probe) > 0.5 for each in templates_of(bench, version))


def require_gone(bench: PeopleBench, version: str) -> None:
    while purge_doomed(bench.ledger, bench.gallery, NO_UPLOADS):
        pass
    assert not shows(bench, version, "anna")
    assert shows(bench, version, "ben")
    assert {place for _, place in bench.owners()} == {1}
    assert [each.name for each in bench.people()] == ["Ben"]
    assert bench.ledger.faces.count(bench.album.id) == len(bench.ledger.faces.list(bench.album.id, 100, None)) == 4
    assert len(templates_of(bench, version)) == 4


def test_nothing_brings_a_purged_person_back(bench: PeopleBench, anna: UUID) -> None:
    assert shows(bench, OLD, "anna")
    assert purge(bench, anna) == (5, 5)
    require_gone(bench, OLD)
    bench.index(PARTY)
    require_gone(bench, OLD)
    bench.group()
    bench.group_anew()
    require_gone(bench, OLD)
    assert see_all(migrator_of(bench, NEW)) == 5
    assert not shows(bench, NEW, "anna")
    bench.ledger.model_switches.switch(ModelSwitch(OLD, "old", NEW, "new"), "tester")
    bench.model_version = NEW
    bench.group_anew()
    require_gone(bench, NEW)
    bench.index(PARTY)
    require_gone(bench, NEW)
    see_all(migrator_of(bench, OLD))
    bench.ledger.model_switches.switch(ModelSwitch(NEW, "new", OLD, "old"), "tester")
    bench.model_version = OLD
    bench.group_anew()
    require_gone(bench, OLD)


def test_what_another_model_saw_goes_along(bench: PeopleBench, anna: UUID) -> None:
    see_all(migrator_of(bench, NEW))
    bench.ledger.model_switches.switch(ModelSwitch(OLD, "old", NEW, "new"), "tester")
    bench.model_version = NEW
    assert purge(bench, anna) == (5, 5)
    require_gone(bench, NEW)
    assert not shows(bench, OLD, "anna")
    assert see_all(migrator_of(bench, OLD)) == 0
    bench.ledger.model_switches.switch(ModelSwitch(NEW, "new", OLD, "old"), "tester")
    bench.model_version = OLD
    bench.group_anew()
    require_gone(bench, OLD)


def test_faces_that_only_the_model_before_saw_go_along(bench: PeopleBench, anna: UUID) -> None:
    see_all(migrator_of(bench, NEW, blind={"p0"}))
    bench.ledger.model_switches.switch(ModelSwitch(OLD, "old", NEW, "new"), "tester")
    bench.model_version = NEW
    assert purge(bench, anna) == (4, 4)
    assert not shows(bench, OLD, "anna")


def test_a_photo_that_was_replaced_does_not_bring_them_back_either(bench: PeopleBench, anna: UUID) -> None:
    purge(bench, anna)
    bench.model_version = NEW  # without a migration: rows of another version take the places of the old ones
    bench.index(PARTY)
    bench.group_anew()
    require_gone(bench, NEW)


def test_what_tells_of_them_cannot_be_undone(bench: PeopleBench, anna: UUID) -> None:
    book = bench.ledger.people_book
    ben = bench.owners()["p0", 1]
    book.move(bench.tenant, ben, [bench.face("p3")])
    [moved, *_] = bench.ledger.people.history(bench.tenant, ben, 1, None)
    assert purge(bench, anna) == (4, 4), "the face that is Ben's now stays"
    with pytest.raises(PersonNotFound, match="was purged"):
        book.undo(bench.tenant, anna, None)
    with pytest.raises(PersonNotFound, match="was purged"):
        bench.ledger.people.get(bench.tenant, anna)
    with pytest.raises(PeopleConflict, match="was purged since"):
        book.undo(bench.tenant, ben, moved.id)
    with pytest.raises(PersonNotFound, match="was purged"):
        purge(bench, anna)
    history = bench.ledger.people.history(bench.tenant, None, 100, None)
    assert "Anna" not in str(history)
    assert anna not in {each.person_id for each in history} | {each.other_id for each in history}
    for change in history:
        if change.id != moved.id:
            book.undo(bench.tenant, ben, change.id)
    assert {each.name for each in bench.people()} == {None}


def test_merged_and_deleted_people_are_purged_too(bench: PeopleBench, anna: UUID) -> None:
    book = bench.ledger.people_book
    twin = book.split(bench.tenant, anna, [bench.face("alone")], "Anna's twin")
    book.merge(bench.tenant, anna, [twin])
    with pytest.raises(PersonNotFound, match="was merged into"):
        purge(bench, twin)
    book.delete(bench.tenant, anna)
    assert purge(bench, anna) == (5, 5)
    require_gone(bench, OLD)
    with pytest.raises(PersonNotFound, match="was purged"):
        bench.ledger.people.get(bench.tenant, twin)
    for stranger in (uuid4(), bench.owners()["p0", 1]):
        with pytest.raises(PersonNotFound, match="no person"):
            purge_person(bench.ledger, bench.gallery, NO_UPLOADS, "somebody else", stranger, who="tester")


class Refusing:
    """A gallery that is away."""

    def delete_faces(self, _album_id: UUID, _face_ids: Sequence[UUID]) -> None:
        raise GalleryUnavailable("the gallery is away")


def test_a_purge_that_was_cut_off_is_finished_by_the_dispatcher(bench: PeopleBench, anna: UUID) -> None:
    def said() -> list[tuple[str, Any]]:
        return [(each.action, each.outcome) for each in bench.ledger.audit.page(10) if each.object_id == str(anna)]

    with pytest.raises(GalleryUnavailable):
        purge_person(bench.ledger, cast("Gallery", Refusing()), NO_UPLOADS, bench.tenant, anna, who="tester")
    assert said() == [("person_deleted", '{"faces":5}')]
    assert shows(bench, OLD, "anna")
    require_gone(bench, OLD)
    assert [action for action, _ in said()] == ["person_purged", "person_deleted"]
    assert bench.ledger.audit.verify().broken_at is None


def test_points_that_were_written_anew_meanwhile_stay(bench: PeopleBench, anna: UUID) -> None:
    bench.ledger.erasures.forget(bench.tenant, anna, "tester")
    assert len(bench.ledger.erasures.doomed(100)) == 5
    [photo] = [each for each in bench.ledger.photos.list(bench.album.id, None, 9, None) if each.name == "alone"]
    with bench.ledger.database.writing() as connection:
        lift_unkept(connection, source_id_of(bench.album.id, photo.store_uri))
    bench.index({"alone": ("anna",)})
    assert not purge_doomed(bench.ledger, bench.gallery, NO_UPLOADS)
    assert bench.ledger.erasures.doomed(100) == []
    probe = drawn_template("anna", "alone", OLD)
    assert [float(each @ probe) > 0.99 for each in templates_of(bench, OLD)].count(True) == 1
