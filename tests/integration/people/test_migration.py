"""From one model to another and back: people stay who they are, and searches answer all the way."""

from itertools import count
from typing import cast
from uuid import UUID

import pytest

from facefleet.errors import ModelPackMismatch, ModelSwitched, PhotoNotFound, PhotoStoreUnavailable
from facefleet.face_records import RecognizedPhoto
from facefleet.ledger.shelf import ModelSwitch
from facefleet.migration.agreement import measure_agreement
from facefleet.migration.current_model import require_current_model
from facefleet.migration.migrator import clear_shelf, sweep_shelf
from facefleet.records import PhotoRef, PhotoState
from tests.integration.people.bench import PeopleBench, drawn_template
from tests.integration.people.drawn_model import DrawnModel, migrator_of, see_all

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

PARTY = {f"p{number}": ("anna", "ben") for number in range(4)} | {"alone": ("cleo",)}
OLD, NEW, THIRD = "aaaa000000000001", "bbbb000000000002", "cccc000000000003"
FIRST = (OLD, "old pack")
THERE = ModelSwitch(OLD, "old pack", NEW, "new pack")
BACK = ModelSwitch(NEW, "new pack", OLD, "old pack")


def name_all(bench: PeopleBench) -> None:
    bench.index(PARTY)
    bench.group()
    book, owners = bench.ledger.people_book, bench.owners()
    anna, ben = owners["p0", 0], owners["p0", 1]
    book.edit(bench.tenant, anna, name="Anna")
    book.edit(bench.tenant, ben, name="Ben")
    book.move(bench.tenant, ben, [bench.face("alone")])
    book.reject(bench.tenant, anna, [bench.face("p3", 0)])


def shown_names(bench: PeopleBench) -> dict[tuple[str, int], str | None]:
    names = {each.id: each.name for each in bench.people()}
    return {place: names[owner] for place, owner in bench.owners().items()}


def found_by(bench: PeopleBench, version: str, person: str = "anna") -> set[str]:
    """Whom a search with a model finds, as the ledger knows them."""
    probe = drawn_template(person, "a selfie", version)
    matches = bench.gallery.search(version, bench.album.id, probe, limit=100, min_similarity=0.5)
    faces = bench.ledger.found_faces.get_many([match.face_id for match in matches])
    living = bench.ledger.photos.get_many([face.photo_id for face in faces.values()])
    return {living[face.photo_id].name for face in faces.values()}


EVERY_ANNA = {f"p{number}" for number in range(4)}
EXPECTED = (
    {(f"p{number}", 0): "Anna" for number in range(3)} | {(f"p{n}", 1): "Ben" for n in range(4)} | {("alone", 0): "Ben"}
)


def test_people_stay_and_searches_answer_there_and_back(bench: PeopleBench) -> None:
    name_all(bench)
    answers: list[set[str]] = []
    migrator = migrator_of(bench, NEW, before=lambda: answers.append(found_by(bench, OLD)))
    assert see_all(migrator) == 5
    assert answers == [EVERY_ANNA] * 5
    assert shown_names(bench) == EXPECTED
    count = bench.ledger.model_switches.count(NEW)
    assert (count.photos, count.ready, count.failed, count.left) == (5, 5, 0, 0)
    assert (count.faces, count.faces_found, count.decided, count.decided_found) == (9, 9, 1, 1)
    agreement = measure_agreement(bench.ledger, bench.gallery, OLD, NEW)
    assert agreement.faces == agreement.agreeing == 8

    assert bench.ledger.model_switches.switch(THERE, "tester") == 5
    # A process that still has the old model, and one that has the new one.
    assert found_by(bench, OLD) == found_by(bench, NEW) == EVERY_ANNA
    assert shown_names(bench) == EXPECTED
    assert [each.model_version for each in bench.ledger.photos.list(bench.album.id, None, 9, None)] == [NEW] * 5
    bench.model_version = NEW
    bench.group_anew()
    assert {place: name for place, name in shown_names(bench).items() if place in EXPECTED} == EXPECTED
    assert shown_names(bench).get(("p3", 0)) != "Anna"

    back = migrator_of(bench, OLD)
    assert see_all(back) == 0
    assert bench.ledger.model_switches.switch(BACK, "tester") == 5
    assert found_by(bench, OLD) == found_by(bench, NEW) == EVERY_ANNA
    bench.model_version = OLD
    bench.group_anew()
    assert {place: name for place, name in shown_names(bench).items() if place in EXPECTED} == EXPECTED
    assert bench.ledger.shelf.current() == BACK


