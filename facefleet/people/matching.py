"""Clusters to people: who was there keeps identity and decisions, whatever a grouping says."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from uuid import UUID

from facefleet.people.face_set import NOISE

#: A cluster beside a person's main one is theirs too when this share of it was.
_SECOND_CLUSTER_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class GroupedFace:
    """A face with its cluster, and what was known about it."""

    face_id: UUID
    photo_id: UUID
    #: Number of its cluster, or `NOISE`.
    label: int
    #: Whose it was, before merges.
    person_id: UUID | None
    #: Whether a human said so.
    is_decided: bool


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """What has to be known about people to keep what humans decided. People are named before merges."""

    #: Whom a human had a hand in: named, hidden, merged, given a face ...; no grouping dissolves them.
    held: AbstractSet[UUID]
    #: Who everybody is after all merges, in the order in which they came to be.
    root_of: Mapping[UUID, UUID]
    #: Whose a face is not: roots by face.
    forbidden: Mapping[UUID, AbstractSet[UUID]] = field(default_factory=dict)

    def may_be(self, face_id: UUID, person_id: UUID) -> bool:
        """Whether no human said that it is somebody else."""
        return self.root_of.get(person_id, person_id) not in self.forbidden.get(face_id, ())


def match_clusters(
    faces: Sequence[GroupedFace], people: KnownPeople, new_person: Callable[[], UUID]
) -> dict[UUID, UUID | None]:
    """Say whose each face is after all faces were grouped anew.

    A cluster becomes the person of whom most of its faces were. A face that a human gave to somebody stays there.
    People whom a human had a hand in keep their faces unless a cluster that is mainly somebody else's takes one. Nobody
    gets a face that a human said is not theirs, nor two faces of one photo. Deterministic but for ids of new people.

    Args:
        faces: all that were grouped.
        people: at least everybody who has one of these faces.
        new_person: draws an id for a cluster that is nobody's.

    Returns:
        {face id: person, or None for nobody's}.
    """
    counts, main = _count_overlaps(faces, people)
    owners = _choose_owners(faces, counts, main, people, new_person)
    chosen: dict[UUID, UUID | None] = {}
    for face in faces:
        chosen[face.face_id] = _choose_person(face, main, owners, people)
    return _part_photos(faces, chosen)


def place_joined(
    faces: Sequence[GroupedFace], owners: Mapping[int, UUID], people: KnownPeople, new_person: Callable[[], UUID]
) -> dict[UUID, UUID | None]:
    """Say whose faces are that joined people, or became a cluster of their own. Faces that are somebody's stay so.

    Args:
        faces: new ones, and those that were nobody's; with their photos' other faces.
        owners: which label stands for whom; other labels are new clusters.
        people: at least everybody in `owners`.
        new_person: draws an id for a cluster that is nobody's.
    """
    owner_of = dict(owners)
    chosen: dict[UUID, UUID | None] = {}
    for face in faces:
        if face.person_id is not None or face.label == NOISE:
            chosen[face.face_id] = face.person_id
            continue
        if face.label not in owner_of:
            owner_of[face.label] = new_person()
        owner = owner_of[face.label]
        is_there = face.label not in owners or owner in people.root_of
        chosen[face.face_id] = owner if is_there and people.may_be(face.face_id, owner) else None
    return _part_photos(faces, chosen)


def _count_overlaps(
    faces: Sequence[GroupedFace], people: KnownPeople
) -> tuple[dict[int, Counter[UUID]], dict[UUID, int]]:
    """Count how many faces of each cluster were whose, and find the cluster in which most faces of each person are."""
    counts: defaultdict[int, Counter[UUID]] = defaultdict(Counter)
    for face in faces:
        if face.label != NOISE and face.person_id is not None and face.person_id in people.root_of:
            counts[face.label][face.person_id] += 1
    main: dict[UUID, int] = {}
    for label in sorted(counts):
        for person_id, count in counts[label].items():
            if person_id not in main or count > counts[main[person_id]][person_id]:
                main[person_id] = label
    return counts, main


def _choose_owners(
    faces: Sequence[GroupedFace],
    counts: Mapping[int, Counter[UUID]],
    main: Mapping[UUID, int],
    people: KnownPeople,
    new_person: Callable[[], UUID],
) -> dict[int, UUID]:
    sizes = Counter(face.label for face in faces if face.label != NOISE)
    parted = _find_parted(faces, people)
    seniority = {person_id: place for place, person_id in enumerate(people.root_of)}
    owners = {}
    for label in sorted(sizes):
        mine = counts.get(label, Counter())
        ranked = sorted(mine, key=lambda each: (-mine[each], seniority[each]))
        most = set(ranked[:1])
        at_home = [each for each in ranked if main[each] == label]
        # Somebody whose faces are said not to be those of the others here does not get the others.
        held = [each for each in at_home if each in people.held and not parted.get((label, each), set()) & most]
        share = _SECOND_CLUSTER_SHARE * sizes[label]
        second = [each for each in most if each in people.held and mine[each] >= share]
        owners[label] = next(iter([*held, *second, *at_home]), None) or new_person()
    return owners


def _find_parted(faces: Sequence[GroupedFace], people: KnownPeople) -> dict[tuple[int, UUID], set[UUID]]:
    """Name for each cluster and person whom a human said that their faces are not."""
    parts: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for person_id, root_id in people.root_of.items():
        parts[root_id].add(person_id)
    parted: defaultdict[tuple[int, UUID], set[UUID]] = defaultdict(set)
    for face in faces:
        if face.person_id is not None and face.face_id in people.forbidden:
            for root_id in people.forbidden[face.face_id]:
                parted[face.label, face.person_id] |= parts.get(root_id, set())
    return parted


def _choose_person(
    face: GroupedFace, main: Mapping[UUID, int], owners: Mapping[int, UUID], people: KnownPeople
) -> UUID | None:
    was = face.person_id
    if was is not None and face.is_decided:
        return was
    stays = was in people.held and (face.label == NOISE or main.get(was) == face.label) if was is not None else False
    person_id = was if stays else owners.get(face.label)
    return person_id if person_id is not None and people.may_be(face.face_id, person_id) else None


def _part_photos(faces: Sequence[GroupedFace], chosen: dict[UUID, UUID | None]) -> dict[UUID, UUID | None]:
    """Leave a person one face of each photo, unless a human said otherwise: what was decided, then what was theirs."""
    rank = sorted(faces, key=lambda face: (not face.is_decided, face.person_id != chosen[face.face_id], face.face_id))
    taken: set[tuple[UUID, UUID]] = set()
    for face in rank:
        person_id = chosen[face.face_id]
        if person_id is None:
            continue
        if (face.photo_id, person_id) in taken and not face.is_decided:
            chosen[face.face_id] = None
        taken.add((face.photo_id, person_id))
    return chosen
