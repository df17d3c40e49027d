"""The Celery tasks. Each hands over to plain code; none raises, because the ledger already knows the outcome."""

from uuid import UUID

from celery import Celery
from structlog.contextvars import bound_contextvars

from workers.indexing import PhotoIndexer

INDEX_PHOTOS = "facefleet.index_photos"


def register_tasks(app: Celery, indexer: PhotoIndexer) -> None:
    """Tell a worker's application what its messages mean.

    Args:
        app: the application that consumes.
        indexer: does the work; called from the pool's threads.
    """

    def index_photos(album_id: str, photo_ids: list[str]) -> None:
        with bound_contextvars(album_id=album_id):
            indexer.index([UUID(photo_id) for photo_id in photo_ids])

    # Not shared: Celery would offer it to every other application of the process as well.
    app.task(index_photos, name=INDEX_PHOTOS, shared=False)


def send_index_photos(app: Celery, queue: str, album_id: UUID, photo_ids: list[UUID]) -> None:
    """Put one message on a queue: ids only, never photos or vectors."""
    ids = {"album_id": str(album_id), "photo_ids": [str(each) for each in photo_ids]}
    app.send_task(INDEX_PHOTOS, kwargs=ids, queue=queue)
