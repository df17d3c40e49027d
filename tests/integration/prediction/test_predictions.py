"""From named people to predictions of new faces, on both databases."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from facefleet.errors import GalleryUnavailable, PhotoNotFound
from facefleet.ledger.prediction_schema import prediction, unpredicted_photo
from facefleet.ledger.schema import photo
from facefleet.prediction import panels
from facefleet.prediction_records import Classifier, NewPrediction, PredictionState
from facefleet.records import PhotoState
from tests.integration.people.bench import PeopleBench
from tests.integration.prediction.naming import Naming


def count(bench: PeopleBench, table: sa.Table) -> int:
    with bench.ledger.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_all_three_name_who_is_on_a_new_photo(naming: Naming) -> None:
    naming.name("anna", "ben", "cleo")
    naming.index({"new": ["ben", "stranger", "anna"]})
    assert naming.show("new").state is PredictionState.DONE
    for place, who in ((0, "ben"), (2, "anna")):
        said = naming.said("new", place)
        assert list(said) == list(Classifier)
        for each in said.values():
            assert (each.name, each.person_id) == (who.title(), naming.people[who])
            assert 0.5 < each.confidence <= 1
            assert each.latency_ms > 0
    assert naming.names("new", 1) == set(), "a stranger is nobody"


def test_nothing_waits_where_nobody_has_a_name(naming: Naming, bench: PeopleBench) -> None:
    bench.index({"new": ["anna"]})
    assert naming.due() == []
    assert naming.show("new").state is PredictionState.NONE


def test_a_photo_without_a_face_does_not_wait(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    bench.index({"empty": []})
    assert naming.due() == []
    assert naming.show("empty").state is PredictionState.NONE


def test_names_of_another_tenant_are_not_given(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    foreign = PeopleBench(bench.ledger, bench.gallery, bench.ledger.albums.create("theirs", "other"))
    theirs = Naming(foreign)
    foreign.index({"1": ["anna"]})
    assert theirs.due() == []
    foreign.ledger.people_book.create("other", [foreign.face("1")], "Zoe")
    foreign.index({"2": ["anna"], "3": ["ben"]})
    naming.predictor.predict(theirs.due())
    assert {each.name for each in theirs.said("2").values()} == {"Zoe"}


def test_what_changes_about_people_is_learnt(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"n1": ["cleo"]})
    assert naming.names("n1") == set()
    naming.name("cleo")
    naming.index({"n2": ["cleo"]})
    assert naming.names("n2") == {"Cleo"}
    bench.ledger.people_book.undo(bench.tenant, naming.people["cleo"], None)
    naming.index({"n3": ["cleo"]})
    assert naming.names("n3") == set()


def test_nothing_is_learnt_twice(naming: Naming, monkeypatch: pytest.MonkeyPatch) -> None:
    naming.name("anna", "ben")
    naming.index({"n1": ["anna"]})

    def not_again(*_: object) -> None:
        raise AssertionError("nothing has changed")

    monkeypatch.setattr(panels, "fit_panel", not_again)
    naming.index({"n2": ["anna"]})
    assert naming.names("n2") == {"Anna"}


def test_learning_again_reads_templates_of_new_faces_only(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"n1": ["anna"]})
    asked: list[UUID] = []
    gallery = bench.gallery

    class Watched:
        def templates(self, version: str, album_id: UUID, face_ids: list[UUID]) -> object:
            asked.extend(face_ids)
            return gallery.templates(version, album_id, face_ids)

    object.__setattr__(naming.panels, "gallery", Watched())
    bench.ledger.people_book.move(bench.tenant, naming.people["anna"], [bench.face("n1")])
    naming.index({"n2": ["anna"]})
    assert asked == [bench.face("n1")]
    assert naming.names("n2") == {"Anna"}


def test_a_merge_and_a_new_name_are_seen_in_what_was_said_before(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"new": ["ben"]})
    bench.ledger.people_book.merge(bench.tenant, naming.people["anna"], [naming.people["ben"]])
    bench.ledger.people_book.edit(bench.tenant, naming.people["anna"], name="Annabel")
    said = naming.said("new").values()
    assert {(each.name, each.person_id) for each in said} == {("Annabel", naming.people["anna"])}


def test_whom_a_human_ruled_out_is_not_named(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"new": ["anna"]})
    bench.ledger.people_book.reject(bench.tenant, naming.people["anna"], [bench.face("new")])
    assert {each.name for each in naming.said("new").values()} == {None}


@pytest.mark.parametrize("how", ["hidden", "deleted"])
def test_who_is_hidden_or_gone_is_not_named(naming: Naming, bench: PeopleBench, how: str) -> None:
    naming.name("anna", "ben")
    naming.index({"old": ["anna"]})
    if how == "hidden":
        bench.ledger.people_book.edit(bench.tenant, naming.people["anna"], hidden=True)
    else:
        bench.ledger.people_book.delete(bench.tenant, naming.people["anna"])
    learnt = bench.ledger.named_faces.choose(bench.tenant, bench.model_version, 100)
    assert {each.person_id for each in learnt} == {naming.people["ben"]}
    naming.index({"new": ["anna"]})
    assert naming.names("old") <= {None}
    assert naming.names("new") <= {None}
    assert all(each.person_id != naming.people["anna"] for each in naming.said("new").values())


def test_indexing_again_predicts_again(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben")
    naming.index({"new": ["anna"]})
    bench.index({"new": ["ben"]})
    assert naming.show("new").state is PredictionState.WAITING
    assert naming.said("new") == {}, "what was said of other faces is gone"
    naming.work()
    assert naming.names("new") == {"Ben"}


def test_a_photo_that_was_indexed_anew_meanwhile_still_waits(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"]})
    stamps = bench.ledger.prediction_outbox.claim(naming.due(), 60)
    bench.index({"new": ["anna"]})
    bench.ledger.predictions.settle([], stamps)
    assert naming.due() == [naming.photo_id("new")]


def test_faces_that_went_meanwhile_are_left_out(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"]})
    stamps = bench.ledger.prediction_outbox.claim(naming.due(), 60)
    said = [
        NewPrediction(face_id, Classifier.FAST, naming.people["anna"], 0.9, 0.1)
        for face_id in (uuid4(), bench.face("new"))
    ]
    bench.ledger.predictions.settle(said, stamps)
    assert list(naming.said("new")) == [Classifier.FAST]


def test_a_gallery_that_is_away_costs_no_attempt(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"]})
    (photo_id,) = naming.due()

    class Away:
        def templates(self, *_: object) -> object:
            raise GalleryUnavailable("down")

    object.__setattr__(naming.predictor, "gallery", Away())
    for _ in range(5):
        naming.predictor.predict([photo_id])
        bench.ledger.prediction_outbox.expire_all()
    assert naming.due() == [photo_id]
    object.__setattr__(naming.predictor, "gallery", bench.gallery)
    naming.work()
    assert naming.names("new") == {"Anna"}


def test_a_photo_that_always_fails_is_given_up(
    naming: Naming, bench: PeopleBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"]})

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(panels, "fit_panel", broken)
    bench.ledger.people_book.edit(bench.tenant, naming.people["anna"], name="Annabel")
    for _ in range(3):
        assert naming.due()
        naming.work()
        assert naming.due() == [], "not at once"
        bench.ledger.prediction_outbox.expire_all()
    assert naming.due() == []
    assert naming.show("new").state is PredictionState.FAILED


def test_templates_that_are_not_there_yet_are_waited_for(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"], "late": ["anna"]})
    bench.gallery.delete_photos(bench.album.id, [naming.photo_id("late")])
    naming.work()
    assert naming.show("new").state is PredictionState.DONE
    assert naming.show("late").state is PredictionState.WAITING


def test_a_message_that_was_lost_is_sent_again_and_a_claim_ends_with_its_owner(
    naming: Naming, bench: PeopleBench
) -> None:
    naming.name("anna")
    bench.index({"new": ["anna"]})
    outbox, (photo_id,) = bench.ledger.prediction_outbox, naming.due()
    outbox.mark_dispatched([photo_id])
    assert naming.due() == []
    assert outbox.due(10, -1.0, 3) == {bench.album.id: [photo_id]}, "it was lost on its way"
    outbox.forget_messages()
    assert list(outbox.claim(naming.due(), 60)) == [photo_id]
    assert outbox.claim([photo_id], 60) == {}, "somebody is at it"
    assert naming.due() == []
    outbox.expire_all()
    assert naming.due() == [photo_id]


def test_states_of_photos_that_are_not_indexed(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    expected = {PhotoState.PENDING: PredictionState.INDEXING, PhotoState.DEAD: PredictionState.FAILED}
    for state, shown in expected.items():
        with bench.ledger.database.writing() as connection:
            connection.execute(photo.update().values(state=state.value).where(photo.c.id == naming.photo_id("anna0")))
        assert naming.show("anna0").state is shown
    with bench.ledger.database.writing() as connection:
        connection.execute(photo.update().values(state="deleted").where(photo.c.id == naming.photo_id("anna0")))
    with pytest.raises(PhotoNotFound):
        naming.show("anna0")


def test_an_album_takes_its_predictions_along(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    naming.index({"new": ["anna"]})
    bench.index({"waiting": ["anna"]})
    assert (count(bench, prediction), count(bench, unpredicted_photo)) == (3, 1)
    bench.ledger.albums.begin_delete(bench.album.id)
    bench.ledger.albums.erase(bench.album.id)
    assert (count(bench, prediction), count(bench, unpredicted_photo)) == (0, 0)


def test_faces_are_shared_out_when_there_are_too_many(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna", "ben", "cleo")
    chosen = bench.ledger.named_faces.choose(bench.tenant, bench.model_version, 7)
    of_each = [sum(face.person_id == person for face in chosen) for person in naming.people.values()]
    assert sorted(of_each) == [2, 2, 3]
    assert bench.ledger.named_faces.choose(bench.tenant, "another", 7) == []


def test_no_faces_to_learn_means_no_predictions_and_nothing_left_waiting(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    object.__setattr__(naming.panels, "most_faces", 0)
    bench.ledger.people_book.edit(bench.tenant, naming.people["anna"], name="Annabel")
    naming.index({"new": ["anna"]})
    assert naming.show("new").state is PredictionState.NONE
    assert naming.due() == []


def test_only_the_tenants_asked_about_last_are_kept(naming: Naming, bench: PeopleBench) -> None:
    naming.name("anna")
    for number in range(6):
        naming.panels.predict(f"tenant-{number}", bench.model_version, {})
    assert [tenant for tenant, _ in naming.panels._kept] == [f"tenant-{number}" for number in range(2, 6)]
