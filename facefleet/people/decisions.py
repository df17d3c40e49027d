"""What humans decided, as constraints of a grouping."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from facefleet.people.constraints import Constraints
from facefleet.people.face_set import IntArray
from facefleet.people.matching import KnownPeople


def read_decisions(rows: Sequence[Any], people: KnownPeople) -> Constraints:
    """Turn decisions into constraints about rows.

    Faces that humans gave to one person are together. Everybody whom a human had a hand in is kept apart from all
    others by one face of theirs. A face that is not somebody's is apart from that face of theirs.

    Args:
        rows: of `Groupings.faces`: N of them.
        people: at least everybody who has one of these faces.

    Returns:
        Constraints of the rows 0 to N - 1.
    """
    decided: dict[UUID, list[int]] = {}
    for number, row in enumerate(rows):
        if row.person_id is not None and row.is_decided:
            decided.setdefault(row.person_id, []).append(number)
    anchors = _choose_anchors(rows, people)
    apart = [
        (number, anchors[root_id])
        for number, row in enumerate(rows)
        for root_id in sorted(people.forbidden.get(row.id, ()))
        if root_id in anchors and people.root_of.get(row.person_id) != root_id
    ]
    held = [number for root_id, number in anchors.items() if root_id in people.held]
    chains = [pair for mine in decided.values() for pair in pairwise(mine)]
    return Constraints(together=_pairs(chains), apart=_pairs(apart), people=np.array(held, np.int64))


def _choose_anchors(rows: Sequence[Any], people: KnownPeople) -> dict[UUID, int]:
    """Choose one face for everybody: one that a human gave to them if there is one, else the best one."""
    best: dict[UUID, tuple[bool, float, int]] = {}
    for number, row in enumerate(rows):
        root_id = people.root_of.get(row.person_id)
        if root_id is not None:
            candidate = (bool(row.is_decided), float(row.overall), -number)
            best[root_id] = max(best.get(root_id, candidate), candidate)
    return {root_id: -number for root_id, (_, _, number) in best.items()}


def _pairs(pairs: Sequence[tuple[int, int]]) -> IntArray:
    return np.array(pairs, np.int64).reshape(-1, 2)