def test_the_first_model_comes_back_after_two_others_in_one_run(bench: PeopleBench) -> None:
    name_all(bench)
    on, home = ModelSwitch(NEW, "new pack", THIRD, "third pack"), ModelSwitch(THIRD, "third pack", *FIRST)
    for switched in (THERE, on, home):
        assert see_all(migrator_of(bench, switched.to_version)) == 5
        assert bench.ledger.model_switches.switch(switched, "tester") == 5
    assert found_by(bench, OLD) == EVERY_ANNA
    assert sweep_shelf(bench.ledger, bench.gallery) == 5
    assert points(bench, NEW) == set()
    assert shown_names(bench) == EXPECTED


def test_a_migration_that_was_stopped_goes_on(bench: PeopleBench) -> None:
    name_all(bench)
    seen = count()

    def go_away() -> None:
        if next(seen) >= 2:
            raise PhotoStoreUnavailable("the store is away")

    with pytest.raises(PhotoStoreUnavailable):
        see_all(migrator_of(bench, NEW, before=go_away))
    assert bench.ledger.model_switches.count(NEW).ready == 2
    assert see_all(migrator_of(bench, NEW)) == 3
    assert bench.ledger.model_switches.count(NEW).ready == 5


def test_photos_of_a_process_that_died_are_seen_by_another(bench: PeopleBench) -> None:
    name_all(bench)
    assert len(bench.ledger.shelf.claim(NEW, 3, lease_s=3600)) == 3
    assert see_all(migrator_of(bench, NEW)) == 2
    assert bench.ledger.model_switches.count(NEW).left == 3
    bench.ledger.shelf.release(bench.ledger.shelf.claim(NEW, 3, lease_s=0))
    dead = bench.ledger.shelf.claim(NEW, 9, lease_s=-1)
    assert not dead  # all others are held still


def test_a_lease_that_ran_out_is_taken_over_once(bench: PeopleBench) -> None:
    name_all(bench)
    lost = bench.ledger.shelf.claim(NEW, 2, lease_s=-1)
    assert see_all(migrator_of(bench, NEW)) == 5
    assert not bench.ledger.shelf.finish(lost[0], RecognizedPhoto(1, 1, ()))
    assert bench.ledger.model_switches.count(NEW).faces_found == 9


def test_photos_that_cannot_be_seen_stay_as_they_are(bench: PeopleBench) -> None:
    name_all(bench)
    see_all(migrator_of(bench, NEW, broken={"alone": PhotoNotFound("alone is gone")}))
    count = bench.ledger.model_switches.count(NEW)
    assert (count.ready, count.failed, count.left) == (4, 1, 0)
    assert bench.ledger.shelf.failures(NEW, 10) == [("alone", "alone is gone")]
    assert bench.ledger.model_switches.switch(THERE, "tester") == 4
    assert {each.name: each.model_version for each in bench.ledger.photos.list(bench.album.id, None, 9, None)} == (
        dict.fromkeys(EVERY_ANNA, NEW) | {"alone": OLD}
    )
    # The next run takes what came late; nothing is switched twice.
    bench.ledger.shelf.forget_failed(NEW)
    assert see_all(migrator_of(bench, NEW)) == 1
    assert bench.ledger.model_switches.switch(THERE, "tester") == 1
    assert shown_names(bench) == EXPECTED
    assert bench.ledger.shelf.current() == THERE


def test_a_decision_about_a_face_that_the_new_model_does_not_see_comes_back_with_the_old_one(
    bench: PeopleBench,
) -> None:
    name_all(bench)
    see_all(migrator_of(bench, NEW, blind={"alone"}))
    count = bench.ledger.model_switches.count(NEW)
    assert (count.faces_found, count.decided, count.decided_found) == (8, 1, 0)
    bench.ledger.model_switches.switch(THERE, "tester")
    assert ("alone", 0) not in bench.owners()
    bench.model_version = NEW
    bench.group_anew()
    see_all(migrator_of(bench, OLD))
    bench.ledger.model_switches.switch(BACK, "tester")
    bench.model_version = OLD
    bench.group_anew()
    assert shown_names(bench)["alone", 0] == "Ben"


def points(bench: PeopleBench, version: str) -> set[UUID]:
    return {point.face_id for point in bench.gallery.points(version, bench.album.id)}


def dropped_of(bench: PeopleBench) -> set[UUID]:
    """Faces that indexing again would not bring back."""
    photos = bench.ledger.photos.list(bench.album.id, None, 9, None)
    return bench.ledger.images.dropped([each.id for each in photos])


def counted(bench: PeopleBench) -> dict[str, tuple[int | None, int]]:
    """How many faces each photo is said to have, and has."""
    ledger = bench.ledger
    photos = ledger.photos.list(bench.album.id, None, 9, None)
    return {each.name: (each.face_count, len(ledger.faces.of_photo(each.id))) for each in photos}


