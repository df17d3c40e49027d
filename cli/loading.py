"""Loading what a process needs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Let the collector of garbage rest while modules are loaded in the block.

    They make half a million objects and throw none away, and looking through them again and again took a tenth of
    every start. What was loaded is left out of all later collections, too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
