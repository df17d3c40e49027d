"""One thread a duty: do a step, and rest when there was nothing to do."""

from collections.abc import Callable
from threading import Event

import structlog

from facefleet.errors import TransientError

#: A rest after a dependency was found to be down.
_DOWN_REST_S = 2.0

log = structlog.stdlib.get_logger(__name__)


def repeat(step: Callable[[], bool], rest_s: float, stopping: Event) -> None:
    """Call `step` until `stopping`; it says whether there may be more to do at once.

    A dependency that is down is waited for. A defect is logged and the duty goes on: the other duties, and the photos
    already dispatched, do not depend on it.
    """
    while not stopping.is_set():
        try:
            more = step()
        except TransientError as error:
            log.warning("dispatcher waits", duty=step.__qualname__, error=str(error), reason=error.reason)
            stopping.wait(_DOWN_REST_S)
        except Exception:
            log.exception("dispatcher step failed", duty=step.__qualname__)
            stopping.wait(_DOWN_REST_S)
        else:
            if not more:
                stopping.wait(rest_s)
