"""Places where a test may have a process die, wait or fail. Without the setting, one look at nothing."""

import os
import signal
import time
from dataclasses import dataclass

from facefleet.errors import ConfigurationError

#: Every place that calls `hit`. after_claim, before_photo (subject: the photo's name), after_upsert: a worker.
#: after_ingest_commit, after_send: the dispatcher.
FAILPOINTS = ("after_claim", "before_photo", "after_upsert", "after_ingest_commit", "after_send")


class PlantedFailure(Exception):
    """What the action `raise` raises: nothing in the project foresees it."""


def _kill(_argument: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _sleep(argument: str) -> None:
    time.sleep(float(argument))


def _raise(argument: str) -> None:
    raise PlantedFailure(argument or "planted")


_ACTIONS = {"kill": _kill, "sleep": _sleep, "raise": _raise}


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """What happens at one place."""

    place: str
    name: str
    argument: str
    #: Only subjects that contain this text.
    subject_text: str


@dataclass(frozen=True)
class Failpoints:
    """What is planted where."""

    planted: tuple[PlannedAction, ...] = ()

    def hit(self, place: str, subject: str = "") -> None:
        """Do what is planted at this place for this subject, if anything, one after the other."""
        for action in self.planted:
            if action.place == place and action.subject_text in subject:
                _ACTIONS[action.name](action.argument)


def parse_failpoints(text: str) -> Failpoints:
    """Read a setting such as `after_claim=kill,before_photo@poison=sleep:2`.

    Args:
        text: `place=action` or `place@text=action`, separated by commas; actions are kill, sleep:SECONDS and raise.

    Raises:
        ConfigurationError: there is no such place or action.
    """
    planted = []
    for part in filter(None, text.split(",")):
        place, _, action = part.partition("=")
        place, _, subject_text = place.partition("@")
        name, _, argument = action.partition(":")
        if place not in FAILPOINTS or name not in _ACTIONS:
            raise ConfigurationError(
                f"FACEFLEET_FAILPOINTS: {part!r} is not PLACE=ACTION with a place of {', '.join(FAILPOINTS)} "
                f"and an action of {', '.join(_ACTIONS)}"
            )
        planted.append(PlannedAction(place, name, argument, subject_text))
    return Failpoints(tuple(planted))
