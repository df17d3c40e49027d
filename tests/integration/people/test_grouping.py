"""From indexed photos to people: with the real algorithm, on each database and each gallery."""

from uuid import UUID

import pytest

from facefleet.errors import GalleryUnavailable
from facefleet.gallery.protocol import Gallery
from facefleet.people_records import Clustering, ClusteringState
from tests.integration.people.bench import PeopleBench

pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant:UserWarning"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
PARTY = {
    "1": ["anna", "ben"],
    "2": ["anna", "ben"],
    "3": ["anna", "cleo"],
    "4": ["ben", "cleo"],
    "5": ["cleo", "anna"],
    "6": ["ben", "stranger"],
}


def shown_with(bench: PeopleBench, *photos: str) -> dict[tuple[str, int], str]:
    return {(name, place): who for name in photos for place, who in enumerate(bench.shown[name])}


def is_right(bench: PeopleBench) -> bool:
    """Whether faces are one person's exactly when they show the same, and strangers are nobody's."""
    owners, shown = bench.owners(), shown_with(bench, *bench.shown)
    pairs = {(shown[place], owners.get(place)) for place in shown}
    known = {each for each in pairs if each[0] != "stranger"}
    return ("stranger", None) in pairs and len(known) == len({who for who, _ in known} | {p for _, p in known}) / 2


def show(bench: PeopleBench) -> Clustering:
    return bench.ledger.clusterings.show(bench.album.id, 3)


def test_people_are_told_apart(bench: PeopleBench) -> None:
    bench.index(PARTY)
    assert show(bench).state is ClusteringState.WAITING
    assert bench.group()
    assert is_right(bench)
    shown = show(bench)
    assert (shown.state, shown.new_photos) == (ClusteringState.DONE, 0)
    assert (shown.total_faces, shown.clusters, shown.noise_faces) == (12, 3, 1)
    assert not bench.group(), "there is nothing to do"


def test_new_photos_join_without_touching_the_rest(bench: PeopleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.index(PARTY)
    bench.group()
    before = bench.owners()
    bench.index({"7": ["cleo", "ben"], "8": ["stranger"]})

    def not_all(*_: object) -> None:
        raise AssertionError("the cost must depend on the new faces, not on the album")

    monkeypatch.setattr(bench.gallery, "points", not_all)
    assert bench.group()
    after = bench.owners()
    assert before.items() <= after.items()
    assert (after["7", 0], after["7", 1]) == (before["3", 1], before["1", 1])
    bench.index({"9": ["stranger"]})
    assert bench.group()
    assert ("6", 1) in bench.owners(), "three faces are a person, of whom two were nobody's"
    assert before.items() <= bench.owners().items()


def test_named_people_are_recognised_on_new_photos(bench: PeopleBench) -> None:
    bench.index(PARTY)
    bench.group()
    anna = bench.owners()["1", 0]
    bench.ledger.people_book.edit(bench.tenant, anna, name="Anna")
    bench.index({"7": ["anna"]})
    bench.group()
    assert ("7", 0) in bench.members(anna)
    bench.group_anew()
    assert bench.members(anna) == {("1", 0), ("2", 0), ("3", 0), ("5", 1), ("7", 0)}


def test_an_album_that_doubles_is_grouped_anew(bench: PeopleBench) -> None:
    bench.index({name: PARTY[name] for name in "12"})
    bench.group()
    assert bench.people() == []
    bench.index(PARTY)
    bench.group()
    assert is_right(bench)


def test_decisions_outlive_another_model(bench: PeopleBench) -> None:
    bench.index(PARTY)
    bench.group()
    book, tenant, owners = bench.ledger.people_book, bench.tenant, bench.owners()
    anna, ben, cleo = owners["1", 0], owners["1", 1], owners["3", 1]
    book.edit(tenant, anna, name="Anna")
    book.merge(tenant, ben, [cleo])
    book.reject(tenant, anna, [bench.face("1", 0)])
    book.move(tenant, anna, [bench.face("6", 1)])
    bench.model_version = "bbbb000000000002"
    bench.index(PARTY)
    bench.group_anew()
    assert bench.members(anna) == {("2", 0), ("3", 0), ("5", 1), ("6", 1)}
    assert bench.members(ben) == {("1", 1), ("2", 1), ("3", 1), ("4", 0), ("4", 1), ("5", 0), ("6", 0)}
    book.undo(tenant, ben, None)
    assert bench.members(cleo) == {("3", 1), ("4", 1), ("5", 0)}


def test_a_gallery_that_is_away_burns_no_attempt(bench: PeopleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.index(PARTY)

    def is_away(*_: object) -> None:
        raise GalleryUnavailable("it is away")

    with monkeypatch.context() as patch:
        patch.setattr(bench.gallery, "points", is_away)
        for _ in range(5):
            assert not bench.group()
    shown = show(bench)
    assert (shown.state, shown.detail) == (ClusteringState.WAITING, "it is away")
    bench.ledger.clusterings.want(bench.album.id)
    assert bench.group()
    assert show(bench).detail is None


def test_a_defect_is_tried_again_a_few_times(bench: PeopleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.index(PARTY)

    def fails(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(bench.gallery, "points", fails)
    monkeypatch.setattr("facefleet.people.grouping._FIRST_BACKOFF_S", 0.0)
    for _ in range(3):
        assert not bench.group()
    shown = show(bench)
    assert (shown.state, shown.detail) == (
        ClusteringState.FAILED,
        "grouping failed with ZeroDivisionError: a defect",
    )


def test_a_wiped_gallery_leaves_people_alone(bench: PeopleBench) -> None:
    bench.index(PARTY)
    bench.group()
    before = bench.owners()
    bench.gallery.delete_album(bench.album.id)
    bench.group_anew()
    assert bench.owners() == before


def test_faces_of_one_photo_are_never_one_person(bench: PeopleBench) -> None:
    bench.index({**PARTY, "twins": ["anna", "anna", "anna"]})
    bench.group()
    mine = [owner for (photo, _), owner in bench.owners().items() if photo == "twins"]
    assert len(set(mine)) == len(mine)
    assert bench.owners()["1", 0] in mine


def test_an_album_that_was_deleted_meanwhile_is_no_error(
    bench: PeopleBench, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.index(PARTY)
    points = gallery.points

    def delete_then_read(model_version: str, album_id: UUID) -> object:
        bench.ledger.albums.begin_delete(album_id)
        return points(model_version, album_id)

    monkeypatch.setattr(gallery, "points", delete_then_read)
    assert not bench.group()
    bench.ledger.albums.erase(bench.album.id)
    assert bench.people() == []
