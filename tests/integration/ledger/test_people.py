"""People in the ledger on both databases: decisions, their history, and photos that are indexed anew."""

from collections.abc import Callable
from uuid import UUID

import pytest

from facefleet.errors import FaceNotFound, InvalidRequest, PeopleConflict, PersonNotFound
from facefleet.ledger.people import Scope
from facefleet.people_records import ChangeKind, ClusteringState, Grouped, Grouping, Person
from facefleet.records import DEFAULT_TENANT
from tests.integration.ledger.scene import Scene, wait_until

MOST_ATTEMPTS = 3
T = DEFAULT_TENANT


def group(scene: Scene, *clusters: list[UUID], version: str = "m1", anew: bool = True) -> None:
    """Run a grouping whose algorithm is the test: the faces of each list are one cluster, all others are noise."""
    if anew:
        scene.ledger.clusterings.want(scene.album.id)
    lease = scene.ledger.clusterings.claim(scene.album.id, 60)
    assert lease is not None
    groupings = scene.ledger.groupings
    unseen = groupings.unseen(scene.album.id)
    groupings.find_again(lease, version, unseen.stamps)
    labels = {row.id: -1 for row in groupings.faces(scene.album.id, version)}
    labels |= {face_id: number for number, cluster in enumerate(clusters) for face_id in cluster}
    assert groupings.settle(lease, Grouped(version, Grouping(labels), unseen, 0.1))


def faces_of(scene: Scene, *photo_ids: UUID) -> list[UUID]:
    """Faces in the order of photos, and within one in that of their boxes."""
    found = [face for face in scene.ledger.faces.list(scene.album.id, 1000, None) if face.photo_id in photo_ids]
    found.sort(key=lambda face: (photo_ids.index(face.photo_id), face.box.x))
    return [face.id for face in found]


def people(scene: Scene, **scope: object) -> list[Person]:
    return scene.ledger.people.page(Scope(T, scene.album.id, **scope), 100, None)  # type: ignore[arg-type]


def members(scene: Scene, person_id: UUID) -> set[UUID]:
    faces = scene.ledger.appearances.faces(Scope(T, with_hidden=True), person_id, 1000, None)
    return {each.face.id for each in faces}


@pytest.fixture
def six(scene: Scene) -> list[UUID]:
    """Six faces on six photos: three of one person, three of another."""
    photo_ids = scene.add(*"abcdef")
    scene.index(photo_ids)
    faces = faces_of(scene, *photo_ids)
    group(scene, faces[:3], faces[3:])
    return faces


def test_clusters_become_people(scene: Scene, six: list[UUID]) -> None:
    first, second = sorted(people(scene), key=lambda each: members(scene, each.id) != set(six[:3]))
    assert (first.faces, first.photos, first.name) == (3, 3, None)
    assert members(scene, second.id) == set(six[3:])
    assert first.cover
    assert first.cover.face.id in six[:3]
    shown = scene.ledger.clusterings.show(scene.album.id, MOST_ATTEMPTS)
    assert (shown.state, shown.total_faces, shown.clusters, shown.noise_faces) == (ClusteringState.DONE, 6, 2, 0)


def person_of(scene: Scene, face_id: UUID) -> UUID:
    (mine,) = [each.id for each in people(scene, with_hidden=True) if face_id in members(scene, each.id)]
    return mine


def test_a_person_stays_the_same_when_all_is_grouped_anew(scene: Scene, six: list[UUID]) -> None:
    before = {face_id: person_of(scene, face_id) for face_id in six}
    group(scene, six[3:], six[:3])
    assert {face_id: person_of(scene, face_id) for face_id in six} == before


