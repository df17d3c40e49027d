"""Rows in which the photos, or those who send and ask, mean harm."""

from tests.chaos.profile import MUTANTS
from tests.chaos.row import Row, only_hostile_dead, saw
from tests.chaos.run import Evidence
from tests.chaos.storms import overload, photos
from tests.chaos.storms.processes import count_exits
from tests.fixtures.packs import SHARED

_EXACTLY = "exactly the unreadable ones dead; same worker processes"


def _hostile(evidence: Evidence) -> int:
    return evidence.seen["unreadable"]


def _shed_well(evidence: Evidence) -> bool:
    seen = evidence.seen
    wrong = ("shed without Retry-After, or not answered", "healthz not green", "memory not flat")
    is_calm = seen["admitted p99, % of that at capacity"] <= 200 and not any(seen[each] for each in wrong)
    return is_calm and not count_exits(evidence.exits, "api")


def _refused_well(evidence: Evidence) -> bool:
    seen = evidence.seen
    refused = seen["10 GB refused unread"], seen["10 GB refused at the limit"], seen["10,000 parts refused"]
    wrong = ("others affected", "slow senders that were not cut", "memory not flat")
    return refused == (1, 3, 1) and not any(seen[each] for each in wrong)


POISONS = Row(
    "photos whose decoder crashes, hangs, or takes 4 GB; a bomb",
    photos.watch,
    _hostile,
    only_hostile_dead,
    _EXACTLY,
    prepare=photos.add_poisons,
)
BAD_IMAGES = Row(
    "40 hostile files of other projects",
    photos.watch,
    _hostile,
    only_hostile_dead,
    _EXACTLY,
    prepare=photos.add_bad_images,
)
MUTANTS = Row(
    f"{MUTANTS} seeded mutants of JPEG, PNG and WebP",
    photos.watch,
    _hostile,
    only_hostile_dead,
    _EXACTLY,
    prepare=photos.add_mutants,
    quiet_within_s=120,
)
OVERLOAD = Row(
    "API: ten times the searches it can answer",
    overload.search_ten_times_as_much,
    saw("shed"),
    _shed_well,
    lambda e: (
        f"{e.seen['admitted']} admitted, p99 {e.seen['admitted p99, % of that at capacity']}% of that at capacity; "
        "the others 503 with Retry-After; /healthz green; memory flat"
    ),
    # Enough to be indexed all the while: the two that are compared have it beside them alike.
    photos=128,
    timed=True,
)
TOO_SLOW_TOO_MUCH = Row(
    "API: 24 senders of 1 byte/s; 10 GB, announced and streamed; 10,000 parts",
    overload.send_slowly_and_too_much,
    saw("slow senders told so"),
    _refused_well,
    "cut or refused; others served; memory flat",
)
ROWS = (POISONS, *((BAD_IMAGES,) if SHARED.is_dir() else ()), MUTANTS, OVERLOAD, TOO_SLOW_TOO_MUCH)
