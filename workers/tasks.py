"""The Celery tasks. Each hands over to plain code; none raises, because the ledger already knows the outcome."""

from uuid import UUID

from celery import Celery
from structlog.contextvars import bound_contextvars

from facefleet.people.grouping import AlbumGrouper
from facefleet.prediction.photo_predictor import PhotoPredictor
from workers.indexing import PhotoIndexer

INDEX_PHOTOS = "facefleet.index_photos"
CLUSTER_ALBUM = "facefleet.cluster_album"
PREDICT_PHOTOS = "facefleet.predict_photos"


def register_tasks(app: Celery, indexer: PhotoIndexer, grouper: AlbumGrouper, predictor: PhotoPredictor) -> None:
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


def send_index_photos(app: Celery, queue: str, album_id: UUID, photo_ids: list[UUID]) -> None:
    """Put one message on a queue: ids only, never photos or vectors."""
    ids = {"album_id": str(album_id), "photo_ids": [str(each) for each in photo_ids]}
    app.send_task(INDEX_PHOTOS, kwargs=ids, queue=queue)


def send_cluster_album(app: Celery, queue: str, album_id: UUID) -> None:
    """Put one message on a queue: the album whose faces are to be grouped."""
    app.send_task(CLUSTER_ALBUM, kwargs={"album_id": str(album_id)}, queue=queue)


def send_predict_photos(app: Celery, queue: str, album_id: UUID, photo_ids: list[UUID]) -> None:
    """Put one message on a queue: photos of an album whose faces are to be predicted."""
    ids = {"album_id": str(album_id), "photo_ids": [str(each) for each in photo_ids]}
    app.send_task(PREDICT_PHOTOS, kwargs=ids, queue=queue)
