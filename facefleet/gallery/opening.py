"""Choose the gallery that the settings name."""

from pathlib import Path

from facefleet.gallery.edge_client import EdgeClientGallery
from facefleet.gallery.protocol import Gallery
from facefleet.gallery.qdrant_edge import EdgeGallery
from facefleet.settings import Settings


def open_gallery(settings: Settings, *, owner: bool) -> Gallery:
    """Open the gallery of a process.

    Args:
        settings: `qdrant_url` names a server; without one the engine is embedded in the owner.
        owner: whether this process owns the data directory (api, up, the embedded command line); the others (worker,
            dispatcher) reach the owner through its socket.

    Raises:
        DataDirectoryInUse: another process owns it.
        ConfigurationError: the directory or the URL cannot be used.
    """
    if settings.qdrant_url:
        # qdrant-client takes seconds to import, which nobody without a server is to pay.
        from facefleet.gallery.qdrant_server import QdrantServerGallery, connect_qdrant  # noqa: PLC0415

        return QdrantServerGallery(connect_qdrant(settings.qdrant_url, settings.qdrant_api_key.get_secret_value()))
    if owner:
        return EdgeGallery(settings.data_dir / "gallery", reserve_bytes=settings.gallery_reserve_bytes)
    return EdgeClientGallery(gallery_socket(settings))


def gallery_socket(settings: Settings) -> Path:
    """Name the Unix socket on which the owner serves its embedded gallery."""
    return settings.data_dir.absolute() / "gallery.sock"