def test_what_is_deleted_stays_deleted_on_both_sides(bench: PeopleBench) -> None:
    name_all(bench)
    bench.ledger.images.delete_faces(bench.album.id, [bench.face("p0", 1)])
    see_all(migrator_of(bench, NEW))
    bench.ledger.images.delete_faces(bench.album.id, [bench.face("p1", 1)])
    bench.ledger.model_switches.switch(THERE, "tester")
    assert found_by(bench, NEW, "ben") == found_by(bench, OLD, "ben") == {"p2", "p3"}
    assert len(dropped_of(bench)) == 2
    assert counted(bench) == {"p0": (1, 1), "p1": (1, 1), "p2": (2, 2), "p3": (2, 2), "alone": (1, 1)}
    bench.ledger.images.delete_faces(bench.album.id, [bench.face("p2", 1)])
    [alone] = [each for each in bench.ledger.photos.list(bench.album.id, None, 9, None) if each.name == "alone"]
    bench.ledger.repairs.delete_vanished(bench.album.id, alone.store_uri, set(), bench.ledger.repairs.now())
    assert found_by(bench, OLD, "ben") == {"p3"}
    assert sweep_shelf(bench.ledger, bench.gallery) > 0
    assert sweep_shelf(bench.ledger, bench.gallery) == 0
    assert len(bench.gallery.templates(OLD, bench.album.id, list(points(bench, OLD)))) == len(points(bench, OLD)) == 7

    see_all(migrator_of(bench, OLD))
    bench.ledger.model_switches.switch(BACK, "tester")
    bench.model_version = OLD
    assert found_by(bench, OLD, "ben") == {"p3"}
    assert counted(bench) == {"p0": (1, 1), "p1": (1, 1), "p2": (1, 1), "p3": (2, 2)}
    # Indexing again does not bring them back either.
    assert len(dropped_of(bench)) == 3


def test_an_album_that_is_deleted_meanwhile_leaves_no_points(bench: PeopleBench) -> None:
    name_all(bench)
    migrator = migrator_of(bench, NEW)
    begun: list[bool] = []

    def delete_once() -> None:
        if not begun:
            begun.append(True)
            bench.ledger.albums.begin_delete(bench.album.id, "tester")
            bench.gallery.delete_album(bench.album.id)
            bench.ledger.albums.erase(bench.album.id)

    cast("DrawnModel", migrator.recognizer).before = delete_once
    sum(migrator.work())
    assert points(bench, NEW) == set()
    assert bench.ledger.model_switches.count(NEW).photos == 0


def test_points_that_the_gallery_lost_are_made_again(bench: PeopleBench) -> None:
    name_all(bench)
    migrator = migrator_of(bench, NEW)
    see_all(migrator)
    lost = sorted(points(bench, NEW))[:2]
    bench.gallery.delete_faces(bench.album.id, lost)
    again = migrator.mend()
    assert again in {1, 2}
    assert sum(migrator.work()) == again
    assert migrator.mend() == 0
    assert len(points(bench, NEW)) == 9


def test_what_is_kept_for_going_back_can_be_thrown_away(bench: PeopleBench) -> None:
    name_all(bench)
    see_all(migrator_of(bench, NEW))
    bench.ledger.model_switches.switch(THERE, "tester")
    assert clear_shelf(bench.ledger, bench.gallery) == 5
    assert points(bench, OLD) == set()
    assert found_by(bench, NEW) == EVERY_ANNA
    assert see_all(migrator_of(bench, OLD)) == 5


def test_who_has_the_old_model_neither_starts_nor_takes_photos_in(bench: PeopleBench) -> None:
    name_all(bench)
    require_current_model(bench.ledger, OLD)
    see_all(migrator_of(bench, NEW))
    bench.ledger.model_switches.switch(THERE, "tester")
    require_current_model(bench.ledger, NEW)
    with pytest.raises(ModelPackMismatch, match="FACEFLEET_MODEL_PACK=new pack"):
        require_current_model(bench.ledger, OLD)
    job = bench.ledger.jobs.create(bench.album.id, "file:///photos")
    ref = PhotoRef("file:///late.jpg", "late", "v1", 1)
    with pytest.raises(ModelSwitched, match="new pack"):
        bench.ledger.jobs.add_photos(job.id, OLD, [ref])
    assert bench.ledger.jobs.add_photos(job.id, NEW, [ref]) == 1


def test_jobs_and_the_audit_log_know_of_it(bench: PeopleBench) -> None:
    bench.index(PARTY)
    [photo, *_] = bench.ledger.photos.list(bench.album.id, PhotoState.INDEXED, 9, None)
    see_all(migrator_of(bench, NEW))
    bench.ledger.model_switches.switch(THERE, "tester")
    [row] = [each for each in bench.ledger.audit.page(50) if each.action == "model_switched"]
    assert '"photos":5' in row.outcome
    assert bench.ledger.photos.get_many([photo.id]) == {}
    assert bench.ledger.albums.summarize(bench.album.id).faces == 9
