"""The Celery tasks. Each hands over to plain code; none raises, because the ledger already knows the outcome."""

from typing import Protocol
from uuid import UUID

from celery import Celery
from structlog.contextvars import bound_contextvars

from facefleet.prediction.photo_predictor import PhotoPredictor
from workers.indexing import PhotoIndexer
from workers.messages import CLUSTER_ALBUM, INDEX_PHOTOS, PREDICT_PHOTOS


class Grouper(Protocol):
    """Groups the faces of albums into people."""

    def group(self, album_id: UUID) -> object:
        """Group an album, now or soon."""


def register_tasks(app: Celery, indexer: PhotoIndexer, grouper: Grouper, predictor: PhotoPredictor) -> None:
    """Tell a worker's application what its messages mean.

    Args:
        app: the application that consumes.
        indexer: recognizes photos; called from the pool's threads.
        grouper: groups faces into people; the same.
        predictor: names the people of new faces; the same.
    """

    def index_photos(album_id: str, photo_ids: list[str]) -> None:
        with bound_contextvars(album_id=album_id):
            indexer.index([UUID(photo_id) for photo_id in photo_ids])

    def cluster_album(album_id: str) -> None:
        with bound_contextvars(album_id=album_id):
            grouper.group(UUID(album_id))

    def predict_photos(album_id: str, photo_ids: list[str]) -> None:
        with bound_contextvars(album_id=album_id):
            predictor.predict([UUID(photo_id) for photo_id in photo_ids])

    # Not shared: Celery would offer them to every other application of the process as well.
    app.task(index_photos, name=INDEX_PHOTOS, shared=False)
    app.task(cluster_album, name=CLUSTER_ALBUM, shared=False)
    app.task(predict_photos, name=PREDICT_PHOTOS, shared=False)
