"""Which cluster becomes whom, and what no grouping changes."""

from collections.abc import Iterator
from itertools import count
from uuid import UUID

import pytest

from facefleet.people.face_set import NOISE
from facefleet.people.matching import GroupedFace, KnownPeople, match_clusters, place_joined

ANNA, BEN, CLEO = (UUID(int=number) for number in (1, 2, 3))
NOBODY = None


def new_ids() -> Iterator[UUID]:
    return (UUID(int=1000 + number) for number in count())


def faces_of(*rows: tuple[int, UUID | None], decided: tuple[int, ...] = (), photos: int = 10**9) -> list[GroupedFace]:
    """(cluster, whose it was) of each face; face number n is on photo n modulo `photos`."""
    return [
        GroupedFace(UUID(int=number), UUID(int=number % photos), label, was, number in decided)
        for number, (label, was) in enumerate(rows)
    ]


def known(
    *held: UUID, root_of: dict[UUID, UUID] | None = None, forbidden: dict[UUID, set[UUID]] | None = None
) -> KnownPeople:
    return KnownPeople(set(held), root_of or {each: each for each in (ANNA, BEN, CLEO)}, forbidden or {})


def match(faces: list[GroupedFace], people: KnownPeople) -> list[UUID | None]:
    ids = new_ids()
    chosen = match_clusters(faces, people, lambda: next(ids))
    return [chosen[face.face_id] for face in faces]


def new(number: int) -> UUID:
    return UUID(int=1000 + number)


CASES = {
    "clusters of nobody are new people, the first first": (
        faces_of((1, NOBODY), (0, NOBODY), (NOISE, NOBODY)),
        known(),
        [new(1), new(0), NOBODY],
    ),
    "most faces decide whom a cluster becomes": (
        faces_of((0, ANNA), (0, ANNA), (0, BEN), (1, BEN), (1, BEN)),
        known(),
        [ANNA, ANNA, ANNA, BEN, BEN],
    ),
    "who falls apart goes on as the larger part": (
        faces_of((0, ANNA), (1, ANNA), (1, ANNA)),
        known(),
        [new(0), ANNA, ANNA],
    ),
    "of equals the older one goes on": (faces_of((0, BEN), (0, ANNA)), known(), [ANNA, ANNA]),
    "somebody with a say keeps both parts": (
        faces_of((0, ANNA), (1, ANNA), (1, ANNA)),
        known(ANNA),
        [ANNA, ANNA, ANNA],
    ),
    "but not a cluster that is mainly others": (
        faces_of((0, ANNA), (0, NOBODY), (0, NOBODY), (1, ANNA), (1, ANNA)),
        known(ANNA),
        [new(0), new(0), new(0), ANNA, ANNA],
    ),
    "two with a say in one cluster stay two, and new faces go to the larger": (
        faces_of((0, ANNA), (0, ANNA), (0, BEN), (0, NOBODY)),
        known(ANNA, BEN),
        [ANNA, ANNA, BEN, ANNA],
    ),
    "somebody with a say is not swallowed by a larger cluster without": (
        faces_of((0, ANNA), (0, BEN), (0, BEN), (0, BEN)),
        known(ANNA),
        [ANNA, ANNA, ANNA, ANNA],
    ),
    "noise is nobody's, unless it was somebody's with a say": (
        faces_of((NOISE, ANNA), (NOISE, BEN)),
        known(ANNA),
        [ANNA, NOBODY],
    ),
    "what a human gave to somebody stays there": (
        faces_of((0, BEN), (0, BEN), (0, ANNA), (1, ANNA), (1, ANNA), decided=(2,)),
        known(ANNA),
        [BEN, BEN, ANNA, ANNA, ANNA],
    ),
    "who was made of a face that is not the others' does not get the others": (
        faces_of((0, BEN), (0, BEN), (0, ANNA), decided=(2,)),
        known(ANNA, forbidden={UUID(int=2): {BEN}}),
        [BEN, BEN, ANNA],
    ),
    "who is gone has nothing": (faces_of((0, ANNA), (0, ANNA)), known(root_of={BEN: BEN}), [new(0), new(0)]),
    "nobody gets a face that is said not to be theirs": (
        faces_of((0, ANNA), (0, ANNA), (0, NOBODY)),
        known(forbidden={UUID(int=2): {ANNA}}),
        [ANNA, ANNA, NOBODY],
    ),
    "nor whoever they were merged into": (
        faces_of((0, BEN), (0, BEN), (0, NOBODY)),
        known(BEN, root_of={ANNA: ANNA, BEN: ANNA}, forbidden={UUID(int=2): {ANNA}}),
        [BEN, BEN, NOBODY],
    ),
    "nobody has two faces of a photo; what was theirs goes first": (
        faces_of((0, NOBODY), (0, ANNA), (0, ANNA), (0, NOBODY), photos=3),
        known(),
        [ANNA, ANNA, ANNA, NOBODY],
    ),
    "unless a human said so": (
        faces_of((0, ANNA), (0, ANNA), (0, ANNA), (1, ANNA), decided=(0, 3), photos=3),
        known(ANNA),
        [ANNA, ANNA, ANNA, ANNA],
    ),
}


@pytest.mark.parametrize(("faces", "people", "expected"), CASES.values(), ids=CASES)
def test_matching(faces: list[GroupedFace], people: KnownPeople, expected: list[UUID | None]) -> None:
    assert match(faces, people) == expected
    assert match(list(reversed(faces)), people) == expected[::-1], "whatever their order"


def test_who_joins_touches_nobody_else() -> None:
    ids = new_ids()
    faces = faces_of((0, NOBODY), (7, NOBODY), (7, NOBODY), (NOISE, NOBODY), (5, BEN), (1, NOBODY))
    people = known(forbidden={UUID(int=5): {BEN}})
    chosen = place_joined(faces, {0: ANNA, 1: BEN}, people, lambda: next(ids))
    assert list(chosen.values()) == [ANNA, new(0), new(0), NOBODY, BEN, NOBODY]


def test_nobody_joins_who_was_deleted_meanwhile() -> None:
    chosen = place_joined(faces_of((0, NOBODY)), {0: ANNA}, known(root_of={BEN: BEN}), lambda: BEN)
    assert list(chosen.values()) == [NOBODY]


def test_a_second_face_of_a_photo_does_not_join() -> None:
    faces = faces_of((NOISE, ANNA), (0, NOBODY), photos=1)
    assert list(place_joined(faces, {0: ANNA}, known(), lambda: BEN).values()) == [ANNA, NOBODY]