def test_a_named_person_is_not_dissolved(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    scene.ledger.people_book.edit(T, anna, name="  Anna ")
    group(scene)
    assert [(each.id, each.name) for each in people(scene)] == [(anna, "Anna")]
    assert members(scene, anna) == set(six[:3])
    group(scene, six)
    assert members(scene, anna) == set(six)


def test_two_named_people_stay_two(scene: Scene, six: list[UUID]) -> None:
    anna, ben = person_of(scene, six[0]), person_of(scene, six[3])
    scene.ledger.people_book.edit(T, anna, name="Anna")
    scene.ledger.people_book.edit(T, ben, name="Ben")
    group(scene, six)
    assert members(scene, anna) == set(six[:3])
    assert members(scene, ben) == set(six[3:])


def test_a_merge_holds_and_is_undone_with_what_joined_since(scene: Scene, six: list[UUID]) -> None:
    anna, other = person_of(scene, six[0]), person_of(scene, six[3])
    book = scene.ledger.people_book
    book.edit(T, other, name="Anna")
    book.merge(T, anna, [other])
    assert [(each.id, each.name, each.faces) for each in people(scene)] == [(anna, "Anna", 6)]
    with pytest.raises(PersonNotFound, match="was merged into"):
        scene.ledger.people.get(T, other)
    (new,) = photo_ids = scene.add("g")
    scene.index(photo_ids)
    (seventh,) = faces_of(scene, new)
    group(scene, six[:3], [*six[3:], seventh])
    assert members(scene, anna) == {*six, seventh}
    book.undo(T, anna, None)
    assert members(scene, anna) == set(six[:3])
    assert members(scene, other) == {*six[3:], seventh}
    assert scene.ledger.people.get(T, anna).name is None
    assert scene.ledger.people.get(T, other).name == "Anna"


def test_a_face_that_is_not_somebodys_never_comes_back(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    scene.ledger.people_book.reject(T, anna, [six[2]])
    assert members(scene, anna) == set(six[:2])
    group(scene, six[:3])
    assert members(scene, anna) == set(six[:2])
    scene.ledger.people_book.undo(T, anna, None)
    assert members(scene, anna) == set(six[:3])


def test_a_moved_face_stays_where_it_was_moved_to(scene: Scene, six: list[UUID]) -> None:
    anna, ben = person_of(scene, six[0]), person_of(scene, six[3])
    scene.ledger.people_book.move(T, anna, [six[3]])
    group(scene, six[:3], six[3:])
    assert members(scene, anna) == set(six[:4])
    assert members(scene, ben) == set(six[4:])
    scene.ledger.people_book.undo(T, anna, None)
    assert members(scene, ben) == set(six[3:])


def test_a_split_holds_and_is_undone(scene: Scene, six: list[UUID]) -> None:
    group(scene, six)
    everybody = person_of(scene, six[0])
    ben = scene.ledger.people_book.split(T, everybody, six[3:], "Ben")
    group(scene, six)
    assert members(scene, ben) == set(six[3:])
    assert members(scene, everybody) == set(six[:3])
    scene.ledger.people_book.undo(T, everybody, None)
    assert members(scene, everybody) == set(six)
    with pytest.raises(PersonNotFound, match="deleted"):
        scene.ledger.people.get(T, ben)


def test_a_deleted_person_comes_back_with_its_faces(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    scene.ledger.people_book.edit(T, anna, name="Anna")
    scene.ledger.people_book.delete(T, anna)
    group(scene, six[:3], six[3:])
    assert anna not in [each.id for each in people(scene)]
    assert len(people(scene)) == 2
    scene.ledger.people_book.undo(T, anna, None)
    assert members(scene, anna) == set(six[:3])
    assert scene.ledger.people.get(T, anna).name == "Anna"


def test_decisions_find_their_faces_under_another_model(scene: Scene, six: list[UUID]) -> None:
    anna, ben = person_of(scene, six[0]), person_of(scene, six[3])
    scene.ledger.people_book.edit(T, anna, name="Anna")
    scene.ledger.people_book.move(T, anna, [six[3]])
    scene.ledger.people_book.reject(T, ben, [six[4]])
    photo_ids = scene.add(*"abcdef", model_version="m2")
    scene.index(photo_ids)
    faces = faces_of(scene, *photo_ids)
    assert not set(faces) & set(six)
    group(scene, faces[:3], faces[3:], version="m2")
    assert members(scene, anna) == set(faces[:4])
    assert faces[4] not in members(scene, ben)


def test_a_decision_made_before_the_next_run_finds_the_older_ones(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    scene.ledger.people_book.edit(T, anna, name="Anna")
    photo_ids = scene.add(*"abcdef", model_version="m2")
    scene.index(photo_ids)
    faces = faces_of(scene, *photo_ids)
    scene.ledger.people_book.edit(T, anna, name="Anna B.")
    scene.ledger.people_book.move(T, anna, [faces[0]])
    scene.ledger.people_book.undo(T, anna, None)
    group(scene, faces[:3], faces[3:], version="m2")
    assert members(scene, anna) == set(faces[:3])


def test_the_same_face_elsewhere_in_the_photo_is_another(scene: Scene) -> None:
    (photo_id,) = photo_ids = scene.add("a")
    scene.index(photo_ids, face_count=2)
    left, right = faces_of(scene, photo_id)
    first = scene.ledger.people_book.create(T, [left], "Left")
    second = scene.ledger.people_book.create(T, [right], "Right")
    (again,) = scene.add("a", version="v2")
    scene.index([again], face_count=3)
    group(scene)
    faces = faces_of(scene, again)
    assert (members(scene, first), members(scene, second)) == ({faces[0]}, {faces[1]})


def test_undo_in_any_order_that_makes_sense(scene: Scene, six: list[UUID]) -> None:
    anna, book = person_of(scene, six[0]), scene.ledger.people_book
    book.edit(T, anna, name="Anna")
    book.edit(T, anna, hidden=True)
    book.edit(T, anna, name="Anne")
    renamed, hidden, named = scene.ledger.people.history(T, anna, 10, None)
    with pytest.raises(PeopleConflict, match=r"change 3 \(name\) was made on top of it"):
        book.undo(T, anna, named.id)
    book.undo(T, anna, hidden.id)
    assert scene.ledger.people.get(T, anna).hidden is False
    with pytest.raises(PeopleConflict, match="undone already"):
        book.undo(T, anna, hidden.id)
    book.undo(T, anna, renamed.id)
    assert scene.ledger.people.get(T, anna).name == "Anna"
    book.undo(T, anna, named.id)
    with pytest.raises(PeopleConflict, match="nothing"):
        book.undo(T, anna, None)


def test_a_split_is_not_undone_under_a_name_that_was_given_since(scene: Scene, six: list[UUID]) -> None:
    anna, book = person_of(scene, six[0]), scene.ledger.people_book
    ben = book.split(T, anna, six[:1], None)
    book.edit(T, ben, name="Ben")
    (split,) = [each for each in scene.ledger.people.history(T, anna, 10, None) if each.kind is ChangeKind.SPLIT]
    with pytest.raises(PeopleConflict, match=r"change 2 \(name\)"):
        book.undo(T, anna, split.id)


def test_faces_do_not_go_back_to_the_deleted(scene: Scene, six: list[UUID]) -> None:
    anna, ben, book = person_of(scene, six[0]), person_of(scene, six[3]), scene.ledger.people_book
    book.move(T, anna, [six[3]])
    (moved,) = scene.ledger.people.history(T, anna, 10, None)
    book.delete(T, ben)
    with pytest.raises(PeopleConflict, match="deleted since"):
        book.undo(T, anna, moved.id)


def test_what_cannot_be(scene: Scene, six: list[UUID]) -> None:
    anna, ben, book = person_of(scene, six[0]), person_of(scene, six[3]), scene.ledger.people_book
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (InvalidRequest, lambda: book.merge(T, anna, [anna])),
        (InvalidRequest, lambda: book.split(T, anna, six[:3], None)),
        (InvalidRequest, lambda: book.split(T, anna, six[3:4], None)),
        (InvalidRequest, lambda: book.move(T, anna, [])),
        (InvalidRequest, lambda: book.edit(T, anna, name="\n")),
        (InvalidRequest, lambda: book.edit(T, anna, cover_face_id=six[3])),
        (FaceNotFound, lambda: book.move(T, anna, [UUID(int=1)])),
        (FaceNotFound, lambda: book.create("somebody else", six[:1], None)),
        (PersonNotFound, lambda: book.edit(T, UUID(int=1), name="x")),
        (PersonNotFound, lambda: book.delete("somebody else", anna)),
        (PersonNotFound, lambda: book.undo("somebody else", anna, None)),
    ]
    for error, call in refused:
        with pytest.raises(error):
            call()
    assert scene.ledger.people.history(T, None, 10, None) == []
    assert {each.id for each in people(scene)} == {anna, ben}


def test_people_of_an_album_that_goes_keep_name_and_other_faces(scene: Scene, six: list[UUID]) -> None:
    ledger, anna = scene.ledger, person_of(scene, six[0])
    ledger.people_book.edit(T, anna, name="Anna")
    ben = person_of(scene, six[3])
    ledger.people_book.move(T, ben, [six[3]])
    ledger.albums.begin_delete(scene.album.id)
    ledger.albums.erase(scene.album.id)
    assert [(each.id, each.faces) for each in ledger.people.page(Scope(T), 10, None)] == [(anna, 0)]
    with pytest.raises(PersonNotFound):
        ledger.people.get(T, ben)
    assert [each.kind for each in ledger.people.history(T, None, 10, None)] == [ChangeKind.NAME]


def test_together(scene: Scene) -> None:
    photo_ids = scene.add(*"abc")
    scene.index(photo_ids, face_count=2)
    faces = faces_of(scene, *photo_ids)
    group(scene, faces[0::2], faces[1:4:2])
    anna, ben = person_of(scene, faces[0]), person_of(scene, faces[1])
    appearances = scene.ledger.appearances
    assert [(each.person_id, each.photos) for each in appearances.companions(T, anna, 10)] == [(ben, 2)]
    scope = Scope(T, scene.album.id)
    assert [each.name for each in appearances.photos(scope, [anna], 10, None)] == ["a", "b", "c"]
    assert [each.name for each in appearances.photos(scope, [anna, ben], 10, None)] == ["a", "b"]
    assert [each.name for each in appearances.photos(scope, [anna], 10, photo_ids[0])] == ["b", "c"]
    third = appearances.on_photo(T, photo_ids[2])
    assert [each.person_id for each in third] == [anna, None]


def test_pages_hold_everybody_once(scene: Scene, six: list[UUID]) -> None:
    group(scene, six[:1], six[1:2], six[2:4], six[4:])
    seen, after = [], None
    while page := scene.ledger.people.page(Scope(T, scene.album.id), 1, after):
        seen += page
        after = page[-1].id
    assert [each.faces for each in seen] == [2, 2, 1, 1]
    assert len({each.id for each in seen}) == 4


def test_hidden_people_are_listed_only_when_asked_for(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    scene.ledger.people_book.edit(T, anna, hidden=True)
    assert anna not in [each.id for each in people(scene)]
    assert anna in [each.id for each in people(scene, with_hidden=True)]
    group(scene)
    assert members(scene, anna) == set(six[:3])


def test_the_cover_is_the_chosen_face(scene: Scene, six: list[UUID]) -> None:
    anna = person_of(scene, six[0])
    for chosen in six[:3]:
        scene.ledger.people_book.edit(T, anna, cover_face_id=chosen)
        cover = scene.ledger.people.get(T, anna).cover
        assert cover
        assert cover.face.id == chosen


def test_an_album_is_due_when_its_photos_are_indexed(scene: Scene) -> None:
    def due(longest_wait_s: float = 60) -> list[UUID]:
        return scene.ledger.clusterings.due(10, longest_wait_s, 60, MOST_ATTEMPTS)

    first, second = scene.add("a", "b")
    assert due() == []
    scene.index([first])
    assert due() == [], "a photo waits, and the job is listing"
    assert due(longest_wait_s=0) == [scene.album.id]
    scene.ledger.jobs.finish_listing(scene.job.id)
    scene.bury([second])
    assert due() == [scene.album.id]
    scene.ledger.clusterings.mark_dispatched(scene.album.id)
    assert due() == []
    lease = scene.ledger.clusterings.claim(scene.album.id, 60)
    assert lease
    assert lease.limits is None
    assert scene.ledger.clusterings.claim(scene.album.id, 60) is None
    assert scene.ledger.clusterings.show(scene.album.id, 3).state is ClusteringState.RUNNING
    scene.ledger.clusterings.expire_all()
    assert due() == [scene.album.id]
    group(scene, anew=False)
    assert due() == []
    assert scene.ledger.clusterings.claim(scene.album.id, 60) is None
    scene.ledger.clusterings.want(scene.album.id)
    assert due() == [scene.album.id]


def test_a_run_that_lost_its_lease_writes_nothing(scene: Scene, six: list[UUID]) -> None:
    clusterings, groupings = scene.ledger.clusterings, scene.ledger.groupings
    clusterings.want(scene.album.id)
    zombie = clusterings.claim(scene.album.id, 0.001)
    assert zombie
    wait_until(lambda: clusterings.claim(scene.album.id, 60) is not None)
    all_one = Grouped("m1", Grouping(dict.fromkeys(six, 0)), groupings.unseen(scene.album.id), 0.1)
    assert not groupings.settle(zombie, all_one)
    assert not clusterings.renew(zombie, 60)
    assert len(people(scene)) == 2


def test_what_came_up_during_a_run_is_not_forgotten(scene: Scene, six: list[UUID]) -> None:
    clusterings, groupings = scene.ledger.clusterings, scene.ledger.groupings
    (photo_id,) = scene.add("g")
    scene.index([photo_id])
    lease = clusterings.claim(scene.album.id, 60)
    assert lease
    unseen = groupings.unseen(scene.album.id)
    scene.ledger.repairs.reindex([photo_id])
    scene.index([photo_id], face_count=2)
    clusterings.want(scene.album.id)
    anna = person_of(scene, six[0])
    scene.ledger.people_book.reject(T, anna, [six[0]])
    assert groupings.settle(lease, Grouped("m1", Grouping(dict.fromkeys(six[:3], 0)), unseen, 0.1))
    assert members(scene, anna) == set(six[1:3])
    shown = clusterings.show(scene.album.id, MOST_ATTEMPTS)
    assert (shown.state, shown.new_photos) == (ClusteringState.WAITING, 1)
    again = clusterings.claim(scene.album.id, 60)
    assert again
    assert again.wanted_at is not None


def test_an_album_that_fails_again_and_again_waits_to_be_asked_for(scene: Scene) -> None:
    clusterings = scene.ledger.clusterings
    clusterings.want(scene.album.id)
    for _ in range(MOST_ATTEMPTS):
        lease = clusterings.claim(scene.album.id, 60)
        assert lease
        clusterings.release(lease, 0, "it did not work", burn_attempt=True)
    shown = clusterings.show(scene.album.id, MOST_ATTEMPTS)
    assert (shown.state, shown.detail) == (ClusteringState.FAILED, "it did not work")
    assert clusterings.due(10, 60, 60, MOST_ATTEMPTS) == []
    clusterings.want(scene.album.id)
    assert clusterings.due(10, 60, 60, MOST_ATTEMPTS) == [scene.album.id]
