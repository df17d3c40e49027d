"""Stores for commands that work on them directly, beside a running server of this machine or without one."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from cli.data_directory import hold_data_directory
from facefleet.errors import DataDirectoryInUse
from facefleet.gallery.opening import open_gallery
from facefleet.gallery.protocol import Gallery
from facefleet.settings import Settings


@contextmanager
def reach_gallery(settings: Settings) -> Iterator[Gallery]:
    """Open the gallery through the server that owns the data directory, or own it while the block lasts.

    Raises:
        GalleryUnavailable: another command owns it, which serves nothing.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_data_directory(settings.data_dir))
            owner = True
        except DataDirectoryInUse:
            owner = False
        yield stack.enter_context(closing(open_gallery(settings, owner=owner)))
