"""The messages: ids only, never photos or vectors. Who sends them loads nothing of what they set going."""

from collections.abc import Sequence
from uuid import UUID

from celery import Celery
from kombu import Producer

INDEX_PHOTOS = "facefleet.index_photos"
CLUSTER_ALBUM = "facefleet.cluster_album"
PREDICT_PHOTOS = "facefleet.predict_photos"


def send_index_photos(app: Celery, messages: Sequence[tuple[str, UUID, list[UUID]]]) -> None:
    """Put messages on their queues, in one round trip to Redis: photos of an album that are to be indexed.

    Args:
        app: knows the broker.
        messages: queue, album and photos of each.
    """
    with app.producer_or_acquire() as producer, producer.batch():
        for queue, album_id, photo_ids in messages:
            _send(app, INDEX_PHOTOS, queue, album_id, photo_ids, producer)


def send_cluster_album(app: Celery, queue: str, album_id: UUID) -> None:
    """Put one message on a queue: the album whose faces are to be grouped."""
    app.send_task(CLUSTER_ALBUM, kwargs={"album_id": str(album_id)}, queue=queue)


def send_predict_photos(app: Celery, queue: str, album_id: UUID, photo_ids: list[UUID]) -> None:
    """Put one message on a queue: photos of an album whose faces are to be predicted."""
    _send(app, PREDICT_PHOTOS, queue, album_id, photo_ids)


def _send(
    app: Celery, task: str, queue: str, album_id: UUID, photo_ids: list[UUID], producer: Producer | None = None
) -> None:
    ids = {"album_id": str(album_id), "photo_ids": [str(each) for each in photo_ids]}
    # What Flower shows: said here, because Celery would write it out of all ids.
    shown = f"album {album_id}, {len(photo_ids)} photos"
    app.send_task(task, kwargs=ids, queue=queue, kwargsrepr=shown, producer=producer)
