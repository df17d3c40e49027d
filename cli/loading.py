"""Loading what a process needs."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast


@contextmanager
def loading() -> Iterator[None]:
    """Let the collector of garbage rest while modules are loaded in the block.

    They make half a million objects and throw none away, and looking through them again and again took a tenth of
    every start. What was loaded is left out of all later collections, too.
    """
    # threadpoolctl sets it when it is loaded, which is when models are at work: a thread of theirs that reads the
    # environment while it is changed ends the process. At the first block of a process there are no other threads.
    os.environ.setdefault("KMP_DUPLICATE_LIB_OK", "True")
    gc.disable()
    try:
        _load_structlog()
        yield
    finally:
        gc.freeze()
        gc.enable()


def _load_structlog() -> None:
    """Load it as it is where rich is not installed.

    It takes in the whole of rich where it finds it, a fifteenth of every start, for a kind of traceback that
    `facefleet.logs` has no use for.
    """
    if "rich" in sys.modules:
        return
    sys.modules["rich"] = cast("ModuleType", None)  # Python's own way to say that there is no such module
    try:
        import structlog  # noqa: F401, PLC0415  see above
    finally:
        del sys.modules["rich"]
